import { MOST_OF_A_BATCH, type SieveLayout } from "./sieve_memory.ts";

/** How many batches were filled and taken: the first two words. */
const FILLED = 0;
const TAKEN = 1;
/**
 * After them, where each of the last so many batches is. Of one that sends nothing on there is but its
 * head, so that the ring has room for far more: at the start, the sieve is ahead by more than a
 * thousand.
 */
const STARTS = 2;
const BATCHES = 1 << 14;
/** Whoever waits is woken once for so many: waking up takes as long as a few hundred packets. */
const BATCHES_PER_WAKE = 8;
/** In place of how many were taken: no more are wanted. */
const NO_MORE = -1;

/** Memory for the words of a ring. */
export function ringControl(): SharedArrayBuffer {
  return new SharedArrayBuffer((STARTS + BATCHES) * 4);
}

/**
 * Where what a sieve sends on of batches lies, one after the other in a part of its memory, until it
 * was taken. One thread fills it, another one takes.
 */
export class SieveRing {
  readonly #control: Int32Array;
  readonly #start: number;
  readonly #end: number;
  /** Where the next batch may begin, for whoever fills it. */
  #next: number;

  /**
   * @param control As {@linkcode ringControl} makes it, anew for each file, so that nothing of the one
   * before can be taken for its.
   */
  constructor(control: SharedArrayBuffer, { ring }: SieveLayout) {
    this.#control = new Int32Array(control);
    this.#start = this.#next = ring.start;
    this.#end = ring.end;
  }

  /**
   * Waits until there is room for the most that a batch may need.
   *
   * @returns Where it is; `null` if no more is wanted.
   */
  room(): number | null {
    for (;;) {
      const taken = Atomics.load(this.#control, TAKEN);
      if (taken === NO_MORE) return null;
      const room = this.roomAfter(taken);
      if (room !== null) return room;
      Atomics.wait(this.#control, TAKEN, taken);
    }
  }

  /**
   * Hands over what is in the room.
   *
   * @param isLast Whether no other batch comes: then nobody is left to wait.
   */
  fill(room: number, end: number, isLast = false): void {
    const filled = Atomics.load(this.#control, FILLED);
    this.#control[STARTS + filled % BATCHES] = room;
    this.#next = end;
    Atomics.store(this.#control, FILLED, filled + 1);
    if (isLast || (filled + 1) % BATCHES_PER_WAKE === 0) Atomics.notify(this.#control, FILLED);
  }

  /** Where the batch after the first `taken` ones is, or `null` if it is not there yet. */
  filled(taken: number): number | null {
    if (Atomics.load(this.#control, FILLED) === taken) return null;
    return this.#control[STARTS + taken % BATCHES];
  }

  /**
   * Waits until more than the first `taken` batches are there.
   *
   * @param patience For how long, in milliseconds.
   * @returns Whether they may be.
   */
  wait(taken: number, patience: number): boolean {
    return Atomics.wait(this.#control, FILLED, taken, patience) !== "timed-out";
  }

  /** Gives back the room of all but the batches after the first `taken` ones. */
  take(taken: number): void {
    Atomics.store(this.#control, TAKEN, taken);
    Atomics.notify(this.#control, TAKEN);
  }

  /** Says that no more is wanted: in the word that is waited on, so that it can't be missed. */
  close(): void {
    this.take(NO_MORE);
  }

  /**
   * Where there is room for the most that a batch may need, or `null`.
   *
   * @param taken How many batches were taken.
   */
  roomAfter(taken: number): number | null {
    const filled = Atomics.load(this.#control, FILLED);
    if (filled === taken) return this.#start;
    if (filled - taken === BATCHES) return null;
    const oldest = this.#control[STARTS + taken % BATCHES];
    const next = this.#next;
    const limit = next > oldest ? this.#end : oldest;
    if (next + MOST_OF_A_BATCH <= limit) return next;
    // Less than all, or a full ring would look like an empty one.
    return next > oldest && this.#start + MOST_OF_A_BATCH < oldest ? this.#start : null;
  }
}
