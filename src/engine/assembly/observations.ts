/* Keys that may be written, and the observations that are made of them. */
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_PEER,
  OBSERVATION_WORDS,
  TUNNEL_KIND_SHIFT,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
  WORD_TUNNEL,
} from "../../model/observation_layout";
import {
  FACTS_TUNNEL,
  FACTS_TUNNEL_ID,
  FINGERPRINTS,
  FLOW_RECORDS,
  FLOWS_BY,
  OBSERVATIONS,
  OBSERVATIONS_AT_ONCE,
  SEEN,
  STAGED_FLOW,
  STAGED_FLOWS,
} from "../layout";
import { second, window } from "./clock";
import { firstHalf, secondHalf, sumForFirst, sumForSecond } from "./fingerprint";
import { emit, see } from "./host";
import { clearRecord, isFlowRecordWanted, putRecord, RECORD } from "./records";
import { admit, fetchKey, windowsSuppressed } from "./suppression";

// A staged flow: client and server, then these.
const STAGED_SERVER: usize = 16;
const STAGED_PORT: usize = 32;
const STAGED_ABOUT: usize = 36;
const STAGED_FLAGS: usize = 40;
const STAGED_UNTIL: usize = 44;
const STAGED_SECONDS: usize = 48;
const STAGED_TUNNEL_ID: usize = 52;
const STAGED_CONVERSATION: usize = 56;
const IS_IPV6: u32 = 1;
const IS_IGNORED: u32 = 2;
const ADDRESS: usize = 16;
/** An IPv4 address is in the last word; words are hashed in pairs. */
const IPV4_START: usize = ADDRESS - 8;
/** Four words of 0, which nothing else is put into. */
const NO_ADDRESS: usize = 0;

// The keys of a flow that are suppressed. Both peer keys are written together always, so one of them
// stands for both.
const CLIENT: usize = 0;
const FLOW: usize = 8;
const PEER: usize = 16;
const KEYS: usize = 24;

/** Observations that one flow may lead to: client, flow, and both peers. */
const MOST_OBSERVATIONS: u32 = 4;
const CODE_SHIFT: u32 = 16;
const PROTOCOL_SHIFT: u32 = 8;

/** How many observations there are, and how many refusals that were seen again. */
let written: u32 = 0;
let seen: u32 = 0;
/** Whether these are told. */
let isSeenWanted: bool = false;
let sum: u32 = 0;

/** Emits all observations. */
export function flushObservations(): void {
  if (written === 0) return;
  emit(written);
  written = 0;
}

/** Says that refusals that are seen again while their keys are suppressed are wanted too. */
export function wantSeen(): void {
  isSeenWanted = true;
}

/** Emits all refusals that were seen again. */
export function flushSeen(): void {
  if (seen === 0) return;
  see(seen);
  seen = 0;
}

/** How many there are that were not emitted. */
export function observationsLeft(): u32 {
  return written;
}

/**
 * Stages a flow, in the tunnel that the facts have, whose keys are client, both peers, and the flow unless it is ignored.
 *
 * @param place Which of those that are asked about at once.
 * @param about What decided it and the protocol, as in an observation's `WORD_ABOUT`.
 * @param seconds When it was seen.
 * @param conversation The conversation, as it is pending; 0 if there is none.
 */
export function stageFlow(
  place: u32,
  isIpv6: bool,
  client: usize,
  server: usize,
  port: u32,
  about: u32,
  isIgnored: bool,
  seconds: u32,
  conversation: u32,
): void {
  const flow = STAGED_FLOWS + <usize> place * STAGED_FLOW;
  v128.store(flow, v128.load(client));
  v128.store(flow + STAGED_SERVER, v128.load(server));
  store<u32>(flow + STAGED_PORT, port);
  store<u32>(flow + STAGED_ABOUT, about | (load<u32>(FACTS_TUNNEL) << TUNNEL_KIND_SHIFT));
  store<u32>(flow + STAGED_TUNNEL_ID, load<u32>(FACTS_TUNNEL_ID));
  store<u32>(flow + STAGED_SECONDS, seconds);
  store<u32>(flow + STAGED_CONVERSATION, conversation);
  store<u32>(flow + STAGED_FLAGS, (isIpv6 ? IS_IPV6 : 0) | (isIgnored ? IS_IGNORED : 0));
}

/** The window in which one of the keys of a flow may be written again that was committed last. */
export function untilOfFlow(place: u32): u32 {
  return load<u32>(STAGED_FLOWS + <usize> place * STAGED_FLOW + STAGED_UNTIL);
}

/** Writes the keys of the first `count` staged flows that are not suppressed. */
export function commit(count: u32): void {
  makeRoom(count * MOST_OBSERVATIONS);
  let key = FINGERPRINTS;
  const end = STAGED_FLOWS + <usize> count * STAGED_FLOW;
  for (let flow = STAGED_FLOWS; flow < end; flow += STAGED_FLOW, key += KEYS) {
    identifyFlow(flow, key);
  }
  // All at the same time: asking about a key is mostly waiting for memory.
  let loaded: u32 = 0;
  for (let at = FINGERPRINTS; at < key; at += 8) loaded ^= fetchKey(load<u32>(at));
  sum ^= loaded;
  key = FINGERPRINTS;
  for (let flow = STAGED_FLOWS; flow < end; flow += STAGED_FLOW, key += KEYS) commitFlow(flow, key);
}

/** Writes the key of a client, unless it is suppressed. */
export function writeClient(isIpv6: bool, client: usize): void {
  if (!isAdmitted(KIND_CLIENT, isIpv6, client, NO_ADDRESS, 0)) return;
  push(KIND_CLIENT, isIpv6, client, 0, 0, 0, second);
}

/** Writes the keys of a refused connection or an unreachable port: client, and the key itself. */
export function writeRefusal(
  kind: u32,
  isIpv6: bool,
  client: usize,
  other: usize,
  ports: u32,
  code: u32,
  protocol: u32,
): void {
  writeClient(isIpv6, client);
  const itsKind = kind | (code << CODE_SHIFT);
  const about = protocol << PROTOCOL_SHIFT;
  if (isAdmitted(itsKind, isIpv6, client, other, ports)) {
    push(itsKind, isIpv6, client, other, ports, about, second);
  } else if (isSeenWanted) {
    if (seen === OBSERVATIONS_AT_ONCE) flushSeen();
    put(SEEN, seen++, itsKind, isIpv6, client, other, ports, about, second, 0);
  }
}

// @inline
function familyOf(isIpv6: bool): u32 {
  return isIpv6 ? IPV6_BIT : 0;
}

/** Where the words of an address begin: an IPv4 address is in the last one. */
// @inline
function startOf(isIpv6: bool): usize {
  return isIpv6 ? 0 : IPV4_START;
}

// @inline
function isAdmitted(kind: u32, isIpv6: bool, one: usize, other: usize, ports: u32): bool {
  return admitKey(kind | familyOf(isIpv6), one, other, ports, window) === 0;
}

/** Asks about an observation's key as {@linkcode admit} does, by those of its words that tell it from others. */
export function admitObservation(observation: usize, itsWindow: u32): u32 {
  const kind = load<u32>(observation + WORD_KIND * 4);
  const ports = load<u32>(observation + WORD_PORTS * 4);
  const tunnel = load<u32>(observation + WORD_ABOUT * 4) >>> TUNNEL_KIND_SHIFT;
  const id = load<u32>(observation + WORD_TUNNEL * 4);
  const a = observation + WORD_A * 4;
  const b = observation + WORD_B * 4;
  return admitKey(kind | tunnelInKind(tunnel, id), a, b, ports | tunnelInPorts(id), itsWindow);
}

/*
 * What tells the same flow in several tunnels apart has a place in the two numbers of its fingerprint that
 * are otherwise its kind and its port: the kind of tunnel, of which there are less than 16, and the 32
 * bits of its identifier.
 */
// @inline
function tunnelInKind(tunnel: u32, id: u32): u32 {
  return (tunnel << 16) | ((id >>> 28) << 9) | (((id >>> 24) & 15) << 20) |
    (((id >>> 16) & 0xff) << 24);
}

// @inline
function tunnelInPorts(id: u32): u32 {
  return id << 16;
}

function admitKey(kind: u32, one: usize, other: usize, ports: u32, itsWindow: u32): u32 {
  const start = startOf((kind & IPV6_BIT) !== 0);
  const first = firstOfKey(kind, start, one, other, ports);
  return admit(first, secondOfKey(kind, start, one, other, ports), itsWindow);
}

function makeRoom(count: u32): void {
  if (written + count > OBSERVATIONS_AT_ONCE) flushObservations();
}

function commitFlow(flow: usize, key: usize): void {
  const client = flow;
  const server = flow + ADDRESS;
  const flags = load<u32>(flow + STAGED_FLAGS);
  const isIpv6 = (flags & IS_IPV6) !== 0;
  const seconds = load<u32>(flow + STAGED_SECONDS);
  const clientUntil = admitAt(key + CLIENT);
  if (clientUntil === 0) push(KIND_CLIENT, isIpv6, client, 0, 0, 0, seconds);
  let until = nextWindow(clientUntil);
  if ((flags & IS_IGNORED) === 0) {
    const flowUntil = admitAt(key + FLOW);
    if (flowUntil === 0) {
      const about = load<u32>(flow + STAGED_ABOUT);
      const port = load<u32>(flow + STAGED_PORT);
      push(
        KIND_FLOW,
        isIpv6,
        client,
        server,
        port,
        about,
        seconds,
        load<u32>(flow, STAGED_TUNNEL_ID),
      );
      const conversation = load<u32>(flow + STAGED_CONVERSATION);
      if (isFlowRecordWanted && conversation !== 0) {
        const into = FLOW_RECORDS + (<usize> (written - 1) << RECORD);
        if (!putRecord(into, conversation, false)) clearRecord(into);
      }
      const by = FLOWS_BY + (<usize> (about & 0xff) << 3);
      store<f64>(by, load<f64>(by) + 1);
    }
    until = min(until, nextWindow(flowUntil));
  }
  const peerUntil = admitAt(key + PEER);
  if (peerUntil === 0) {
    push(KIND_PEER, isIpv6, client, server, 0, 0, seconds);
    // An address that talks with itself has one peer key: both ways are the same.
    if (!areEqual(client, server)) push(KIND_PEER, isIpv6, server, client, 0, 0, seconds);
  }
  store<u32>(flow + STAGED_UNTIL, min(until, nextWindow(peerUntil)));
}

// @inline
function admitAt(key: usize): u32 {
  return admit(load<u32>(key), load<u32>(key + 4), window);
}

// @inline
function nextWindow(until: u32): u32 {
  return until === 0 ? window + windowsSuppressed : until;
}

/** Makes the fingerprints of the keys of a staged flow: an observation's kind, addresses and ports. */
function identifyFlow(flow: usize, key: usize): void {
  const client = flow;
  const server = flow + ADDRESS;
  const isIpv6 = (load<u32>(flow + STAGED_FLAGS) & IS_IPV6) !== 0;
  const family = familyOf(isIpv6);
  const start = startOf(isIpv6);
  identifyKey(KIND_CLIENT | family, start, client, NO_ADDRESS, 0, key + CLIENT);
  const id = load<u32>(flow + STAGED_TUNNEL_ID);
  const flowKind = KIND_FLOW | family |
    tunnelInKind(load<u32>(flow + STAGED_ABOUT) >>> TUNNEL_KIND_SHIFT, id);
  const port = load<u32>(flow + STAGED_PORT) | tunnelInPorts(id);
  identifyKey(flowKind, start, client, server, port, key + FLOW);
  const isOrdered = compare(start, client, server) <= 0;
  const one = isOrdered ? client : server;
  const other = isOrdered ? server : client;
  identifyKey(KIND_PEER | family, start, one, other, 0, key + PEER);
}

/** Makes the fingerprint of a key. */
// @inline
function identifyKey(
  kind: u32,
  start: usize,
  one: usize,
  other: usize,
  ports: u32,
  into: usize,
): void {
  store<u32>(into, firstOfKey(kind, start, one, other, ports));
  store<u32>(into + 4, secondOfKey(kind, start, one, other, ports));
}

// @inline
function firstOfKey(kind: u32, start: usize, one: usize, other: usize, ports: u32): u32 {
  const size = ADDRESS - start;
  const sum = sumForFirst(one + start, size, start) +
    sumForFirst(other + start, size, ADDRESS + start);
  return firstHalf(kind, ports, sum);
}

// @inline
function secondOfKey(kind: u32, start: usize, one: usize, other: usize, ports: u32): u32 {
  const size = ADDRESS - start;
  const sum = sumForSecond(one + start, size, start) +
    sumForSecond(other + start, size, ADDRESS + start);
  return secondHalf(kind, ports, sum);
}

function compare(start: usize, one: usize, other: usize): i32 {
  for (let word = start; word < ADDRESS; word += 4) {
    const difference = load<u32>(one + word) !== load<u32>(other + word);
    if (difference) return load<u32>(one + word) < load<u32>(other + word) ? -1 : 1;
  }
  return 0;
}

// @inline
function areEqual(one: usize, other: usize): bool {
  return load<u64>(one) === load<u64>(other) && load<u64>(one + 8) === load<u64>(other + 8);
}

/** Writes an observation; `b` is 0 where it has one address only. */
// @inline
function push(
  kind: u32,
  isIpv6: bool,
  a: usize,
  b: usize,
  ports: u32,
  about: u32,
  seconds: u32,
  tunnelId: u32 = 0,
): void {
  if (written === OBSERVATIONS_AT_ONCE) flushObservations();
  put(OBSERVATIONS, written++, kind, isIpv6, a, b, ports, about, seconds, tunnelId);
}

// @inline
function put(
  into: usize,
  place: u32,
  kind: u32,
  isIpv6: bool,
  a: usize,
  b: usize,
  ports: u32,
  about: u32,
  seconds: u32,
  tunnelId: u32,
): void {
  const at = into + <usize> (place * OBSERVATION_WORDS) * 4;
  store<u32>(at + WORD_KIND * 4, kind | familyOf(isIpv6));
  store<u64>(at + WORD_A * 4, load<u64>(a));
  store<u64>(at + WORD_A * 4 + 8, load<u64>(a + 8));
  store<u64>(at + WORD_B * 4, b === 0 ? 0 : load<u64>(b));
  store<u64>(at + WORD_B * 4 + 8, b === 0 ? 0 : load<u64>(b + 8));
  store<u32>(at + WORD_PORTS * 4, ports);
  store<u32>(at + WORD_ABOUT * 4, about);
  store<u32>(at + WORD_SECONDS * 4, seconds);
  store<u32>(at + WORD_TUNNEL * 4, tunnelId);
}
