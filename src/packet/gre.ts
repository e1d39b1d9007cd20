import { CUT_SHORT, NOT_IP, OTHER_PROTOCOL } from "./decoded.ts";
import { ETHERTYPE_BRIDGED, ETHERTYPE_IPV4, readEthernet, readEtherType } from "./ethernet.ts";
import { readIpv4 } from "./ip.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readPpp } from "./ppp.ts";
import {
  readInner,
  type ReadLayer,
  TUNNEL_EOIP,
  TUNNEL_ERSPAN,
  TUNNEL_GRE,
  TUNNEL_PPTP,
} from "./tunnel.ts";

/** Flags and version, then the protocol (RFC 2784, section 2). */
const GRE_HEADER = 4;
const VERSION_MASK = 0x0007;
/** RFC 1701: a checksum and an offset, which are there together; routes. */
const HAS_CHECKSUM = 0x8000;
const HAS_ROUTING = 0x4000;
/** RFC 2890. */
const HAS_KEY = 0x2000;
const HAS_SEQUENCE = 0x1000;
/** RFC 2637, section 4.1: PPTP. */
const HAS_ACKNOWLEDGEMENT = 0x0080;
/** Each of these fields. */
const FIELD = 4;
/** RFC 1701: address family, offset, length; the last has a length of 0. */
const ROUTE_HEADER = 4;

const PROTOCOL_EOIP = 0x6400;
const PROTOCOL_PPP = 0x880b;
const PROTOCOL_ERSPAN_1_2 = 0x88be;
const PROTOCOL_ERSPAN_3 = 0x22eb;
const PROTOCOL_WCCP = 0x883e;

/** draft-foschiano-erspan: types II and III. */
const ERSPAN_2_HEADER = 8;
const ERSPAN_3_HEADER = 12;
const ERSPAN_3_SUBHEADER = 8;
const ERSPAN_3_FLAGS = 11;
const HAS_SUBHEADER = 0x01;
const SESSION_MASK = 0x3ff;
/** Service, priority and bucket (draft-wilson-wrec-wccp-v2), which the first version does not have. */
const WCCP_HEADER = 4;

/** Reads GRE, versions 0 and 1, and what it carries. */
export function readGre(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < GRE_HEADER) return CUT_SHORT;
  const flags = view.getUint16(start);
  const protocol = view.getUint16(start + 2);
  const version = flags & VERSION_MASK;
  if (version > 1) return OTHER_PROTOCOL;
  if (version === 1 && protocol === PROTOCOL_EOIP) return readEoip(view, start, end, header);
  let next = start + GRE_HEADER;
  if ((flags & (HAS_CHECKSUM | HAS_ROUTING)) !== 0) next += FIELD;
  let id = 0;
  if ((flags & HAS_KEY) !== 0) {
    if (next + FIELD > end) return CUT_SHORT;
    id = view.getUint32(next);
    next += FIELD;
    // PPTP: the payload's length, then the call (RFC 2637, section 4.1).
    if (version === 1) id &= 0xffff;
  }
  if ((flags & HAS_SEQUENCE) !== 0) next += FIELD;
  if (version === 1 && (flags & HAS_ACKNOWLEDGEMENT) !== 0) next += FIELD;
  if (version === 0 && (flags & HAS_ROUTING) !== 0) next = skipRoutes(view, next, end);
  if (next > end) return CUT_SHORT;
  switch (protocol) {
    case PROTOCOL_ERSPAN_1_2:
      return readErspan(view, next, end, header, (flags & HAS_SEQUENCE) !== 0);
    case PROTOCOL_ERSPAN_3:
      return readErspan3(view, next, end, header);
    case PROTOCOL_WCCP:
      return readWccp(view, next, end, header, id);
    case PROTOCOL_PPP:
      return version === 1
        ? readInner(view, next, end, header, TUNNEL_PPTP, id, readPpp, OTHER_PROTOCOL)
        : inner(view, next, end, header, id, readPpp);
    case ETHERTYPE_BRIDGED:
      return inner(view, next, end, header, id, readEthernet);
    case ETHERTYPE_IPV4:
      return inner(view, next, end, header, id, readIpv4);
    default:
      return readProtocol(view, protocol, next, end, header, id);
  }
}

function inner(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
  id: number,
  read: ReadLayer,
): number {
  return readInner(view, start, end, header, TUNNEL_GRE, id, read, OTHER_PROTOCOL);
}

/** Reads what any other EtherType announces: IPv6, MPLS, NSH ... */
function readProtocol(
  view: DataView,
  protocol: number,
  start: number,
  end: number,
  header: PacketHeader,
  id: number,
): number {
  etherType = protocol;
  const depth = header.nested;
  const decoded = inner(view, start, end, header, id, readAnnounced);
  if (decoded !== NOT_IP) return decoded;
  while (header.nested > depth) header.leave();
  return OTHER_PROTOCOL;
}

/** What {@linkcode readAnnounced} reads. */
let etherType = 0;

function readAnnounced(view: DataView, start: number, end: number, header: PacketHeader): number {
  return readEtherType(view, etherType, start, end, header);
}

/** @returns Where the list of routes ends, beyond `end` if it is cut. */
function skipRoutes(view: DataView, start: number, end: number): number {
  for (let next = start; next + ROUTE_HEADER <= end;) {
    const length = view.getUint8(next + 3);
    next += ROUTE_HEADER + length;
    if (length === 0) return next;
  }
  return end + 1;
}

/** MikroTik's: the frame's length, then the tunnel's number, little-endian, in the place of a key. */
function readEoip(view: DataView, start: number, end: number, header: PacketHeader): number {
  const frame = start + GRE_HEADER + FIELD;
  if (frame > end) return CUT_SHORT;
  const id = view.getUint16(frame - 2, true);
  return readInner(view, frame, end, header, TUNNEL_EOIP, id, readEthernet, OTHER_PROTOCOL);
}

/** Types I and II: without a sequence number there is no header (draft-foschiano-erspan-03, section 4). */
function readErspan(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
  hasHeader: boolean,
): number {
  if (!hasHeader) {
    return readInner(view, start, end, header, TUNNEL_ERSPAN, 0, readEthernet, OTHER_PROTOCOL);
  }
  if (end - start < ERSPAN_2_HEADER) return CUT_SHORT;
  const session = view.getUint16(start + 2) & SESSION_MASK;
  const frame = start + ERSPAN_2_HEADER;
  return readInner(view, frame, end, header, TUNNEL_ERSPAN, session, readEthernet, OTHER_PROTOCOL);
}

function readErspan3(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (end - start < ERSPAN_3_HEADER) return CUT_SHORT;
  const session = view.getUint16(start + 2) & SESSION_MASK;
  const hasMore = (view.getUint8(start + ERSPAN_3_FLAGS) & HAS_SUBHEADER) !== 0;
  const frame = start + ERSPAN_3_HEADER + (hasMore ? ERSPAN_3_SUBHEADER : 0);
  return readInner(view, frame, end, header, TUNNEL_ERSPAN, session, readEthernet, OTHER_PROTOCOL);
}

/** A packet that a router hands to a web cache. */
function readWccp(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
  id: number,
): number {
  if (start >= end) return CUT_SHORT;
  const isFirstVersion = view.getUint8(start) >>> 4 === 4;
  return inner(view, isFirstVersion ? start : start + WCCP_HEADER, end, header, id, readIpv4);
}
