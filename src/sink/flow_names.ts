import type { ServerName } from "../model/conversation_record.ts";

/** What is known of the names of a flow's server. */
export interface NamesOfFlow {
  /** The strongest first. */
  readonly names: readonly ServerName[];
  /** Whether a lookup explains the flow; `null` where that is not asked. */
  readonly isExplained: boolean | null;
  /** Why not, in words; or why that is not asked. */
  readonly why: string | null;
  /** What the client offers to speak (ALPN, RFC 7301), where that was seen. */
  readonly applicationProtocols: readonly string[];
}

/** Knows the names of the servers of flows. */
export interface FlowNames {
  /** Whether there are none. */
  readonly isEmpty: boolean;

  /**
   * The name that a client looked up last for an address, or `null`.
   *
   * @param words Holds both addresses: four words each, in network order, IPv4 in the last of them.
   * @param client Where the first word of the client's is.
   * @param address Where that of the other is.
   */
  find(isIpv6: boolean, words: Uint32Array, client: number, address: number): string | null;

  /**
   * What is known of a conversation.
   *
   * @param words Records of conversations, laid out as `record_layout.ts` says.
   * @param at Where its record's first word is.
   */
  of(words: Uint32Array, at: number): NamesOfFlow;
}
