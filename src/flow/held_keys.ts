import type { Fingerprint } from "./fingerprint.ts";
import { residentWords } from "./resident_words.ts";

/** A key is held back in the window in which it was written and the two after it. */
export const WINDOWS_HELD = 3;
/** Seconds of a window. */
export const WINDOW_SECONDS = 30;
/** The first window that can be given. */
export const FIRST_WINDOW = 1000;

const FIRST_SIZE = 1 << 10;
/** How full the set gets before it is swept, and how full it may be after that. */
const FULL = 0.7;
const FULL_AFTERWARDS = 0.45;

/** A slot is two words: 32 bits of a fingerprint, then 24 more of them and the window. */
const SLOT = 2;
const WINDOW_MASK = 0xff;
/** Windows are kept modulo this, plus 1, so that a slot in use is never 0. */
const WINDOWS = 255;
/** After so many windows what is old is swept, before its window can be taken for a new one. */
const LONGEST_UNSWEPT = 200;

/**
 * The keys that were written lately, so that a busy flow costs one write in 60 to 90 seconds
 * (three rotating windows of 30 s, as the Redis contract has it): a hash set with open addressing.
 *
 * A key is known by 56 bits of its fingerprint. That two keys have the same, and one is held back
 * for a minute because of the other, happens once in 10^10 keys with a million of them in the set; in
 * return a key is 8 bytes, and asking about one is mostly one wait for memory.
 */
export class HeldKeys {
  /** Keys that were let go before their time because too many were held. */
  forgotten = 0;
  readonly #limit: number;
  readonly #windows: number;
  #slots = residentWords(FIRST_SIZE * SLOT);
  #mask = FIRST_SIZE - 1;
  #used = 0;
  #swept = FIRST_WINDOW;
  #latest = FIRST_WINDOW;

  /**
   * @param limit How many keys are held at most after a sweep, and about twice as many before it.
   * Above it the oldest are let go, which costs writes that were not needed, and loses nothing.
   * @param windows In how many windows a key is held back, that in which it was written included.
   */
  constructor(limit: number, windows: number = WINDOWS_HELD) {
    this.#limit = limit;
    this.#windows = windows;
  }

  /**
   * Asks whether a key may be written in this window. If so, it counts as written.
   *
   * @param first The first half of its fingerprint.
   * @param second The second half.
   * @param window At least {@linkcode FIRST_WINDOW}, and never less than in an earlier call.
   * @returns 0 if it may be written, otherwise the window in which it may.
   */
  admit(first: number, second: number, window: number): number {
    if (window !== this.#latest) this.#advance(window);
    const slots = this.#slots;
    const mask = this.#mask;
    const now = (window % WINDOWS) + 1;
    for (let slot = first & mask;; slot = (slot + 1) & mask) {
      const at = slot * SLOT;
      const word = slots[at + 1];
      if (word === 0) {
        slots[at] = first;
        slots[at + 1] = (second & ~WINDOW_MASK) | now;
        if (++this.#used > mask * FULL) this.#sweep(window);
        return 0;
      }
      if (slots[at] !== first || ((word ^ second) & ~WINDOW_MASK) !== 0) continue;
      const age = ageOf(word, window);
      if (age < this.#windows) return window - age + this.#windows;
      slots[at + 1] = (second & ~WINDOW_MASK) | now;
      return 0;
    }
  }

  /** The same for a fingerprint that was just made. */
  admitKey(key: Fingerprint, window: number): number {
    return this.admit(key.first, key.second, window);
  }

  /**
   * Has the processor fetch what asking about these keys will need, all at the same time.
   *
   * @returns A number without a meaning, to be used somewhere, or the loads are optimized away.
   */
  prefetch(firsts: Int32Array, count: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= slots[(firsts[i] & mask) * SLOT];
    return sum;
  }

  #advance(window: number): void {
    // After a long silence the ages of what is there can't be told, only that all of it is old.
    if (window - this.#latest >= this.#windows) this.#clear(window);
    else if (window - this.#swept > LONGEST_UNSWEPT) this.#sweep(window);
    this.#latest = window;
  }

  #clear(window: number): void {
    this.#slots = residentWords(FIRST_SIZE * SLOT);
    this.#mask = FIRST_SIZE - 1;
    this.#used = 0;
    this.#swept = window;
  }

  /** Sweeps out what is no longer held, and makes room for more if that was not enough. */
  #sweep(window: number): void {
    this.#swept = window;
    let oldest = this.#windows - 1;
    const byAge = this.#countByAge(window);
    const countTo = (age: number) => byAge.slice(0, age + 1).reduce((sum, count) => sum + count, 0);
    let kept = countTo(oldest);
    while (kept > this.#limit && oldest >= 0) {
      oldest--;
      this.forgotten += kept - countTo(oldest);
      kept = countTo(oldest);
    }
    const old = this.#slots;
    let size = FIRST_SIZE;
    while (kept > size * FULL_AFTERWARDS) size *= 2;
    this.#slots = residentWords(size * SLOT);
    this.#mask = size - 1;
    this.#used = kept;
    for (let at = 0; at < old.length; at += SLOT) {
      if (old[at + 1] !== 0 && ageOf(old[at + 1], window) <= oldest) {
        this.#insert(old[at], old[at + 1]);
      }
    }
  }

  /** How many keys were written in this window, in the one before, and so on. */
  #countByAge(window: number): number[] {
    const counts = new Array<number>(this.#windows).fill(0);
    for (let at = 1; at < this.#slots.length; at += SLOT) {
      if (this.#slots[at] === 0) continue;
      const age = ageOf(this.#slots[at], window);
      if (age < this.#windows) counts[age]++;
    }
    return counts;
  }

  #insert(first: number, word: number): void {
    let slot = first & this.#mask;
    while (this.#slots[slot * SLOT + 1] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot * SLOT] = first;
    this.#slots[slot * SLOT + 1] = word;
  }
}

/** How many windows ago the key of this slot word was written. */
function ageOf(word: number, window: number): number {
  return ((window % WINDOWS) + 1 - (word & WINDOW_MASK) + WINDOWS) % WINDOWS;
}
