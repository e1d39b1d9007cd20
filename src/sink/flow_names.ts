/**
 * Knows the names that clients looked up.
 */
export interface FlowNames {
  /** Whether none was looked up. */
  readonly isEmpty: boolean;

  /**
   * The name that a client looked up last for an address, or `null`.
   *
   * @param words Holds both addresses: four words each, in network order, IPv4 in the last of them.
   * @param client Where the first word of the client's is.
   * @param address Where that of the other is.
   */
  find(isIpv6: boolean, words: Uint32Array, client: number, address: number): string | null;
}
