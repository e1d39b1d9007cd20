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
import { readEthernet } from "./ethernet.ts";
import { readGre } from "./gre.ts";
import { readMpls } from "./mpls.ts";
import { readTcp, readUdp } from "./transport.ts";
import { readInner, TUNNEL_ETHERIP, TUNNEL_IP, TUNNEL_MPLS } from "./tunnel.ts";

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
/** Low 13 bits of the IPv4 word with the flags (RFC 791, section 3.1), and one of the flags. */
const IPV4_FRAGMENT_OFFSET = 0x1fff;
const IPV4_MORE_FRAGMENTS = 0x2000;
/** In units of so many bytes. */
const FRAGMENT_UNIT = 8;
/** High 13 bits of the IPv6 fragment header's second word (RFC 8200, section 4.5), and the last one. */
const IPV6_FRAGMENT_OFFSET = 0xfff8;
const IPV6_MORE_FRAGMENTS = 0x0001;

/** IPv6 extension headers (IANA, "IPv6 Extension Header Types"). */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

/** Protocols that carry packets (IANA, "Protocol Numbers"). */
const PROTOCOL_IPV4 = 4;
const PROTOCOL_IPV6 = 41;
const PROTOCOL_GRE = 47;
const PROTOCOL_ETHERIP = 97;
const PROTOCOL_MPLS = 137;
/** Version, reserved (RFC 3378, section 3). */
const ETHERIP_HEADER = 2;

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
  header.isIpv6 = false;
  header.ipOffset = start;
  header.ipLength = totalLength;
  header.addresses[SOURCE + 3] = view.getInt32(start + 12);
  header.addresses[DESTINATION + 3] = view.getInt32(start + 16);
  header.missing = totalLength !== 0 && packetEnd > end ? packetEnd - end : 0;
  const protocol = view.getUint8(start + 9);
  header.protocol = protocol;
  const fragment = view.getUint16(start + 6) & (IPV4_FRAGMENT_OFFSET | IPV4_MORE_FRAGMENTS);
  header.isFragment = fragment !== 0;
  if (fragment !== 0) {
    header.fragmentId = view.getUint16(start + 4);
    header.fragmentProtocol = protocol;
    header.fragmentOffset = (fragment & IPV4_FRAGMENT_OFFSET) * FRAGMENT_UNIT;
    header.hasMoreFragments = (fragment & IPV4_MORE_FRAGMENTS) !== 0;
    header.fragmentStart = next;
    header.fragmentEnd = limit;
    header.fragmentLimit = packetEnd;
    if (header.fragmentOffset !== 0) return LATER_FRAGMENT;
  }
  if (protocol === PROTOCOL_TCP) return readTcp(view, next, limit, packetEnd, header);
  if (protocol === PROTOCOL_UDP) return readUdp(view, next, limit, packetEnd, header);
  if (protocol === PROTOCOL_ICMP) return readIcmp(view, next, limit, packetEnd, header);
  if (protocol !== AUTHENTICATION) return readCarried(view, protocol, next, limit, header);
  const found = skipExtensions(view, protocol, next, limit, packetEnd);
  if (found < 0) return -found;
  header.protocol = found;
  if (found === PROTOCOL_TCP) return readTcp(view, extensionsEnd, limit, packetEnd, header);
  if (found === PROTOCOL_UDP) return readUdp(view, extensionsEnd, limit, packetEnd, header);
  return readCarried(view, found, extensionsEnd, limit, header);
}

/** Reads the packet that a protocol other than TCP, UDP and ICMP may carry. */
function readCarried(
  view: DataView,
  protocol: number,
  start: number,
  limit: number,
  header: PacketHeader,
): number {
  switch (protocol) {
    case PROTOCOL_IPV4:
      return readInner(view, start, limit, header, TUNNEL_IP, 0, readIpv4, OTHER_PROTOCOL);
    case PROTOCOL_IPV6:
      return readInner(view, start, limit, header, TUNNEL_IP, 0, readIpv6, OTHER_PROTOCOL);
    case PROTOCOL_GRE:
      return readGre(view, start, limit, header);
    case PROTOCOL_ETHERIP: {
      const frame = start + ETHERIP_HEADER;
      return readInner(view, frame, limit, header, TUNNEL_ETHERIP, 0, readEthernet, OTHER_PROTOCOL);
    }
    case PROTOCOL_MPLS:
      return readInner(view, start, limit, header, TUNNEL_MPLS, 0, readMpls, OTHER_PROTOCOL);
    default:
      return OTHER_PROTOCOL;
  }
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
  header.ipOffset = start;
  header.ipLength = payloadLength === 0 ? 0 : IPV6_HEADER + payloadLength;
  header.missing = payloadLength !== 0 && packetEnd > end ? packetEnd - end : 0;
  const { addresses } = header;
  for (let word = 0; word < 8; word++) addresses[word] = view.getInt32(start + 8 + 4 * word);
  fragmentAt = 0;
  const found = skipExtensions(
    view,
    view.getUint8(start + 6),
    start + IPV6_HEADER,
    limit,
    packetEnd,
  );
  const next = extensionsEnd;
  header.isFragment = false;
  if (fragmentAt !== 0) noteFragmentV6(view, limit, packetEnd, header);
  if (found < 0) return -found;
  header.protocol = found;
  if (found === PROTOCOL_TCP) return readTcp(view, next, limit, packetEnd, header);
  if (found === PROTOCOL_UDP) return readUdp(view, next, limit, packetEnd, header);
  if (found === PROTOCOL_ICMPV6) return readIcmpv6(view, next, limit, packetEnd, header);
  return readCarried(view, found, next, limit, header);
}

/** Notes the fields of an IPv6 fragment header (RFC 8200, section 4.5). */
function noteFragmentV6(
  view: DataView,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): void {
  const word = view.getUint16(fragmentAt + 2);
  // One that is all of its datagram is none (RFC 6946).
  header.isFragment = (word & (IPV6_FRAGMENT_OFFSET | IPV6_MORE_FRAGMENTS)) !== 0;
  header.fragmentId = view.getUint32(fragmentAt + 4);
  header.fragmentProtocol = 0;
  header.fragmentOffset = word & IPV6_FRAGMENT_OFFSET;
  header.hasMoreFragments = (word & IPV6_MORE_FRAGMENTS) !== 0;
  header.fragmentStart = fragmentAt + FRAGMENT_HEADER;
  header.fragmentEnd = limit;
  header.fragmentLimit = packetEnd;
}

/** Where the header lies that {@linkcode skipExtensions} found. */
let extensionsEnd = 0;
/** Where the last fragment header lies that it met; for those who set it to 0 before. */
let fragmentAt = 0;

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
        fragmentAt = offset;
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
