/** Index of the source address in {@linkcode PacketHeader.addresses}. */
export const SOURCE = 0;
/** Index of the destination address in {@linkcode PacketHeader.addresses}. */
export const DESTINATION = 4;

/** IANA protocol numbers. */
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;

/** TCP control bits (RFC 9293, section 3.1). */
export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_ACK = 0x10;

/** In {@linkcode PacketHeader.notIp}: a PPP protocol number, an address family of BSD's loopback. */
export const NOT_IP_PPP = 1 << 16;
export const NOT_IP_FAMILY = 1 << 17;

/**
 * The header fields of one packet. One object is used for all packets: the decoder overwrites it.
 *
 * An address is four words in network order. An IPv4 address is in the last of the four; the other
 * three are then left as they were, so look at {@linkcode PacketHeader.isIpv6} first.
 */
export class PacketHeader {
  /** Source, then destination. Signed, since that is what the processor compares fastest. */
  readonly addresses: Int32Array = new Int32Array(8);
  /** Which of the two families the packet is of. */
  isIpv6 = false;
  /** IANA protocol number. */
  protocol = 0;
  /** The TCP or UDP port that sent it. */
  sourcePort = 0;
  /** The TCP or UDP port that it goes to. */
  destinationPort = 0;
  /**
   * With `NOT_IP`, what it is: an EtherType, 0 where there is none, or one of the other numbers and its
   * `NOT_IP_` flag.
   */
  notIp = 0;
  /** TCP control bits, 0 for UDP. */
  tcpFlags = 0;
  /** Where the transport header begins in the batch's buffer. */
  transportOffset = 0;
  /** Where the first byte after the transport header is in the batch's buffer. */
  payloadOffset = 0;
  /** Where the captured bytes of this packet end; never less than `payloadOffset`. */
  payloadEnd = 0;
  /**
   * How many bytes more the IP packet had than were captured, by the words of its header; 0 where
   * that does not say how long it is.
   */
  missing = 0;
  /** The code of an ICMP message. */
  icmpCode = 0;
  /** The addresses of the packet that an ICMP message sends back, as `addresses`. */
  readonly bouncedAddresses: Int32Array = new Int32Array(8);
  /** The IANA protocol number of that packet, TCP or UDP. */
  bouncedProtocol = 0;
  /** Its source port. */
  bouncedSourcePort = 0;
  /** Its destination port. */
  bouncedDestinationPort = 0;
}
