/* The packets of a group: they are listed as they come, then looked up, and what they say is noted. */
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_FLAGS,
  CELL_MILLISECONDS,
  CELL_OCTETS,
  CELL_PACKETS,
  CELL_PORTS,
  CELL_SECONDS,
  CELL_STATE,
  CELL_UNTIL,
  DIRECTION_SHIFT,
  FACTS_DESTINATION,
  FACTS_DESTINATION_PORT,
  FACTS_IS_IPV6,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_SOURCE_PORT,
  FLAGS_SHIFT,
  FOUND4,
  FOUND6,
  HAS_PAYLOAD,
  IN_LIST4,
  IN_LIST6,
  IN_TUNNEL,
  IN_WHOLE,
  IS_OUTER,
  LIST4,
  LIST6,
  MILLISECONDS_SHIFT,
  OCTETS_BITS,
  OCTETS_MASK,
  ORDER,
  PACKET4_SHIFT,
  PACKET6_SHIFT,
  PACKET_ABOUT,
  PACKET_ADDRESSES,
  PACKET_HASH,
  PACKET_OCTETS,
  PACKET_PAYLOAD,
  PACKET_PORTS,
  PACKET_TUNNEL_SHIFT,
  PROTOCOL_MASK,
  STATE_ANNOUNCES,
  STATE_HAS_NEW_PEERS,
  STATE_NEW,
  STATE_UNOPENED,
  STATE_WANTS_NAME,
  STATE_WANTS_PAYLOAD,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  TUNNELS4,
  TUNNELS6,
  WHOLE,
  WHOLE_CAPTURED,
  WHOLE_LINK_TYPE,
  WHOLE_SHIFT,
} from "../layout";
import { KIND_RST } from "../../model/observation_layout";
import { NOT_OURS } from "../../model/own_answers";
import { PROTOCOL_TCP, TCP_FIN, TCP_RST, TCP_SYN } from "../../model/protocol_numbers";
import { cellOf, directionOf, untilOf } from "./cells";
import { second, window } from "./clock";
import { readPacketFacts } from "./facts";
import { gather, noteControl } from "./gathering";
import { judgeOwn, read } from "./host";
import { hasOwn } from "./classifying";
import { isLocal } from "./mapping";
import { writeRefusal } from "./observations";
import { addPending } from "./pending";
import {
  add,
  clearStale,
  find,
  findInAnyTunnel,
  hash4,
  hash6,
  isCellOf,
  isFoundStale,
  noteFirst,
  place,
  prefetch,
  prefetchTunnels,
  touch,
  tunnelSalt,
} from "./table";

const CONTROL: u32 = (TCP_FIN | TCP_SYN | TCP_RST) << FLAGS_SHIFT;
/** Control bits, and what has to be counted otherwise. */
const UNUSUAL: u32 = CONTROL | IS_OUTER;
const NO_FLOW: u32 = (TCP_FIN | TCP_SYN) << FLAGS_SHIFT;
const WANTS_LOOK: u32 = STATE_NEW | STATE_WANTS_PAYLOAD | STATE_ANNOUNCES | STATE_WANTS_NAME;
/** What is new of a conversation, and no question where it is between the ends of a tunnel. */
const NEW: u32 = STATE_NEW | STATE_HAS_NEW_PEERS;
/** The most bytes of an IPv4 packet (RFC 791). */
const LONGEST_PACKET: u32 = 0xffff;
const ONE_PACKET_ABOVE: u64 = 1 << OCTETS_BITS;

let count4: u32 = 0;
let count6: u32 = 0;
let wholeCount: u32 = 0;
let orderCount: usize = 0;
/** Whether any of them is in a tunnel. */
let hasTunnels: bool = false;
/** Where the payload of the last packet is, and how long, if it has one; its VLAN. */
let payload: usize = 0;
let payloadSizeAndVlan: u32 = 0;

/** Notes where the payload of the next packet is, and its VLAN. */
// @inline
export function setPayload(from: usize, size: usize, vlan: u32): void {
  payload = from;
  payloadSizeAndVlan = <u32> min<usize>(size, 0xffff) | (vlan << 16);
}

/**
 * Adds an IPv4 packet.
 *
 * @param sourceAndDestination The source port in the upper half, the destination port in the lower.
 * @param itsAbout What it is, without the direction.
 * @param octets As in the list.
 * @param salt Its protocol, or `tunnelSalt()`, for the hash.
 */
// @inline
export function put4(
  source: u32,
  destination: u32,
  sourceAndDestination: u32,
  itsAbout: u32,
  octets: u32,
  salt: u32,
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
  const about = itsAbout | (turn & (1 << DIRECTION_SHIFT));
  const hash = hash4(low, high, ports, salt);
  const into = LIST4 + (<usize> count4 << PACKET4_SHIFT);
  count4++;
  addToOrder(IN_LIST4);
  putRest(into, about, ports, hash, octets);
  store<u64>(into, low | (<u64> high << 32), PACKET_ADDRESSES);
}

/** Where the addresses of the next IPv6 packet go, the source first. */
// @inline
export function next6(): usize {
  return LIST6 + (<usize> count6 << PACKET6_SHIFT) + PACKET_ADDRESSES;
}

/** Adds an IPv6 packet, whose addresses are at {@linkcode next6}. Parameters are as of {@linkcode put4}. */
export function put6(sourceAndDestination: u32, itsAbout: u32, octets: u32, salt: u32): void {
  const into = LIST6 + (<usize> count6 << PACKET6_SHIFT);
  const addresses = into + PACKET_ADDRESSES;
  const source = v128.load(addresses);
  const destination = v128.load(addresses, 16);
  // Of the words that differ the first one decides, compared with a sign; no processor can guess how.
  const greater = i32x4.bitmask(i32x4.gt_s(source, destination));
  const differing = greater | i32x4.bitmask(i32x4.lt_s(source, destination));
  const isTurned: u32 = differing !== 0
    ? <u32> ((greater & differing & -differing) !== 0)
    : <u32> ((sourceAndDestination >>> 16) > (sourceAndDestination & 0xffff));
  const turn = i32x4.splat(-(<i32> isTurned));
  v128.store(addresses, v128.bitselect(destination, source, turn));
  v128.store(addresses, v128.bitselect(source, destination, turn), 16);
  const ports = rotl<u32>(sourceAndDestination, isTurned << 4);
  const about = itsAbout | (isTurned << DIRECTION_SHIFT);
  const hash = hash6(addresses, ports, salt);
  count6++;
  addToOrder(IN_LIST6);
  putRest(into, about, ports, hash, octets);
}

/** Adds an IPv4 packet that is in a tunnel. */
export function putInTunnel4(
  source: u32,
  destination: u32,
  ports: u32,
  about: u32,
  octets: u32,
  kind: u32,
  id: u32,
): void {
  noteTunnel(TUNNELS4 + (<usize> count4 << PACKET_TUNNEL_SHIFT), kind, id);
  const salt = tunnelSalt(about & PROTOCOL_MASK, kind, id);
  put4(source, destination, ports, about | IN_TUNNEL, octets, salt);
}

/** The same of IPv6. */
export function putInTunnel6(ports: u32, about: u32, octets: u32, kind: u32, id: u32): void {
  noteTunnel(TUNNELS6 + (<usize> count6 << PACKET_TUNNEL_SHIFT), kind, id);
  put6(ports, about | IN_TUNNEL, octets, tunnelSalt(about & PROTOCOL_MASK, kind, id));
}

/**
 * The last two of the group that others are inside of: addresses, and where they are listed. Most packets
 * in a tunnel come from the same ends as the one before, or its other end: they count there, as one entry.
 */
let outerSource: u32 = 0;
let outerDestination: u32 = 0;
let outerAt: usize = 0;
let otherSource: u32 = 0;
let otherDestination: u32 = 0;
let otherAt: usize = 0;

/**
 * Whether a packet between these ends that others are inside of is listed, as the last one then, and has
 * room for the bytes of another one.
 */
export function hasOuter4(source: u32, destination: u32): bool {
  if (outerAt !== 0 && outerSource === source && outerDestination === destination) {
    return (load<u32>(outerAt, PACKET_OCTETS) & OCTETS_MASK) <= OCTETS_MASK - LONGEST_PACKET;
  }
  const isOther = otherAt !== 0 && otherSource === source && otherDestination === destination;
  const at = otherAt;
  otherSource = outerSource;
  otherDestination = outerDestination;
  otherAt = outerAt;
  outerSource = source;
  outerDestination = destination;
  outerAt = isOther ? at : 0;
  return isOther &&
    (load<u32>(outerAt, PACKET_OCTETS) & OCTETS_MASK) <= OCTETS_MASK - LONGEST_PACKET;
}

/** Adds an IPv4 packet that others are inside of. */
export function putOuter4(source: u32, destination: u32, octets: u32): void {
  if (hasOuter4(source, destination)) {
    const sum = (load<u32>(outerAt, PACKET_OCTETS) & OCTETS_MASK) + (octets & OCTETS_MASK);
    if (sum <= OCTETS_MASK) {
      store<u32>(outerAt, sum | (octets & ~OCTETS_MASK), PACKET_OCTETS);
      // Where others have a payload it has how many more packets it stands for.
      store<u32>(outerAt, load<u32>(outerAt, PACKET_PAYLOAD) + 1, PACKET_PAYLOAD);
      return;
    }
  }
  setPayload(0, 0, 0);
  outerAt = LIST4 + (<usize> count4 << PACKET4_SHIFT);
  put4(source, destination, 0, IS_OUTER, octets, IS_OUTER);
}

// @inline
function noteTunnel(into: usize, kind: u32, id: u32): void {
  hasTunnels = true;
  store<u32>(into, kind);
  store<u32>(into + 4, id);
}

// @inline
function putRest(into: usize, about: u32, ports: u32, hash: u32, octets: u32): void {
  store<u64>(into, <u64> payload | (<u64> payloadSizeAndVlan << 32), PACKET_PAYLOAD);
  store<u64>(into, <u64> hash | (<u64> octets << 32), PACKET_HASH);
  store<u64>(into, ports | (<u64> about << 32), PACKET_PORTS);
}

/** Has a packet read as a whole, when its turn comes. */
export function addWhole(packet: usize, captured: u32, linkType: u32): void {
  const into = WHOLE + (<usize> wholeCount << WHOLE_SHIFT);
  wholeCount++;
  store<u32>(into, <u32> packet);
  store<u32>(into, captured, WHOLE_CAPTURED);
  store<u32>(into, linkType, WHOLE_LINK_TYPE);
  addToOrder(IN_WHOLE);
}

// @inline
function addToOrder(list: u8): void {
  store<u8>(ORDER + orderCount, list);
  orderCount++;
}

/**
 * Looks up the packets of the group and takes each, in their order: groups are not the same wherever
 * packets come from.
 */
export function takeGroup(): void {
  const count = orderCount;
  if (count === 0) return;
  if (count4 !== 0) prefetch(false, count4);
  if (count6 !== 0) prefetch(true, count6);
  if (hasTunnels) {
    prefetchTunnels(false, count4);
    prefetchTunnels(true, count6);
  }
  clearStale();
  orderCount = 0;
  count4 = 0;
  count6 = 0;
  wholeCount = 0;
  outerAt = 0;
  otherAt = 0;
  hasTunnels = false;
  let from4: u32 = 0;
  let from6: u32 = 0;
  let whole = WHOLE;
  for (let at: usize = 0; at < count;) {
    const list = load<u8>(ORDER + at);
    let end = at + 1;
    while (end < count && load<u8>(ORDER + end) === list) end++;
    const run = <u32> (end - at);
    if (list === IN_LIST4) {
      takeRun(false, LIST4, PACKET4_SHIFT, CELL4_SHIFT, from4, run);
      from4 += run;
    } else if (list === IN_LIST6) {
      takeRun(true, LIST6, PACKET6_SHIFT, CELL6_SHIFT, from6, run);
      from6 += run;
    } else {
      for (let left = run; left !== 0; left--, whole += 1 << WHOLE_SHIFT) {
        const captured = load<u32>(whole, WHOLE_CAPTURED);
        read(load<u32>(whole), captured, load<u32>(whole, WHOLE_LINK_TYPE));
      }
    }
    at = end;
  }
}

/**
 * Takes packets of one list that come one after the other. Inlined for each family: what depends on the
 * size of its cells is decided by the compiler.
 */
// @inline
function takeRun(
  isIpv6: bool,
  list: usize,
  listShift: usize,
  shift: usize,
  from: u32,
  count: u32,
): void {
  const cells: usize = isIpv6 ? load<u32>(TABLE6, TABLE_CELLS) : load<u32>(TABLE4, TABLE_CELLS);
  let packet = list + (<usize> from << listShift);
  const end = packet + (<usize> count << listShift);
  let foundAt = (isIpv6 ? FOUND6 : FOUND4) + (<usize> from << 2);
  for (; packet < end; packet += 1 << listShift, foundAt += 4) {
    const portsAndAbout = load<u64>(packet, PACKET_PORTS);
    const about = <u32> (portsAndAbout >>> 32);
    let number = load<u32>(foundAt);
    let cell = cells + (<usize> number << shift);
    if (number === 0 || isFoundStale || !isCellOf(isIpv6, cell, packet, portsAndAbout)) {
      number = find(isIpv6, packet);
      cell = cells + (<usize> number << shift);
    }
    if (number === 0 || (about & UNUSUAL) !== 0) {
      number = takeUnusual(isIpv6, number, packet, about);
      if (number === 0) continue;
      cell = cells + (<usize> number << shift);
    } else {
      countPacket(cell, packet, about);
    }
    const until = load<u32>(cell + ((about >>> (DIRECTION_SHIFT - 2)) & 4), CELL_UNTIL);
    if ((load<u32>(cell, CELL_STATE) & WANTS_LOOK) !== 0 || until <= window) {
      takeSignOfLife(isIpv6, number, packet, about);
    }
  }
}

/** Counts a packet of a conversation. */
// @inline
function countPacket(cell: usize, packet: usize, about: u32): void {
  const octets = load<u32>(packet, PACKET_OCTETS);
  const direction = <usize> directionOf(about);
  const octetsAt = cell + (direction << 3);
  const packetsAt = cell + (direction << 2);
  const flagsAt = cell + direction;
  const packets = load<u32>(packetsAt, CELL_PACKETS) + 1;
  store<u32>(packetsAt, packets, CELL_PACKETS);
  let sum = load<u64>(octetsAt, CELL_OCTETS) + (octets & OCTETS_MASK);
  if (packets === 0) sum += ONE_PACKET_ABOVE;
  store<u64>(octetsAt, sum, CELL_OCTETS);
  store<u32>(cell, second, CELL_SECONDS);
  store<u16>(cell, <u16> (octets >>> MILLISECONDS_SHIFT), CELL_MILLISECONDS);
  store<u8>(flagsAt, load<u8>(flagsAt, CELL_FLAGS) | <u8> (about >>> FLAGS_SHIFT), CELL_FLAGS);
}

/**
 * Takes a packet with SYN, FIN or RST, or of no known conversation.
 *
 * @returns The number of its conversation, if the packet is a sign of life of it, and otherwise 0.
 */
function takeUnusual(isIpv6: bool, known: u32, packet: usize, about: u32): u32 {
  if ((about & IS_OUTER) !== 0) return takeOuter(isIpv6, known, packet, about);
  let isSignOfLife = true;
  let number = known;
  if ((about & CONTROL) !== 0) {
    const isReset = (about & (TCP_RST << FLAGS_SHIFT)) !== 0;
    // A connection is attributed from its other packets: then it is one that worked.
    isSignOfLife = !(isReset && takeReset(isIpv6, packet, about)) && (about & NO_FLOW) === 0 &&
      // RST alone says that nothing worked.
      isWorking(isIpv6, known);
    if (!isSignOfLife) {
      if (known === 0) number = add(isIpv6, packet, false);
      if (number === 0) place(isIpv6, 0, packet);
      noteControl(isIpv6, number, about);
    } else if (isOpen(isIpv6, known)) {
      noteControl(isIpv6, known, about);
    }
  }
  if (number === 0) {
    if (!isSignOfLife) return 0;
    number = add(isIpv6, packet, true);
  }
  const cell = cellOf(isIpv6, number);
  if (load<u64>(cell, CELL_PACKETS) === 0) noteFirst(isIpv6, number, packet);
  const seconds = load<u32>(cell, CELL_SECONDS);
  const milliseconds = load<u16>(cell, CELL_MILLISECONDS);
  countPacket(cell, packet, about);
  if ((about & (TCP_SYN << FLAGS_SHIFT)) !== 0 && isOpen(isIpv6, number)) {
    // It may be of another connection.
    store<u32>(cell, seconds, CELL_SECONDS);
    store<u16>(cell, milliseconds, CELL_MILLISECONDS);
  }
  return isSignOfLife ? number : 0;
}

/** Takes one or more packets that others are inside of. @returns The number of their conversation. */
function takeOuter(isIpv6: bool, known: u32, packet: usize, about: u32): u32 {
  const number = known !== 0 ? known : add(isIpv6, packet, true);
  const cell = cellOf(isIpv6, number);
  countPacket(cell, packet, about);
  const more = load<u32>(packet, PACKET_PAYLOAD);
  const direction = <usize> directionOf(about);
  const packetsAt = cell + (direction << 2);
  const packets = load<u32>(packetsAt, CELL_PACKETS) + more;
  store<u32>(packetsAt, packets, CELL_PACKETS);
  if (packets < more) {
    const octetsAt = cell + (direction << 3);
    store<u64>(octetsAt, load<u64>(octetsAt, CELL_OCTETS) + ONE_PACKET_ABOVE, CELL_OCTETS);
  }
  return number;
}

/** Whether this is a conversation that had a packet that is not SYN, FIN or RST. */
export function isOpen(isIpv6: bool, number: u32): bool {
  return number !== 0 && (load<u32>(cellOf(isIpv6, number), CELL_STATE) & STATE_UNOPENED) === 0;
}

/** The same of its present generation. */
function isWorking(isIpv6: bool, number: u32): bool {
  return isOpen(isIpv6, number) &&
    (load<u32>(cellOf(isIpv6, number), CELL_STATE) & STATE_NEW) === 0;
}

/**
 * Takes a packet with RST, which to a local network is a refusal.
 *
 * @returns Whether it was one, so that it is nothing else.
 */
function takeReset(isIpv6: bool, packet: usize, about: u32): bool {
  readPacketFacts(isIpv6, packet, about);
  if (!isLocal(FACTS_DESTINATION)) return false;
  if (hasOwn && judgeOwn() !== NOT_OURS) return true;
  const ports = (load<u32>(FACTS_DESTINATION_PORT) << 16) | load<u32>(FACTS_SOURCE_PORT);
  writeRefusal(KIND_RST, isIpv6, FACTS_DESTINATION, FACTS_SOURCE, ports, 0, PROTOCOL_TCP);
  return true;
}

/** Takes a packet of a conversation that is new, or wants to be inspected, or to be classified. */
function takeSignOfLife(isIpv6: bool, number: u32, packet: usize, about: u32): void {
  const cell = cellOf(isIpv6, number);
  // The first since the last record said that it was over: then nothing is suppressed.
  const packets = load<u64>(cell, CELL_PACKETS);
  if (packets === 1 || packets === 1 << 32) noteFirst(isIpv6, number, packet);
  const state = load<u32>(cell, CELL_STATE);
  if ((state & IS_OUTER) !== 0) store<u32>(cell, state & ~NEW, CELL_STATE);
  else if ((state & WANTS_LOOK) !== 0) gather(isIpv6, number, packet, about);
  if (load<u32>(untilOf(cell, directionOf(about))) > window) return;
  touch(isIpv6, number);
  addPending(isIpv6, number, directionOf(about));
}

/**
 * Looks up the conversation whose direction is in the facts, in no tunnel or otherwise in any. No group may be on its way.
 *
 * @param isAdded Whether it is added where it is not known.
 * @returns Its number; 0 where it is not known, whose cell then has it.
 */
export function findFacts(isAdded: bool): u32 {
  const isIpv6 = load<u32>(FACTS_IS_IPV6) !== 0;
  const ports = (load<u32>(FACTS_SOURCE_PORT) << 16) | load<u32>(FACTS_DESTINATION_PORT);
  const about = load<u32>(FACTS_PROTOCOL);
  if (isIpv6) {
    v128.store(next6(), v128.load(FACTS_SOURCE));
    v128.store(next6(), v128.load(FACTS_DESTINATION), 16);
    put6(ports, about, 0, about);
  } else {
    put4(load<u32>(FACTS_SOURCE + 12), load<u32>(FACTS_DESTINATION + 12), ports, about, 0, about);
  }
  count4 = 0;
  count6 = 0;
  orderCount = 0;
  const packet = isIpv6 ? LIST6 : LIST4;
  foundDirection = directionOf(load<u32>(packet, PACKET_ABOUT));
  let number = find(isIpv6, packet);
  if (number === 0 && !isAdded) number = findInAnyTunnel(isIpv6, packet);
  isFoundNew = number === 0;
  if (isOpen(isIpv6, number)) return number;
  if (isAdded) return add(isIpv6, packet, true);
  place(isIpv6, 0, packet);
  return 0;
}

/** Which direction that was of the conversation, and whether it was not known. */
let foundDirection: u32 = 0;
let isFoundNew: bool = false;

export function directionFound(): u32 {
  return foundDirection;
}

export function wasUnknown(): bool {
  return isFoundNew;
}

/** Whether a packet has a payload. */
// @inline
export function hasPayload(about: u32): bool {
  return (about & HAS_PAYLOAD) !== 0;
}
