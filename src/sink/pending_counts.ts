import { IDENTITY_WORDS } from "../model/observation_batch.ts";

/** 32-bit words of one pending key: its identity, its count, its hash. */
export const PENDING_WORDS = IDENTITY_WORDS + 2;
/** The word that says how many observations of the key are pending. */
export const WORD_COUNT = IDENTITY_WORDS;
const WORD_HASH = IDENTITY_WORDS + 1;

/** Entries to begin with: what a quiet network needs, and a quarter of a megabyte. */
const LEAST_CAPACITY = 4096;
/** A table that is empty again gives its memory back when it had grown beyond this many entries. */
const KEPT_CAPACITY = 1 << 16;
/** Twice as many slots as entries keep the runs of occupied slots short. */
const SLOTS_PER_ENTRY = 2;
/** Part of the slots that may be used, those of entries that were taken included. */
const FULLEST = 3 / 4;

/**
 * Keys that wait to be written, each once, with the number of its observations.
 *
 * First in, first out, and bounded: when it is full, the oldest key makes room, because it is the
 * one that will be outdated first. Keys are compared as numbers (the identity words of an
 * observation), so no text is made for a key that is sighted again.
 */
export class PendingCounts {
  readonly #maxKeys: number;
  /** Different for each table, so that nobody can choose addresses that all meet in one slot. */
  readonly #seed = Math.floor(Math.random() * 0x1_0000_0000);
  /** A ring of entries: `#size` of them from `#head` on. */
  #entries!: Uint32Array;
  /**
   * Open addressing with linear probing: the index of an entry and 1, or 0. The slot of an entry
   * that was taken stays as it is; whether an entry is still there is seen from its index.
   */
  #slots!: Int32Array;
  #usedSlots = 0;
  #capacity!: number;
  #head = 0;
  #size = 0;
  #total = 0;

  /** @param maxKeys How many different keys may wait. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
    this.#allocate(LEAST_CAPACITY);
  }

  /** How many keys wait. */
  get size(): number {
    return this.#size;
  }

  /** How many observations of them. */
  get total(): number {
    return this.#total;
  }

  get isFull(): boolean {
    return this.#size >= this.#maxKeys;
  }

  /**
   * Adds observations of one key.
   *
   * @param words Holds the identity words of an observation.
   * @param offset Where they begin.
   * @returns How many observations were dropped to make room.
   */
  add(words: Uint32Array, offset: number, count: number): number {
    const hash = this.#hash(words, offset);
    if (this.#raise(words, offset, hash, count)) return 0;
    const dropped = this.isFull ? this.#dropOldest() : 0;
    this.#append(words, offset, hash, count);
    return dropped;
  }

  /**
   * Adds what was taken and could not be written. It is older than all that wait, so when there is
   * no room it is what is dropped.
   *
   * @returns How many observations were dropped.
   */
  putBack(words: Uint32Array, offset: number): number {
    const hash = words[offset + WORD_HASH];
    const count = words[offset + WORD_COUNT];
    if (this.#raise(words, offset, hash, count)) return 0;
    if (this.isFull) return count;
    this.#append(words, offset, hash, count);
    return 0;
  }

  /**
   * Takes the oldest keys out.
   *
   * @param into Gets `PENDING_WORDS` for each, and must have room for them.
   * @param most How many, at most.
   * @returns How many there are.
   */
  take(into: Uint32Array, most: number): number {
    const taken = Math.min(this.#size, most);
    const beforeWrap = Math.min(taken, this.#capacity - this.#head);
    const start = this.#head * PENDING_WORDS;
    into.set(this.#entries.subarray(start, start + beforeWrap * PENDING_WORDS));
    const rest = this.#entries.subarray(0, (taken - beforeWrap) * PENDING_WORDS);
    into.set(rest, beforeWrap * PENDING_WORDS);
    for (let i = 0; i < taken; i++) this.#total -= into[i * PENDING_WORDS + WORD_COUNT];
    this.#removeOldest(taken);
    return taken;
  }

  #allocate(capacity: number): void {
    this.#capacity = capacity;
    this.#entries = new Uint32Array(capacity * PENDING_WORDS);
    this.#slots = new Int32Array(capacity * SLOTS_PER_ENTRY);
    this.#usedSlots = 0;
    this.#head = 0;
  }

  #hash(words: Uint32Array, offset: number): number {
    let hash = this.#seed;
    for (let word = 0; word < IDENTITY_WORDS; word++) {
      // A round of MurmurHash3's 32-bit mixing: odd constants that spread every bit.
      hash = Math.imul(hash ^ words[offset + word], 0xcc9e2d51);
      hash = (hash << 15) | (hash >>> 17);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  /** Adds to the count of a key that waits already. */
  #raise(words: Uint32Array, offset: number, hash: number, count: number): boolean {
    const slots = this.#slots;
    const entries = this.#entries;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = slots[slot] - 1;
      const entry = index * PENDING_WORDS;
      if (
        entries[entry + WORD_HASH] === hash && this.#isThere(index) &&
        isSame(entries, entry, words, offset)
      ) {
        entries[entry + WORD_COUNT] += count;
        this.#total += count;
        return true;
      }
    }
    return false;
  }

  #isThere(index: number): boolean {
    return ((index - this.#head) & (this.#capacity - 1)) < this.#size;
  }

  #append(words: Uint32Array, offset: number, hash: number, count: number): void {
    if (this.#size === this.#capacity) this.#grow();
    else if (this.#usedSlots > this.#slots.length * FULLEST) this.#fillSlots();
    const index = (this.#head + this.#size) & (this.#capacity - 1);
    const entry = index * PENDING_WORDS;
    const entries = this.#entries;
    for (let word = 0; word < IDENTITY_WORDS; word++) entries[entry + word] = words[offset + word];
    entries[entry + WORD_COUNT] = count;
    entries[entry + WORD_HASH] = hash;
    this.#occupy(hash, index);
    this.#size++;
    this.#total += count;
  }

  #occupy(hash: number, index: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0 && this.#isThere(slots[slot] - 1)) slot = (slot + 1) & mask;
    if (slots[slot] === 0) this.#usedSlots++;
    slots[slot] = index + 1;
  }

  #grow(): void {
    const entries = this.#entries;
    const head = this.#head;
    this.#allocate(this.#capacity * 2);
    const first = entries.subarray(head * PENDING_WORDS);
    this.#entries.set(first);
    this.#entries.set(entries.subarray(0, head * PENDING_WORDS), first.length);
    this.#fillSlots();
  }

  /** Fills the slots again, from the entries that are there. */
  #fillSlots(): void {
    const slots = this.#slots.fill(0);
    const mask = slots.length - 1;
    for (let i = 0; i < this.#size; i++) {
      const index = (this.#head + i) & (this.#capacity - 1);
      let slot = this.#entries[index * PENDING_WORDS + WORD_HASH] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#usedSlots = this.#size;
  }

  #dropOldest(): number {
    const count = this.#entries[this.#head * PENDING_WORDS + WORD_COUNT];
    this.#total -= count;
    this.#removeOldest(1);
    return count;
  }

  #removeOldest(count: number): void {
    this.#head = (this.#head + count) & (this.#capacity - 1);
    this.#size -= count;
    if (this.#size > 0) return;
    if (this.#capacity > KEPT_CAPACITY) this.#allocate(LEAST_CAPACITY);
    else this.#fillSlots();
  }
}

function isSame(
  entries: Uint32Array,
  entry: number,
  words: Uint32Array,
  offset: number,
): boolean {
  for (let word = 0; word < IDENTITY_WORDS; word++) {
    if (entries[entry + word] !== words[offset + word]) return false;
  }
  return true;
}
