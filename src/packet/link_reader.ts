import type { PacketHeader } from "./packet_header.ts";

/**
 * Reads packets that are neither TCP nor UDP, in which hosts tell of themselves: ARP, LLDP, neighbour
 * discovery. It is called for these packets only, while they are decoded.
 */
export interface LinkReader {
  /** EtherTypes of what is not IP and is to be read. */
  readonly etherTypes: ReadonlySet<number>;
  /** Types of ICMPv6 messages that are to be read (RFC 4443, section 2.1). */
  readonly icmpv6Types: ReadonlySet<number>;

  /**
   * Reads a packet.
   *
   * @param view The batch's buffer, which is used again as soon as this returns.
   * @param header What follows the EtherType, or the ICMPv6 message, is from its `payloadOffset` to its
   * `payloadEnd`. Of the first `notIp` is the EtherType; of the second `isIpv6` holds, and `addresses`
   * and `ipOffset` are those of the packet.
   * @param etherType The EtherType, or 0 with an ICMPv6 message.
   * @param seconds When it was seen, in seconds since 1970-01-01 UTC.
   */
  readLink(
    view: DataView<ArrayBufferLike>,
    header: PacketHeader,
    etherType: number,
    seconds: number,
  ): void;
}
