import { OTHER_ICMP } from "./decoded.ts";
import { readBounced, shortBy } from "./ip.ts";
import type { PacketHeader } from "./packet_header.ts";

/** Type, code, checksum and four bytes that are unused here; then the bounced packet. */
const ICMP_HEADER = 8;
/** RFC 792. */
const DESTINATION_UNREACHABLE = 3;
/** RFC 4443, section 3.1. */
const DESTINATION_UNREACHABLE_V6 = 1;

/**
 * Reads an ICMP message (RFC 792): destination unreachable with what bounced, nothing else.
 *
 * @param start Where the ICMP header begins.
 * @param limit Where the bytes that are both captured and of the packet end.
 * @param packetEnd Where the packet ends by the words of its IP header.
 */
export function readIcmp(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  return readUnreachable(view, start, limit, packetEnd, header, DESTINATION_UNREACHABLE);
}

/** Reads an ICMPv6 message (RFC 4443) as {@linkcode readIcmp} reads those of IPv4. */
export function readIcmpv6(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  return readUnreachable(view, start, limit, packetEnd, header, DESTINATION_UNREACHABLE_V6);
}

function readUnreachable(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
  type: number,
): number {
  if (start + ICMP_HEADER > limit) return shortBy(start + ICMP_HEADER, packetEnd);
  header.payloadOffset = start;
  header.payloadEnd = limit;
  if (view.getUint8(start) !== type) return OTHER_ICMP;
  header.icmpCode = view.getUint8(start + 1);
  return readBounced(view, start + ICMP_HEADER, limit, packetEnd, header);
}
