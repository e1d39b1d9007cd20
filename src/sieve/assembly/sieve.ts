/*
 * The inner loops of `sieve.ts`, in AssemblyScript (https://www.assemblyscript.org), which looks like
 * TypeScript and becomes WebAssembly: `deno task wasm` makes `program.ts` of it.
 *
 * What it does is what `BatchDecoder` and `ConversationTable` of src/flow do, with the
 * reasons given there; a test compares the two on all captures. Addresses of memory come from
 * `sieve_memory.ts`, which says what lies where, as do the numbers that both sides name.
 */

import { hashOfSum, sumOfPairs } from "../../flow/assembly/pair_hash";

// Packets of a group, as `sieve_memory.ts` has it.
const GROUP: u32 = 256;

// Why `siftRecords` has stopped, as `sieve.ts` has it.
const STOP_END: u32 = 0;
const STOP_TIME: u32 = 1;
const STOP_OTHER: u32 = 2;
// In place of the second of a group that has not begun.
const NO_SECOND: i64 = -1;

// `src/packet/packet_header.ts`.
const PROTOCOL_TCP: u32 = 6;
const PROTOCOL_UDP: u32 = 17;
// TCP control bits, where a packet's `about` word has them.
const FIN: u32 = 0x01 << 16;
const SYN: u32 = 0x02 << 16;
const RST: u32 = 0x04 << 16;
const CONTROL: u32 = FIN | SYN | RST;
const FLAGS_SHIFT: u32 = 16;

// `src/flow/packet_list.ts` and `src/sieve/sighting_batch.ts`: bits of an `about` word.
const DIRECTION_SHIFT: u32 = 8;
const HAS_PAYLOAD: u32 = 1 << 9;
const IS_IPV6: u32 = 1 << 10;
const IS_ADDED: u32 = 1 << 11;
const HAS_ENDS: u32 = 1 << 12;
const IS_OTHER: u32 = 1 << 13;
const IS_TIME: u32 = 1 << 14;
const IS_FORGETTING: u32 = 1 << 15;

// `src/flow/most_looked_at.ts`.
const MOST_LOOKED_AT: u32 = 4;

// A payload that is to be looked at: the sighting that it belongs to, where it is, the ends' ports.
const LOOKED_HEAD: usize = 0;
const LOOKED_FROM: usize = 4;
const LOOKED_END: usize = 8;
const LOOKED_PORTS: usize = 12;
const LOOKED: usize = 16;

// `src/payload/sign_filter.ts`: a bit for each port, then lists of entries by transport and first byte.
const FILTER_LISTS: usize = 65_536 / 8;
const FILTER_UDP: usize = 256 * 4;
const FILTER_AT: usize = 4;
const FILTER_MASK: usize = 8;
const FILTER_VALUE: usize = 12;
const FILTER_ENTRY: usize = 16;

// `src/sieve/sighting_batch.ts`.
const WAS_LOOKED_AT: u32 = 1 << 8;
const LOOKS_SHIFT: u32 = 16;

const SAYS_LATER_SHIFT: u32 = 4;

// What is sent on of a packet begins with these.
const HEAD_SAYS: usize = 8;
const HEAD_OFFSET: usize = 8;
const HEAD_CAPTURED: usize = 12;
const HEAD_LINK_TYPE: usize = 16;
const HEAD: usize = 20;

const LINKTYPE_ETHERNET: u32 = 1;
const ETHERNET: usize = 14;
// EtherType, version and header length, as a word that is read in the order of bytes in memory.
const IPV4_WITHOUT_OPTIONS: u32 = 0x0045_0008;
const ETHERTYPE_IPV6: u32 = 0xdd86;
const IPV6_HEADER: usize = 40;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
// Ethernet, IPv4 without options, TCP without options: reads below it need no other check.
const PLAIN_IPV4: usize = 54;
const PLAIN_IPV6: usize = ETHERNET + IPV6_HEADER + UDP_HEADER;
// RFC 791, section 3.1, in eight bytes from the total length on, as they are read: the low 13 bits of
// the fifth and the sixth, and the last one.
const FRAGMENT_OFFSET: u64 = 0x0000_ff1f_0000_0000;
const IPV4_PROTOCOL_SHIFT: u64 = 56;

// `src/flow/payload_reader.ts`.
const READ_RESPONSES: u8 = 2;
// RFC 1035, section 4.1.1.
const DNS_HEADER: usize = 12;
const DNS_FLAGS: usize = 2;
const DNS_RESPONSE: u32 = 0x80;
const DNS_QUESTIONS: usize = 4;
// `src/payload/dns_role.ts`.
const DNS_LENGTH_PREFIX: usize = 2;
const MOST_OPCODE: u32 = 9;
const MOST_QUESTIONS: u32 = 16;

// `src/payload/sign.ts`, `src/payload/payload_says.ts`.
const NOBODY: u32 = 0;
const FROM_CLIENT: u32 = 1;
const FROM_SERVER: u32 = 2;
const BY_QR_BIT: u32 = 4;

// A packet that is wanted as a whole.
const OTHER_CAPTURED: usize = 4;
const OTHER_LINK_TYPE: usize = 8;
const OTHER_ORDER: usize = 12;
const OTHER_SHIFT: usize = 4;

// A packet of a list: where its payload is, hash, which packet of its group, ports, `about`, then the low
// end's address and the high one's.
const PAYLOAD: usize = 0;
const PAYLOAD_END: usize = 4;
const HASH: usize = 8;
const ORDER: usize = 12;
const PORTS: usize = 16;
const ABOUT: usize = 20;
const ENDS: usize = 24;
const LIST4_SHIFT: usize = 5;
const LIST6_SHIFT: usize = 6;

// A conversation's cell: half a cache line for IPv4, as adding and forgetting wait for memory.
// For each direction, the window in which a packet was sent on last: 16 bits, of which one is set.
const CELL_SENT: usize = 0;
const CELL_LAST_SEEN: usize = 4;
// Neighbours in the list by age; the latter in that of free cells, too.
const CELL_OLDER: usize = 8;
const CELL_NEWER: usize = 12;
const CELL_PORTS: usize = 16;
const CELL_STATE: usize = 20;
const CELL_ENDS: usize = 24;
// Ports and protocol, where a cell and a packet have them together with other things.
const PORTS_AND_PROTOCOL: u64 = 0x0000_00ff_ffff_ffff;
const CELL4_SHIFT: usize = 5;
const CELL6_SHIFT: usize = 6;
// In CELL_STATE, above the protocol: payloads that were sent on, of each direction.
const PAYLOADS_SHIFT: u32 = 8;
const PAYLOADS_BITS: u32 = 4;
const PAYLOADS: u32 = (1 << PAYLOADS_BITS) - 1;
const ALL_PAYLOADS: u32 = 0xff00;
// Above that: the last bits of CELL_LAST_SEEN when it was moved to the end of the list by age.
const TOUCHED_SHIFT: u32 = 16;
const UNTOUCHED: u32 = 0xffff;

const NUMBER_MASK: u32 = 0x00ff_ffff;
const TAG_MASK: u32 = ~NUMBER_MASK;
const FIRST_INDEX_MASK: u32 = (1 << 14) - 1;
const FORGOTTEN_SHIFT: u32 = 6;
const MOST_SPARED: u32 = 16;

// The words of a table, one for each family.
const T_CELLS: usize = 0;
const T_INDEX: usize = 4;
const T_LIMIT: usize = 8;
const T_OWN: usize = 12;
const T_OWN_COUNT: usize = 16;
const T_COUNT: usize = 20;
const T_FORGOTTEN: usize = 24;
const T_MASK: usize = 28;
const T_UNUSED: usize = 32;
const T_FREE: usize = 36;
const T_OLDEST: usize = 40;
const T_NEWEST: usize = 44;

// Where things are, as `setUp` was told.
let table4: usize = 0;
let table6: usize = 0;
let list4: usize = 0;
let list6: usize = 0;
/** The numbers that packets of a group seem to have, of each list, and whether they may be others' by now. */
let found4: usize = 0;
let found6: usize = 0;
let isFoundStale: bool = false;
/** Packets of a group that are wanted as a whole: where each is, how long, link type, which of the group. */
let others: usize = 0;
let otherCount: u32 = 0;
/** How many packets a group has up to now. */
let order: u32 = 0;
let readPorts: usize = 0;
let signFilter: usize = 0;
let looked: usize = 0;
// What hashes are made with: numbers that nobody else knows.
let secretLow: u64 = 0;
let secretHigh: u64 = 0;
let secretPorts: u64 = 0;
let secretProtocol: u64 = 0;
let secretLast: u64 = 0;
let secrets6: usize = 0;
// The batch that is decoded, as `setUpInput` was told.
let bytes: usize = 0;
let offsets: usize = 0;
let captureds: usize = 0;
let linkTypes: usize = 0;
// Where the payload of the last packet is, if it has one.
let payloadFrom: usize = 0;
let payloadEnd: usize = 0;
// Where the next word goes that is sent on.
let out: usize = 0;
// The records that `siftRecords` takes, and how many more a batch and a group may have.
let recordsAt: usize = 0;
let recordsEnd: usize = 0;
let recordHeader: usize = 0;
let recordMost: u32 = 0;
let isRecordBigEndian: bool = false;
let recordLinkType: u32 = 0;
let batchLeft: u32 = 0;
let groupLeft: u32 = 0;
let groupSecond: i64 = NO_SECOND;
// Of the records that were taken, how many had packets as most are, and where the last is that had not.
let plainCount: u32 = 0;
let packetAt: u32 = 0;
let packetCaptured: u32 = 0;

let queryCount: u32 = 0;
let lookedCount: u32 = 0;
let count4: u32 = 0;
let count6: u32 = 0;
let second: u32 = 0;
let window: u32 = 0;
let sum: u32 = 0;

/** Says where things lie. The words of the tables up to T_OWN_COUNT are set, those after it are 0. */
export function setUp(
  tables: usize,
  lists: usize,
  scratch: usize,
  ports: usize,
  itsSignFilter: usize,
  itsLooked: usize,
  secrets: usize,
): void {
  table4 = tables;
  table6 = tables + 64;
  list4 = lists;
  list6 = lists + (<usize> GROUP << LIST4_SHIFT);
  found4 = scratch;
  found6 = scratch + (<usize> GROUP << 2);
  others = scratch + (<usize> GROUP << 3);
  readPorts = ports;
  signFilter = itsSignFilter;
  looked = itsLooked;
  secretLow = load<u64>(secrets);
  secretHigh = load<u64>(secrets, 8);
  secretPorts = load<u64>(secrets, 16);
  secretProtocol = load<u64>(secrets, 24);
  secretLast = load<u64>(secrets, 32) | 1;
  secrets6 = secrets + 40;
  setUpTable(table4);
  setUpTable(table6);
}

function setUpTable(t: usize): void {
  store<u32>(t + T_MASK, FIRST_INDEX_MASK);
  store<u32>(t + T_UNUSED, 1);
}

/** Says where the bytes of packets lie, and the arrays of a batch's index. */
export function setUpInput(
  itsBytes: usize,
  offset: usize,
  captured: usize,
  linkType: usize,
): void {
  bytes = itsBytes;
  offsets = offset;
  captureds = captured;
  linkTypes = linkType;
}

/**
 * Says which records of a saved capture {@linkcode siftRecords} takes, as `RecordFormat` of a
 * `PacketBatch` has them.
 *
 * @param most How many of them at most, as a batch would have.
 */
export function setRecords(
  from: usize,
  end: usize,
  most: u32,
  header: usize,
  mostBytes: u32,
  isBigEndian: bool,
  linkType: u32,
): void {
  recordsAt = from;
  recordsEnd = end;
  batchLeft = most;
  recordHeader = header;
  recordMost = mostBytes;
  isRecordBigEndian = isBigEndian;
  recordLinkType = linkType;
  groupLeft = 0;
  groupSecond = NO_SECOND;
  plainCount = 0;
}

/**
 * Decodes and looks up the packets of records, in the groups that they would be in as a batch.
 *
 * @returns Why it has stopped: all were taken that are whole and no longer than may be; the next group is
 * of another second, {@linkcode recordSecond}; or a packet is not as most are,
 * {@linkcode recordPacket}. After the last two it is to be called again.
 */
export function siftRecords(): u32 {
  const header = recordHeader;
  const end = recordsEnd;
  const isEthernet = recordLinkType === LINKTYPE_ETHERNET;
  let at = recordsAt;
  let ofBatch = batchLeft;
  let ofGroup = groupLeft;
  let stop = STOP_END;
  while (ofBatch !== 0 && at + header <= end) {
    const record = bytes + at;
    let captured = load<u32>(record, 8);
    let itsSecond = load<u32>(record);
    if (isRecordBigEndian) {
      captured = bswap<u32>(captured);
      itsSecond = bswap<u32>(itsSecond);
    }
    if (captured > recordMost || at + header + captured > end) break;
    if (ofGroup === 0 || <i64> itsSecond !== groupSecond) {
      lookUp();
      ofGroup = GROUP;
      if (<i64> itsSecond !== groupSecond) {
        groupSecond = itsSecond;
        stop = STOP_TIME;
        break;
      }
    }
    ofGroup--;
    ofBatch--;
    at += header + captured;
    if (!isEthernet || !decodePlain(record + header, captured)) {
      packetAt = <u32> (at - captured);
      packetCaptured = captured;
      stop = STOP_OTHER;
      break;
    }
  }
  plainCount += batchLeft - ofBatch - (stop === STOP_OTHER ? 1 : 0);
  recordsAt = at;
  batchLeft = ofBatch;
  groupLeft = ofGroup;
  if (stop === STOP_END) lookUp();
  return stop;
}

/** The place after the last record that was taken. */
export function recordsTaken(): usize {
  return recordsAt;
}

/** The second of the group that comes next. */
export function recordSecond(): u32 {
  return <u32> groupSecond;
}

/** Where the packet is that is not as most are; {@linkcode recordCaptured} says how long. */
export function recordPacket(): u32 {
  return packetAt;
}

/** How many bytes it has. */
export function recordCaptured(): u32 {
  return packetCaptured;
}

/** How many of the records had packets as most are. */
export function plainPackets(): u32 {
  return plainCount;
}

/** Says where to write what is sent on. */
export function begin(into: usize): void {
  out = into;
  lookedCount = 0;
}

/** Where the words end that were sent on. */
export function end(): usize {
  return out;
}

/** Sets the time of the next group. Of its window 15 bits are used. */
export function setTime(itsSecond: u32, itsWindow: u32): void {
  second = itsSecond;
  window = 0x8000 | (itsWindow & 0x7fff);
}

/** Sends on that time has changed, by the packets' own clock. */
export function sendTime(packetSecond: u32): void {
  send(IS_TIME, packetSecond, 0, 0);
}

/** Has a packet sent on as a whole. */
export function addOther(at: u32, captured: u32, linkType: u32): void {
  const into = others + (<usize> otherCount << OTHER_SHIFT);
  otherCount++;
  store<u32>(into, at);
  store<u32>(into + OTHER_CAPTURED, captured);
  store<u32>(into + OTHER_LINK_TYPE, linkType);
  store<u32>(into + OTHER_ORDER, order);
}

function sendOther(other: usize): void {
  const captured = load<u32>(other + OTHER_CAPTURED);
  const linkType = load<u32>(other + OTHER_LINK_TYPE);
  const from = bytes + load<u32>(other);
  const head = out;
  send(IS_OTHER, 0, 0, 0);
  store<u32>(head, linkType, HEAD_LINK_TYPE);
  sendBytes(head, from, from + captured);
}

/** Has the next packet of each direction sent on again. */
export function sendAllAgain(): void {
  sendTableAgain(table4, CELL4_SHIFT);
  sendTableAgain(table6, CELL6_SHIFT);
}

function sendTableAgain(t: usize, shift: usize): void {
  const cells: usize = load<u32>(t + T_CELLS);
  const unused = load<u32>(t + T_UNUSED);
  for (let number: u32 = 1; number < unused; number++) {
    store<u32>(cells + (<usize> number << shift) + CELL_SENT, 0);
  }
}

/**
 * Decodes packets that are as most are.
 *
 * @returns The index of the first that is not, or `to`.
 */
export function decode(from: u32, to: u32): u32 {
  let i = from;
  for (; i < to; i++) {
    if (<u32> load<u16>(linkTypes + (<usize> i << 1)) !== LINKTYPE_ETHERNET) break;
    const start = bytes + load<u32>(offsets + (<usize> i << 2));
    if (!decodePlain(start, load<u32>(captureds + (<usize> i << 2)))) break;
  }
  return i;
}

/** Decodes an Ethernet frame, if it is as most are. */
@inline
function decodePlain(start: usize, captured: usize): bool {
  if (captured < PLAIN_IPV4) return false;
  const end = start + captured;
  // The byte after EtherType, version and header length is the type of service.
  const kind = load<u32>(start, 12) & 0x00ff_ffff;
  if (kind !== IPV4_WITHOUT_OPTIONS) {
    return (kind & 0xffff) === ETHERTYPE_IPV6 && decode6(start, end);
  }
  const words = load<u64>(start, 16);
  if ((words & FRAGMENT_OFFSET) !== 0) return false;
  const about = aboutPacket(
    <u32> (words >>> IPV4_PROTOCOL_SHIFT),
    start + ETHERNET + 20,
    start + ETHERNET + <usize> bswap<u16>(<u16> words),
    end,
  );
  if (about === 0) return false;
  const turn = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 0, 0, 0, 0);
  const ends = v128.swizzle(v128.load(start, 26), turn);
  const ports = <u32> i32x4.extract_lane(ends, 2);
  if (isRead(about, ports)) addOther(<u32> (start - bytes), <u32> captured, LINKTYPE_ETHERNET);
  const addresses = <u64> i64x2.extract_lane(ends, 0);
  put4(<u32> addresses, <u32> (addresses >>> 32), ports, about);
  return true;
}

function decode6(start: usize, end: usize): bool {
  if (end - start < PLAIN_IPV6 || (load<u8>(start + 14) & 0xf0) !== 0x60) return false;
  const payloadLength = word16(start + 18);
  if (payloadLength === 0) return false;
  const transport = start + ETHERNET + IPV6_HEADER;
  const protocol = <u32> load<u8>(start + 20);
  const about = aboutPacket(protocol, transport, transport + payloadLength, end);
  if (about === 0) return false;
  const ports = word32(transport);
  if (isRead(about, ports)) {
    addOther(<u32> (start - bytes), <u32> (end - start), LINKTYPE_ETHERNET);
  }
  const into = next6();
  const turn = i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  v128.store(into, v128.swizzle(v128.load(start, 22), turn));
  v128.store(into, v128.swizzle(v128.load(start, 38), turn), 16);
  add6(ports, about);
  return true;
}

/**
 * A packet's `about` word without its direction, or 0 where something is not as usual. Its payload is
 * noted.
 *
 * @param transport Where its transport header begins.
 * @param packetEnd Where it ends by the words of its IP header.
 * @param end Where its captured bytes end.
 */
@inline
function aboutPacket(protocol: u32, transport: usize, packetEnd: usize, end: usize): u32 {
  const limit = min(end, packetEnd);
  let about = protocol;
  if (protocol === PROTOCOL_TCP) {
    if (limit < transport + TCP_HEADER) return 0;
    const offsetAndFlags = <u32> word16(transport + 12);
    const payload = transport + ((offsetAndFlags >>> 10) & 0x3c);
    if (payload < transport + TCP_HEADER || payload > packetEnd) return 0;
    if (payload < limit) {
      about |= HAS_PAYLOAD;
      payloadFrom = payload;
      payloadEnd = limit;
    }
    return about | ((offsetAndFlags & 0xff) << FLAGS_SHIFT);
  }
  if (protocol !== PROTOCOL_UDP || limit < transport + UDP_HEADER) return 0;
  const length = word16(transport + 4);
  if (length < UDP_HEADER) return 0;
  if (limit === transport + UDP_HEADER || length === UDP_HEADER) return about;
  payloadFrom = transport + UDP_HEADER;
  payloadEnd = min(limit, transport + length);
  return about | HAS_PAYLOAD;
}

/** Whether a packet comes from a port whose packets are wanted. */
@inline
function isRead(about: u32, ports: u32): bool {
  const wanted = load<u8>(readPorts + (ports >>> 16));
  return wanted !== 0 && (wanted !== READ_RESPONSES || !isQuery(about));
}

/**
 * Whether a packet whose payload was noted has a DNS query, which is counted then: `readDnsMessage` would
 * say the same of it.
 */
function isQuery(about: u32): bool {
  if ((about & (0xff | HAS_PAYLOAD)) !== (PROTOCOL_UDP | HAS_PAYLOAD)) return false;
  if (payloadEnd - payloadFrom < DNS_HEADER) return false;
  if ((load<u8>(payloadFrom + DNS_FLAGS) & DNS_RESPONSE) !== 0) return false;
  queryCount++;
  return true;
}

/** How many DNS queries there were since this was asked last. */
export function queries(): u32 {
  const count = queryCount;
  queryCount = 0;
  return count;
}

/** Says where the payload of a packet is that was decoded elsewhere. */
export function setPayload(from: usize, end: usize): void {
  payloadFrom = bytes + from;
  payloadEnd = bytes + end;
}

/** Adds an IPv4 packet that was decoded elsewhere. */
export function add4(source: u32, destination: u32, ports: u32, about: u32): void {
  put4(source, destination, ports, about);
}

/** Where the addresses of the next IPv6 packet go. */
export function next6(): usize {
  return list6 + (<usize> count6 << LIST6_SHIFT) + ENDS;
}

@inline
function put4(
  source: u32,
  destination: u32,
  sourceAndDestination: u32,
  aboutIt: u32,
): void {
  const sourcePort = sourceAndDestination >>> 16;
  const destinationPort = sourceAndDestination & 0xffff;
  // Addresses are compared as words with a sign, then ports; no processor can guess the outcome.
  const one = (<u64> (source ^ 0x8000_0000) << 16) | sourcePort;
  const other = (<u64> (destination ^ 0x8000_0000) << 16) | destinationPort;
  const turn: u32 = 0 - <u32> (one > other);
  const addressTurn = (source ^ destination) & turn;
  const portTurn = (sourcePort ^ destinationPort) & turn;
  const low = source ^ addressTurn;
  const high = destination ^ addressTurn;
  const ports = ((sourcePort ^ portTurn) << 16) | (destinationPort ^ portTurn);
  const about = aboutIt | (turn & (1 << DIRECTION_SHIFT));
  const protocol = about & 0xff;
  const hash = hash4(low, high, ports, protocol);
  const into = list4 + (<usize> count4 << LIST4_SHIFT);
  count4++;
  putRest(into, about, ports, hash);
  store<u64>(into, low | (<u64> high << 32), ENDS);
}

/** Adds an IPv6 packet, whose addresses are at {@linkcode next6}, the source first. */
export function add6(sourceAndDestination: u32, aboutIt: u32): void {
  const into = list6 + (<usize> count6 << LIST6_SHIFT);
  const ends = into + ENDS;
  const source = v128.load(ends);
  const destination = v128.load(ends, 16);
  // Of the words that differ the first one decides, compared with a sign; no processor can guess how.
  const greater = i32x4.bitmask(i32x4.gt_s(source, destination));
  const differing = greater | i32x4.bitmask(i32x4.lt_s(source, destination));
  const isTurned: u32 = differing !== 0
    ? <u32> ((greater & differing & -differing) !== 0)
    : <u32> ((sourceAndDestination >>> 16) > (sourceAndDestination & 0xffff));
  const turn = i32x4.splat(-(<i32> isTurned));
  v128.store(ends, v128.bitselect(destination, source, turn));
  v128.store(ends, v128.bitselect(source, destination, turn), 16);
  const ports = rotl<u32>(sourceAndDestination, isTurned << 4);
  const about = aboutIt | (isTurned << DIRECTION_SHIFT);
  const protocol = about & 0xff;
  const hash = hash6(ends, ports, protocol);
  count6++;
  putRest(into, about, ports, hash);
}

@inline
function putRest(into: usize, about: u32, ports: u32, hash: u32): void {
  store<u32>(into, <u32> payloadFrom, PAYLOAD);
  store<u32>(into, <u32> payloadEnd, PAYLOAD_END);
  store<u64>(into, hash | (<u64> order << 32), HASH);
  order++;
  store<u64>(into, ports | (<u64> about << 32), PORTS);
}

@inline
function hash4(low: u32, high: u32, ports: u32, protocol: u32): u32 {
  return finish((secretLow + low) * (secretHigh + high), ports, protocol);
}

@inline
function hash6(ends: usize, ports: u32, protocol: u32): u32 {
  return finish(sumOfPairs(ends, 32, secrets6), ports, protocol);
}

@inline
function finish(sum: u64, ports: u32, protocol: u32): u32 {
  return hashOfSum(sum + (secretPorts + ports) * (secretProtocol + protocol), secretLast);
}

/** The hash of an IPv4 conversation, for tests. */
export function hashOf4(low: u32, high: u32, ports: u32, protocol: u32): u32 {
  return hash4(low, high, ports, protocol);
}

/** The same for IPv6. */
export function hashOf6(ends: usize, ports: u32, protocol: u32): u32 {
  return hash6(ends, ports, protocol);
}

/**
 * Looks up the packets of a group, and sends on those that say something new: in their order, as groups
 * are not the same wherever packets come from.
 */
export function lookUp(): void {
  isFoundStale = false;
  if (count4 !== 0) prefetch(table4, list4, LIST4_SHIFT, CELL4_SHIFT, count4, found4);
  if (count6 !== 0) prefetch(table6, list6, LIST6_SHIFT, CELL6_SHIFT, count6, found6);
  let from4: u32 = 0;
  let from6: u32 = 0;
  const end = others + (<usize> otherCount << OTHER_SHIFT);
  for (let other = others;; other += 1 << OTHER_SHIFT) {
    const next = other < end ? load<u32>(other + OTHER_ORDER) : u32.MAX_VALUE;
    while (from4 < count4 || from6 < count6) {
      // Those of one family up to the first of the other.
      const order4 = orderIn(list4, LIST4_SHIFT, from4, count4);
      const order6 = orderIn(list6, LIST6_SHIFT, from6, count6);
      if (min(order4, order6) >= next) break;
      if (order4 < order6) {
        from4 = lookUpAll(table4, list4, LIST4_SHIFT, CELL4_SHIFT, from4, count4, found4, min(order6, next));
      } else {
        from6 = lookUpAll(table6, list6, LIST6_SHIFT, CELL6_SHIFT, from6, count6, found6, min(order4, next));
      }
    }
    if (other === end) break;
    sendOther(other);
  }
  count4 = count6 = otherCount = order = 0;
}

@inline
function orderIn(list: usize, shift: usize, packet: u32, count: u32): u32 {
  return packet === count ? u32.MAX_VALUE : load<u32>(list + (<usize> packet << shift), ORDER);
}

/** How many payloads there are to be looked at, of all that was sifted since {@linkcode begin}. */
export function toBeLookedAt(): u32 {
  return lookedCount;
}

/**
 * Looks up packets of a list. Inlined for each family: what depends on the size of its cells is decided by
 * the compiler.
 *
 * @param before Which packet of the group is the first that comes too late.
 * @returns The index after the last that was looked up.
 */
@inline
function lookUpAll(
  t: usize,
  list: usize,
  listShift: usize,
  shift: usize,
  from: u32,
  count: u32,
  found: usize,
  before: u32,
): u32 {
  const cells: usize = load<u32>(t, T_CELLS);
  const end = list + (<usize> count << listShift);
  let packet = list + (<usize> from << listShift);
  let foundAt = found + (<usize> from << 2);
  for (; packet < end; packet += 1 << listShift, foundAt += 4) {
    if (load<u32>(packet, ORDER) >= before) break;
    const portsAndAbout = load<u64>(packet, PORTS);
    const about = <u32> (portsAndAbout >>> 32);
    let number = load<u32>(foundAt);
    let cell = cells + (<usize> number << shift);
    let portsAndState = load<u64>(cell, CELL_PORTS);
    if (
      number === 0 || isFoundStale ||
      ((portsAndState ^ portsAndAbout) & PORTS_AND_PROTOCOL) !== 0 ||
      !areEndsEqual(shift, cell + CELL_ENDS, packet + ENDS)
    ) {
      number = find(t, shift, packet, portsAndAbout);
      if (number === 0) {
        takeUnknown(t, shift, packet, shift === CELL6_SHIFT ? about | IS_IPV6 : about);
        continue;
      }
      cell = cells + (<usize> number << shift);
      portsAndState = load<u64>(cell, CELL_PORTS);
    }
    // Most packets repeat what was seen of their direction, and all that is looked at in it was.
    const sent = <u32> load<u16>(cell + (directionOffset(about) >>> 1), CELL_SENT);
    const looks = (<u32> (portsAndState >>> 32) >>> payloadsShift(about)) & PAYLOADS;
    const isLookedAt = (about & HAS_PAYLOAD) !== 0 && looks < MOST_LOOKED_AT;
    if (sent === window && !isLookedAt && (about & CONTROL) === 0) {
      store<u32>(cell, second, CELL_LAST_SEEN);
      continue;
    }
    takeKnown(t, shift, packet, shift === CELL6_SHIFT ? about | IS_IPV6 : about, number);
  }
  return <u32> ((packet - list) >>> listShift);
}

/** The number of a packet's conversation, or 0. */
function find(t: usize, shift: usize, packet: usize, portsAndAbout: u64): u32 {
  const index: usize = load<u32>(t, T_INDEX);
  const mask = load<u32>(t, T_MASK);
  const hash = load<u32>(packet, HASH);
  let slot = homeOf(hash, mask);
  let word = load<u32>(index + (<usize> slot << 2));
  while (word !== 0) {
    if (((word ^ hash) & TAG_MASK) === 0) {
      const cell = cellOf(t, shift, word & NUMBER_MASK);
      const isSame = ((load<u64>(cell, CELL_PORTS) ^ portsAndAbout) & PORTS_AND_PROTOCOL) === 0;
      if (isSame && areEndsEqual(shift, cell + CELL_ENDS, packet + ENDS)) break;
    }
    slot = (slot + 1) & mask;
    word = load<u32>(index + (<usize> slot << 2));
  }
  return word & NUMBER_MASK;
}

/** The slot at which looking begins: the first of four that are compared at once. */
@inline
function homeOf(hash: u32, mask: u32): u32 {
  return hash & mask & ~3;
}

/**
 * Finds most packets' conversations, and has their cells fetched. Each loop waits for memory for itself,
 * and has little else to do, so that it waits for many places at once.
 */
@inline
function prefetch(
  t: usize,
  list: usize,
  listShift: usize,
  cellShift: usize,
  count: u32,
  found: usize,
): void {
  const index: usize = load<u32>(t, T_INDEX);
  const mask = load<u32>(t, T_MASK);
  const cells: usize = load<u32>(t, T_CELLS);
  let loaded: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(list + (<usize> i << listShift), HASH);
    loaded ^= load<u32>(index + (<usize> homeOf(hash, mask) << 2));
  }
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(list + (<usize> i << listShift), HASH);
    const home = index + (<usize> homeOf(hash, mask) << 2);
    const differences = v128.xor(v128.load(home), i32x4.splat(hash));
    const tags = v128.and(differences, i32x4.splat(TAG_MASK));
    const same = i32x4.bitmask(i32x4.eq(tags, i32x4.splat(0)));
    // No processor could guess which of them it is.
    const word = load<u32>(home + (<usize> ctz<u32>(same | 8) << 2));
    const isThere: u32 = 0 - <u32> (same !== 0);
    store<u32>(found + (<usize> i << 2), word & NUMBER_MASK & isThere);
  }
  for (let i: u32 = 0; i < count; i++) {
    const number = load<u32>(found + (<usize> i << 2));
    loaded ^= load<u32>(cells + (<usize> number << cellShift), CELL_PORTS);
  }
  sum ^= loaded;
}

/** Takes a packet that belongs to no known conversation. */
function takeUnknown(t: usize, shift: usize, packet: usize, about: u32): void {
  if ((about & CONTROL) !== 0 && isNoConversation(about, isOwn(shift, packet, about))) {
    sendWithEnds(shift, packet, about, 0);
    return;
  }
  const number = add(t, shift, load<u32>(packet, HASH));
  const cell = cellOf(t, shift, number);
  copyEnds(shift, cell + CELL_ENDS, packet + ENDS);
  sendAdded(shift, cell, packet, about, number);
}

/** Takes a packet of a known conversation that may say something new. */
function takeKnown(t: usize, shift: usize, packet: usize, about: u32, number: u32): void {
  const cell = cellOf(t, shift, number);
  if ((about & CONTROL) !== 0) {
    if (sendControl(cell, about, number, isOwn(shift, packet, about))) return;
  }
  see(t, shift, cell, packet, about, number);
}

/** Whether a packet with SYN, FIN or RST makes no conversation of what is none yet. */
@inline
function isNoConversation(about: u32, isToOwn: bool): bool {
  return (about & (SYN | FIN)) !== 0 || isToOwn;
}

/**
 * Sends on a packet with SYN, FIN or RST of a known conversation, unless it is to be seen as others.
 *
 * @returns Whether that was all.
 */
function sendControl(cell: usize, about: u32, number: u32, isToOwn: bool): bool {
  let looks: u32 = 0;
  if ((about & SYN) !== 0) {
    // It may begin anew: then all that is looked at in its first packets is looked at again.
    const state = load<u32>(cell + CELL_STATE);
    looks = looksOf(state);
    store<u32>(cell + CELL_SENT, 0);
    store<u32>(cell + CELL_STATE, state & ~ALL_PAYLOADS);
  } else if ((about & RST) !== 0 && (about & FIN) === 0 && !isToOwn) {
    store<u32>(cell + CELL_SENT, 0);
    return false;
  }
  const lastSeen = load<u32>(cell + CELL_LAST_SEEN);
  const idle = second > lastSeen ? second - lastSeen : 0;
  if ((about & SYN) === 0) store<u32>(cell + CELL_LAST_SEEN, second);
  send(about, number, looks, idle);
  return true;
}

function sendAdded(shift: usize, cell: usize, packet: usize, about: u32, number: u32): void {
  store<u32>(cell + CELL_SENT, window << (((about >>> DIRECTION_SHIFT) & 1) << 4));
  store<u32>(cell + CELL_LAST_SEEN, second);
  store<u32>(cell + CELL_PORTS, load<u32>(packet + PORTS));
  let state = (about & 0xff) | (second << TOUCHED_SHIFT);
  if ((about & HAS_PAYLOAD) !== 0) state |= 1 << payloadsShift(about);
  store<u32>(cell + CELL_STATE, state);
  const head = out;
  sendWithEnds(shift, packet, about | IS_ADDED, number);
  if ((about & HAS_PAYLOAD) === 0) return;
  store<u32>(head + HEAD_SAYS, looksOf(state) | WAS_LOOKED_AT);
  if (maySay(packet)) lookAtPayload(head, packet);
}

/** Notes a packet of a known conversation, and sends it on if that may change something. */
@inline
function see(
  t: usize,
  shift: usize,
  cell: usize,
  packet: usize,
  about: u32,
  number: u32,
): void {
  store<u32>(cell + CELL_LAST_SEEN, second);
  const sent = cell + CELL_SENT + (directionOffset(about) >>> 1);
  let isLookedAt = false;
  let isShown = false;
  if ((about & HAS_PAYLOAD) !== 0) {
    const state = load<u32>(cell + CELL_STATE);
    const payloads = payloadsShift(about);
    if (((state >>> payloads) & PAYLOADS) < MOST_LOOKED_AT) {
      store<u32>(cell + CELL_STATE, state + (1 << payloads));
      isLookedAt = true;
      isShown = maySay(packet);
    }
  }
  if (<u32> load<u16>(sent) !== window) {
    // With the first packet of a window it was moved, whichever direction that had.
    const sentOther = cell + CELL_SENT + ((directionOffset(about) ^ 4) >>> 1);
    if (<u32> load<u16>(sentOther) !== window) touch(t, shift, cell, number);
    store<u16>(sent, <u16> window);
  } else if (!isShown) {
    // Of a payload that says nothing it is enough that it is counted.
    return;
  }
  const head = out;
  const looks = isLookedAt ? looksOf(load<u32>(cell + CELL_STATE)) | WAS_LOOKED_AT : 0;
  send(about, number, looks, 0);
  if (isShown) lookAtPayload(head, packet);
}

/** How many payloads of each direction were looked at, as it is sent on. */
@inline
function looksOf(state: u32): u32 {
  return (state & ALL_PAYLOADS) << (LOOKS_SHIFT - PAYLOADS_SHIFT);
}

/** Sends on the head of a sighting, without bytes. */
@inline
function send(about: u32, number: u32, says: u32, idle: u32): void {
  store<u32>(out, about);
  store<u32>(out + 4, number);
  store<u32>(out + HEAD_SAYS, says);
  store<u32>(out + HEAD_CAPTURED, idle);
  out += HEAD;
}

function sendWithEnds(shift: usize, packet: usize, about: u32, number: u32): void {
  send(about | HAS_ENDS, number, 0, 0);
  store<u32>(out, load<u32>(packet + PORTS));
  copyEnds(shift, out + 4, packet + ENDS);
  out += 4 + (shift === CELL4_SHIFT ? 8 : 32);
}

/**
 * Says what the payload of a packet says that was sent on, if it is DNS, by what {@linkcode maySay} has
 * found; otherwise, has it looked at when the batch was sifted.
 */
function lookAtPayload(head: usize, packet: usize): void {
  if (dnsSays !== NOBODY) {
    const says = dnsSays | BY_QR_BIT;
    store<u32>(head + HEAD_SAYS, load<u32>(head + HEAD_SAYS) | says | (says << SAYS_LATER_SHIFT));
    return;
  }
  const into = looked + <usize> lookedCount * LOOKED;
  lookedCount++;
  store<u32>(into + LOOKED_HEAD, <u32> head);
  store<u32>(into + LOOKED_FROM, load<u32>(packet + PAYLOAD));
  store<u32>(into + LOOKED_END, load<u32>(packet + PAYLOAD_END));
  store<u32>(into + LOOKED_PORTS, load<u32>(packet + PORTS));
}

/** What the payload says as DNS of which {@linkcode maySay} was asked last. */
let dnsSays: u32 = NOBODY;

/**
 * Whether a payload may say who serves: what its header says, if it is DNS, and what the filter of
 * `src/payload/sign_filter.ts` tells.
 */
function maySay(packet: usize): bool {
  dnsSays = dnsRole(packet);
  if (dnsSays !== NOBODY) return true;
  const ports = load<u32>(packet + PORTS);
  const high = ports >>> 16;
  const low = ports & 0xffff;
  const lowerPort = min(high, low);
  const from: usize = load<u32>(packet + PAYLOAD);
  const size = <u32> (<usize> load<u32>(packet + PAYLOAD_END) - from);
  const isTcp = (load<u32>(packet + ABOUT) & 0xff) === PROTOCOL_TCP;
  const lists = signFilter + FILTER_LISTS + (isTcp ? 0 : FILTER_UDP);
  const list: usize = load<u32>(lists + (<usize> load<u8>(from) << 2));
  let entry = signFilter + (list << 2);
  for (let needs = load<u32>(entry); needs !== 0; needs = load<u32>(entry)) {
    const word = load<u32>(from + <usize> load<u32>(entry + FILTER_AT));
    const difference = (word ^ load<u32>(entry + FILTER_VALUE)) & load<u32>(entry + FILTER_MASK);
    if (difference === 0 && size >= (needs & 0xffff)) {
      const port = needs >>> 16;
      if (port === 0 || port === lowerPort) return true;
    }
    entry += FILTER_ENTRY;
  }
  return false;
}

/** `dnsRole` of `src/payload/dns_role.ts`. */
function dnsRole(packet: usize): u32 {
  const ports = load<u32>(packet + PORTS);
  if (!isDns(ports >>> 16) && !isDns(ports & 0xffff)) return NOBODY;
  const isTcp = (load<u32>(packet + ABOUT) & 0xff) === PROTOCOL_TCP;
  const at: usize = <usize> load<u32>(packet + PAYLOAD) + (isTcp ? DNS_LENGTH_PREFIX : 0);
  if (at + DNS_HEADER > <usize> load<u32>(packet + PAYLOAD_END)) return NOBODY;
  const flags = <u32> bswap<u16>(load<u16>(at + DNS_FLAGS));
  const questions = <u32> bswap<u16>(load<u16>(at + DNS_QUESTIONS));
  if (((flags >>> 11) & 15) > MOST_OPCODE || questions > MOST_QUESTIONS) return NOBODY;
  return flags >>> 15 === 0 ? FROM_CLIENT : FROM_SERVER;
}

/** Whether this is a port of DNS. */
@inline
function isDns(port: u32): bool {
  return ((load<u32>(signFilter + ((<usize> port >>> 5) << 2)) >>> (port & 31)) & 1) !== 0;
}

/** Adds bytes to what was sent on. */
@inline
function sendBytes(head: usize, from: usize, end: usize): void {
  const into = out;
  const size = end - from;
  store<u32>(head + HEAD_OFFSET, <u32> into);
  store<u32>(head + HEAD_CAPTURED, <u32> size);
  // What is copied beyond its end is written over by what is sent on next.
  for (let at: usize = 0; at < size; at += 16) v128.store(into + at, v128.load(from + at));
  out = into + ((size + 3) & ~3);
}

@inline
function directionOffset(about: u32): usize {
  return (about >>> (DIRECTION_SHIFT - 2)) & 4;
}

@inline
function payloadsShift(about: u32): u32 {
  return PAYLOADS_SHIFT + ((about >>> DIRECTION_SHIFT) & 1) * PAYLOADS_BITS;
}

/** Whether a packet goes to an own network. Each is a value and a mask. */
@inline
function isOwn(shift: usize, packet: usize, about: u32): bool {
  return shift === CELL4_SHIFT ? isOwn4(packet, about) : isOwn6(packet, about);
}

function isOwn4(packet: usize, about: u32): bool {
  const address = load<u32>(packet + ENDS + (directionOffset(about) ^ 4));
  let own: usize = load<u32>(table4 + T_OWN);
  for (let left = load<u32>(table4 + T_OWN_COUNT); left !== 0; left--, own += 8) {
    if (((address ^ load<u32>(own)) & load<u32>(own + 4)) === 0) return true;
  }
  return false;
}

function isOwn6(packet: usize, about: u32): bool {
  const address = v128.load(packet + ENDS + ((directionOffset(about) ^ 4) << 2));
  let own: usize = load<u32>(table6 + T_OWN);
  for (let left = load<u32>(table6 + T_OWN_COUNT); left !== 0; left--, own += 32) {
    const difference = v128.and(v128.xor(address, v128.load(own)), v128.load(own + 16));
    if (!v128.any_true(difference)) return true;
  }
  return false;
}

function add(t: usize, shift: usize, hash: u32): u32 {
  if (load<u32>(t + T_COUNT) === load<u32>(t + T_LIMIT)) forget(t, shift);
  if ((load<u32>(t + T_COUNT) + 1) * 2 > load<u32>(t + T_MASK)) growIndex(t, shift);
  let number = load<u32>(t + T_FREE);
  if (number === 0) {
    number = load<u32>(t + T_UNUSED);
    store<u32>(t + T_UNUSED, number + 1);
  } else {
    store<u32>(t + T_FREE, load<u32>(cellOf(t, shift, number) + CELL_NEWER));
  }
  linkNewest(t, shift, number);
  insert(t, number, hash);
  store<u32>(t + T_COUNT, load<u32>(t + T_COUNT) + 1);
  return number;
}

@inline
function insert(t: usize, number: u32, hash: u32): void {
  const index: usize = load<u32>(t + T_INDEX);
  const mask = load<u32>(t + T_MASK);
  let slot = homeOf(hash, mask);
  while (load<u32>(index + (<usize> slot << 2)) !== 0) slot = (slot + 1) & mask;
  store<u32>(index + (<usize> slot << 2), (hash & TAG_MASK) | number);
}

/** Makes the index twice as large, where it is: the list by age has all that belongs into it. */
function growIndex(t: usize, shift: usize): void {
  const size = (load<u32>(t + T_MASK) + 1) * 2;
  store<u32>(t + T_MASK, size - 1);
  memory.fill(load<u32>(t + T_INDEX), 0, <usize> size << 2);
  for (let number = load<u32>(t + T_OLDEST); number !== 0;) {
    insert(t, number, hashOf(t, shift, number));
    number = load<u32>(cellOf(t, shift, number) + CELL_NEWER);
  }
}

@inline
function cellOf(t: usize, shift: usize, number: u32): usize {
  return <usize> load<u32>(t + T_CELLS) + (<usize> number << shift);
}

function hashOf(t: usize, shift: usize, number: u32): u32 {
  const cell = cellOf(t, shift, number);
  const ports = load<u32>(cell + CELL_PORTS);
  const protocol = load<u32>(cell + CELL_STATE) & 0xff;
  const ends = cell + CELL_ENDS;
  return shift === CELL4_SHIFT
    ? hash4(load<u32>(ends), load<u32>(ends + 4), ports, protocol)
    : hash6(ends, ports, protocol);
}

/** Forgets those that are idle for longest, which is sent on before their numbers are used again. */
function forget(t: usize, shift: usize): void {
  send(IS_FORGETTING, 0, 0, 0);
  isFoundStale = true;
  const wanted = max<u32>(1, load<u32>(t + T_LIMIT) >>> FORGOTTEN_SHIFT);
  let spared: u32 = 0;
  for (let done: u32 = 0; done < wanted;) {
    const number = load<u32>(t + T_OLDEST);
    if (number === 0) break;
    const cell = cellOf(t, shift, number);
    const touched = load<u32>(cell + CELL_STATE) >>> TOUCHED_SHIFT;
    if ((load<u32>(cell + CELL_LAST_SEEN) & 0xffff) !== touched && spared++ < wanted * MOST_SPARED) {
      touch(t, shift, cell, number);
      continue;
    }
    done++;
    unlink(t, shift, number);
    removeFromIndex(t, shift, number);
    store<u32>(cell + CELL_NEWER, load<u32>(t + T_FREE));
    store<u32>(t + T_FREE, number);
    store<u32>(t + T_COUNT, load<u32>(t + T_COUNT) - 1);
    store<u32>(t + T_FORGOTTEN, load<u32>(t + T_FORGOTTEN) + 1);
  }
}

function removeFromIndex(t: usize, shift: usize, number: u32): void {
  const index: usize = load<u32>(t + T_INDEX);
  const mask = load<u32>(t + T_MASK);
  let slot = homeOf(hashOf(t, shift, number), mask);
  while ((load<u32>(index + (<usize> slot << 2)) & NUMBER_MASK) !== number) {
    slot = (slot + 1) & mask;
  }
  for (let next = (slot + 1) & mask;; next = (next + 1) & mask) {
    const word = load<u32>(index + (<usize> next << 2));
    if (word === 0) break;
    const home = homeOf(hashOf(t, shift, word & NUMBER_MASK), mask);
    if (((next - home) & mask) >= ((next - slot) & mask)) {
      store<u32>(index + (<usize> slot << 2), word);
      slot = next;
    }
  }
  store<u32>(index + (<usize> slot << 2), 0);
}

/** Moves a conversation to the end of the list by age. */
function touch(t: usize, shift: usize, cell: usize, number: u32): void {
  const state = load<u32>(cell + CELL_STATE);
  const lastSeen = load<u32>(cell + CELL_LAST_SEEN);
  store<u32>(cell + CELL_STATE, (state & UNTOUCHED) | (lastSeen << TOUCHED_SHIFT));
  if (number === load<u32>(t + T_NEWEST)) return;
  unlink(t, shift, number);
  linkNewest(t, shift, number);
}

function linkNewest(t: usize, shift: usize, number: u32): void {
  const cell = cellOf(t, shift, number);
  const newest = load<u32>(t + T_NEWEST);
  store<u32>(cell + CELL_OLDER, newest);
  store<u32>(cell + CELL_NEWER, 0);
  if (newest === 0) store<u32>(t + T_OLDEST, number);
  else store<u32>(cellOf(t, shift, newest) + CELL_NEWER, number);
  store<u32>(t + T_NEWEST, number);
}

function unlink(t: usize, shift: usize, number: u32): void {
  const cell = cellOf(t, shift, number);
  const older = load<u32>(cell + CELL_OLDER);
  const newer = load<u32>(cell + CELL_NEWER);
  if (older === 0) store<u32>(t + T_OLDEST, newer);
  else store<u32>(cellOf(t, shift, older) + CELL_NEWER, newer);
  if (newer === 0) store<u32>(t + T_NEWEST, older);
  else store<u32>(cellOf(t, shift, newer) + CELL_OLDER, older);
}

@inline
function areEndsEqual(shift: usize, one: usize, other: usize): bool {
  return shift === CELL4_SHIFT ? load<u64>(one) === load<u64>(other) : areEqual32(one, other);
}

@inline
function copyEnds(shift: usize, into: usize, from: usize): void {
  if (shift === CELL4_SHIFT) store<u64>(into, load<u64>(from));
  else copy32(into, from);
}

@inline
function areEqual32(one: usize, other: usize): bool {
  const first = v128.xor(v128.load(one), v128.load(other));
  const last = v128.xor(v128.load(one + 16), v128.load(other + 16));
  return !v128.any_true(v128.or(first, last));
}

@inline
function copy32(into: usize, from: usize): void {
  v128.store(into, v128.load(from));
  v128.store(into + 16, v128.load(from + 16));
}

/** A number of four bytes in network order. */
@inline
function word32(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}

@inline
function word16(at: usize): usize {
  return <usize> bswap<u16>(load<u16>(at));
}
