import type { PacketHeader } from "./packet_header.ts";
import {
  DESTINATION,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  SOURCE,
} from "./packet_header.ts";
import {
  BAD_LENGTH,
  BAD_VERSION,
  CUT_SHORT,
  LATER_FRAGMENT,
  OTHER_ICMP,
  OTHER_PROTOCOL,
  UNREACHABLE,
} from "./decoded.ts";
import { readIcmp, readIcmpv6 } from "./icmp.ts";
import { readTcp, readUdp } from "./transport.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
/**
 * How long a packet is taken to be whose header says 0: one more than the field can hold. Segmentation
 * offload leaves 0 in packets captured on their way out, and jumbograms have it (RFC 2675).
 */
const UNSTATED_LENGTH = 0x10000;
/** Source and destination port, with which TCP and UDP both begin. */
const PORTS = 4;
/** Low 13 bits of the IPv4 word with the flags (RFC 791, section 3.1). */
const IPV4_FRAGMENT_OFFSET = 0x1fff;
/** High 13 bits of the IPv6 fragment header's second word (RFC 8200, section 4.5). */
const IPV6_FRAGMENT_OFFSET = 0xfff8;

/** IPv6 extension headers (IANA, "IPv6 Extension Header Types"). */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

/**
 * Reads an IPv4 packet (RFC 791) and what it carries.
 *
 * @param start Where the IP header begins.
 * @param end Where the captured bytes end.
 * @returns One of the numbers of `decoded.ts`.
 */
export function readIpv4(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < IPV4_HEADER) return CUT_SHORT;
  const first = view.getInt32(start);
  if (first >>> 28 !== 4) return BAD_VERSION;
  const headerLength = (first >>> 22) & 0x3c;
  if (headerLength < IPV4_HEADER) return BAD_LENGTH;
  const totalLength = first & 0xffff;
  let limit = end;
  let packetEnd = start + UNSTATED_LENGTH;
  if (totalLength !== 0) {
    if (totalLength < headerLength) return BAD_LENGTH;
    packetEnd = start + totalLength;
    // What follows is padding of the link layer.
    if (packetEnd < end) limit = packetEnd;
  }
  const next = start + headerLength;
  if (next > limit) return CUT_SHORT;
  if ((view.getUint16(start + 6) & IPV4_FRAGMENT_OFFSET) !== 0) return LATER_FRAGMENT;
  header.isIpv6 = false;
  header.addresses[SOURCE + 3] = view.getInt32(start + 12);
  header.addresses[DESTINATION + 3] = view.getInt32(start + 16);
  header.missing = totalLength !== 0 && packetEnd > end ? packetEnd - end : 0;
  const protocol = view.getUint8(start + 9);
  header.protocol = protocol;
  if (protocol === PROTOCOL_TCP) return readTcp(view, next, limit, packetEnd, header);
  if (protocol === PROTOCOL_UDP) return readUdp(view, next, limit, packetEnd, header);
  if (protocol === PROTOCOL_ICMP) return readIcmp(view, next, limit, packetEnd, header);
  return OTHER_PROTOCOL;
}

/**
 * Reads an IPv6 packet (RFC 8200) with its extension headers and what it carries.
 *
 * @param start Where the IP header begins.
 * @param end Where the captured bytes end.
 * @returns One of the numbers of `decoded.ts`.
 */
export function readIpv6(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < IPV6_HEADER) return CUT_SHORT;
  if (view.getUint8(start) >>> 4 !== 6) return BAD_VERSION;
  const payloadLength = view.getUint16(start + 4);
  const packetEnd = start + IPV6_HEADER + (payloadLength === 0 ? UNSTATED_LENGTH : payloadLength);
  const limit = payloadLength !== 0 && packetEnd < end ? packetEnd : end;
  header.isIpv6 = true;
  header.missing = payloadLength !== 0 && packetEnd > end ? packetEnd - end : 0;
  const { addresses } = header;
  for (let word = 0; word < 8; word++) addresses[word] = view.getInt32(start + 8 + 4 * word);
  const found = skipExtensions(
    view,
    view.getUint8(start + 6),
    start + IPV6_HEADER,
    limit,
    packetEnd,
  );
  if (found < 0) return -found;
  const next = extensionsEnd;
  header.protocol = found;
  if (found === PROTOCOL_TCP) return readTcp(view, next, limit, packetEnd, header);
  if (found === PROTOCOL_UDP) return readUdp(view, next, limit, packetEnd, header);
  if (found === PROTOCOL_ICMPV6) return readIcmpv6(view, next, limit, packetEnd, header);
  return OTHER_PROTOCOL;
}

/** Where the header lies that {@linkcode skipExtensions} found. */
let extensionsEnd = 0;

/**
 * Walks over IPv6 extension headers.
 *
 * @returns The protocol that they lead to, its place then being in `extensionsEnd`,
 * or one of the numbers of `decoded.ts` with its sign changed.
 */
function skipExtensions(
  view: DataView,
  protocol: number,
  offset: number,
  limit: number,
  packetEnd: number,
): number {
  for (;;) {
    let size: number;
    switch (protocol) {
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION_OPTIONS:
      case MOBILITY:
      case HIP:
      case SHIM6:
        if (offset + 2 > limit) return -shortBy(offset + 2, packetEnd);
        size = (view.getUint8(offset + 1) + 1) * 8;
        break;
      case AUTHENTICATION:
        if (offset + 2 > limit) return -shortBy(offset + 2, packetEnd);
        // RFC 4302, section 2.2: in words of 4 bytes, less 2.
        size = (view.getUint8(offset + 1) + 2) * 4;
        break;
      case FRAGMENT:
        if (offset + FRAGMENT_HEADER > limit) return -shortBy(offset + FRAGMENT_HEADER, packetEnd);
        if ((view.getUint16(offset + 2) & IPV6_FRAGMENT_OFFSET) !== 0) return -LATER_FRAGMENT;
        size = FRAGMENT_HEADER;
        break;
      default:
        extensionsEnd = offset;
        return protocol;
    }
    if (offset + size > limit) return -shortBy(offset + size, packetEnd);
    protocol = view.getUint8(offset);
    offset += size;
  }
}

/**
 * Why bytes up to `needed` are not there: the packet itself ends before them, or the capture does.
 *
 * @param packetEnd Where the packet ends by its own words.
 */
export function shortBy(needed: number, packetEnd: number): number {
  return needed > packetEnd ? BAD_LENGTH : CUT_SHORT;
}

/**
 * Reads the IP header and the ports of a packet that an ICMP message sends back. Such a packet is
 * mostly cut after its ports, so what its own header says of its length is not held against it.
 *
 * @param start Where the bounced packet begins.
 * @param limit Where the bytes that are both captured and of the ICMP message end.
 * @param packetEnd Where the ICMP message ends by the words of its IP header.
 * @returns `UNREACHABLE` when it was TCP or UDP and its ports are there, or why not.
 */
export function readBounced(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  return header.isIpv6
    ? readBouncedIpv6(view, start, limit, packetEnd, header)
    : readBouncedIpv4(view, start, limit, packetEnd, header);
}

function readBouncedIpv4(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  if (start + IPV4_HEADER > limit) return shortBy(start + IPV4_HEADER, packetEnd);
  const first = view.getUint8(start);
  if (first >>> 4 !== 4) return BAD_VERSION;
  const headerLength = (first & 15) * 4;
  if (headerLength < IPV4_HEADER) return BAD_LENGTH;
  if ((view.getUint16(start + 6) & IPV4_FRAGMENT_OFFSET) !== 0) return LATER_FRAGMENT;
  const addresses = header.bouncedAddresses;
  addresses[SOURCE + 3] = view.getInt32(start + 12);
  addresses[DESTINATION + 3] = view.getInt32(start + 16);
  const protocol = view.getUint8(start + 9);
  return readBouncedPorts(view, protocol, start + headerLength, limit, packetEnd, header);
}

function readBouncedIpv6(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  if (start + IPV6_HEADER > limit) return shortBy(start + IPV6_HEADER, packetEnd);
  if (view.getUint8(start) >>> 4 !== 6) return BAD_VERSION;
  const addresses = header.bouncedAddresses;
  for (let word = 0; word < 8; word++) addresses[word] = view.getInt32(start + 8 + 4 * word);
  const first = view.getUint8(start + 6);
  const protocol = skipExtensions(view, first, start + IPV6_HEADER, limit, packetEnd);
  if (protocol < 0) return -protocol;
  return readBouncedPorts(view, protocol, extensionsEnd, limit, packetEnd, header);
}

function readBouncedPorts(
  view: DataView,
  protocol: number,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return OTHER_ICMP;
  if (start + PORTS > limit) return shortBy(start + PORTS, packetEnd);
  header.bouncedProtocol = protocol;
  header.bouncedSourcePort = view.getUint16(start);
  header.bouncedDestinationPort = view.getUint16(start + 2);
  return UNREACHABLE;
}
