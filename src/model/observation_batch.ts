import * as layout from "./observation_layout.ts";

export * from "./observation_layout.ts";

/** 32-bit words of one observation. */
export const OBSERVATION_WORDS: number = layout.OBSERVATION_WORDS;

/**
 * Observations on their way to the sinks: each of one key, made of numbers only.
 * Text is made from them by `src/sink/keys.ts`, where it is needed.
 */
export class ObservationBatch {
  /** The observations, one after the other. */
  readonly words: Uint32Array;
  /** How many observations there are. */
  count = 0;
  /**
   * Where they come with it, for each a record (`record_layout.ts`): that of its conversation, if it is
   * a flow.
   */
  records: Uint32Array | null = null;

  /**
   * Makes a batch without observations.
   *
   * @param capacity How many there is room for.
   * @param words Where to put them, if they are to be somewhere.
   */
  constructor(
    readonly capacity: number,
    words: Uint32Array = new Uint32Array(capacity * OBSERVATION_WORDS),
  ) {
    this.words = words;
  }

  /** Whether there is no room for another one. */
  get isFull(): boolean {
    return this.count === this.capacity;
  }

  /** Forgets them all. */
  clear(): void {
    this.count = 0;
  }
}
