/*
 * The conversations of each address family: a hash table with open addressing. Cells stay where they are
 * for as long as a conversation is remembered; only the index is made again as it grows.
 */
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_ADDRESSES,
  CELL_FLAGS,
  CELL_MILLISECONDS,
  CELL_NEWER,
  CELL_OCTETS,
  CELL_OLDER,
  CELL_PACKETS,
  CELL_PORTS,
  CELL_SECONDS,
  CELL_STATE,
  CELL_UNTIL,
  COLD_EVIDENCE,
  COLD_FIRST_MILLISECONDS,
  COLD_FIRST_SECONDS,
  COLD_INTERFACE,
  COLD_OUTCOME,
  COLD_RECORD_ID,
  COLD_RECORDED,
  COLD_ROUND,
  COLD_VLAN,
  FETCHED,
  FETCHED_HASHES,
  FIRST_INDEX,
  FOUND4,
  FOUND6,
  IN_TUNNEL,
  IS_OUTER,
  LIST4,
  LIST6,
  MILLISECONDS_SHIFT,
  MOST_ALIKE,
  NUMBER_MASK,
  PACKET4_SHIFT,
  PACKET6_SHIFT,
  PACKET_ABOUT,
  PACKET_ADDRESSES,
  PACKET_HASH,
  PACKET_OCTETS,
  PACKET_PORTS,
  PACKET_TUNNEL_SHIFT,
  PACKET_VLAN,
  PROTOCOL_MASK,
  RECORDED_MASK,
  SECRETS,
  STATE_HAS_NEW_PEERS,
  STATE_NEW,
  STATE_UNOPENED,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  TABLE_COUNT,
  TABLE_FORGOTTEN,
  TABLE_FREE,
  TABLE_INDEX,
  TABLE_LIMIT,
  TABLE_MASK,
  TABLE_NEWEST,
  TABLE_OLDEST,
  TABLE_TUNNELS,
  TABLE_UNOPENED_COUNT,
  TABLE_UNOPENED_OLDEST,
  TABLE_UNUSED,
  TOUCHED_SHIFT,
  TUNNEL_FIRST_ID,
  TUNNEL_IDS,
  TUNNEL_KIND,
  TUNNEL_SHIFT,
  TUNNELS4,
  TUNNELS6,
} from "../layout";
import { IDENTIFIED_BY_DIRECTION } from "../../model/tunnel_numbers";
import {
  areAddressesEqual,
  cellOf,
  coldOf,
  copyAddresses,
  declassify,
  directionOf,
  tableOf,
  tunnelOfCell,
} from "./cells";
import { classifyPending } from "./classifying";
import { second } from "./clock";
import { noteGap } from "./gathering";
import { hashOfSum, sumOfPairs } from "./pair_hash";
import { LONGEST_HANDSHAKE_SECONDS } from "./evidence";
import { ended } from "./host";
import { recordEnd } from "./records";

/** Ports, protocol and whether there is a tunnel, where a cell and a packet have them together with other things. */
const PORTS_AND_PROTOCOL: u64 = (<u64> (PROTOCOL_MASK | IN_TUNNEL | IS_OUTER) << 32) | 0xffff_ffff;
const IN_TUNNEL_ABOVE: u64 = <u64> IN_TUNNEL << 32;
/** In a slot: its number is not in its home four, as there was no room. */
const IS_DISPLACED: u32 = NUMBER_MASK + 1;
const TAG_MASK: u32 = ~(NUMBER_MASK | IS_DISPLACED);
/** In the place of a slot's number. */
const NO_SLOT: u32 = 0xffff_ffff;
/** When a table is full, this part of its conversations makes room, as a power of two. */
const FORGOTTEN_SHIFT: u32 = 6;
/** One of so many conversations, as a power of two, is perhaps not open. */
const UNOPENED_SHIFT = 3;
/** For each of these, so many busy ones may be passed over: it must not take long. */
const MOST_SPARED: u32 = 16;

let secretLow: u64 = 0;
let secretHigh: u64 = 0;
let secretPorts: u64 = 0;
let secretProtocol: u64 = 0;
let secretLast: u64 = 0;
const SECRETS6: usize = SECRETS + 40;
let sum: u32 = 0;
/** The number of the interface that packets come from. */
let interfaceNumber: u32 = 0;
/** Whether ends of conversations are told. */
let isEndWanted: bool = false;
/** Whether numbers that were found are perhaps others' by now. */
export let isFoundStale: bool = false;

/** Makes both tables empty. The places of their parts, and the secrets, must be there. */
export function setUpTables(): void {
  secretLow = load<u64>(SECRETS);
  secretHigh = load<u64>(SECRETS, 8);
  secretPorts = load<u64>(SECRETS, 16);
  secretProtocol = load<u64>(SECRETS, 24);
  // Odd: a product with it loses nothing.
  secretLast = load<u64>(SECRETS, 32) | 1;
  setUpTable(TABLE4);
  setUpTable(TABLE6);
}

function setUpTable(t: usize): void {
  store<u32>(t, FIRST_INDEX - 1, TABLE_MASK);
  store<u32>(t, 1, TABLE_UNUSED);
}

/** Says which interface packets come from. */
export function setInterface(number: u32): void {
  interfaceNumber = number;
}

/** Says that what was found from now on is no other's. */
export function clearStale(): void {
  isFoundStale = false;
}

// @inline
export function hash4(low: u32, high: u32, ports: u32, protocol: u32): u32 {
  return finish((secretLow + low) * (secretHigh + high), ports, protocol);
}

// @inline
export function hash6(addresses: usize, ports: u32, protocol: u32): u32 {
  return finish(sumOfPairs(addresses, 32, SECRETS6), ports, protocol);
}

// @inline
function finish(addressSum: u64, ports: u32, protocol: u32): u32 {
  const pair = (secretPorts + ports) * (secretProtocol + protocol);
  return hashOfSum(addressSum + pair, secretLast);
}

/** The hash of a conversation, for tests. */
export function hashOf(isIpv6: bool, addresses: usize, ports: u32, protocol: u32): u32 {
  return isIpv6
    ? hash6(addresses, ports, protocol)
    : hash4(load<u32>(addresses), load<u32>(addresses + 4), ports, protocol);
}

/**
 * Finds most packets' conversations, and has their cells fetched. Each loop waits for memory for itself,
 * and has little else to do, so that it waits for many places at once.
 */
// @inline
export function prefetch(isIpv6: bool, count: u32): void {
  const t = tableOf(isIpv6);
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  const cells: usize = load<u32>(t, TABLE_CELLS);
  const cellShift = isIpv6 ? CELL6_SHIFT : CELL4_SHIFT;
  const list = isIpv6 ? LIST6 : LIST4;
  const listShift = isIpv6 ? PACKET6_SHIFT : PACKET4_SHIFT;
  const found = isIpv6 ? FOUND6 : FOUND4;
  let loaded: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(list + (<usize> i << listShift), PACKET_HASH);
    loaded ^= load<u32>(index + (<usize> homeOf(hash, mask) << 2));
  }
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(list + (<usize> i << listShift), PACKET_HASH);
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
    const cell = cells + (<usize> number << cellShift);
    loaded ^= load<u32>(cell, CELL_PORTS);
    // Addresses of IPv6 go on in the second cache line.
    if (isIpv6) loaded ^= load<u32>(cell, CELL_ADDRESSES + 8);
  }
  sum ^= loaded;
}

/** Has the tunnels of conversations fetched that {@linkcode prefetch} has found for packets in tunnels. */
export function prefetchTunnels(isIpv6: bool, count: u32): void {
  const tunnels: usize = load<u32>(tableOf(isIpv6), TABLE_TUNNELS);
  const list = isIpv6 ? LIST6 : LIST4;
  const listShift = isIpv6 ? PACKET6_SHIFT : PACKET4_SHIFT;
  const found = isIpv6 ? FOUND6 : FOUND4;
  let loaded: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const isThere = (load<u32>(list + (<usize> i << listShift), PACKET_ABOUT) & IN_TUNNEL) !== 0;
    const number = isThere ? load<u32>(found + (<usize> i << 2)) : 0;
    loaded ^= load<u32>(tunnels + (<usize> number << TUNNEL_SHIFT));
  }
  sum ^= loaded;
}

/** Whether a cell is that of a packet's conversation. */
// @inline
export function isCellOf(isIpv6: bool, cell: usize, packet: usize, portsAndAbout: u64): bool {
  return hasEndsOf(isIpv6, cell, packet, portsAndAbout) &&
    ((portsAndAbout & IN_TUNNEL_ABOVE) === 0 || isInTunnelOf(isIpv6, cell, packet));
}

/** Whether it has the same ends, and is in a tunnel or not as the packet is. */
// @inline
function hasEndsOf(isIpv6: bool, cell: usize, packet: usize, portsAndAbout: u64): bool {
  const difference = load<u64>(cell, CELL_PORTS) ^ portsAndAbout;
  return (difference & PORTS_AND_PROTOCOL) === 0 &&
    areAddressesEqual(isIpv6, cell + CELL_ADDRESSES, packet + PACKET_ADDRESSES);
}

/** Where the tunnel is of a packet that is in one. */
export function tunnelOfPacket(isIpv6: bool, packet: usize): usize {
  return isIpv6
    ? TUNNELS6 + ((packet - LIST6) >> (PACKET6_SHIFT - PACKET_TUNNEL_SHIFT))
    : TUNNELS4 + ((packet - LIST4) >> (PACKET4_SHIFT - PACKET_TUNNEL_SHIFT));
}

/**
 * Whether a packet in a tunnel is in that of a cell, whose ends are the packet's. In which tunnel the
 * other direction goes is taken from its first packet.
 */
function isInTunnelOf(isIpv6: bool, cell: usize, packet: usize): bool {
  const itsTunnel = tunnelOfPacket(isIpv6, packet);
  const tunnel = tunnelOfCell(isIpv6, cell);
  const kind = load<u32>(itsTunnel);
  if (load<u32>(tunnel, TUNNEL_KIND) !== kind) return false;
  const id = load<u32>(itsTunnel + 4);
  const known = tunnel + TUNNEL_IDS + (<usize> directionOf(load<u32>(packet, PACKET_ABOUT)) << 2);
  if (load<u32>(known) === 0 && isByDirection(kind)) store<u32>(known, id);
  return load<u32>(known) === id;
}

/** Whether the two directions of a tunnel are identified by different numbers. */
// @inline
function isByDirection(kind: u32): bool {
  return ((IDENTIFIED_BY_DIRECTION >>> kind) & 1) !== 0;
}

/** What takes the place of the protocol in the hash of what is in a tunnel. */
export function tunnelSalt(protocol: u32, kind: u32, id: u32): u32 {
  const word = protocol | (kind << 8);
  return isByDirection(kind) ? word : word ^ id;
}

/** The number of a packet's conversation, or 0. */
export function find(isIpv6: bool, packet: usize): u32 {
  const t = tableOf(isIpv6);
  const portsAndAbout = load<u64>(packet, PACKET_PORTS);
  if ((portsAndAbout & IN_TUNNEL_ABOVE) !== 0) return findInTunnel(isIpv6, packet);
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  const hash = load<u32>(packet, PACKET_HASH);
  let slot = homeOf(hash, mask);
  let word = load<u32>(index + (<usize> slot << 2));
  while (word !== 0) {
    const isLike = ((word ^ hash) & TAG_MASK) === 0;
    if (isLike && isCellOf(isIpv6, cellOf(isIpv6, word & NUMBER_MASK), packet, portsAndAbout)) {
      break;
    }
    slot = (slot + 1) & mask;
    word = load<u32>(index + (<usize> slot << 2));
  }
  return word & NUMBER_MASK;
}

/** The same of a packet in a tunnel. */
function findInTunnel(isIpv6: bool, packet: usize): u32 {
  const t = tableOf(isIpv6);
  const portsAndAbout = load<u64>(packet, PACKET_PORTS);
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  const hash = load<u32>(packet, PACKET_HASH);
  let alike: u32 = 0;
  let slot = homeOf(hash, mask);
  let word = load<u32>(index + (<usize> slot << 2));
  while (word !== 0) {
    const cell = cellOf(isIpv6, word & NUMBER_MASK);
    if (((word ^ hash) & TAG_MASK) === 0 && hasEndsOf(isIpv6, cell, packet, portsAndAbout)) {
      if (isInTunnelOf(isIpv6, cell, packet) || ++alike === MOST_ALIKE) break;
    }
    slot = (slot + 1) & mask;
    word = load<u32>(index + (<usize> slot << 2));
  }
  return word & NUMBER_MASK;
}

/** The number of a conversation of a packet's ends that is in any tunnel, or 0. Not for the hot path. */
export function findInAnyTunnel(isIpv6: bool, packet: usize): u32 {
  const portsAndAbout = load<u64>(packet, PACKET_PORTS) | IN_TUNNEL_ABOVE;
  for (let number = load<u32>(tableOf(isIpv6), TABLE_OLDEST); number !== 0;) {
    const cell = cellOf(isIpv6, number);
    if (hasEndsOf(isIpv6, cell, packet, portsAndAbout)) return number;
    number = load<u32>(cell, CELL_NEWER);
  }
  return 0;
}

/** The slot at which looking begins: the first of four that are compared at once. */
// @inline
function homeOf(hash: u32, mask: u32): u32 {
  return hash & mask & ~3;
}

/**
 * Adds a packet's conversation, which is not remembered.
 *
 * @param isOpen Whether it had a packet that is not SYN, FIN or RST.
 * @returns Its number; 0 if it is not open, and has no room but that of others that are.
 */
export function add(isIpv6: bool, packet: usize, isOpen: bool): u32 {
  const t = tableOf(isIpv6);
  if (!isOpen) {
    forgetExpired(isIpv6);
    // A flood of them takes no more of the memory than this.
    const most = load<u32>(t, TABLE_LIMIT) >>> UNOPENED_SHIFT;
    if (load<u32>(t, TABLE_UNOPENED_COUNT) > most) forgetUnopened(isIpv6);
  }
  if (load<u32>(t, TABLE_COUNT) === load<u32>(t, TABLE_LIMIT)) {
    if (load<u32>(t, TABLE_UNOPENED_OLDEST) !== 0) forgetUnopened(isIpv6);
    else if (isOpen) forget(isIpv6);
    else return 0;
  }
  if ((load<u32>(t, TABLE_COUNT) + 1) * 2 > load<u32>(t, TABLE_MASK)) growIndex(isIpv6);
  let number = load<u32>(t, TABLE_FREE);
  if (number === 0) {
    number = load<u32>(t, TABLE_UNUSED);
    store<u32>(t, number + 1, TABLE_UNUSED);
  } else {
    store<u32>(t, load<u32>(cellOf(isIpv6, number), CELL_NEWER), TABLE_FREE);
  }
  place(isIpv6, number, packet);
  if (!isOpen) {
    const state = cellOf(isIpv6, number) + CELL_STATE;
    store<u32>(state, load<u32>(state) | STATE_UNOPENED);
    store<u32>(t, load<u32>(t, TABLE_UNOPENED_COUNT) + 1, TABLE_UNOPENED_COUNT);
  }
  linkNewest(isIpv6, number);
  insert(t, number, load<u32>(packet, PACKET_HASH));
  store<u32>(t, load<u32>(t, TABLE_COUNT) + 1, TABLE_COUNT);
  return number;
}

/** Makes the cells of a number those of a packet's conversation, without a place in the table. */
export function place(isIpv6: bool, number: u32, packet: usize): void {
  const cell = cellOf(isIpv6, number);
  const about = load<u32>(packet, PACKET_ABOUT);
  store<u64>(cell, 0, CELL_UNTIL);
  store<u64>(cell, 0, CELL_SECONDS);
  store<u32>(cell, load<u32>(packet, PACKET_PORTS), CELL_PORTS);
  const state = (about & (PROTOCOL_MASK | IN_TUNNEL | IS_OUTER)) | STATE_NEW | STATE_HAS_NEW_PEERS;
  store<u32>(cell, state | (second << TOUCHED_SHIFT), CELL_STATE);
  store<u64>(cell, 0, CELL_OCTETS);
  store<u64>(cell, 0, CELL_OCTETS + 8);
  store<u64>(cell, 0, CELL_PACKETS);
  copyAddresses(isIpv6, cell + CELL_ADDRESSES, packet + PACKET_ADDRESSES);
  if ((about & IN_TUNNEL) !== 0) placeInTunnel(isIpv6, cell, packet);
  const cold = coldOf(isIpv6, number);
  store<u64>(cold, 0xffff_ffff_ffff_ffff, COLD_OUTCOME);
  store<u64>(cold, 0, COLD_EVIDENCE);
  noteFirst(isIpv6, number, packet);
}

function placeInTunnel(isIpv6: bool, cell: usize, packet: usize): void {
  const itsTunnel = tunnelOfPacket(isIpv6, packet);
  const tunnel = tunnelOfCell(isIpv6, cell);
  const kind = load<u32>(itsTunnel);
  const id = load<u32>(itsTunnel + 4);
  const direction = <usize> directionOf(load<u32>(packet, PACKET_ABOUT));
  store<u32>(tunnel, kind, TUNNEL_KIND);
  store<u32>(tunnel + TUNNEL_IDS + (direction << 2), id);
  store<u32>(tunnel + TUNNEL_IDS + ((1 - direction) << 2), isByDirection(kind) ? 0 : id);
  store<u32>(tunnel, id, TUNNEL_FIRST_ID);
}

// @inline
function insert(t: usize, number: u32, hash: u32): void {
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  const home = homeOf(hash, mask);
  let slot = home;
  while (wordAt(index, slot) !== 0) slot = (slot + 1) & mask;
  put(index, slot, (hash & TAG_MASK) | number, home);
}

/** Puts a word into a slot, which says whether that is where it should be. */
// @inline
function put(index: usize, slot: u32, word: u32, home: u32): void {
  const displaced: u32 = (slot ^ home) > 3 ? IS_DISPLACED : 0;
  store<u32>(index + (<usize> slot << 2), (word & ~IS_DISPLACED) | displaced);
}

/** Makes the index twice as large, where it is: the list by age has all that belongs into it. */
function growIndex(isIpv6: bool): void {
  const t = tableOf(isIpv6);
  const size = (load<u32>(t, TABLE_MASK) + 1) * 2;
  store<u32>(t, size - 1, TABLE_MASK);
  memory.fill(load<u32>(t, TABLE_INDEX), 0, <usize> size << 2);
  insertList(isIpv6, load<u32>(t, TABLE_OLDEST));
  insertList(isIpv6, load<u32>(t, TABLE_UNOPENED_OLDEST));
}

function insertList(isIpv6: bool, oldest: u32): void {
  for (let number = oldest; number !== 0;) {
    const end = fetchHomes(isIpv6, number);
    for (let at = FETCHED_HASHES; at < end; at += 4) {
      insert(tableOf(isIpv6), number, load<u32>(at));
      number = load<u32>(cellOf(isIpv6, number), CELL_NEWER);
    }
  }
}

function hashOfNumber(isIpv6: bool, number: u32): u32 {
  const cell = cellOf(isIpv6, number);
  const state = load<u32>(cell, CELL_STATE);
  let salt = state & (PROTOCOL_MASK | IS_OUTER);
  if ((state & IN_TUNNEL) !== 0) {
    const tunnel = tunnelOfCell(isIpv6, cell);
    salt = tunnelSalt(salt, load<u32>(tunnel, TUNNEL_KIND), load<u32>(tunnel, TUNNEL_FIRST_ID));
  }
  return hashOf(isIpv6, cell + CELL_ADDRESSES, load<u32>(cell, CELL_PORTS), salt);
}

/** Forgets those that are idle for longest. What is pending about them is brought to its end before. */
function forget(isIpv6: bool): void {
  classifyPending(true);
  // What is forgotten may come back, and its first packet is then not its first one.
  noteGap(second);
  isFoundStale = true;
  const t = tableOf(isIpv6);
  const wanted = max<u32>(1, load<u32>(t, TABLE_LIMIT) >>> FORGOTTEN_SHIFT);
  let spared: u32 = 0;
  for (let done: u32 = 0; done < wanted;) {
    const number = load<u32>(t, TABLE_OLDEST);
    if (number === 0) break;
    if ((done & (FETCHED - 1)) === 0) fetchOldest(isIpv6, number);
    const cell = cellOf(isIpv6, number);
    // A conversation is touched when it becomes pending, which may be long ago though it is busy.
    const touched = load<u32>(cell, CELL_STATE) >>> TOUCHED_SHIFT;
    const isBusy = (load<u32>(cell, CELL_SECONDS) & 0xff) !== touched;
    if (isBusy && spared++ < wanted * MOST_SPARED) {
      touch(isIpv6, number);
      continue;
    }
    done++;
    remove(isIpv6, number);
    store<u32>(t, load<u32>(t, TABLE_FORGOTTEN) + 1, TABLE_FORGOTTEN);
  }
}

/**
 * Makes the hashes of a conversation and of those that are newer, a few, and loads their homes: a processor
 * waits for all of these at once.
 *
 * @returns Where the hashes end.
 */
function fetchHomes(isIpv6: bool, oldest: u32): usize {
  const t = tableOf(isIpv6);
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  let number = oldest;
  let end = FETCHED_HASHES;
  for (; number !== 0 && end < FETCHED_HASHES + (FETCHED << 2); end += 4) {
    store<u32>(end, hashOfNumber(isIpv6, number));
    number = load<u32>(cellOf(isIpv6, number), CELL_NEWER);
  }
  let loaded: u32 = 0;
  for (let at = FETCHED_HASHES; at < end; at += 4) {
    loaded ^= wordAt(index, homeOf(load<u32>(at), mask));
  }
  sum ^= loaded;
  return end;
}

/** Loads what the index has of the conversations that are forgotten next. */
function fetchOldest(isIpv6: bool, oldest: u32): void {
  const t = tableOf(isIpv6);
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  const end = fetchHomes(isIpv6, oldest);
  let loaded: u32 = 0;
  for (let at = FETCHED_HASHES; at < end; at += 4) {
    const home = homeOf(load<u32>(at), mask);
    if (wordAt(index, home + 3) === 0) continue;
    // What may come into its place.
    for (let i: u32 = 4; i < 8; i++) {
      const word = wordAt(index, (home + i) & mask);
      if ((word & IS_DISPLACED) === 0) continue;
      loaded ^= load<u32>(cellOf(isIpv6, word & NUMBER_MASK), CELL_PORTS);
    }
  }
  sum ^= loaded;
}

/** Forgets those among the oldest that are not open of which nothing more is to come. */
function forgetExpired(isIpv6: bool): void {
  for (let left: u32 = 2; left !== 0; left--) {
    const number = load<u32>(tableOf(isIpv6), TABLE_UNOPENED_OLDEST);
    if (number === 0) return;
    const age = <i64> second - <i64> load<u32>(cellOf(isIpv6, number), CELL_SECONDS);
    if (age <= LONGEST_HANDSHAKE_SECONDS) return;
    isFoundStale = true;
    remove(isIpv6, number);
  }
}

/** Forgets those that are not open, the oldest first, so that there is room for some. */
function forgetUnopened(isIpv6: bool): void {
  const t = tableOf(isIpv6);
  isFoundStale = true;
  for (let left = max<u32>(1, load<u32>(t, TABLE_LIMIT) >>> FORGOTTEN_SHIFT); left !== 0; left--) {
    const number = load<u32>(t, TABLE_UNOPENED_OLDEST);
    if (number === 0) return;
    remove(isIpv6, number);
  }
}

/** Takes a conversation out of the table. */
function remove(isIpv6: bool, number: u32): void {
  const t = tableOf(isIpv6);
  const cell = cellOf(isIpv6, number);
  if (isEndWanted) tellEnd(isIpv6, number);
  recordEnd(isIpv6, number);
  // No record is made of what is free.
  store<u64>(cell, 0, CELL_PACKETS);
  if ((load<u32>(cell, CELL_STATE) & STATE_UNOPENED) !== 0) countLessUnopened(t);
  unlink(isIpv6, number);
  removeFromIndex(isIpv6, number);
  store<u32>(cell, load<u32>(t, TABLE_FREE), CELL_NEWER);
  store<u32>(t, number, TABLE_FREE);
  store<u32>(t, load<u32>(t, TABLE_COUNT) - 1, TABLE_COUNT);
}

/** Says that a conversation has ended, unless it is between the ends of a tunnel: that is none to others. */
function tellEnd(isIpv6: bool, number: u32): void {
  if ((load<u32>(cellOf(isIpv6, number), CELL_STATE) & IS_OUTER) === 0) ended(isIpv6, number);
}

function countLessUnopened(t: usize): void {
  store<u32>(t, load<u32>(t, TABLE_UNOPENED_COUNT) - 1, TABLE_UNOPENED_COUNT);
}

/** Makes one that is not open a conversation as all others, if it is none. */
export function open(isIpv6: bool, number: u32): void {
  const cell = cellOf(isIpv6, number);
  const state = load<u32>(cell, CELL_STATE);
  if ((state & STATE_UNOPENED) === 0) return;
  unlink(isIpv6, number);
  store<u32>(cell, state & ~STATE_UNOPENED, CELL_STATE);
  countLessUnopened(tableOf(isIpv6));
  linkNewest(isIpv6, number);
}

/** Says that the ends of conversations are wanted. */
export function wantEnds(): void {
  isEndWanted = true;
}

/** Begins the figures of a conversation again, whose present generation has ended. */
export function endGeneration(isIpv6: bool, number: u32): void {
  if (isEndWanted) tellEnd(isIpv6, number);
  recordEnd(isIpv6, number);
  clearFigures(isIpv6, number);
}

/** Has a conversation begin with its next packet, as far as figures go. */
export function clearFigures(isIpv6: bool, number: u32): void {
  const cell = cellOf(isIpv6, number);
  store<u16>(cell, 0, CELL_FLAGS);
  store<u64>(cell, 0, CELL_OCTETS);
  store<u64>(cell, 0, CELL_OCTETS + 8);
  store<u64>(cell, 0, CELL_PACKETS);
}

/** Notes that a packet is the first one of a conversation, or of a generation of it. */
export function noteFirst(isIpv6: bool, number: u32, packet: usize): void {
  const cold = coldOf(isIpv6, number);
  store<u32>(cold, second, COLD_FIRST_SECONDS);
  const millisecond = load<u32>(packet, PACKET_OCTETS) >>> MILLISECONDS_SHIFT;
  store<u16>(cold, <u16> millisecond, COLD_FIRST_MILLISECONDS);
  store<u16>(cold, load<u16>(packet, PACKET_VLAN), COLD_VLAN);
  store<u16>(cold, <u16> interfaceNumber, COLD_INTERFACE);
  store<u16>(cold, <u16> (second & RECORDED_MASK), COLD_RECORDED);
  store<u32>(cold, 0, COLD_RECORD_ID);
}

/**
 * Takes a number out of the index. Slots are in fours: each number is in its home four, or where that is
 * full, in one of the next, and in a four that is not full the first slots are those in use. So where a four
 * has a free slot, nothing that belongs there is in another, and what is left in it is moved together. Only
 * where it was full something may have to come back.
 */
function removeFromIndex(isIpv6: bool, number: u32): void {
  const t = tableOf(isIpv6);
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  let four = homeOf(hashOfNumber(isIpv6, number), mask);
  let itsPlace = placesWith(index, four, number, NUMBER_MASK);
  while (itsPlace === 0) {
    four = (four + 4) & mask;
    itsPlace = placesWith(index, four, number, NUMBER_MASK);
  }
  let slot = four + ctz(itsPlace);
  while (true) {
    const free = placesWith(index, four, 0, ~0);
    const last = free !== 0 ? four + ctz(free) - 1 : four + 3;
    const other = free !== 0 ? NO_SLOT : slotThatMayComeTo(isIpv6, four);
    if (other === NO_SLOT) {
      store<u32>(index + (<usize> slot << 2), wordAt(index, last));
      store<u32>(index + (<usize> last << 2), 0);
      return;
    }
    const word = wordAt(index, other);
    put(index, slot, word, homeOf(hashOfNumber(isIpv6, word & NUMBER_MASK), mask));
    slot = other;
    four = other & ~3;
  }
}

/** The first slot after a full four with a number that belongs there or before. */
function slotThatMayComeTo(isIpv6: bool, four: u32): u32 {
  const t = tableOf(isIpv6);
  const index: usize = load<u32>(t, TABLE_INDEX);
  const mask = load<u32>(t, TABLE_MASK);
  let slot = (four + 4) & mask;
  for (let word = wordAt(index, slot); word !== 0; word = wordAt(index, slot)) {
    // Cells, which are anywhere in the memory, are asked only where it must be.
    if ((word & IS_DISPLACED) !== 0) {
      const home = homeOf(hashOfNumber(isIpv6, word & NUMBER_MASK), mask);
      if (((slot - home) & mask) >= ((slot - four) & mask)) return slot;
    }
    slot = (slot + 1) & mask;
  }
  return NO_SLOT;
}

// @inline
function wordAt(index: usize, slot: u32): u32 {
  return load<u32>(index + (<usize> slot << 2));
}

/** Which slots of a four have this word, as far as these bits go, as bits. */
// @inline
function placesWith(index: usize, four: u32, word: u32, bits: u32): u32 {
  const words = v128.and(v128.load(index + (<usize> four << 2)), i32x4.splat(bits));
  return i32x4.bitmask(i32x4.eq(words, i32x4.splat(word)));
}

/** Moves a conversation to the end of the list by age. */
export function touch(isIpv6: bool, number: u32): void {
  const cell = cellOf(isIpv6, number);
  const untouched = load<u32>(cell, CELL_STATE) & ((1 << TOUCHED_SHIFT) - 1);
  const seconds = load<u32>(cell, CELL_SECONDS);
  store<u32>(cell, untouched | (seconds << TOUCHED_SHIFT), CELL_STATE);
  if (number === load<u32>(tableOf(isIpv6), TABLE_NEWEST)) return;
  unlink(isIpv6, number);
  linkNewest(isIpv6, number);
}

/** Where the words are of the list by age that a cell is in. */
function listOf(isIpv6: bool, cell: usize): usize {
  const isUnopened = (load<u32>(cell, CELL_STATE) & STATE_UNOPENED) !== 0;
  return tableOf(isIpv6) + (isUnopened ? TABLE_UNOPENED_OLDEST - TABLE_OLDEST : 0);
}

function linkNewest(isIpv6: bool, number: u32): void {
  const cell = cellOf(isIpv6, number);
  const list = listOf(isIpv6, cell);
  const newest = load<u32>(list, TABLE_NEWEST);
  store<u32>(cell, newest, CELL_OLDER);
  store<u32>(cell, 0, CELL_NEWER);
  if (newest === 0) store<u32>(list, number, TABLE_OLDEST);
  else store<u32>(cellOf(isIpv6, newest), number, CELL_NEWER);
  store<u32>(list, number, TABLE_NEWEST);
}

function unlink(isIpv6: bool, number: u32): void {
  const cell = cellOf(isIpv6, number);
  const list = listOf(isIpv6, cell);
  const older = load<u32>(cell, CELL_OLDER);
  const newer = load<u32>(cell, CELL_NEWER);
  if (older === 0) store<u32>(list, newer, TABLE_OLDEST);
  else store<u32>(cellOf(isIpv6, older), newer, CELL_NEWER);
  if (newer === 0) store<u32>(list, older, TABLE_NEWEST);
  else store<u32>(cellOf(isIpv6, newer), older, CELL_OLDER);
}

/** Has what the mapping said of any conversation forgotten, so that it is asked again for each. */
export function declassifyAll(): void {
  for (let family: u32 = 0; family < 2; family++) {
    const isIpv6 = family !== 0;
    const end = load<u32>(tableOf(isIpv6), TABLE_UNUSED);
    for (let number: u32 = 1; number < end; number++) declassify(isIpv6, number);
  }
}
