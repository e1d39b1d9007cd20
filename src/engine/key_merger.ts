import { REASON_NAMES } from "../model/reason.ts";
import {
  KIND_FLOW,
  OBSERVATION_WORDS,
  ObservationBatch,
  WORD_ABOUT,
  WORD_KIND,
} from "../model/observation_batch.ts";
import { SuppressedKeys } from "./suppressed_keys.ts";
import { WindowClock } from "./window_clock.ts";

/** The kind in `WORD_KIND`, and what decided in `WORD_ABOUT`. */
const KIND_MASK = 0xff;
const REASON_MASK = 0xff;
/** Keys that are suppressed at the same time, of all engines together. */
const MOST_SUPPRESSED = 2_000_000;

/**
 * Merges what several engines observed: a key that one of them has written lately is suppressed when
 * it comes from another. The engines themselves suppress a key for one window only, so that it comes
 * again in each window in which it is seen, and is written when its time has come.
 */
export class KeyMerger {
  /** Observations that were passed on. */
  written = 0;
  /** Flow observations among them. */
  flows = 0;
  /** The same by what decided them. */
  readonly flowsBy: Float64Array = new Float64Array(REASON_NAMES.length);
  readonly #suppressed = new SuppressedKeys(MOST_SUPPRESSED);
  readonly #windowClock = new WindowClock();
  readonly #emit: (batch: ObservationBatch) => void;
  readonly #clock: () => number;
  #batch = new ObservationBatch(0);

  /**
   * @param emit Takes a batch, which is used again as soon as this returns.
   * @param clock The time in seconds since 1970-01-01 UTC.
   */
  constructor(emit: (batch: ObservationBatch) => void, clock: () => number) {
    this.#emit = emit;
    this.#clock = clock;
  }

  /** Takes observations, laid out as in an {@linkcode ObservationBatch}. */
  take(words: Uint32Array): void {
    this.#windowClock.set(this.#clock());
    const count = words.length / OBSERVATION_WORDS;
    if (this.#batch.capacity < count) this.#batch = new ObservationBatch(count);
    const batch = this.#batch;
    batch.clear();
    for (let at = 0; at < words.length; at += OBSERVATION_WORDS) {
      if (this.#suppressed.admitObservation(words, at, this.#windowClock.window) !== 0) continue;
      if ((words[at + WORD_KIND] & KIND_MASK) === KIND_FLOW) {
        this.flows++;
        this.flowsBy[words[at + WORD_ABOUT] & REASON_MASK]++;
      }
      const to = batch.count++ * OBSERVATION_WORDS;
      for (let word = 0; word < OBSERVATION_WORDS; word++) {
        batch.words[to + word] = words[at + word];
      }
    }
    this.written += batch.count;
    if (batch.count > 0) this.#emit(batch);
  }
}
