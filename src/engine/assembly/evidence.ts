/*
 * What is remembered of half-open connections, and of ends: each an address and a port, and who was
 * talked with from many ports, who served, who opened.
 */
import { STRONGEST } from "../../model/reason_numbers";
import {
  BUCKETS,
  CELL_ADDRESSES,
  CELL_PORTS,
  CELL_STATE,
  ENDS,
  ENDS_AT_ONCE,
  FAN_IN_MASK,
  FAN_IN_SHIFT,
  HALF_OPEN,
  OPENED,
  PROTOCOL_MASK,
  SERVED,
  STAGED_END,
  STAGED_ENDS,
  STATE_HAS_NEW_PEERS,
  STRENGTHS,
  UNCLASSIFIED,
} from "../layout";
import { cellOf, coldOf, outcomeOf } from "./cells";
import {
  addAllToFirst,
  addAllToSecond,
  addToFirst,
  addToSecond,
  firstSeed,
  secondSeed,
} from "./fingerprint";
import { PENDING_IPV6, PENDING_NUMBER_SHIFT } from "./pending";

// A bucket is a cache line of four entries that may be in each other's place: the first halves of their
// fingerprints, the second ones, their values, and seconds since 1970-01-01 UTC, as their lower 32 bits.
// So all four are compared at once. An entry is known by the place of its first half.
const ENTRY: usize = 4;
const ENTRIES: usize = 4;
const ENTRY_SECOND: usize = 16;
const ENTRY_VALUE: usize = 32;
const ENTRY_SECONDS: usize = 48;
const BUCKET_SHIFT: usize = 6;
const BUCKET_MASK: u32 = BUCKETS - 1;
const TABLE_SIZE: usize = <usize> BUCKETS << BUCKET_SHIFT;

// Of half-open connections: SYN without ACK, and with it; one bit further up for the high end.
export const SYN: u32 = 1 << 0;
export const SYN_ACK: u32 = 1 << 2;
/** Linux gives up on a SYN after 127 s (tcp(7), tcp_syn_retries). */
const LONGEST_HANDSHAKE_SECONDS: i64 = 130;
/** An answered SYN has its ACK in the time of one way there and back; this is far more. */
const LONGEST_ANSWERED_SECONDS: i64 = 5;

// Of ends, an entry's value: the last far port, how often it changed, and what the end was seen to be.
const PORT_MASK: u32 = 0xffff;
const HAD_ONE: u32 = 1 << 24;
/**
 * How long, in seconds, conversations count for fan-in after the last of them began. A client comes
 * back to an ephemeral port after a while, and that does not make it a server.
 */
const FAN_IN_SECONDS: i64 = 300;

// Tables are written as a whole before they are used first: see `setSize` of `suppression.ts`.
export let isHalfOpenUsed: bool = false;
let areEndsUsed = false;
let stagedCount: u32 = 0;
let sum: u32 = 0;

// Half-open connections

/**
 * Notes a packet with SYN of a connection that has had no other packet yet. Such connections are no
 * conversations: a scan or a flood of SYN packets has room here, and a fixed room only, so that it can
 * push out nothing but other half-open connections: those that nobody answers before those that are
 * about to have their first packet, then the oldest.
 *
 * @param bits Those of SYN and SYN_ACK that the packet shows.
 * @returns These, and those that were noted before.
 */
export function noteHalfOpen(itsFirst: u32, itsSecond: u32, bits: u32, seconds: u32): u32 {
  if (!isHalfOpenUsed) {
    memory.fill(HALF_OPEN, 0, TABLE_SIZE);
    isHalfOpenUsed = true;
  }
  let at = find(HALF_OPEN, itsFirst, itsSecond);
  if (at === 0) {
    at = bucketOf(HALF_OPEN, itsFirst);
    for (let other = at + ENTRY, end = at + ENTRIES * ENTRY; other < end; other += ENTRY) {
      if (isHalfOpenWorthLess(other, at, seconds)) at = other;
    }
    replace(at, itsFirst, itsSecond);
  }
  let value = bits;
  if (secondsSince(at, seconds) <= LONGEST_HANDSHAKE_SECONDS) {
    value |= load<u32>(at + ENTRY_VALUE);
  }
  store<u32>(at + ENTRY_VALUE, value);
  store<u32>(at + ENTRY_SECONDS, seconds);
  return value;
}

/** What was noted of a connection, which is forgotten; 0 is nothing. */
export function takeHalfOpen(itsFirst: u32, itsSecond: u32, seconds: u32): u32 {
  if (!isHalfOpenUsed) return 0;
  const at = find(HALF_OPEN, itsFirst, itsSecond);
  if (at === 0) return 0;
  const bits = load<u32>(at + ENTRY_VALUE);
  const isOld = secondsSince(at, seconds) > LONGEST_HANDSHAKE_SECONDS;
  store<u32>(at + ENTRY_VALUE, 0);
  store<u32>(at + ENTRY_SECONDS, 0);
  return isOld ? 0 : bits;
}

/** The halves of the fingerprint that was made last. */
export let connectionFirst: u32 = 0;
export let connectionSecond: u32 = 0;

/** Makes the fingerprint of a conversation. */
export function identifyConversation(isIpv6: bool, number: u32): void {
  const cell = cellOf(isIpv6, number);
  const protocol = load<u32>(cell + CELL_STATE) & PROTOCOL_MASK;
  identify(isIpv6, cell + CELL_ADDRESSES, load<u32>(cell + CELL_PORTS), protocol);
}

/** Makes that of a connection by its ends' addresses and ports. */
export function identify(isIpv6: bool, from: usize, ports: u32, protocol: u32): void {
  const end = from + (isIpv6 ? 32 : 8);
  const first = addToFirst(addAllToFirst(firstSeed, from, end), ports);
  const second = addToSecond(addAllToSecond(secondSeed, from, end), ports);
  connectionFirst = addToFirst(first, protocol);
  connectionSecond = addToSecond(second, protocol);
}

/** Those that nobody answers are worth less than those that are about to have their first packet. */
function isHalfOpenWorthLess(one: usize, other: usize, now: u32): bool {
  const oneWaits = isAboutToOpen(one, now);
  if (oneWaits !== isAboutToOpen(other, now)) return !oneWaits;
  return load<u32>(one + ENTRY_SECONDS) < load<u32>(other + ENTRY_SECONDS);
}

function isAboutToOpen(at: usize, now: u32): bool {
  return isAnswered(load<u32>(at + ENTRY_VALUE)) &&
    secondsSince(at, now) <= LONGEST_ANSWERED_SECONDS;
}

/** Whether one end's SYN was answered by the other end's SYN-ACK. */
export function isAnswered(bits: u32): bool {
  const lowIs = SYN | (SYN_ACK << 1);
  const highIs = (SYN << 1) | SYN_ACK;
  return (bits & lowIs) === lowIs || (bits & highIs) === highIs;
}

// Ends

/** Tells the ends of pending conversations of each other, where that was not yet done. */
export function addPeersOfPending(pending: usize, count: u32, seconds: u32): void {
  stagedCount = 0;
  for (let at = pending, end = pending + (<usize> count << 2); at < end; at += 4) {
    const word = load<u32>(at);
    const isIpv6 = (word & PENDING_IPV6) !== 0;
    const cell = cellOf(isIpv6, word >>> PENDING_NUMBER_SHIFT);
    const state = load<u32>(cell + CELL_STATE);
    if ((state & STATE_HAS_NEW_PEERS) === 0) continue;
    store<u32>(cell + CELL_STATE, state & ~STATE_HAS_NEW_PEERS);
    if (stagedCount + 2 > ENDS_AT_ONCE) addStagedPeers(seconds);
    const ports = load<u32>(cell + CELL_PORTS);
    stageEnd(isIpv6, cell, 0, ports & 0xffff);
    stageEnd(isIpv6, cell, 1, ports >>> 16);
  }
  addStagedPeers(seconds);
}

/**
 * Reads what is known of the two ends of pending conversations, if the mapping will be asked about
 * them.
 *
 * @param into Where to put it, two words for each: the low end's, the high one's.
 */
export function readPending(pending: usize, count: u32, into: usize, seconds: u32): void {
  stagedCount = 0;
  let from = into;
  let to = into;
  for (let at = pending, end = pending + (<usize> count << 2); at < end; at += 4, to += 8) {
    const word = load<u32>(at);
    const isIpv6 = (word & PENDING_IPV6) !== 0;
    const number = word >>> PENDING_NUMBER_SHIFT;
    const outcome = load<u32>(outcomeOf(coldOf(isIpv6, number), word & 1));
    const isAsked = outcome === UNCLASSIFIED || strengthOf(outcome) < STRONGEST;
    if (stagedCount + 2 > ENDS_AT_ONCE) {
      readStaged(from, seconds);
      from = to;
    }
    if (isAsked) {
      const cell = cellOf(isIpv6, number);
      stageEnd(isIpv6, cell, 0, 0);
      stageEnd(isIpv6, cell, 1, 0);
    } else {
      stageNone();
      stageNone();
    }
  }
  readStaged(from, seconds);
}

/** How strong a decision is: `by.ts`. */

export function strengthOf(outcome: u32): u32 {
  return load<u8>(STRENGTHS + ((outcome >>> 8) & 0xff));
}

/** The same for one conversation, whatever the mapping has said of it. */
export function readEnds(isIpv6: bool, number: u32, into: usize, seconds: u32): void {
  stagedCount = 0;
  const cell = cellOf(isIpv6, number);
  stageEnd(isIpv6, cell, 0, 0);
  stageEnd(isIpv6, cell, 1, 0);
  readStaged(into, seconds);
}

/** Notes which end of a conversation served; the other one opened. */
export function learn(isIpv6: bool, number: u32, server: u32, seconds: u32): void {
  const cell = cellOf(isIpv6, number);
  stagedCount = 0;
  stageEnd(isIpv6, cell, server, 0);
  stageEnd(isIpv6, cell, 1 - server, 0);
  stagedCount = 0;
  learnServer(load<u32>(STAGED_ENDS), load<u32>(STAGED_ENDS + 4), seconds);
  learnClient(
    load<u32>(STAGED_ENDS + STAGED_END),
    load<u32>(STAGED_ENDS + STAGED_END + 4),
    seconds,
  );
}

/** Notes that this end served, and so did not open. */
export function learnServer(itsFirst: u32, itsSecond: u32, seconds: u32): void {
  const at = findOrAddEnd(itsFirst, itsSecond);
  store<u32>(at + ENTRY_VALUE, (load<u32>(at + ENTRY_VALUE) & ~OPENED) | SERVED);
  store<u32>(at + ENTRY_SECONDS, seconds);
}

/** Notes that this end opened a conversation. */
export function learnClient(itsFirst: u32, itsSecond: u32, seconds: u32): void {
  const at = findOrAddEnd(itsFirst, itsSecond);
  store<u32>(at + ENTRY_VALUE, (load<u32>(at + ENTRY_VALUE) & ~SERVED) | OPENED);
  store<u32>(at + ENTRY_SECONDS, seconds);
}

/** Notes that a conversation began with this end, and from which port at its far end. */
export function addPeer(itsFirst: u32, itsSecond: u32, farPort: u32, seconds: u32): void {
  const at = findOrAddEnd(itsFirst, itsSecond);
  let value = load<u32>(at + ENTRY_VALUE);
  if (isLongerAgo(at, seconds)) value &= ~((FAN_IN_MASK << FAN_IN_SHIFT) | HAD_ONE);
  const fanIn = (value >>> FAN_IN_SHIFT) & FAN_IN_MASK;
  // A client asks many servers at one port; a server is asked from many ports.
  if ((value & HAD_ONE) !== 0 && (value & PORT_MASK) !== farPort && fanIn < FAN_IN_MASK) {
    value += 1 << FAN_IN_SHIFT;
  }
  store<u32>(at + ENTRY_VALUE, (value & ~PORT_MASK) | farPort | HAD_ONE);
  store<u32>(at + ENTRY_SECONDS, seconds);
}

/** An end's value, without what is too long ago. */
export function read(itsFirst: u32, itsSecond: u32, seconds: u32): u32 {
  const at = areEndsUsed ? find(ENDS, itsFirst, itsSecond) : 0;
  if (at === 0) return 0;
  const value = load<u32>(at + ENTRY_VALUE);
  return isLongerAgo(at, seconds) ? value & ~(FAN_IN_MASK << FAN_IN_SHIFT) : value;
}

function isLongerAgo(at: usize, seconds: u32): bool {
  return secondsSince(at, seconds) > FAN_IN_SECONDS;
}

/** Stages an end: the fingerprint of its address, port and protocol, and the far port. */

function stageEnd(isIpv6: bool, cell: usize, end: u32, farPort: u32): void {
  const size: usize = isIpv6 ? 16 : 4;
  const from = cell + CELL_ADDRESSES + <usize> end * size;
  const first = addAllToFirst(firstSeed, from, from + size);
  const second = addAllToSecond(secondSeed, from, from + size);
  const ports = load<u32>(cell + CELL_PORTS);
  const port = end === 0 ? ports >>> 16 : ports & 0xffff;
  const portAndProtocol = (port << 8) | (load<u32>(cell + CELL_STATE) & PROTOCOL_MASK);
  const at = STAGED_ENDS + <usize> stagedCount * STAGED_END;
  store<u32>(at, addToFirst(first, portAndProtocol));
  store<u32>(at + 4, addToSecond(second, portAndProtocol));
  store<u32>(at + 8, farPort);
  stagedCount++;
}

function stageNone(): void {
  const at = STAGED_ENDS + <usize> stagedCount * STAGED_END;
  store<u64>(at, 0);
  stagedCount++;
}

function addStagedPeers(seconds: u32): void {
  fetchStaged();
  for (let i: u32 = 0; i < stagedCount; i++) {
    const at = STAGED_ENDS + <usize> i * STAGED_END;
    addPeer(load<u32>(at), load<u32>(at + 4), load<u32>(at + 8), seconds);
  }
  stagedCount = 0;
}

function readStaged(into: usize, seconds: u32): void {
  fetchStaged();
  for (let i: u32 = 0; i < stagedCount; i++) {
    const at = STAGED_ENDS + <usize> i * STAGED_END;
    store<u32>(into + (<usize> i << 2), read(load<u32>(at), load<u32>(at + 4), seconds));
  }
  stagedCount = 0;
}

/** Has the processor fetch what the staged ends need, all at the same time. */
function fetchStaged(): void {
  useEnds();
  let loaded: u32 = 0;
  for (let i: u32 = 0; i < stagedCount; i++) {
    loaded ^= load<u32>(bucketOf(ENDS, load<u32>(STAGED_ENDS + <usize> i * STAGED_END)));
  }
  sum ^= loaded;
}

function useEnds(): void {
  if (areEndsUsed) return;
  memory.fill(ENDS, 0, TABLE_SIZE);
  areEndsUsed = true;
}

function findOrAddEnd(itsFirst: u32, itsSecond: u32): usize {
  useEnds();
  const found = find(ENDS, itsFirst, itsSecond);
  if (found !== 0) return found;
  let at = bucketOf(ENDS, itsFirst);
  let least = worthOfEnd(at);
  for (let other = at + ENTRY, end = at + ENTRIES * ENTRY; other < end; other += ENTRY) {
    const worth = worthOfEnd(other);
    const isLess = worth < least;
    at = select(other, at, isLess);
    least = select(worth, least, isLess);
  }
  replace(at, itsFirst, itsSecond);
  return at;
}

/** A server is worth more than any fan-in, and an end that only opened is worth nothing. */

function worthOfEnd(at: usize): u64 {
  const worth = load<u32>(at + ENTRY_VALUE) & (SERVED | (FAN_IN_MASK << FAN_IN_SHIFT));
  return (<u64> worth << 32) | <u64> load<u32>(at + ENTRY_SECONDS);
}

// Tables of fixed size, where the least worth of four makes room

/** The entry with a fingerprint, or 0. */

function find(table: usize, itsFirst: u32, itsSecond: u32): usize {
  const bucket = bucketOf(table, itsFirst);
  const firsts = i32x4.eq(v128.load(bucket), i32x4.splat(itsFirst));
  const seconds = i32x4.eq(v128.load(bucket + ENTRY_SECOND), i32x4.splat(itsSecond));
  const found = i32x4.bitmask(v128.and(firsts, seconds));
  return found === 0 ? 0 : bucket + <usize> ctz(found) * ENTRY;
}

/** Since an entry was changed last; negative where time went back. */

function secondsSince(at: usize, seconds: u32): i64 {
  return <i64> seconds - <i64> load<u32>(at + ENTRY_SECONDS);
}

function bucketOf(table: usize, itsFirst: u32): usize {
  return table + (<usize> (itsFirst & BUCKET_MASK) << BUCKET_SHIFT);
}

function replace(at: usize, itsFirst: u32, itsSecond: u32): void {
  store<u32>(at, itsFirst);
  store<u32>(at + ENTRY_SECOND, itsSecond);
  store<u32>(at + ENTRY_VALUE, 0);
  store<u32>(at + ENTRY_SECONDS, 0);
}
