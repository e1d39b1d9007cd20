import type { DnsKind } from "./dns_kind.ts";

/** What a conversation has come to. */
export type ConversationState =
  /** UDP that was answered, or TCP that was picked up in the middle. */
  | "open"
  /** TCP of which the handshake was seen. */
  | "established"
  /** Both ends said FIN. */
  | "closed"
  /** An end gave up a connection that had carried something. */
  | "reset"
  /** RST was the only answer. */
  | "refused"
  /** ICMP said that the server, or its port, can't be reached. */
  | "unreachable"
  /** The server said nothing. */
  | "unanswered";

/** Where the name of a flow's server comes from, the strongest first. */
export type NameOrigin =
  /** This client asked for the name, and was answered this address. */
  | "lookup"
  /** The same by a hint in an SVCB or HTTPS record (RFC 9460). */
  | "https-hint"
  /** A TLS ClientHello names it. */
  | "sni"
  /** The same in QUIC. */
  | "quic-sni"
  /** Host of an HTTP request. */
  | "http-host"
  /** Another client of ours asked. */
  | "other-client"
  /** What the address is called in reverse lookups (PTR): its owner says so, and nobody asked for it. */
  | "reverse";

/** A name of a flow's server. */
export interface ServerName {
  /** Lower case, without a dot at its end. */
  readonly name: string;
  /** Where it comes from. */
  readonly from: NameOrigin;
  /**
   * Whether it stands in place of another name that is encrypted (RFC 9849), so that it says nothing
   * about which service is used.
   */
  readonly isOuter?: boolean;
}

/**
 * What is known of an attributed conversation: what outputs of rows take (a store, `--json`, exports).
 * Of one that goes on there are several, each with the figures up to then.
 */
export interface ConversationRecord {
  /** The same in all records of a conversation; unique in a run of the sensor. */
  readonly id: number;
  /** Whether it is over, or was idle for so long that it is taken for that. */
  readonly isOver: boolean;
  /** The transport protocol. */
  readonly protocol: "tcp" | "udp";
  /** Addresses as `addressText` writes them. */
  readonly client: string;
  /** The port that the client uses. */
  readonly clientPort: number;
  /** The server's address, likewise. */
  readonly server: string;
  /** The port of the service. */
  readonly port: number;
  /** What decided who serves: one of the names of reasons, `syn`, `lower-port` ... */
  readonly by: string;
  /** What it has come to. */
  readonly state: ConversationState;
  /** Packets from the client, from the server. */
  readonly packets: readonly [number, number];
  /** Bytes of IP packets, header and payload (IPFIX, octetTotalCount): from the client, from the server. */
  readonly bytes: readonly [number, number];
  /** All TCP control bits (RFC 9293, section 3.1): from the client, from the server. */
  readonly flags: readonly [number, number];
  /** When the first packet came, in milliseconds since 1970-01-01 UTC. */
  readonly first: number;
  /** Likewise, of the last packet. */
  readonly last: number;
  /** Where it was captured; `null` where a saved capture does not tell. */
  readonly interface: string | null;
  /** The VLAN's number (IEEE 802.1Q), or `null`. */
  readonly vlan: number | null;
  /** The innermost tunnel, `VXLAN 4711`, or `null`. */
  readonly tunnel: string | null;
  /** The strongest first. */
  readonly names: readonly ServerName[];
  /** Which kind of DNS it is that the network's name servers don't see, where it is such. */
  readonly dns?: DnsKind;
  /** Whether a lookup explains it; `null` where that is not asked. */
  readonly isExplained: boolean | null;
  /** Why it is not explained, in words; `null` where it is, or that is not asked. */
  readonly why: string | null;
}
