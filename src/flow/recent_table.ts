import type { Fingerprint } from "./fingerprint.ts";

/** Words of an entry: the two of its fingerprint, and two that its user gives a meaning. */
const ENTRY = 4;
/** Entries that may be in each other's place: together a cache line. */
const WAYS = 4;

/** Where an entry's own words are, counted from what {@linkcode RecentTable.find} gives. */
export const ENTRY_VALUE = 2;
/** Seconds since 1970-01-01 UTC, as their lower 32 bits. */
export const ENTRY_SECONDS = 3;

/**
 * Remembers something about many things in a fixed amount of memory. Where there is no room for
 * another one, the least worth of four others is forgotten.
 */
export abstract class RecentTable {
  readonly words: Int32Array;
  readonly #buckets: number;
  #isResident = false;

  /** @param buckets How many times four entries there are, a power of two. */
  constructor(buckets: number) {
    this.#buckets = buckets;
    this.words = new Int32Array(buckets * WAYS * ENTRY);
  }

  /** Which of two entries is worth less, by their offsets. */
  protected abstract isWorthLess(one: number, other: number): boolean;

  /** When an entry was changed last. The words are signed: times are so from 2038 on as well. */
  protected secondsOf(at: number): number {
    return this.words[at + ENTRY_SECONDS] >>> 0;
  }

  /** The offset of the entry with this fingerprint, or -1. */
  find(fingerprint: Fingerprint): number {
    const { words } = this;
    const { first, second } = fingerprint;
    const bucket = this.#bucket(first);
    for (let at = bucket; at < bucket + WAYS * ENTRY; at += ENTRY) {
      if (words[at] === first && words[at + 1] === second) return at;
    }
    return -1;
  }

  /** The offset of the entry with this fingerprint, made with a value of 0 if there is none. */
  findOrAdd(fingerprint: Fingerprint): number {
    if (!this.#isResident) this.#makeResident();
    const found = this.find(fingerprint);
    if (found >= 0) return found;
    const { words } = this;
    let place = this.#bucket(fingerprint.first);
    for (let at = place + ENTRY, way = 1; way < WAYS; way++, at += ENTRY) {
      if (this.isWorthLess(at, place)) place = at;
    }
    words[place] = fingerprint.first;
    words[place + 1] = fingerprint.second;
    words[place + ENTRY_VALUE] = 0;
    words[place + ENTRY_SECONDS] = 0;
    return place;
  }

  /**
   * Has the processor fetch what finding these fingerprints will need, all at the same time.
   *
   * @returns A number without a meaning, to be used somewhere, or the loads are optimized away.
   */
  prefetch(firstHalves: Int32Array, count: number): number {
    if (!this.#isResident) this.#makeResident();
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= this.words[this.#bucket(firstHalves[i])];
    return sum;
  }

  /** Not before it is used: see `residentWords`, and most tables that are made remember nothing. */
  #makeResident(): void {
    this.words.fill(0);
    this.#isResident = true;
  }

  #bucket(first: number): number {
    return (first & (this.#buckets - 1)) * WAYS * ENTRY;
  }
}
