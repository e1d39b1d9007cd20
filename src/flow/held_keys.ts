/** A key is held back in the window in which it was written and the two after it. */
export const WINDOWS_HELD = 3;
/** Seconds of a window. */
export const WINDOW_SECONDS = 30;
/** The first window that can be given: slots that were never used have 0. */
export const FIRST_WINDOW = 1000;

const FIRST_SIZE = 1 << 10;
/** How full the set gets before it is swept, and how full it may be after that. */
const FULL = 0.7;
const FULL_AFTERWARDS = 0.45;

const MIX_1 = 0x85ebca6b | 0;
const MIX_2 = 0xc2b2ae35 | 0;

/**
 * The keys that were written lately, so that a busy flow costs one write in 60 to 90 seconds
 * (three rotating windows of 30 s, as the Redis contract has it): a hash set with open addressing.
 *
 * A key is a fixed number of words. A slot is the key and the window in which it was written; what
 * was written three windows ago is no longer held, and its slot is swept when the table is full.
 */
export class HeldKeys {
  /** Keys that were let go before their time because too many were held. */
  forgotten = 0;
  readonly #keyWords: number;
  readonly #stride: number;
  readonly #limit: number;
  readonly #seed: number = crypto.getRandomValues(new Int32Array(1))[0];
  #slots: Int32Array;
  #mask: number;
  #used = 0;

  /**
   * @param keyWords Words of a key.
   * @param limit How many keys are held at most after a sweep, and about twice as many before it.
   * Above it the oldest are let go, which costs writes that were not needed, and loses nothing.
   */
  constructor(keyWords: number, limit: number) {
    this.#keyWords = keyWords;
    this.#stride = keyWords + 1;
    this.#limit = limit;
    this.#slots = new Int32Array(FIRST_SIZE * this.#stride);
    this.#mask = FIRST_SIZE - 1;
  }

  /**
   * Asks whether a key may be written in this window. If so, it counts as written.
   *
   * @param key Its words.
   * @param window At least {@linkcode FIRST_WINDOW}, and never less than in an earlier call.
   * @returns 0 if it may be written, otherwise the window in which it may.
   */
  admit(key: Int32Array, window: number): number {
    const words = this.#keyWords;
    const hash = this.#hash(key, 0);
    const slots = this.#slots;
    const mask = this.#mask;
    const stride = this.#stride;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const at = slot * stride;
      const written = slots[at + words];
      if (written === 0) {
        for (let word = 0; word < words; word++) slots[at + word] = key[word];
        slots[at + words] = window;
        if (++this.#used > mask * FULL) this.#rebuild(window);
        return 0;
      }
      let word = 0;
      while (word < words && slots[at + word] === key[word]) word++;
      if (word < words) continue;
      if (window - written < WINDOWS_HELD) return written + WINDOWS_HELD;
      slots[at + words] = window;
      return 0;
    }
  }

  /** Sweeps out what is no longer held, and makes room for more if that was not enough. */
  #rebuild(window: number): void {
    let oldest = window - WINDOWS_HELD + 1;
    let kept = this.#countFrom(oldest);
    while (kept > this.#limit && oldest <= window) {
      const fewer = this.#countFrom(++oldest);
      this.forgotten += kept - fewer;
      kept = fewer;
    }
    const old = this.#slots;
    let size = FIRST_SIZE;
    while (kept > size * FULL_AFTERWARDS) size *= 2;
    this.#slots = new Int32Array(size * this.#stride);
    this.#mask = size - 1;
    this.#used = kept;
    for (let at = 0; at < old.length; at += this.#stride) {
      if (old[at + this.#keyWords] >= oldest) this.#insert(old, at);
    }
  }

  #countFrom(oldest: number): number {
    let count = 0;
    for (let at = this.#keyWords; at < this.#slots.length; at += this.#stride) {
      if (this.#slots[at] >= oldest) count++;
    }
    return count;
  }

  #insert(from: Int32Array, at: number): void {
    const words = this.#keyWords;
    let slot = this.#hash(from, at) & this.#mask;
    while (this.#slots[slot * this.#stride + words] !== 0) slot = (slot + 1) & this.#mask;
    const to = slot * this.#stride;
    for (let word = 0; word <= words; word++) this.#slots[to + word] = from[at + word];
  }

  #hash(key: Int32Array, at: number): number {
    let hash = this.#seed;
    for (let word = 0; word < this.#keyWords; word++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ key[at + word], MIX_1);
    }
    hash = Math.imul(hash ^ (hash >>> 13), MIX_2);
    return hash ^ (hash >>> 16);
  }
}
