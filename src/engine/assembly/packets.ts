/*
 * Packets as they lie in the input. Those that are as most are, are decoded here: TCP or UDP after an IPv4
 * header without options, or after an IPv6 header without extension headers, over Ethernet with one VLAN
 * tag at most, raw, or as Linux cooks them. All others are left to `decode()` of src/packet.
 */
import {
  FRAME_CAPTURED,
  FRAME_LENGTH,
  FRAME_NANOSECONDS,
  FRAME_NEXT,
  FRAME_SECONDS,
  FRAME_START,
} from "../../model/ring_frame";
import { READ_RESPONSES } from "../../model/read_ports";
import { DNS_HEADER } from "../../model/payload_roles";
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
} from "../../packet/link_type";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../../model/protocol_numbers";
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
  MILLISECONDS_SHIFT,
  PROTOCOL_MASK,
  READ_PORTS,
} from "../layout";
import { hasClock, millisecond } from "./clock";
import { addWhole, next6, put4, put6, setPayload, takeGroup } from "./group";
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
 * RFC 791, section 3.1, in eight bytes from the total length on, as they are read: the low 13 bits of the
 * fifth and the sixth, and the last one.
 */
const FRAGMENT_OFFSET: u64 = 0x0000_ff1f_0000_0000;
const IPV4_PROTOCOL_SHIFT: u64 = 56;

const DNS_FLAGS: usize = 2;
const DNS_RESPONSE: u32 = 0x80;

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
    beginPacket(second, fraction / perMillisecond);
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
    const captured = load<u32>(at, FRAME_CAPTURED) + back;
    const length = load<u32>(at, FRAME_LENGTH) + back;
    takePacket(at + load<u16>(at, FRAME_START) - back, captured, length, linkType);
    at += load<u32>(at, FRAME_NEXT);
  }
  finish(count);
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
  else decode(start, captured, linkType, length);
}

/** Takes a packet that is as most are. */
// @inline
function takePlain(start: usize, captured: u32, linkType: u32): bool {
  const end = start + captured;
  if (linkType === LINKTYPE_ETHERNET) {
    const etherType = <u32> load<u16>(start, 12);
    if (etherType === IPV4) return takePlain4(start, start + ETHERNET, end, linkType, 0);
    if (etherType === IPV6) return takePlain6(start, start + ETHERNET, end, linkType, 0);
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
  if (inner === IPV4) return takePlain4(start, tag + VLAN_TAG, end, linkType, vlan);
  return inner === IPV6 && takePlain6(start, tag + VLAN_TAG, end, linkType, vlan);
}

// @inline
function takePlain4(start: usize, ip: usize, end: usize, linkType: u32, vlan: u32): bool {
  // What is shorter may lack what is read below, and what is read then is somebody else's.
  if (ip + IPV4_HEADER + UDP_HEADER > end) return false;
  if (<u32> load<u8>(ip) !== WITHOUT_OPTIONS) return false;
  const words = load<u64>(ip, 2);
  if ((words & FRAGMENT_OFFSET) !== 0) return false;
  const totalLength = <u32> bswap<u16>(<u16> words);
  const about = aboutPacket(
    <u32> (words >>> IPV4_PROTOCOL_SHIFT),
    ip + IPV4_HEADER,
    ip + totalLength,
    end,
  );
  if (about === 0) return false;
  setPayload(payload, payloadEnd - payload, vlan);
  const turn = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 0, 0, 0, 0);
  const ends = v128.swizzle(v128.load(ip, 12), turn);
  const ports = <u32> i32x4.extract_lane(ends, 2);
  if (isRead(about, ports)) addWhole(start, <u32> (end - start), linkType);
  const addresses = <u64> i64x2.extract_lane(ends, 0);
  put4(<u32> addresses, <u32> (addresses >>> 32), ports, about, octetsWord(totalLength));
  return true;
}

function takePlain6(start: usize, ip: usize, end: usize, linkType: u32, vlan: u32): bool {
  if (ip + IPV6_HEADER + UDP_HEADER > end || (load<u8>(ip) & 0xf0) !== 0x60) return false;
  const payloadLength = word16(ip + 4);
  if (payloadLength === 0) return false;
  const transport = ip + IPV6_HEADER;
  const about = aboutPacket(load<u8>(ip, 6), transport, transport + payloadLength, end);
  if (about === 0) return false;
  setPayload(payload, payloadEnd - payload, vlan);
  const ports = bswap<u32>(load<u32>(transport));
  if (isRead(about, ports)) addWhole(start, <u32> (end - start), linkType);
  const into = next6();
  const turn = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  v128.store(into, v128.swizzle(v128.load(ip, 8), turn));
  v128.store(into, v128.swizzle(v128.load(ip, 24), turn), 16);
  put6(ports, about, octetsWord(<u32> (payloadLength + IPV6_HEADER)));
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
  if (protocol !== PROTOCOL_UDP || limit < transport + UDP_HEADER) return 0;
  const length = word16(transport + 4);
  if (length < UDP_HEADER) return 0;
  payload = transport + UDP_HEADER;
  payloadEnd = min(limit, transport + length);
  return protocol | (payload < payloadEnd ? HAS_PAYLOAD : 0);
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
  put4(source, destination, ports, about, octetsWord(octets));
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
  put6(ports, about, octetsWord(octets));
}

/** Where the addresses of the next IPv6 packet go. */
export function nextAddresses(): usize {
  return next6();
}

// @inline
function word16(at: usize): usize {
  return <usize> bswap<u16>(load<u16>(at));
}
