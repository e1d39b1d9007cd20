/** One of many conversations, to show them by. */
export interface ConversationExample {
  /** Its address family. */
  isIpv6: boolean;
  /** IANA's number. */
  protocol: number;
  /** Four words in network order, IPv4 in the last of them. */
  source: Uint32Array;
  /** The port of its source. */
  sourcePort: number;
  /** As `source`. */
  destination: Uint32Array;
  /** The port of its destination. */
  destinationPort: number;
}
