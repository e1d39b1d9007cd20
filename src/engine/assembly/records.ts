/*
 * Records of attributed conversations, with their figures: of those that are over, and once in a while of
 * those that go on. Packets cost nothing for it: at flushes a part of the cells is walked over.
 */
import { SOURCE_END } from "../../model/evidence_layout";
import { IPV6_BIT } from "../../model/observation_layout";
import { CLIENT_IS_DESTINATION, FLOW, PORT_SHIFT } from "../../model/outcome_layout";
import { PROTOCOL_TCP, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../model/protocol_numbers";
import { BY_SYN, BY_SYN_ACK } from "../../model/reason_numbers";
import {
  IS_ANNOUNCED,
  IS_OVER,
  IS_UNOPENED,
  RECORD_CLIENT,
  RECORD_FIRST,
  RECORD_FLAGS,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_LAST,
  RECORD_LINK,
  RECORD_MILLISECONDS,
  RECORD_NAME,
  RECORD_OCTETS,
  RECORD_PACKETS,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_REASON_SHIFT,
  RECORD_SERVER,
  RECORD_TUNNEL,
  RECORD_TUNNEL_ID,
} from "../../model/record_layout";
import {
  CLOSED,
  ESTABLISHED,
  OPEN,
  REFUSED,
  RESET,
  UNANSWERED,
  UNREACHABLE,
} from "../../model/state_numbers";
import {
  CELL_FLAGS,
  CELL_MILLISECONDS,
  CELL_OCTETS,
  CELL_PACKETS,
  CELL_SECONDS,
  CELL_STATE,
  CELL_UNTIL,
  COLD_EVIDENCE,
  COLD_FIRST_MILLISECONDS,
  COLD_FIRST_SECONDS,
  COLD_INTERFACE,
  COLD_RECORD_ID,
  COLD_RECORDED,
  COLD_VLAN,
  FACTS_DESTINATION,
  FACTS_DESTINATION_PORT,
  FACTS_IS_IPV6,
  FACTS_OPENER,
  FACTS_OPENER_BY,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_SOURCE_PORT,
  FACTS_TUNNEL,
  FACTS_TUNNEL_ID,
  IS_OUTER,
  OCTETS_BITS,
  PACKET_ABOUT,
  PACKET_ADDRESSES,
  PACKET_HASH,
  PACKET_PORTS,
  PROTOCOL_MASK,
  RECORDED_MASK,
  RECORDS,
  RECORDS_AT_ONCE,
  STATE_UNOPENED,
  TABLE_UNUSED,
  UNCLASSIFIED,
  WANTED_PACKET,
  WAS_UNREACHABLE,
} from "../layout";
import { cellOf, coldOf, outcomeOf, tableOf } from "./cells";
import { askMapping, hasOwn, readAll, reasonOf, verdictOf } from "./classifying";
import { second } from "./clock";
import { LONGEST_HANDSHAKE_SECONDS, strengthOf } from "./evidence";
import { readFacts } from "./facts";
import { IS_EXPECTED } from "./gathering";
import { record, wasOwnAttempt } from "./host";
import { isIgnored, isLocal } from "./mapping";
import { nameOf } from "./naming";
import { flushObservations } from "./observations";
import { PENDING_IPV6, PENDING_NUMBER_SHIFT } from "./pending";
import { clearFigures, find, hash4, hash6 } from "./table";

/** Bytes of a record, as a power of two. */
export const RECORD: usize = 7;
/** A walk over all cells takes so many seconds, or less where records are wanted more often. */
const LONGEST_WALK: u32 = 15;
/** After so many seconds without a packet nothing follows a connection's end. */
const LINGER: i64 = 5;
/** A conversation is over when it was silent for longer. */
const TCP_IDLE: i64 = 300;
const UDP_IDLE: i64 = 60;
const OCTETS: u64 = (1 << OCTETS_BITS) - 1;

/** Whether observations of flows come with the records of their conversations. */
export let isFlowRecordWanted: bool = false;
let isWanted: bool = false;
/** Of a conversation that goes on there is a record each time that so many seconds have passed. */
let interval: u32 = 0;
let count: u32 = 0;
/** The number that was given to a conversation last. */
let lastId: u64 = 0;
/** When was walked, and how far, of each family. */
let walkedAt: u32 = 0;
let walked4: u32 = 0;
let walked6: u32 = 0;

/** Says that records are wanted, and how many seconds are between those of one that goes on. */
export function wantRecords(seconds: u32): void {
  isWanted = true;
  interval = seconds;
}

/** Says that observations of flows are to come with the records of their conversations. */
export function wantFlowRecords(): void {
  isFlowRecordWanted = true;
}

/** Emits all records, after the observations of the same conversations. */
export function flushRecords(): void {
  if (count === 0) return;
  flushObservations();
  const emitted = count;
  count = 0;
  record(emitted);
}

/** Walks over a part of the conversations, by how much time has passed since. */
export function walkRecords(): void {
  if (!isWanted) return;
  const passed = <i64> second - <i64> walkedAt;
  if (passed === 0) return;
  walkedAt = second;
  const whole = max<u32>(1, min(LONGEST_WALK, interval));
  const part = passed < 0 || passed > <i64> whole ? whole : <u32> passed;
  walked4 = walk(false, walked4, part, whole);
  walked6 = walk(true, walked6, part, whole);
  flushRecords();
}

/**
 * Says of conversations that they are over.
 *
 * @param from The place of the first of them, from 0 on: those of IPv4, then those of IPv6.
 * @param most How many places are walked over.
 * @returns Whether there are more.
 */
export function endRecords(from: u32, most: u32): bool {
  if (!isWanted) return false;
  const all4 = load<u32>(tableOf(false), TABLE_UNUSED) - 1;
  const all = all4 + load<u32>(tableOf(true), TABLE_UNUSED) - 1;
  const end = min(all, from + most);
  for (let place = from; place < end; place++) {
    const isIpv6 = place >= all4;
    finish(isIpv6, (isIpv6 ? place - all4 : place) + 1);
  }
  flushRecords();
  return end < all;
}

/** Emits the last record of a conversation, if there is anything that is not in one yet. */
export function recordEnd(isIpv6: bool, number: u32): void {
  if (isWanted && hasFigures(isIpv6, number)) add(isIpv6, number, true);
}

function finish(isIpv6: bool, number: u32): void {
  if (!hasFigures(isIpv6, number)) return;
  add(isIpv6, number, true);
  clearFigures(isIpv6, number);
  // The next packet is looked at: it is the first one of other figures.
  store<u64>(cellOf(isIpv6, number), 0, CELL_UNTIL);
}

/** @returns The number of the conversation up to which was walked. */
function walk(isIpv6: bool, from: u32, part: u32, whole: u32): u32 {
  const all = load<u32>(tableOf(isIpv6), TABLE_UNUSED) - 1;
  if (all === 0) return 0;
  let at = min(from, all);
  for (let left = <u32> ((<u64> all * part + whole - 1) / whole); left !== 0; left--) {
    at = at >= all ? 1 : at + 1;
    visit(isIpv6, at);
  }
  return at;
}

/** What is free, or was over and is silent since, has none. */
// @inline
function hasFigures(isIpv6: bool, number: u32): bool {
  return load<u64>(cellOf(isIpv6, number), CELL_PACKETS) !== 0;
}

function visit(isIpv6: bool, number: u32): void {
  if (!hasFigures(isIpv6, number)) return;
  const cell = cellOf(isIpv6, number);
  const silence = <i64> second - <i64> load<u32>(cell, CELL_SECONDS);
  if (silence > patienceWith(cell)) return finish(isIpv6, number);
  const recorded = coldOf(isIpv6, number) + COLD_RECORDED;
  const since = (second - load<u16>(recorded)) & RECORDED_MASK;
  if (since < interval || silence > <i64> since) return;
  add(isIpv6, number, false);
  store<u16>(recorded, <u16> ((load<u16>(recorded) & WAS_UNREACHABLE) | (second & RECORDED_MASK)));
}

/** For how many seconds a conversation may be silent until it is over. */
function patienceWith(cell: usize): i64 {
  const state = load<u32>(cell, CELL_STATE);
  if ((state & PROTOCOL_MASK) !== PROTOCOL_TCP) return UDP_IDLE;
  const one = load<u8>(cell, CELL_FLAGS);
  const other = load<u8>(cell, CELL_FLAGS + 1);
  if (((one | other) & <u8> TCP_RST) !== 0 || (one & other & <u8> TCP_FIN) !== 0) return LINGER;
  return (state & STATE_UNOPENED) !== 0 ? LONGEST_HANDSHAKE_SECONDS : TCP_IDLE;
}

function add(isIpv6: bool, number: u32, isOver: bool): void {
  if (count === RECORDS_AT_ONCE) flushRecords();
  const conversation = (number << PENDING_NUMBER_SHIFT) | (isIpv6 ? PENDING_IPV6 : 0);
  if (putRecord(RECORDS + (<usize> count << RECORD), conversation, isOver)) count++;
}

/**
 * Looks up the conversation whose direction is in the facts, and makes a record of it by itself.
 *
 * @returns Whether it is known, and attributed. No records may be waiting.
 */
export function recordFacts(): bool {
  const isIpv6 = load<u32>(FACTS_IS_IPV6) !== 0;
  const number = findEitherWay();
  if (number === 0 || !hasFigures(isIpv6, number)) return false;
  const conversation = (number << PENDING_NUMBER_SHIFT) | (isIpv6 ? PENDING_IPV6 : 0);
  return putRecord(RECORDS, conversation, false);
}

/**
 * Makes a record of a conversation, if it is attributed.
 *
 * @param into Where to.
 * @param conversation The conversation, as it is pending.
 * @returns Whether it is.
 */
export function putRecord(into: usize, conversation: u32, isOver: bool): bool {
  const isIpv6 = (conversation & PENDING_IPV6) !== 0;
  const number = conversation >>> PENDING_NUMBER_SHIFT;
  const cell = cellOf(isIpv6, number);
  const cold = coldOf(isIpv6, number);
  // What is between the ends of a tunnel has no ports.
  if ((load<u32>(cell, CELL_STATE) & IS_OUTER) !== 0) return false;
  const outcome = outcomeWithDirection(isIpv6, number, cell, cold);
  if (verdictOf(outcome) !== FLOW) return false;
  readFacts(isIpv6, cell, directionToldBy);
  if (isIgnored()) return false;
  const isTurned = (outcome & CLIENT_IS_DESTINATION) !== 0;
  const client = isTurned ? FACTS_DESTINATION : FACTS_SOURCE;
  const server = isTurned ? FACTS_SOURCE : FACTS_DESTINATION;
  const clientPort = load<u32>(isTurned ? FACTS_DESTINATION_PORT : FACTS_SOURCE_PORT);
  /** The direction in which the client sends. */
  const there = isTurned ? 1 - directionToldBy : directionToldBy;
  const back = 1 - there;
  const state = load<u32>(cell, CELL_STATE);
  const isUnopened = (state & STATE_UNOPENED) !== 0;
  const itsState = stateOf(cell, cold, there);
  // Anyone can send SYN in others' names, as many as a line carries: what of these is ours is told.
  const isUnfinished = itsState === UNANSWERED || itsState === OPEN;
  if (isUnopened && isUnfinished && !isLocal(client)) return false;
  store<u32>(
    into + (RECORD_HEAD << 2),
    itsState | (isIpv6 ? IPV6_BIT : 0) | (isOver ? IS_OVER : 0) |
      (isUnopened ? IS_UNOPENED : 0) |
      ((load<u32>(cold, COLD_EVIDENCE) & IS_EXPECTED) !== 0 ? IS_ANNOUNCED : 0) |
      ((state & PROTOCOL_MASK) << RECORD_PROTOCOL_SHIFT) |
      (reasonOf(outcome) << RECORD_REASON_SHIFT),
  );
  v128.store(into + (RECORD_CLIENT << 2), v128.load(client));
  v128.store(into + (RECORD_SERVER << 2), v128.load(server));
  store<u32>(into + (RECORD_PORTS << 2), (clientPort << 16) | (outcome >>> PORT_SHIFT));
  const link = load<u16>(cold, COLD_VLAN) | (<u32> load<u16>(cold, COLD_INTERFACE) << 16);
  store<u32>(into + (RECORD_LINK << 2), link);
  const flags = flagsOf(cell, there) | (flagsOf(cell, back) << 8);
  store<u32>(into + (RECORD_FLAGS << 2), flags);
  store<u64>(into + (RECORD_ID << 2), idOf(cold));
  const first = load<u32>(cold, COLD_FIRST_SECONDS);
  const firstMillisecond = <u32> load<u16>(cold, COLD_FIRST_MILLISECONDS);
  let last = load<u32>(cell, CELL_SECONDS);
  let lastMillisecond = <u32> load<u16>(cell, CELL_MILLISECONDS);
  // SYN after others is not counted as the last.
  if (last < first || (last === first && lastMillisecond < firstMillisecond)) {
    last = first;
    lastMillisecond = firstMillisecond;
  }
  store<u32>(into + (RECORD_FIRST << 2), first);
  store<u32>(into + (RECORD_LAST << 2), last);
  store<u32>(into + (RECORD_MILLISECONDS << 2), firstMillisecond | (lastMillisecond << 16));
  store<u32>(into + (RECORD_TUNNEL << 2), load<u32>(FACTS_TUNNEL));
  store<u32>(into + (RECORD_TUNNEL_ID << 2), load<u32>(FACTS_TUNNEL_ID));
  store<u32>(into + (RECORD_NAME << 2), nameOf(isIpv6, number));
  store<u64>(into + (RECORD_PACKETS << 2), packetsOf(cell, there));
  store<u64>(into + (RECORD_PACKETS << 2), packetsOf(cell, back), 8);
  store<u64>(into + (RECORD_OCTETS << 2), octetsOf(cell, there));
  store<u64>(into + (RECORD_OCTETS << 2), octetsOf(cell, back), 8);
  return true;
}

/** Makes it none. */
export function clearRecord(into: usize): void {
  store<u64>(into + (RECORD_ID << 2), 0);
}

/** Of which direction {@linkcode outcomeWithDirection} told the outcome. */
let directionToldBy: u32 = 0;

/** What the mapping says of a conversation: of its two directions the stronger. */
function outcomeWithDirection(isIpv6: bool, number: u32, cell: usize, cold: usize): u32 {
  directionToldBy = 0;
  const one = load<u32>(outcomeOf(cold, 0));
  const other = load<u32>(outcomeOf(cold, 1));
  const isOneFlow = isFlow(one);
  if (isFlow(other) && (!isOneFlow || strengthOf(other) > strengthOf(one))) {
    directionToldBy = 1;
    return other;
  }
  if (isOneFlow) return one;
  if (one !== UNCLASSIFIED || other !== UNCLASSIFIED) return 0;
  return ask(isIpv6, number, cell);
}

// @inline
function isFlow(outcome: u32): bool {
  return outcome !== UNCLASSIFIED && verdictOf(outcome) === FLOW;
}

/** Asks the mapping about a conversation of which it was not asked: one that never was open, mostly. */
function ask(isIpv6: bool, number: u32, cell: usize): u32 {
  const one = flagsOf(cell, 0);
  const other = flagsOf(cell, 1);
  directionToldBy = isOpening(other) || isAnswer(one) ? 1 : 0;
  readAll(isIpv6, number, directionToldBy);
  if ((load<u32>(cell, CELL_STATE) & STATE_UNOPENED) !== 0) {
    if (hasOwn && wasOwnAttempt(load<u32>(coldOf(isIpv6, number), COLD_FIRST_SECONDS))) return 0;
    // Its half-open connection is a thing of its own, and may be forgotten.
    const hasOpening = isOpening(one) || isOpening(other);
    if (isOpening(one) !== isOpening(other) || (!hasOpening && isAnswer(one) !== isAnswer(other))) {
      store<u32>(FACTS_OPENER, SOURCE_END);
      store<u32>(FACTS_OPENER_BY, hasOpening ? BY_SYN : BY_SYN_ACK);
    }
  }
  const outcome = askMapping(false);
  return outcome === UNCLASSIFIED ? 0 : outcome;
}

/** Whether an end has sent SYN, by its flags. */
// @inline
function isOpening(flags: u32): bool {
  return (flags & (TCP_SYN | TCP_ACK)) === TCP_SYN;
}

/** Whether it answered one. */
// @inline
function isAnswer(flags: u32): bool {
  return (flags & TCP_SYN) !== 0 && (flags & TCP_ACK) !== 0;
}

// @inline
function flagsOf(cell: usize, direction: u32): u32 {
  return <u32> load<u8>(cell + <usize> direction, CELL_FLAGS);
}

// @inline
function octetsOf(cell: usize, direction: u32): u64 {
  return load<u64>(cell + (<usize> direction << 3), CELL_OCTETS) & OCTETS;
}

// @inline
function packetsOf(cell: usize, direction: u32): u64 {
  return (load<u64>(cell + (<usize> direction << 3), CELL_OCTETS) >>> OCTETS_BITS << 32) |
    <u64> load<u32>(cell + (<usize> direction << 2), CELL_PACKETS);
}

/** The number of a conversation, which it gets with its first record. */
function idOf(cold: usize): u64 {
  const id = load<u32>(cold, COLD_RECORD_ID);
  if (id === 0) {
    lastId++;
    // 0 is none.
    if (<u32> lastId === 0) lastId++;
    store<u32>(cold, <u32> lastId, COLD_RECORD_ID);
    return lastId;
  }
  // What has a greater one than the last got it before these bits started again.
  const above = lastId >>> 32;
  return <u64> id | ((id > <u32> lastId ? above - 1 : above) << 32);
}

/**
 * What a conversation has come to.
 *
 * @param there The direction in which its client sends.
 */
function stateOf(cell: usize, cold: usize, there: u32): u32 {
  const isAnswered = packetsOf(cell, 1 - there) !== 0;
  if (!isAnswered && (load<u16>(cold, COLD_RECORDED) & <u16> WAS_UNREACHABLE) !== 0) {
    return UNREACHABLE;
  }
  const state = load<u32>(cell, CELL_STATE);
  if ((state & PROTOCOL_MASK) !== PROTOCOL_TCP) return isAnswered ? OPEN : UNANSWERED;
  const client = flagsOf(cell, there);
  const server = flagsOf(cell, 1 - there);
  const isUnopened = (state & STATE_UNOPENED) !== 0;
  const both = client | server;
  if ((client & server & TCP_FIN) !== 0) return CLOSED;
  if ((both & TCP_RST) !== 0) {
    // A client that was refused has sent SYN only.
    const isRefused = (server & TCP_RST) !== 0 && (server & TCP_SYN) === 0;
    return isRefused && (isUnopened || isOpening(client)) ? REFUSED : RESET;
  }
  if (isUnopened) return isAnswered ? OPEN : UNANSWERED;
  return isOpening(client) || ((client & TCP_SYN) !== 0 && isAnswer(server)) ? ESTABLISHED : OPEN;
}

/**
 * Notes that ICMP said of a conversation, which is in the facts, that its server can't be reached. Not
 * for the hot path.
 */
export function noteUnreachable(protocol: u32): void {
  store<u32>(FACTS_PROTOCOL, protocol);
  const number = findEitherWay();
  if (number === 0) return;
  const at = coldOf(load<u32>(FACTS_IS_IPV6) !== 0, number) + COLD_RECORDED;
  store<u16>(at, load<u16>(at) | <u16> WAS_UNREACHABLE);
}

/** Looks up a conversation, also while a group is on its way. @returns Its number, or 0. */
function findEitherWay(): u32 {
  const there = findEnds(
    FACTS_SOURCE,
    FACTS_SOURCE_PORT,
    FACTS_DESTINATION,
    FACTS_DESTINATION_PORT,
  );
  if (there !== 0) return there;
  return findEnds(FACTS_DESTINATION, FACTS_DESTINATION_PORT, FACTS_SOURCE, FACTS_SOURCE_PORT);
}

function findEnds(low: usize, lowPort: usize, high: usize, highPort: usize): u32 {
  const isIpv6 = load<u32>(FACTS_IS_IPV6) !== 0;
  const ports = (load<u32>(lowPort) << 16) | load<u32>(highPort);
  const protocol = load<u32>(FACTS_PROTOCOL);
  const addresses = WANTED_PACKET + PACKET_ADDRESSES;
  if (isIpv6) {
    v128.store(addresses, v128.load(low));
    v128.store(addresses + 16, v128.load(high));
  } else {
    store<u32>(addresses, load<u32>(low + 12));
    store<u32>(addresses + 4, load<u32>(high + 12));
  }
  store<u32>(WANTED_PACKET, ports, PACKET_PORTS);
  store<u32>(WANTED_PACKET, protocol, PACKET_ABOUT);
  const hash = isIpv6
    ? hash6(addresses, ports, protocol)
    : hash4(load<u32>(addresses), load<u32>(addresses + 4), ports, protocol);
  store<u32>(WANTED_PACKET, hash, PACKET_HASH);
  return find(isIpv6, WANTED_PACKET);
}
