import { OBSERVATION_WORDS } from "../model/observation_batch.ts";
import { EngineMemory, type EngineProgram, NO_HOST } from "./engine_memory.ts";
import { WINDOWS_SUPPRESSED } from "../model/windows.ts";
import { IDENTITY, WORD } from "./layout.ts";

/**
 * The keys that were written lately, so that a busy flow costs one write in 60 to 90 seconds
 * (three rotating windows of 30 s, as the Redis contract has it): a hash set with open addressing.
 *
 * A key is known by 56 bits of its fingerprint. That two keys have the same, and one is suppressed
 * for a minute because of the other, happens once in 10^10 keys with a million of them in the set; in
 * return a key is 8 bytes, and asking about one is mostly one wait for memory.
 *
 * It is the set of an engine (`assembly/suppression.ts`), for whoever has keys and no packets.
 */
export class SuppressedKeys {
  readonly #memory: EngineMemory;
  readonly #program: EngineProgram;

  /**
   * @param limit How many keys there are at most after a sweep, and about twice as many before it.
   * Above it the oldest are let go, which costs writes that were not needed, and loses nothing.
   * @param windows In how many windows a key is suppressed, that in which it was written included.
   */
  constructor(limit: number, windows: number = WINDOWS_SUPPRESSED) {
    this.#memory = new EngineMemory(1, limit);
    this.#program = this.#memory.start(NO_HOST, windows);
  }

  /** Keys that were let go before their time because there were too many. */
  get forgotten(): number {
    return this.#program.forgottenKeysOf();
  }

  /**
   * Asks whether a key may be written in this window. If so, it counts as written.
   *
   * @param first The first half of its fingerprint.
   * @param second The second half.
   * @param window At least `FIRST_WINDOW`, and never less than in an earlier call.
   * @returns 0 if it may be written, otherwise the window in which it may.
   */
  admit(first: number, second: number, window: number): number {
    return this.#program.admit(first, second, window);
  }

  /**
   * The same for the key of an observation.
   *
   * @param words Has the observation, which begins at `at`.
   */
  admitObservation(words: Uint32Array, at: number, window: number): number {
    const to = IDENTITY / WORD;
    for (let word = 0; word < OBSERVATION_WORDS; word++) {
      this.#memory.words[to + word] = words[at + word];
    }
    return this.#program.admitObservation(IDENTITY, window);
  }
}
