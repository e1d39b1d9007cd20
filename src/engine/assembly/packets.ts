/*
 * Packets as they lie in the input. Those that are as most are, are decoded here: TCP or UDP after an IPv4
 * header without options, or after an IPv6 header without extension headers, over Ethernet with one VLAN
 * tag at most, raw, or as Linux cooks them; also in VXLAN or GRE over such IPv4. All others are left to `decode()` of src/packet.
 */
import {
  FRAME_CAPTURED,
  FRAME_LENGTH,
  FRAME_NANOSECONDS,
  FRAME_NEXT,
  FRAME_SECONDS,
  FRAME_START,
  FRAME_STATUS,
  FRAME_VLAN_TAG,
  FRAME_VLAN_TYPE,
  VLAN_IS_VALID,
  VLAN_TYPE_IS_VALID,
} from "../../model/ring_frame";
import { READ_RESPONSES } from "../../model/read_ports";
import { DNS_HEADER } from "../../model/payload_roles";
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
} from "../../packet/link_type";
import { LAST_MILLISECOND } from "../../model/last_millisecond";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../../model/protocol_numbers";
import { NO_TUNNEL, TUNNEL_GRE, TUNNEL_VXLAN } from "../../model/tunnel_numbers";
import {
  DECODED,
  FLAGS_SHIFT,
  GROUP,
  HAS_PAYLOAD,
  INDEX_CAPTURED,
  INDEX_INTERFACE,
  INDEX_LENGTH,
  INDEX_LINK_TYPE,
  INDEX_MILLISECONDS,
  INDEX_OFFSET,
  INDEX_SECONDS,
  INPUT,
  IS_OUTER,
  MILLISECONDS_SHIFT,
  PROTOCOL_MASK,
  READ_PORTS,
  TUNNEL_PORT_BITS,
} from "../layout";
import { hasClock, millisecond } from "./clock";
import {
  addWhole,
  hasOuter4,
  next6,
  put4,
  put6,
  putInTunnel4,
  putInTunnel6,
  putOuter4,
  setPayload,
  takeGroup,
} from "./group";
import { decode, followTime } from "./host";
import { setInterface } from "./table";

/** In place of the second of a group that has not begun. */
const NO_SECOND: i64 = -1;

const ETHERNET: usize = 14;
const VLAN_TAG: usize = 4;
const LINUX_SLL: usize = 16;
const LINUX_SLL2: usize = 20;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
// EtherTypes, as they are read in the order of bytes in memory.
const IPV4: u32 = 0x0008;
const IPV6: u32 = 0xdd86;
const VLAN: u32 = 0x0081;
const SERVICE_VLAN: u32 = 0xa888;
const OLD_SERVICE_VLAN: u32 = 0x0091;
const VLAN_NUMBER: u32 = 0x0fff;
/** Version and header length. */
const WITHOUT_OPTIONS: u32 = 0x45;
/**
 * RFC 791, section 3.1, in eight bytes from the total length on, as they are read: whether more fragments
 * follow and where this one belongs, in the fifth and the sixth, and the protocol, the last one.
 */
const IS_FRAGMENT: u64 = 0x0000_ff3f_0000_0000;
const IPV4_PROTOCOL_SHIFT: u64 = 56;

const DNS_FLAGS: usize = 2;
const DNS_RESPONSE: u32 = 0x80;

/** In place of an `about` word: it is a tunnel, whose inside is read. No such word has its last bit. */
const TUNNEL: u32 = 1 << 31;
/** Protocol and EtherType of Ethernet frames, of GRE, as they are read. */
const PROTOCOL_GRE: u32 = 47;
const BRIDGED: u32 = 0x5865;
/** GRE: flags and version, protocol (RFC 2784); one of the flags as it is read, and its field (RFC 2890). */
const GRE_HEADER: usize = 4;
const GRE_HAS_KEY: u32 = 0x0020;
const GRE_KEY: usize = 4;
/** Ports of VXLAN as they are read, its flags, and its header (RFC 7348). */
const PORT_VXLAN: u32 = 0xb512;
const PORT_VXLAN_LINUX: u32 = 0x1821;
const VXLAN_HAS_VNI: u32 = 0x08;
const VXLAN: usize = 8;

/** Whether tunnels are read, and whether their own conversations are attributed too. */
let opensTunnels: bool = false;
let attributesOuter: bool = false;
/** The tunnel that the next packet is in. */
let tunnelKind: u32 = NO_TUNNEL;
let tunnelId: u32 = 0;

/** How many more packets the group may have, its second, and the milliseconds of the next packet. */
let groupLeft: u32 = 0;
let groupSecond: i64 = NO_SECOND;
let packetMillisecond: u32 = 0;
/** Packets that were taken, and those among them that were decoded here. */
let takenCount: u32 = 0;
let plainCount: u32 = 0;
let queryCount: u32 = 0;
/** Where the payload of the last packet is, if it has one. */
let payload: usize = 0;
let payloadEnd: usize = 0;

/**
 * Takes the packets of records of a saved capture (pcap-savefile(5)).
 *
 * @param most How many of them at most.
 * @param header Bytes of a record's header.
 * @param mostBytes The most bytes that a record may have.
 * @param perMillisecond Units of a record's fraction of a second in a millisecond.
 * @returns The place after the last that was taken; those after it are not whole, or too long.
 */
export function takeRecords(
  from: usize,
  end: usize,
  most: u32,
  header: usize,
  mostBytes: u32,
  isBigEndian: bool,
  perMillisecond: u32,
  linkType: u32,
): usize {
  begin();
  let at = from;
  let left = most;
  while (left !== 0 && at + header <= end) {
    let second = load<u32>(at);
    let fraction = load<u32>(at, 4);
    let captured = load<u32>(at, 8);
    let length = load<u32>(at, 12);
    if (isBigEndian) {
      second = bswap<u32>(second);
      fraction = bswap<u32>(fraction);
      captured = bswap<u32>(captured);
      length = bswap<u32>(length);
    }
    if (captured > mostBytes || at + header + captured > end) break;
    beginPacket(second, min(fraction / perMillisecond, LAST_MILLISECOND));
    left--;
    takePacket(at + header, captured, length, linkType);
    at += header + captured;
  }
  finish(most - left);
  return at;
}

/**
 * Takes the packets of frames of the kernel's ring.
 *
 * @param from Where the first lies.
 * @param back How many bytes before its packet a frame has a header of our own, which counts with it.
 */
export function takeFrames(from: usize, count: u32, back: u32, linkType: u32): void {
  begin();
  let at = from;
  for (let left = count; left !== 0; left--) {
    beginPacket(load<u32>(at, FRAME_SECONDS), load<u32>(at, FRAME_NANOSECONDS) / 1_000_000);
    let more = back;
    const status = load<u32>(at, FRAME_STATUS);
    if ((status & VLAN_IS_VALID) !== 0 && linkType === LINKTYPE_ETHERNET) {
      putTagBack(at, status);
      more = <u32> VLAN_TAG;
    }
    const captured = load<u32>(at, FRAME_CAPTURED) + more;
    const length = load<u32>(at, FRAME_LENGTH) + more;
    takePacket(at + load<u16>(at, FRAME_START) - more, captured, length, linkType);
    at += load<u32>(at, FRAME_NEXT);
  }
  finish(count);
}

/**
 * Puts the VLAN tag that the kernel has taken off a frame's packet back to where it was, as libpcap does: the
 * packet then begins so many bytes earlier, where the kernel leaves at least 14 bytes free.
 */
function putTagBack(frame: usize, status: u32): void {
  const start = frame + load<u16>(frame, FRAME_START);
  const addresses = load<u64>(start);
  const rest = load<u32>(start, 8);
  const type: u16 = (status & VLAN_TYPE_IS_VALID) !== 0
    ? bswap<u16>(load<u16>(frame, FRAME_VLAN_TYPE))
    : <u16> VLAN;
  store<u64>(start - VLAN_TAG, addresses);
  store<u32>(start - VLAN_TAG, rest, 8);
  store<u16>(start - VLAN_TAG, type, 12);
  store<u16>(start - VLAN_TAG, bswap<u16>(load<u16>(frame, FRAME_VLAN_TAG)), 14);
}

/** Takes the packets of the index. */
export function takeIndexed(from: u32, to: u32): void {
  begin();
  let itsInterface: u32 = 0;
  for (let i = from; i < to; i++) {
    const at = <usize> i << 2;
    const half = <usize> i << 1;
    const next = <u32> load<u16>(INDEX_INTERFACE + half);
    if (next !== itsInterface) {
      itsInterface = next;
      takeGroup();
      setInterface(next);
    }
    beginPacket(load<u32>(INDEX_SECONDS + at), load<u16>(INDEX_MILLISECONDS + half));
    takePacket(
      INPUT + load<u32>(INDEX_OFFSET + at),
      load<u32>(INDEX_CAPTURED + at),
      load<u32>(INDEX_LENGTH + at),
      load<u16>(INDEX_LINK_TYPE + half),
    );
  }
  finish(to - from);
  setInterface(0);
}

/** Says what is done with tunnels. */
export function useTunnels(isInnerWanted: bool, isOuterWanted: bool): void {
  opensTunnels = isInnerWanted;
  attributesOuter = isOuterWanted;
}

/** How many packets were taken last. */
export function taken(): u32 {
  return takenCount;
}

/** How many DNS queries there were since this was asked last. */
export function queries(): u32 {
  const count = queryCount;
  queryCount = 0;
  return count;
}

function begin(): void {
  groupLeft = 0;
  groupSecond = NO_SECOND;
  plainCount = 0;
}

function finish(count: u32): void {
  takeGroup();
  takenCount = count;
  store<f64>(DECODED, load<f64>(DECODED) + <f64> plainCount);
}

// @inline
function beginPacket(second: u32, itsMillisecond: u32): void {
  if (groupLeft === 0 || (<i64> second !== groupSecond && !hasClock)) beginGroup(second);
  groupLeft--;
  packetMillisecond = hasClock ? millisecond : itsMillisecond;
}

function beginGroup(second: u32): void {
  takeGroup();
  groupLeft = GROUP;
  if (<i64> second === groupSecond) return;
  groupSecond = second;
  followTime(second);
}

// @inline
function takePacket(start: usize, captured: u32, length: u32, linkType: u32): void {
  if (takePlain(start, captured, linkType)) plainCount++;
  else {
    // What it is inside of, and its fragments that came before it.
    reserve(2);
    decode(start, captured, linkType, length);
  }
}

/** Has room in the group for so many entries of the next packet besides its own. */
function reserve(count: u32): void {
  if (groupLeft < count) {
    takeGroup();
    groupLeft = GROUP - 1;
  }
  groupLeft -= count;
}

/** Takes a packet that is as most are. */
// @inline
function takePlain(start: usize, captured: u32, linkType: u32): bool {
  const end = start + captured;
  if (linkType === LINKTYPE_ETHERNET) {
    const etherType = <u32> load<u16>(start, 12);
    if (etherType === IPV4) {
      return takePlain4(start, start + ETHERNET, end, linkType, 0);
    }
    if (etherType === IPV6) {
      return takePlain6(start, start + ETHERNET, end, linkType, 0);
    }
    return takeTagged(etherType, start, start + ETHERNET, end, linkType);
  }
  return takeLinked(start, end, linkType);
}

/** The same for other link types. */
function takeLinked(start: usize, end: usize, linkType: u32): bool {
  if (linkType === LINKTYPE_RAW) {
    const version = <u32> load<u8>(start) >>> 4;
    if (version === 4) return takePlain4(start, start, end, linkType, 0);
    return version === 6 && takePlain6(start, start, end, linkType, 0);
  }
  if (linkType === LINKTYPE_LINUX_SLL) {
    return takeTyped(load<u16>(start, LINUX_SLL - 2), start, start + LINUX_SLL, end, linkType);
  }
  if (linkType === LINKTYPE_LINUX_SLL2) {
    return takeTyped(load<u16>(start), start, start + LINUX_SLL2, end, linkType);
  }
  return false;
}

function takeTyped(etherType: u32, start: usize, ip: usize, end: usize, linkType: u32): bool {
  if (etherType === IPV4) return takePlain4(start, ip, end, linkType, 0);
  if (etherType === IPV6) return takePlain6(start, ip, end, linkType, 0);
  return takeTagged(etherType, start, ip, end, linkType);
}

/** Takes a packet with one VLAN tag (IEEE 802.1Q), which lies at `tag`. */
function takeTagged(etherType: u32, start: usize, tag: usize, end: usize, linkType: u32): bool {
  if (etherType !== VLAN && etherType !== SERVICE_VLAN && etherType !== OLD_SERVICE_VLAN) {
    return false;
  }
  const vlan = <u32> word16(tag) & VLAN_NUMBER;
  const inner = <u32> load<u16>(tag, 2);
  if (inner === IPV4) {
    return takePlain4(start, tag + VLAN_TAG, end, linkType, vlan);
  }
  return inner === IPV6 && takePlain6(start, tag + VLAN_TAG, end, linkType, vlan);
}

// @inline
function takePlain4(start: usize, ip: usize, end: usize, linkType: u32, vlan: u32): bool {
  const about = aboutPlain4(ip, end);
  if (about === 0) return false;
  if (about === TUNNEL) return openTunnel(start, ip, end, linkType, vlan);
  setPayload(payload, payloadEnd - payload, vlan);
  const ends = endsOf4(ip);
  const ports = <u32> i32x4.extract_lane(ends, 2);
  if (isRead(about, ports)) addWhole(start, <u32> (end - start), linkType);
  const addresses = <u64> i64x2.extract_lane(ends, 0);
  const octets = octetsWord(<u32> word16(ip + 2));
  const protocol = about & PROTOCOL_MASK;
  put4(<u32> addresses, <u32> (addresses >>> 32), ports, about, octets, protocol);
  return true;
}

// @inline
function takePlain6(start: usize, ip: usize, end: usize, linkType: u32, vlan: u32): bool {
  const about = aboutPlain6(ip, end);
  if (about === 0 || about === TUNNEL) return false;
  setPayload(payload, payloadEnd - payload, vlan);
  const ports = bswap<u32>(load<u32>(ip + IPV6_HEADER));
  if (isRead(about, ports)) addWhole(start, <u32> (end - start), linkType);
  copyEnds6(ip);
  put6(ports, about, octetsWord(<u32> (word16(ip + 4) + IPV6_HEADER)), about & PROTOCOL_MASK);
  return true;
}

/** What {@linkcode aboutPacket} says of a packet, if it is a plain one of IPv4, and otherwise 0. */
// @inline
function aboutPlain4(ip: usize, end: usize): u32 {
  // What is shorter may lack what is read below, and what is read then is somebody else's.
  if (ip + IPV4_HEADER + UDP_HEADER > end) return 0;
  if (<u32> load<u8>(ip) !== WITHOUT_OPTIONS) return 0;
  const words = load<u64>(ip, 2);
  if ((words & IS_FRAGMENT) !== 0) return 0;
  const protocol = <u32> (words >>> IPV4_PROTOCOL_SHIFT);
  const totalLength = <u32> bswap<u16>(<u16> words);
  return aboutPacket(protocol, ip + IPV4_HEADER, ip + totalLength, end);
}

/** The same of IPv6. */
// @inline
function aboutPlain6(ip: usize, end: usize): u32 {
  if (ip + IPV6_HEADER + UDP_HEADER > end || (load<u8>(ip) & 0xf0) !== 0x60) return 0;
  const payloadLength = word16(ip + 4);
  if (payloadLength === 0) return 0;
  const transport = ip + IPV6_HEADER;
  return aboutPacket(load<u8>(ip, 6), transport, transport + payloadLength, end);
}

/** Source and destination address, and both ports, of a plain packet of IPv4. */
// @inline
function endsOf4(ip: usize): v128 {
  const turn = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 0, 0, 0, 0);
  return v128.swizzle(v128.load(ip, 12), turn);
}

/** Puts source and destination address of an IPv6 packet where those of the next one go. */
// @inline
function copyEnds6(ip: usize): void {
  const into = next6();
  const turn = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  v128.store(into, v128.swizzle(v128.load(ip, 8), turn));
  v128.store(into, v128.swizzle(v128.load(ip, 24), turn), 16);
}

/** Takes the packet in the tunnels that are met most: VXLAN and GRE, as simple as they are mostly. */
function openTunnel(start: usize, ip: usize, end: usize, linkType: u32, vlan: u32): bool {
  if (attributesOuter) return false;
  const limit = min(end, ip + word16(ip + 2));
  const tunnel = ip + IPV4_HEADER;
  return <u32> load<u8>(ip, 9) === PROTOCOL_GRE
    ? openGre(start, ip, tunnel, limit, linkType, vlan)
    : openVxlan(start, ip, tunnel, limit, linkType, vlan);
}

function openGre(
  start: usize,
  ip: usize,
  gre: usize,
  limit: usize,
  linkType: u32,
  vlan: u32,
): bool {
  const flags = <u32> load<u16>(gre);
  if (flags !== 0 && flags !== GRE_HAS_KEY) return false;
  const inner = gre + GRE_HEADER + (flags === 0 ? 0 : GRE_KEY);
  if (inner > limit) return false;
  const key = flags === 0 ? 0 : bswap<u32>(load<u32>(gre + GRE_HEADER));
  const protocol = <u32> load<u16>(gre, 2);
  if (protocol === BRIDGED) {
    return takeFrame(start, inner, limit, linkType, vlan, TUNNEL_GRE, key, ip);
  }
  return takeInner(protocol, start, inner, limit, linkType, vlan, TUNNEL_GRE, key, ip);
}

function openVxlan(
  start: usize,
  ip: usize,
  udp: usize,
  limit: usize,
  linkType: u32,
  vlan: u32,
): bool {
  const port = <u32> load<u16>(udp, 2);
  const length = word16(udp + 4);
  if ((port !== PORT_VXLAN && port !== PORT_VXLAN_LINUX) || length < UDP_HEADER) return false;
  const end = min(limit, udp + length);
  const header = udp + UDP_HEADER;
  if (header + VXLAN > end || <u32> load<u8>(header) !== VXLAN_HAS_VNI) return false;
  const vni = bswap<u32>(load<u32>(header, 4)) >>> 8;
  return takeFrame(start, header + VXLAN, end, linkType, vlan, TUNNEL_VXLAN, vni, ip);
}

/** Takes the packet of an Ethernet frame in a tunnel, with one VLAN tag at most. */
function takeFrame(
  start: usize,
  frame: usize,
  end: usize,
  linkType: u32,
  vlan: u32,
  kind: u32,
  id: u32,
  outer: usize,
): bool {
  if (frame + ETHERNET + VLAN_TAG > end) return false;
  const etherType = <u32> load<u16>(frame, 12);
  const ip = frame + ETHERNET;
  if (etherType !== VLAN) {
    return takeInner(etherType, start, ip, end, linkType, vlan, kind, id, outer);
  }
  const itsVlan = vlan === 0 ? <u32> word16(ip) & VLAN_NUMBER : vlan;
  const inner = <u32> load<u16>(ip, 2);
  return takeInner(inner, start, ip + VLAN_TAG, end, linkType, itsVlan, kind, id, outer);
}

/** Takes a plain packet in a tunnel: what takes those in none, takes these, but for where they go. */
function takeInner(
  etherType: u32,
  start: usize,
  ip: usize,
  end: usize,
  linkType: u32,
  vlan: u32,
  kind: u32,
  id: u32,
  outer: usize,
): bool {
  const isIpv6 = etherType === IPV6;
  if (!isIpv6 && etherType !== IPV4) return false;
  const about = isIpv6 ? aboutPlain6(ip, end) : aboutPlain4(ip, end);
  if (about === 0 || about === TUNNEL) return false;
  const source = bswap<u32>(load<u32>(outer, 12));
  const destination = bswap<u32>(load<u32>(outer, 16));
  if (!hasOuter4(source, destination)) reserve(1);
  setPayload(payload, payloadEnd - payload, vlan);
  const ports = bswap<u32>(load<u32>(ip + (isIpv6 ? IPV6_HEADER : IPV4_HEADER)));
  if (isRead(about, ports)) addWhole(start, <u32> (end - start), linkType);
  if (isIpv6) {
    copyEnds6(ip);
    const octets = octetsWord(<u32> (word16(ip + 4) + IPV6_HEADER));
    putInTunnel6(ports, about, octets, kind, id);
  } else {
    const addresses = <u64> i64x2.extract_lane(endsOf4(ip), 0);
    const octets = octetsWord(<u32> word16(ip + 2));
    putInTunnel4(<u32> addresses, <u32> (addresses >>> 32), ports, about, octets, kind, id);
  }
  putOuter4(source, destination, octetsWord(<u32> word16(outer + 2)));
  return true;
}

/** Bytes of an IP packet, with its milliseconds above them. */
// @inline
function octetsWord(octets: u32): u32 {
  return octets | (packetMillisecond << MILLISECONDS_SHIFT);
}

/**
 * A packet's `about` word without its direction, or 0 where something is not as usual. Its payload is
 * noted.
 *
 * @param transport Where its transport header begins.
 * @param packetEnd Where it ends by the words of its IP header.
 * @param end Where its captured bytes end.
 */
// @inline
function aboutPacket(protocol: u32, transport: usize, packetEnd: usize, end: usize): u32 {
  const limit = min(end, packetEnd);
  if (protocol === PROTOCOL_TCP) {
    if (limit < transport + TCP_HEADER) return 0;
    const offsetAndFlags = <u32> word16(transport + 12);
    payload = transport + ((offsetAndFlags >>> 10) & 0x3c);
    if (payload < transport + TCP_HEADER || payload > packetEnd) return 0;
    payloadEnd = limit;
    return protocol | (payload < limit ? HAS_PAYLOAD : 0) |
      ((offsetAndFlags & 0xff) << FLAGS_SHIFT);
  }
  if (protocol !== PROTOCOL_UDP || limit < transport + UDP_HEADER) {
    // There are that many bytes, or it would be nobody's here.
    return protocol === PROTOCOL_GRE && opensTunnels && limit >= transport + GRE_HEADER
      ? TUNNEL
      : 0;
  }
  if (opensTunnels && (isTunnelPort(transport) || isTunnelPort(transport + 2))) return TUNNEL;
  const length = word16(transport + 4);
  if (length < UDP_HEADER) return 0;
  payload = transport + UDP_HEADER;
  payloadEnd = min(limit, transport + length);
  return protocol | (payload < payloadEnd ? HAS_PAYLOAD : 0);
}

/** Whether packets in packets go to a port. */
// @inline
function isTunnelPort(at: usize): bool {
  const port = word16(at);
  return ((<u32> load<u8>(TUNNEL_PORT_BITS + (port >>> 3)) >>> <u32> (port & 7)) & 1) !== 0;
}

/** Whether a packet comes from a port whose packets are wanted. */
// @inline
function isRead(about: u32, ports: u32): bool {
  const wanted = <u32> load<u8>(READ_PORTS + (ports >>> 16));
  return wanted !== 0 && (wanted !== READ_RESPONSES || !isQuery(about));
}

/**
 * Whether a packet whose payload was noted has a DNS query, which is counted then: `readDnsMessage` would
 * say the same of it.
 */
function isQuery(about: u32): bool {
  if ((about & (PROTOCOL_MASK | HAS_PAYLOAD)) !== (PROTOCOL_UDP | HAS_PAYLOAD)) return false;
  if (payloadEnd - payload < <usize> DNS_HEADER) return false;
  if ((<u32> load<u8>(payload + DNS_FLAGS) & DNS_RESPONSE) !== 0) return false;
  queryCount++;
  return true;
}

/** Says which tunnel the packet is in that is added next. */
export function setTunnel(kind: u32, id: u32): void {
  tunnelKind = kind;
  tunnelId = id;
}

/**
 * Adds an IPv4 packet that was decoded elsewhere.
 *
 * @param octets Bytes of its IP packet.
 */
export function add4(
  source: u32,
  destination: u32,
  ports: u32,
  about: u32,
  octets: u32,
  from: usize,
  end: usize,
  vlan: u32,
): void {
  setPayload(from, end - from, vlan);
  const word = octetsWord(octets);
  if (tunnelKind === NO_TUNNEL) {
    put4(source, destination, ports, about, word, about & PROTOCOL_MASK);
  } else {
    putInTunnel4(source, destination, ports, about, word, tunnelKind, tunnelId);
    tunnelKind = NO_TUNNEL;
  }
}

/** The same for IPv6. Its addresses are at {@linkcode nextAddresses}, the source first. */
export function add6(
  ports: u32,
  about: u32,
  octets: u32,
  from: usize,
  end: usize,
  vlan: u32,
): void {
  setPayload(from, end - from, vlan);
  const word = octetsWord(octets);
  if (tunnelKind === NO_TUNNEL) {
    put6(ports, about, word, about & PROTOCOL_MASK);
  } else {
    putInTunnel6(ports, about, word, tunnelKind, tunnelId);
    tunnelKind = NO_TUNNEL;
  }
}

/** Adds an IPv4 packet as what another one is inside of. */
export function addOuter4(source: u32, destination: u32, octets: u32): void {
  putOuter4(source, destination, octetsWord(octets));
}

/** The same for IPv6. Its addresses are at {@linkcode nextAddresses}, the source first. */
export function addOuter6(octets: u32): void {
  setPayload(0, 0, 0);
  put6(0, IS_OUTER, octetsWord(octets), IS_OUTER);
}

/** Where the addresses of the next IPv6 packet go. */
export function nextAddresses(): usize {
  return next6();
}

// @inline
function word16(at: usize): usize {
  return <usize> bswap<u16>(load<u16>(at));
}
