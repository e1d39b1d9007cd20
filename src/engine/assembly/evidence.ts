/*
 * What is remembered of half-open connections, and of ends: each an address and a port, and who was
 * talked with from many ports, who served, who opened.
 */
import { STRONGEST } from "../../model/reason_numbers";
import {
  CELL_ADDRESSES,
  CELL_PORTS,
  CELL_STATE,
  ENDS,
  ENDS_AT_ONCE,
  FAN_IN_MASK,
  FAN_IN_SHIFT,
  HALF_OPEN,
  MOST_REMEMBERED,
  OPENED,
  PROTOCOL_MASK,
  SERVED,
  STAGED_END,
  STAGED_ENDS,
  STATE_HAS_NEW_PEER,
  STRENGTHS,
  UNCLASSIFIED,
} from "../layout";
import {
  add,
  chainOf,
  change,
  fetchLeast,
  fillChains,
  find,
  firstIn,
  forget,
  forgottenOf,
  isFull,
  nextOf,
  oldestOf,
  remove,
  secondsSince,
  setUpTable,
  setValue,
  valueOf,
} from "./aged_table";
import { cellOf, coldOf, outcomeOf } from "./cells";
import { firstHalf, secondHalf, sumForFirst, sumForSecond } from "./fingerprint";
import { isOpener } from "./gathering";
import { PENDING_DIRECTION, PENDING_IPV6, PENDING_NUMBER_SHIFT } from "./pending";

// Of half-open connections: SYN without ACK, and with it; one bit further up for the high end.
export const SYN: u32 = 1 << 0;
export const SYN_ACK: u32 = 1 << 2;
/** It was no conversation when it was noted, and is counted as none. */
const IS_COUNTED: u32 = 1 << 31;
/** Ranks: those that are about to have their first packet are kept before those that nobody answers. */
const UNANSWERED: u32 = 0;
const ANSWERED: u32 = 1;
/** Linux gives up on a SYN after 127 s (tcp(7), tcp_syn_retries). */
export const LONGEST_HANDSHAKE_SECONDS: i64 = 130;
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
/** Ranks: a server is worth more than any fan-in, and an end that only opened is worth nothing. */
const WORTH_NOTHING: u32 = 0;
const HAS_FAN_IN: u32 = 1;
const IS_SERVER: u32 = 2;

export let isHalfOpenUsed: bool = false;
let areEndsUsed = false;
let stagedCount: u32 = 0;
let sum: u32 = 0;
let onlyOpened: f64 = 0;

/** Makes both tables empty. */
export function setUpEvidence(): void {
  setUpTable(HALF_OPEN, MOST_REMEMBERED);
  setUpTable(ENDS, MOST_REMEMBERED);
}

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
  const at = findOrAddHalfOpen(itsFirst, itsSecond, seconds);
  let value = valueOf(at);
  if (secondsSince(at, seconds) > LONGEST_HANDSHAKE_SECONDS) value &= IS_COUNTED;
  value |= bits;
  change(HALF_OPEN, at, value, seconds, isAnswered(value) ? ANSWERED : UNANSWERED);
  return value & ~IS_COUNTED;
}

/**
 * Counts a connection of which a packet with SYN, FIN or RST was seen and nothing else, unless it was
 * counted.
 *
 * @returns Whether it was not.
 */
export function countOnlyOpened(itsFirst: u32, itsSecond: u32, seconds: u32): bool {
  useHalfOpen();
  const found = find(HALF_OPEN, itsFirst, itsSecond);
  if (found !== 0 && (valueOf(found) & IS_COUNTED) !== 0) return false;
  if (found !== 0) {
    setValue(found, valueOf(found) | IS_COUNTED);
  } else {
    change(
      HALF_OPEN,
      findOrAddHalfOpen(itsFirst, itsSecond, seconds),
      IS_COUNTED,
      seconds,
      UNANSWERED,
    );
  }
  onlyOpened++;
  return true;
}

/** How many connections were counted so, and have not become conversations since. */
export function onlyOpenedCount(): f64 {
  return onlyOpened;
}

/** What was noted of a connection, which is forgotten; 0 is nothing. */
export function takeHalfOpen(itsFirst: u32, itsSecond: u32, seconds: u32): u32 {
  if (!isHalfOpenUsed) return 0;
  const at = find(HALF_OPEN, itsFirst, itsSecond);
  if (at === 0) return 0;
  const value = valueOf(at);
  const isOld = secondsSince(at, seconds) > LONGEST_HANDSHAKE_SECONDS;
  remove(HALF_OPEN, at);
  if ((value & IS_COUNTED) !== 0) onlyOpened--;
  return isOld ? 0 : value & ~IS_COUNTED;
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

/** The whole fingerprint of a conversation, for tests. */
export function fingerprintOf(isIpv6: bool, number: u32): u64 {
  identifyConversation(isIpv6, number);
  return <u64> connectionFirst | (<u64> connectionSecond << 32);
}

/** Makes that of a connection by its ends' addresses and ports. */
function identify(isIpv6: bool, from: usize, ports: u32, protocol: u32): void {
  const size: usize = isIpv6 ? 32 : 8;
  connectionFirst = firstHalf(ports, protocol, sumForFirst(from, size, 0));
  connectionSecond = secondHalf(ports, protocol, sumForSecond(from, size, 0));
}

function findOrAddHalfOpen(itsFirst: u32, itsSecond: u32, seconds: u32): usize {
  useHalfOpen();
  const found = find(HALF_OPEN, itsFirst, itsSecond);
  if (found !== 0) return found;
  if (isFull(HALF_OPEN)) {
    // What was answered and had no packet since will have none.
    const answered = oldestOf(HALF_OPEN, ANSWERED);
    if (answered !== 0 && secondsSince(answered, seconds) > LONGEST_ANSWERED_SECONDS) {
      forget(HALF_OPEN, answered);
    }
  }
  return add(HALF_OPEN, itsFirst, itsSecond);
}

function useHalfOpen(): void {
  if (isHalfOpenUsed) return;
  fillChains(HALF_OPEN);
  isHalfOpenUsed = true;
}

/** Whether one end's SYN was answered by the other end's SYN-ACK. */
export function isAnswered(bits: u32): bool {
  const lowIs = SYN | (SYN_ACK << 1);
  const highIs = (SYN << 1) | SYN_ACK;
  return (bits & lowIs) === lowIs || (bits & highIs) === highIs;
}

// Ends

/**
 * Tells the ends of pending conversations who sends to them, where that was not yet done. Who opened a
 * conversation is not told: what comes to it there is answers.
 */
export function addPeersOfPending(pending: usize, count: u32, seconds: u32): void {
  stagedCount = 0;
  for (let at = pending, end = pending + (<usize> count << 2); at < end; at += 4) {
    const word = load<u32>(at);
    const isIpv6 = (word & PENDING_IPV6) !== 0;
    const number = word >>> PENDING_NUMBER_SHIFT;
    const direction = word & PENDING_DIRECTION;
    const cell = cellOf(isIpv6, number);
    const state = load<u32>(cell + CELL_STATE);
    const isNew = STATE_HAS_NEW_PEER << direction;
    if ((state & isNew) === 0) continue;
    store<u32>(cell + CELL_STATE, state & ~isNew);
    if (isOpener(isIpv6, number, 1 - direction)) continue;
    if (stagedCount + 1 > ENDS_AT_ONCE) addStagedPeers(seconds);
    const ports = load<u32>(cell + CELL_PORTS);
    stageEnd(isIpv6, cell, 1 - direction, direction === 0 ? ports >>> 16 : ports & 0xffff);
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
// @inline
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
  changeEnd(at, (valueOf(at) & ~OPENED) | SERVED, seconds);
}

/** Notes that this end opened a conversation. */
export function learnClient(itsFirst: u32, itsSecond: u32, seconds: u32): void {
  const at = findOrAddEnd(itsFirst, itsSecond);
  changeEnd(at, (valueOf(at) & ~SERVED) | OPENED, seconds);
}

/** Notes that something was sent to this end, and from which port. */
export function addPeer(itsFirst: u32, itsSecond: u32, farPort: u32, seconds: u32): void {
  const at = findOrAddEnd(itsFirst, itsSecond);
  let value = valueOf(at);
  if (isLongerAgo(at, seconds)) value &= ~((FAN_IN_MASK << FAN_IN_SHIFT) | HAD_ONE);
  const fanIn = (value >>> FAN_IN_SHIFT) & FAN_IN_MASK;
  // A client asks many servers at one port; a server is asked from many ports.
  if ((value & HAD_ONE) !== 0 && (value & PORT_MASK) !== farPort && fanIn < FAN_IN_MASK) {
    value += 1 << FAN_IN_SHIFT;
  }
  changeEnd(at, (value & ~PORT_MASK) | farPort | HAD_ONE, seconds);
}

// @inline
function changeEnd(at: usize, value: u32, seconds: u32): void {
  const isServer = (value & SERVED) !== 0;
  const hasFanIn = (value & (FAN_IN_MASK << FAN_IN_SHIFT)) !== 0;
  change(ENDS, at, value, seconds, isServer ? IS_SERVER : hasFanIn ? HAS_FAN_IN : WORTH_NOTHING);
}

/** An end's value, without what is too long ago. */
export function read(itsFirst: u32, itsSecond: u32, seconds: u32): u32 {
  const at = areEndsUsed ? find(ENDS, itsFirst, itsSecond) : 0;
  if (at === 0) return 0;
  const value = valueOf(at);
  return isLongerAgo(at, seconds) ? value & ~(FAN_IN_MASK << FAN_IN_SHIFT) : value;
}

// @inline
function isLongerAgo(at: usize, seconds: u32): bool {
  return secondsSince(at, seconds) > FAN_IN_SECONDS;
}

/** Stages an end: the fingerprint of its address, port and protocol, and the far port. */
// @inline
function stageEnd(isIpv6: bool, cell: usize, end: u32, farPort: u32): void {
  const from = cell + CELL_ADDRESSES + <usize> end * (isIpv6 ? 16 : 4);
  const ports = load<u32>(cell + CELL_PORTS);
  const port = end === 0 ? ports >>> 16 : ports & 0xffff;
  const portAndProtocol = (port << 8) | (load<u32>(cell + CELL_STATE) & PROTOCOL_MASK);
  const address = isIpv6 ? 0 : load<u32>(from);
  const size: usize = isIpv6 ? 16 : 0;
  const at = STAGED_ENDS + <usize> stagedCount * STAGED_END;
  store<u32>(at, firstHalf(portAndProtocol, address, sumForFirst(from, size, 0)));
  store<u32>(at + 4, secondHalf(portAndProtocol, address, sumForSecond(from, size, 0)));
  store<u32>(at + 8, farPort);
  stagedCount++;
}

// @inline
function stageNone(): void {
  const at = STAGED_ENDS + <usize> stagedCount * STAGED_END;
  store<u64>(at, 0);
  stagedCount++;
}

function addStagedPeers(seconds: u32): void {
  fetchStaged();
  sum ^= fetchLeast(ENDS, stagedCount);
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

/** Has the processor fetch what the staged ends need: all chains at the same time, then what they begin with. */
function fetchStaged(): void {
  useEnds();
  const end = STAGED_ENDS + <usize> stagedCount * STAGED_END;
  let loaded: u32 = 0;
  for (let at = STAGED_ENDS; at < end; at += STAGED_END) {
    loaded ^= <u32> firstIn(chainOf(ENDS, load<u32>(at)));
  }
  for (let at = STAGED_ENDS; at < end; at += STAGED_END) {
    const entry = firstIn(chainOf(ENDS, load<u32>(at)));
    // Where there is none, the table itself.
    loaded ^= valueOf(select(ENDS, entry, entry === 0));
  }
  for (let at = STAGED_ENDS; at < end; at += STAGED_END) {
    const first = firstIn(chainOf(ENDS, load<u32>(at)));
    const entry: usize = first === 0 ? 0 : nextOf(first);
    loaded ^= valueOf(select(ENDS, entry, entry === 0));
  }
  sum ^= loaded;
}

function useEnds(): void {
  if (areEndsUsed) return;
  fillChains(ENDS);
  areEndsUsed = true;
}

function findOrAddEnd(itsFirst: u32, itsSecond: u32): usize {
  useEnds();
  const found = find(ENDS, itsFirst, itsSecond);
  return found !== 0 ? found : add(ENDS, itsFirst, itsSecond);
}

/** How many half-open connections were forgotten for want of room. */
export function forgottenHalfOpen(): f64 {
  return forgottenOf(HALF_OPEN);
}

/** The same of ends. */
export function forgottenEnds(): f64 {
  return forgottenOf(ENDS);
}
