/*
 * The inner loops of `held_keys.ts` and `key_writer.ts`, in AssemblyScript, as src/sieve/assembly is:
 * `deno task wasm` makes `key_program.ts` of it. These two say what lies where in its memory.
 */

import { firstHalf, secondHalf, setSecrets, sumForFirst, sumForSecond } from "./fingerprint";

// A bucket is a cache line of eight slots: of each 32 bits of a fingerprint, then of each a word with 24
// more of them and the window. So all eight are compared at once, without a branch for each.
const BUCKET_SHIFT: usize = 6;
const SLOTS_SHIFT: u32 = 3;
const WORDS: usize = 32;
const WINDOW_MASK: u32 = 0xff;
// Windows are kept modulo this, plus 1, so that a slot in use is never 0.
const WINDOWS: u32 = 255;
// After so many windows what is old is swept, before its window can be taken for a new one.
const LONGEST_UNSWEPT: u32 = 200;
const FIRST_SIZE: u32 = 1 << 10;
// How full the set gets before it is swept, and how full it may be after that.
const FULL: f64 = 0.7;
const FULL_AFTERWARDS: f64 = 0.45;
// By how many powers of two the set may get smaller at once.
const MOST_SHRUNK: u32 = 2;

/** Flows that are asked about at once: `key_writer.ts` has the same. */
export const FLOWS_AT_ONCE: u32 = 128;
// A staged flow: client and server, then these.
const STAGED: usize = 64;
const STAGED_SERVER: usize = 16;
const STAGED_PORT: usize = 32;
const STAGED_ABOUT: usize = 36;
const STAGED_FLAGS: usize = 40;
const STAGED_UNTIL: usize = 44;
const STAGED_SECONDS: usize = 48;
const IS_IPV6: u32 = 1;
const IS_IGNORED: u32 = 2;
const ADDRESS: usize = 16;
/** An IPv4 address is in the last word; words are hashed in pairs. */
const IPV4_START: usize = ADDRESS - 8;
/** Four words of 0, which nothing else is put into. */
const NO_ADDRESS: usize = 0;

// The keys of a flow that are held back. Both peer keys are written together always, so one of them
// stands for both.
const CLIENT: usize = 0;
const FLOW: usize = 8;
const PEER: usize = 16;
const KEYS: usize = 24;

// `src/flow/observation_batch.ts`.
const KIND_CLIENT: u32 = 1;
export const KIND_FLOW: u32 = 2;
const KIND_PEER: u32 = 3;
const IPV6_BIT: u32 = 1 << 8;
const OBSERVATION: usize = 48;
const WORD_KIND: usize = 0;
const WORD_A: usize = 4;
const WORD_B: usize = 20;
const WORD_PORTS: usize = 36;
const WORD_ABOUT: usize = 40;
const WORD_SECONDS: usize = 44;

// Where things are, as `setUpKeys` was told.
let slots: usize = 0;
let otherSlots: usize = 0;
let ages: usize = 0;
let stagedFlows: usize = 0;
let fingerprints: usize = 0;
let observations: usize = 0;
let flowsBy: usize = 0;

let limit: u32 = 0;
let windowsHeld: u32 = 0;
// Of numbers of buckets.
let mask: u32 = 0;
let used: u32 = 0;
let most: u32 = 0;
let swept: u32 = 0;
let latest: u32 = 0;
// What the latest window is in a slot, and where its keys are counted.
let present: u32 = 0;
let presentCount: usize = 0;
let forgottenKeys: f64 = 0;

// What is written next belongs to this window. `written` is how many observations there are.
let window: u32 = 0;
let written: u32 = 0;
let sum: u32 = 0;

/** Says where things lie, and makes the set empty. */
export function setUpKeys(
  itsSlots: usize,
  itsOtherSlots: usize,
  itsAges: usize,
  itsLimit: u32,
  itsWindowsHeld: u32,
  firstWindow: u32,
  secrets: usize,
): void {
  setSecrets(secrets);
  slots = itsSlots;
  otherSlots = itsOtherSlots;
  ages = itsAges;
  limit = itsLimit;
  windowsHeld = itsWindowsHeld;
  setWindow(firstWindow);
  clear(firstWindow);
}

/** The same for what {@linkcode commit} needs besides. */
export function setUpWriter(
  staged: usize,
  itsFingerprints: usize,
  itsObservations: usize,
  itsFlowsBy: usize,
): void {
  stagedFlows = staged;
  fingerprints = itsFingerprints;
  observations = itsObservations;
  flowsBy = itsFlowsBy;
}

/** Keys that were let go before their time because too many were held. */
export function forgotten(): f64 {
  return forgottenKeys;
}

/** See `HeldKeys.admit`. */
export function admit(itsFirst: u32, itsSecond: u32, itsWindow: u32): u32 {
  if (itsWindow !== latest) advance(itsWindow);
  for (let bucket = itsFirst & mask;; bucket = (bucket + 1) & mask) {
    const at = slots + (<usize> bucket << BUCKET_SHIFT);
    for (let same = slotsWith(at, itsFirst); same !== 0; same &= same - 1) {
      const slot = slotAt(at, same);
      const word = load<u32>(slot + WORDS);
      if (word === 0 || ((word ^ itsSecond) & ~WINDOW_MASK) !== 0) continue;
      const age = ageOf(word);
      if (age < windowsHeld) return itsWindow - age + windowsHeld;
      store<u32>(slot + WORDS, (itsSecond & ~WINDOW_MASK) | present);
      countOne();
      return 0;
    }
    const free = slotsWith(at + WORDS, 0);
    if (free === 0) continue;
    const slot = slotAt(at, free);
    store<u32>(slot, itsFirst);
    store<u32>(slot + WORDS, (itsSecond & ~WINDOW_MASK) | present);
    countOne();
    if (++used > most) sweep(itsWindow);
    return 0;
  }
}

/** Which of eight words are this one, as bits. */
@inline
function slotsWith(at: usize, word: u32): u32 {
  const wanted = i32x4.splat(word);
  return i32x4.bitmask(i32x4.eq(v128.load(at), wanted)) |
    (i32x4.bitmask(i32x4.eq(v128.load(at + 16), wanted)) << 4);
}

/** The first of some slots of a bucket. */
@inline
function slotAt(bucket: usize, which: u32): usize {
  return bucket + (<usize> ctz(which) << 2);
}

function advance(itsWindow: u32): void {
  const silence = itsWindow - latest;
  setWindow(itsWindow);
  // After a long silence the ages of what is there can't be told, only that all of it is old.
  if (silence >= windowsHeld) return clear(itsWindow);
  for (let age: u32 = 0; age < silence; age++) store<u32>(countOf(itsWindow - age), 0);
  if (itsWindow - swept > LONGEST_UNSWEPT) sweep(itsWindow);
}

function setWindow(itsWindow: u32): void {
  latest = itsWindow;
  present = (itsWindow % WINDOWS) + 1;
  presentCount = countOf(itsWindow);
}

/** Where the keys of one of the windows are counted in which they are held back. */
@inline
function countOf(itsWindow: u32): usize {
  return ages + (<usize> (itsWindow % windowsHeld) << 2);
}

@inline
function countOne(): void {
  store<u32>(presentCount, load<u32>(presentCount) + 1);
}

function clear(itsWindow: u32): void {
  setSize(FIRST_SIZE);
  memory.fill(ages, 0, <usize> windowsHeld << 2);
  used = 0;
  swept = itsWindow;
}

function setSize(size: u32): void {
  // All of it: what is read first and written later takes two page faults, and the second one
  // interrupts all processors that run the program.
  const buckets = size >>> SLOTS_SHIFT;
  memory.fill(slots, 0, <usize> buckets << BUCKET_SHIFT);
  mask = buckets - 1;
  most = <u32> (<f64> size * FULL);
}

/** Sweeps out what is no longer held, and makes room for more if that was not enough. */
function sweep(itsWindow: u32): void {
  swept = itsWindow;
  const old = slots;
  const oldEnd = old + ((<usize> mask + 1) << BUCKET_SHIFT);
  const oldSize = (mask + 1) << SLOTS_SHIFT;
  // Ages below this are kept.
  let kept: u32 = 0;
  let end: u32 = 0;
  for (; end < windowsHeld; end++) kept += load<u32>(countOf(itsWindow - end));
  let isTooMany = false;
  while (kept > limit && end > 0) {
    isTooMany = true;
    end--;
    const count = countOf(itsWindow - end);
    const given = load<u32>(count);
    store<u32>(count, 0);
    forgottenKeys += <f64> given;
    kept -= given;
  }
  // Not much smaller than before: as many may come again, and do where there were too many.
  let size = isTooMany ? oldSize : max(FIRST_SIZE, oldSize >>> MOST_SHRUNK);
  while (<f64> kept > <f64> size * FULL_AFTERWARDS) size *= 2;
  used = kept;
  if (kept === 0) return setSize(size);
  slots = otherSlots;
  otherSlots = old;
  setSize(size);
  for (let bucket = old; bucket < oldEnd; bucket += 1 << BUCKET_SHIFT) {
    for (let at = bucket; at < bucket + WORDS; at += 4) {
      const word = load<u32>(at + WORDS);
      if (word !== 0 && ageOf(word) < end) keep(load<u32>(at), word);
    }
  }
}

@inline
function keep(itsFirst: u32, word: u32): void {
  for (let bucket = itsFirst & mask;; bucket = (bucket + 1) & mask) {
    const at = slots + (<usize> bucket << BUCKET_SHIFT);
    const free = slotsWith(at + WORDS, 0);
    if (free === 0) continue;
    const slot = slotAt(at, free);
    store<u32>(slot, itsFirst);
    store<u32>(slot + WORDS, word);
    return;
  }
}

/** How many windows ago the key of this slot word was written. */
@inline
function ageOf(word: u32): u32 {
  const written = word & WINDOW_MASK;
  return written <= present ? present - written : present + WINDOWS - written;
}

/**
 * Stages a flow, whose keys are client, both peers, and the flow unless it is ignored.
 *
 * @param place Which of those that are asked about at once.
 * @param about What decided it and the protocol, as in an observation's `WORD_ABOUT`.
 * @param seconds When it was seen.
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
): void {
  const flow = stagedFlows + <usize> place * STAGED;
  v128.store(flow, v128.load(client));
  v128.store(flow + STAGED_SERVER, v128.load(server));
  store<u32>(flow + STAGED_PORT, port);
  store<u32>(flow + STAGED_ABOUT, about);
  store<u32>(flow + STAGED_SECONDS, seconds);
  store<u32>(flow + STAGED_FLAGS, (isIpv6 ? IS_IPV6 : 0) | (isIgnored ? IS_IGNORED : 0));
}

/** The window in which one of the keys of a flow may be written again that was committed last. */
export function untilOf(place: u32): u32 {
  return load<u32>(stagedFlows + <usize> place * STAGED + STAGED_UNTIL);
}

/**
 * Writes the keys of the first `count` staged flows that are not held back.
 *
 * @param observed How many observations there are.
 * @returns How many there are afterwards.
 */
export function commit(count: u32, observed: u32, itsWindow: u32): u32 {
  window = itsWindow;
  written = observed;
  let key = fingerprints;
  const end = stagedFlows + <usize> count * STAGED;
  for (let flow = stagedFlows; flow < end; flow += STAGED, key += KEYS) identifyFlow(flow, key);
  // All at the same time: asking about a key is mostly waiting for memory.
  let loaded: u32 = 0;
  for (let at = fingerprints; at < key; at += 8) {
    loaded ^= load<u32>(slots + (<usize> (load<u32>(at) & mask) << BUCKET_SHIFT));
  }
  sum ^= loaded;
  key = fingerprints;
  for (let flow = stagedFlows; flow < end; flow += STAGED, key += KEYS) commitFlow(flow, key);
  return written;
}

/** Asks about an observation's key as {@linkcode admit} does, by those of its words that tell it from others. */
export function admitObservation(observation: usize, itsWindow: u32): u32 {
  const kind = load<u32>(observation + WORD_KIND);
  const start: usize = (kind & IPV6_BIT) !== 0 ? 0 : IPV4_START;
  const ports = load<u32>(observation + WORD_PORTS);
  const a = observation + WORD_A;
  const b = observation + WORD_B;
  const first = firstOfKey(kind, start, a, b, ports);
  return admit(first, secondOfKey(kind, start, a, b, ports), itsWindow);
}

function commitFlow(flow: usize, key: usize): void {
  const client = flow;
  const server = flow + ADDRESS;
  const flags = load<u32>(flow + STAGED_FLAGS);
  const isIpv6 = (flags & IS_IPV6) !== 0;
  const seconds = load<u32>(flow + STAGED_SECONDS);
  const clientHeld = admitAt(key + CLIENT);
  if (clientHeld === 0) push(KIND_CLIENT, isIpv6, client, 0, 0, 0, seconds);
  let until = nextWindow(clientHeld);
  if ((flags & IS_IGNORED) === 0) {
    const flowHeld = admitAt(key + FLOW);
    if (flowHeld === 0) {
      const about = load<u32>(flow + STAGED_ABOUT);
      const port = load<u32>(flow + STAGED_PORT);
      push(KIND_FLOW, isIpv6, client, server, port, about, seconds);
      const by = flowsBy + (<usize> (about & 0xff) << 3);
      store<f64>(by, load<f64>(by) + 1);
    }
    until = min(until, nextWindow(flowHeld));
  }
  const peerHeld = admitAt(key + PEER);
  if (peerHeld === 0) {
    push(KIND_PEER, isIpv6, client, server, 0, 0, seconds);
    // An address that talks with itself has one peer key: both ways are the same.
    if (!areEqual(client, server)) push(KIND_PEER, isIpv6, server, client, 0, 0, seconds);
  }
  store<u32>(flow + STAGED_UNTIL, min(until, nextWindow(peerHeld)));
}

@inline
function admitAt(key: usize): u32 {
  return admit(load<u32>(key), load<u32>(key + 4), window);
}

@inline
function nextWindow(held: u32): u32 {
  return held === 0 ? window + windowsHeld : held;
}

/** Makes the fingerprints of the keys of a staged flow: an observation's kind, addresses and ports. */
function identifyFlow(flow: usize, key: usize): void {
  const client = flow;
  const server = flow + ADDRESS;
  const isIpv6 = (load<u32>(flow + STAGED_FLAGS) & IS_IPV6) !== 0;
  const family = isIpv6 ? IPV6_BIT : 0;
  const start: usize = isIpv6 ? 0 : IPV4_START;
  identifyKey(KIND_CLIENT | family, start, client, NO_ADDRESS, 0, key + CLIENT);
  const port = load<u32>(flow + STAGED_PORT);
  identifyKey(KIND_FLOW | family, start, client, server, port, key + FLOW);
  const isOrdered = compare(start, client, server) <= 0;
  const one = isOrdered ? client : server;
  const other = isOrdered ? server : client;
  identifyKey(KIND_PEER | family, start, one, other, 0, key + PEER);
}

/** Makes the fingerprint of a key. */
@inline
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

@inline
function firstOfKey(kind: u32, start: usize, one: usize, other: usize, ports: u32): u32 {
  const size = ADDRESS - start;
  const sum = sumForFirst(one + start, size, start) +
    sumForFirst(other + start, size, ADDRESS + start);
  return firstHalf(kind, ports, sum);
}

@inline
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

@inline
function areEqual(one: usize, other: usize): bool {
  return load<u64>(one) === load<u64>(other) && load<u64>(one + 8) === load<u64>(other + 8);
}

/** Writes an observation; `b` is 0 where it has one address only. */
@inline
function push(
  kind: u32,
  isIpv6: bool,
  a: usize,
  b: usize,
  ports: u32,
  about: u32,
  seconds: u32,
): void {
  putObservation(observations, written++, kind, isIpv6, a, b, ports, about, seconds);
}

/** The same anywhere, as one of others. */
@inline
export function putObservation(
  into: usize,
  place: u32,
  kind: u32,
  isIpv6: bool,
  a: usize,
  b: usize,
  ports: u32,
  about: u32,
  seconds: u32,
): void {
  const at = into + <usize> place * OBSERVATION;
  store<u32>(at + WORD_KIND, isIpv6 ? kind | IPV6_BIT : kind);
  store<u64>(at + WORD_A, load<u64>(a));
  store<u64>(at + WORD_A + 8, load<u64>(a + 8));
  store<u64>(at + WORD_B, b === 0 ? 0 : load<u64>(b));
  store<u64>(at + WORD_B + 8, b === 0 ? 0 : load<u64>(b + 8));
  store<u32>(at + WORD_PORTS, ports);
  store<u32>(at + WORD_ABOUT, about);
  store<u32>(at + WORD_SECONDS, seconds);
}
