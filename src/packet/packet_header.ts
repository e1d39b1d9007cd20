/** Index of the source address in {@linkcode PacketHeader.addresses}. */
export const SOURCE = 0;
/** Index of the destination address in {@linkcode PacketHeader.addresses}. */
export const DESTINATION = 4;

export * from "../model/protocol_numbers.ts";

/** In {@linkcode PacketHeader.notIp}: a PPP protocol number, an address family of BSD's loopback. */
export const NOT_IP_PPP = 1 << 16;
export const NOT_IP_FAMILY = 1 << 17;
/** Both access points of an IEEE 802.2 header; type and subtype of an IEEE 802.11 frame. */
export const NOT_IP_LLC = 1 << 18;
export const NOT_IP_80211 = 1 << 19;

/** How many layers that hold a packet of their own are opened, one in the other. */
export const MOST_NESTED = 8;

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
  /** Where the IP header begins in the batch's buffer. */
  ipOffset = 0;
  /** Bytes of the IP packet with its header, by its own words; 0 where it does not say. */
  ipLength = 0;
  /** The number of the outermost VLAN that it was tagged with, or 0. */
  vlan = 0;
  /** IANA protocol number. */
  protocol = 0;
  /** The TCP or UDP port that sent it. */
  sourcePort = 0;
  /** The TCP or UDP port that it goes to. */
  destinationPort = 0;
  /**
   * With `NOT_IP`, what it is: an EtherType, 0 where there is none, or one of the other numbers and its
   * `NOT_IP_` flag. With `UNSUPPORTED_LINK_TYPE`, the link type.
   */
  notIp = 0;
  /** Whether it is one of several fragments. Then, and with `LATER_FRAGMENT` of IP, the following: */
  isFragment = false;
  /** What fragments of a datagram have in common besides the addresses. */
  fragmentId = 0;
  /** And the protocol, which is part of that in IPv4 only: 0 in IPv6. */
  fragmentProtocol = 0;
  /** Where in the datagram its data is, in bytes. */
  fragmentOffset = 0;
  /** Where that data begins in the batch's buffer. */
  fragmentStart = 0;
  /** Where its captured bytes end there. */
  fragmentEnd = 0;
  /** Where the data ends by the words of the IP header, which the capture may have cut. */
  fragmentLimit = 0;
  /** Whether others come after it in the datagram. */
  hasMoreFragments = false;
  /** TCP control bits, 0 for UDP. */
  tcpFlags = 0;
  /** Where the transport header begins in the batch's buffer. */
  transportOffset = 0;
  /**
   * Where the first byte after the transport header is in the batch's buffer; of what is not IP, that
   * after an EtherType; with ICMP, that of the message.
   */
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
  /** Which tunnel the packet is in, the innermost: one of the numbers of `tunnel.ts`. */
  tunnel = 0;
  /** What tells tunnels of one kind apart: VNI, TEID, key, label; 0 where there is nothing. */
  tunnelId = 0;
  /** How many layers that hold a packet of their own were opened. */
  nested = 0;
  /**
   * The packets around this one, the outermost first; `nested` of them mean something, and of these the
   * ones that have a protocol are IP packets.
   */
  readonly around: PacketHeader[] = [];

  /**
   * Whether packets in IP packets are read. Otherwise, the packet around them is the one that is meant.
   * For whoever has a packet decoded to say.
   */
  opensTunnels = true;

  /** Notes the fields as those of the packet around the next one, which {@linkcode leave} takes back. */
  enter(): void {
    // Once a layer, and never again: this is no cost of a packet.
    while (this.around.length <= this.nested) this.around.push(new PacketHeader());
    this.around[this.nested].copy(this);
    this.nested++;
    this.protocol = 0;
  }

  /** Has the fields again that {@linkcode enter} has noted last. */
  leave(): void {
    this.nested--;
    this.copy(this.around[this.nested]);
  }

  /** Takes the fields that say what is carried from where to where. */
  private copy(other: PacketHeader): void {
    for (let word = 0; word < 8; word++) this.addresses[word] = other.addresses[word];
    this.isIpv6 = other.isIpv6;
    this.ipOffset = other.ipOffset;
    this.ipLength = other.ipLength;
    this.protocol = other.protocol;
    this.sourcePort = other.sourcePort;
    this.destinationPort = other.destinationPort;
    this.tcpFlags = other.tcpFlags;
    this.transportOffset = other.transportOffset;
    this.payloadOffset = other.payloadOffset;
    this.payloadEnd = other.payloadEnd;
    this.tunnel = other.tunnel;
    this.tunnelId = other.tunnelId;
  }
}
