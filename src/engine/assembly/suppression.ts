/*
 * The keys that were written lately, which are suppressed: `suppressed_keys.ts` says more.
 */
import { AGES, FIRST_SUPPRESSED, FULL_AFTERWARDS } from "../layout";

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
// How full the set gets before it is swept.
const FULL: f64 = 0.7;
// By how many powers of two the set may get smaller at once.
const MOST_SHRUNK: u32 = 2;

// Where the set is, and room for it to be swept into.
let slots: usize = 0;
let otherSlots: usize = 0;
let limit: u32 = 0;
export let windowsSuppressed: u32 = 0;
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

/** Says where the set lies, and makes it empty. */
export function setUpSuppression(
  itsSlots: usize,
  itsOtherSlots: usize,
  itsLimit: u32,
  itsWindows: u32,
  firstWindow: u32,
): void {
  slots = itsSlots;
  otherSlots = itsOtherSlots;
  limit = itsLimit;
  windowsSuppressed = itsWindows;
  setWindow(firstWindow);
  clear(firstWindow);
}

/** Keys that were let go before their time because there were too many. */
export function forgottenKeysOf(): f64 {
  return forgottenKeys;
}

/** See `SuppressedKeys.admit`. */
export function admit(itsFirst: u32, itsSecond: u32, itsWindow: u32): u32 {
  if (itsWindow !== latest) advance(itsWindow);
  for (let bucket = itsFirst & mask;; bucket = (bucket + 1) & mask) {
    const at = slots + (<usize> bucket << BUCKET_SHIFT);
    for (let same = slotsWith(at, itsFirst); same !== 0; same &= same - 1) {
      const slot = slotAt(at, same);
      const word = load<u32>(slot + WORDS);
      if (word === 0 || ((word ^ itsSecond) & ~WINDOW_MASK) !== 0) continue;
      const age = ageOf(word);
      if (age < windowsSuppressed) return itsWindow - age + windowsSuppressed;
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
// @inline
function slotsWith(at: usize, word: u32): u32 {
  const wanted = i32x4.splat(word);
  return i32x4.bitmask(i32x4.eq(v128.load(at), wanted)) |
    (i32x4.bitmask(i32x4.eq(v128.load(at + 16), wanted)) << 4);
}

/** The first of some slots of a bucket. */
// @inline
function slotAt(bucket: usize, which: u32): usize {
  return bucket + (<usize> ctz(which) << 2);
}

function advance(itsWindow: u32): void {
  const silence = itsWindow - latest;
  setWindow(itsWindow);
  // After a long silence the ages of what is there can't be told, only that all of it is old.
  if (silence >= windowsSuppressed) return clear(itsWindow);
  for (let age: u32 = 0; age < silence; age++) store<u32>(countOf(itsWindow - age), 0);
  if (itsWindow - swept > LONGEST_UNSWEPT) sweep(itsWindow);
}

function setWindow(itsWindow: u32): void {
  latest = itsWindow;
  present = (itsWindow % WINDOWS) + 1;
  presentCount = countOf(itsWindow);
}

/** Where the keys of one of the windows are counted in which they are suppressed. */
// @inline
function countOf(itsWindow: u32): usize {
  return AGES + (<usize> (itsWindow % windowsSuppressed) << 2);
}

// @inline
function countOne(): void {
  store<u32>(presentCount, load<u32>(presentCount) + 1);
}

function clear(itsWindow: u32): void {
  setSize(FIRST_SUPPRESSED);
  memory.fill(AGES, 0, <usize> windowsSuppressed << 2);
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

/** Sweeps out what is no longer suppressed, and makes room for more if that was not enough. */
function sweep(itsWindow: u32): void {
  swept = itsWindow;
  const old = slots;
  const oldEnd = old + ((<usize> mask + 1) << BUCKET_SHIFT);
  const oldSize = (mask + 1) << SLOTS_SHIFT;
  // Ages below this are kept.
  let kept: u32 = 0;
  let end: u32 = 0;
  for (; end < windowsSuppressed; end++) kept += load<u32>(countOf(itsWindow - end));
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
  let size = isTooMany ? oldSize : max(FIRST_SUPPRESSED, oldSize >>> MOST_SHRUNK);
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

// @inline
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
// @inline
function ageOf(word: u32): u32 {
  const written = word & WINDOW_MASK;
  return written <= present ? present - written : present + WINDOWS - written;
}

/** Has the processor fetch where a key may be. @returns A number without a meaning, to be used. */
// @inline
export function fetchKey(itsFirst: u32): u32 {
  return load<u32>(slots + (<usize> (itsFirst & mask) << BUCKET_SHIFT));
}
