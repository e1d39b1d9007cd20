import * as layout from "./record_layout.ts";

export * from "./record_layout.ts";

/** 32-bit words of one record. */
export const RECORD_WORDS: number = layout.RECORD_WORDS;

/** Records of conversations as numbers, laid out as `record_layout.ts` says. */
export class RecordBatch {
  /** How many there are. */
  count = 0;

  /**
   * Makes a batch of none.
   *
   * @param words The records, one after the other.
   */
  constructor(readonly words: Uint32Array) {}
}
