/*
 * What is known by 64 bits of a fingerprint, in a table of fixed size: each thing with a value, and when it
 * was changed last. What is found in it, and what makes room when it is full, depends on the order of
 * things and on nothing else: the hash only says where to look. So a capture that is read again has the
 * same again, and nobody can choose what meets.
 *
 * Things have a rank, and are in a list by age with others of it. Each rank has a quarter of the table for
 * itself, so that what is new can become worth something; beyond that the lowest makes room first, and
 * of a rank what was not changed for longest.
 */

/** Ranks from 0: fewer than there are quarters, so that one of them has more than its own. */
const RANKS: u32 = 3;
const QUARTER_SHIFT: u32 = 2;

// A table begins with these: where chains of entries begin, and entries; how many there may be and were
// given; a list of free ones; how many were forgotten; for each rank the oldest, the newest, how many.
const HEADS: usize = 0;
const ENTRIES: usize = 4;
const LIMIT: usize = 8;
const GIVEN: usize = 12;
const FREE: usize = 16;
const FORGOTTEN: usize = 24;
const LISTS: usize = 32;
const LIST_SHIFT: usize = 4;
const LIST_NEWEST: usize = 4;
const LIST_COUNT: usize = 8;
const TABLE: usize = 128;

// An entry: its fingerprint, its value, seconds since 1970-01-01 UTC as their lower 32 bits, neighbours in
// the list by age, the next in its chain or among the free ones, its rank. Neighbours are addresses.
const KEY: usize = 0;
const VALUE: usize = 8;
const SECONDS: usize = 12;
const OLDER: usize = 16;
const NEWER: usize = 20;
const NEXT: usize = 24;
const RANK: usize = 28;
const ENTRY: usize = 32;
/** In the place of a rank: in no list yet. */
const UNLISTED: u32 = RANKS;

/**
 * Says where a table lies, which is empty then.
 *
 * @param limit How many things there may be: a power of two. It takes 128 bytes, 4 for each, and 32 for each.
 */
export function setUpTable(table: usize, limit: u32): void {
  store<u32>(table + HEADS, <u32> (table + TABLE));
  store<u32>(table + ENTRIES, <u32> (table + TABLE + (<usize> limit << 2)));
  store<u32>(table + LIMIT, limit);
}

/** Has the system give memory for the chains at once: see `setSize` of `suppression.ts`. */
export function fillChains(table: usize): void {
  memory.fill(load<u32>(table + HEADS), 0, <usize> load<u32>(table + LIMIT) << 2);
}

/** How many things were forgotten to make room. */
export function forgottenOf(table: usize): f64 {
  return load<f64>(table + FORGOTTEN);
}

/** Where the chain begins in which a thing is. */
// @inline
export function chainOf(table: usize, first: u32): usize {
  return <usize> load<u32>(table + HEADS) +
    (<usize> (first & (load<u32>(table + LIMIT) - 1)) << 2);
}

/** The entry that is first in the chain, for whoever has its memory fetched; 0 if there is none. */
// @inline
export function firstIn(chain: usize): usize {
  return load<u32>(chain);
}

/** The entry after this one in its chain; 0 if there is none. */
// @inline
export function nextOf(at: usize): usize {
  return load<u32>(at + NEXT);
}

/** Has the processor fetch what {@linkcode add} needs to make room for so many. */
export function fetchLeast(table: usize, count: u32): u32 {
  if (!isFull(table)) return 0;
  let loaded: u32 = 0;
  const oldest = leastOf(table);
  let at = oldest;
  for (let left = count; left !== 0 && at !== 0; left--) {
    loaded ^= load<u32>(chainOf(table, load<u32>(at + KEY)));
    at = load<u32>(at + NEWER);
  }
  at = oldest;
  for (let left = count; left !== 0 && at !== 0; left--) {
    const first = firstIn(chainOf(table, load<u32>(at + KEY)));
    loaded ^= load<u32>(select(table, first + NEXT, first === 0));
    at = load<u32>(at + NEWER);
  }
  return loaded;
}

/** The entry with a fingerprint, or 0. */
// @inline
export function find(table: usize, first: u32, second: u32): usize {
  const key = keyOf(first, second);
  let at: usize = load<u32>(chainOf(table, first));
  while (at !== 0 && load<u64>(at + KEY) !== key) at = load<u32>(at + NEXT);
  return at;
}

// @inline
function keyOf(first: u32, second: u32): u64 {
  return <u64> first | (<u64> second << 32);
}

/**
 * Adds what is not there, with a value of 0 that was changed at 0. {@linkcode change} is to follow, which
 * says its rank. It makes room if there is none.
 */
export function add(table: usize, first: u32, second: u32): usize {
  if (isFull(table)) forget(table, leastOf(table));
  let at: usize = load<u32>(table + FREE);
  if (at !== 0) {
    store<u32>(table + FREE, load<u32>(at + NEXT));
  } else {
    const given = load<u32>(table + GIVEN);
    store<u32>(table + GIVEN, given + 1);
    at = <usize> load<u32>(table + ENTRIES) + <usize> given * ENTRY;
  }
  const chain = chainOf(table, first);
  store<u64>(at + KEY, keyOf(first, second));
  store<u64>(at + VALUE, 0);
  store<u32>(at + NEXT, load<u32>(chain));
  store<u32>(at + RANK, UNLISTED);
  store<u32>(chain, <u32> at);
  return at;
}

/** Whether something has to be forgotten before anything can be added. */
// @inline
export function isFull(table: usize): bool {
  return load<u32>(table + FREE) === 0 && load<u32>(table + GIVEN) === load<u32>(table + LIMIT);
}

/** An entry's value. */
// @inline
export function valueOf(at: usize): u32 {
  return load<u32>(at + VALUE);
}

/** Gives it another one, which does not make it newer. */
// @inline
export function setValue(at: usize, value: u32): void {
  store<u32>(at + VALUE, value);
}

/** Since an entry was changed last; negative where time went back. */
// @inline
export function secondsSince(at: usize, seconds: u32): i64 {
  return <i64> seconds - <i64> load<u32>(at + SECONDS);
}

/** Gives an entry a value, a time and a rank. It is the newest of that rank, but for others of its second. */
// @inline
export function change(table: usize, at: usize, value: u32, seconds: u32, rank: u32): void {
  const before = load<u32>(at + RANK);
  store<u32>(at + VALUE, value);
  // Most of what is changed was changed in this second.
  if (rank === before && load<u32>(at + SECONDS) === seconds) return;
  store<u32>(at + SECONDS, seconds);
  if (before !== UNLISTED) unlink(table, at);
  link(table, at, rank);
}

/** The oldest of a rank, or 0. */
// @inline
export function oldestOf(table: usize, rank: u32): usize {
  return load<u32>(listOf(table, rank));
}

/** Takes an entry out, for want of room. */
export function forget(table: usize, at: usize): void {
  remove(table, at);
  store<f64>(table + FORGOTTEN, load<f64>(table + FORGOTTEN) + 1);
}

/** Takes an entry out. */
export function remove(table: usize, at: usize): void {
  unlink(table, at);
  let word = chainOf(table, load<u32>(at + KEY));
  while (load<u32>(word) !== <u32> at) word = <usize> load<u32>(word) + NEXT;
  store<u32>(word, load<u32>(at + NEXT));
  store<u32>(at + NEXT, load<u32>(table + FREE));
  store<u32>(table + FREE, <u32> at);
}

/** What makes room: the oldest of the lowest rank that has more than its quarter. */
function leastOf(table: usize): usize {
  const quarter = load<u32>(table + LIMIT) >>> QUARTER_SHIFT;
  let rank: u32 = 0;
  while (rank < RANKS - 1 && load<u32>(listOf(table, rank) + LIST_COUNT) <= quarter) rank++;
  return oldestOf(table, rank);
}

// @inline
function listOf(table: usize, rank: u32): usize {
  return table + LISTS + (<usize> rank << LIST_SHIFT);
}

/** Puts an entry at the end of the list of a rank. */
function link(table: usize, at: usize, rank: u32): void {
  const list = listOf(table, rank);
  const newest: usize = load<u32>(list + LIST_NEWEST);
  store<u32>(at + OLDER, <u32> newest);
  store<u32>(at + NEWER, 0);
  store<u32>(at + RANK, rank);
  store<u32>(newest === 0 ? list : newest + NEWER, <u32> at);
  store<u32>(list + LIST_NEWEST, <u32> at);
  store<u32>(list + LIST_COUNT, load<u32>(list + LIST_COUNT) + 1);
}

/** Takes an entry out of its list. */
function unlink(table: usize, at: usize): void {
  const list = listOf(table, load<u32>(at + RANK));
  const older: usize = load<u32>(at + OLDER);
  const newer: usize = load<u32>(at + NEWER);
  store<u32>(older === 0 ? list : older + NEWER, <u32> newer);
  store<u32>(newer === 0 ? list + LIST_NEWEST : newer + OLDER, <u32> older);
  store<u32>(list + LIST_COUNT, load<u32>(list + LIST_COUNT) - 1);
}
