import { SuppressedKeys } from "../engine/suppressed_keys.ts";
import { textFingerprint } from "../model/text_fingerprint.ts";

/** Needs 8 MB, however long the names are. */
const DEFAULT_LIMIT = 200_000;

/**
 * The keys with names that were written lately, each suppressed as the others are (see
 * `SuppressedKeys`): in the window in which it was written and the two after it. A key and its name are
 * known by a fingerprint: as text, names could fill memory.
 */
export class SuppressedNames {
  readonly #suppressed: SuppressedKeys;

  /** @param limit How many are suppressed at most, or twice as many. Above it the oldest are let go. */
  constructor(limit: number = DEFAULT_LIMIT) {
    this.#suppressed = new SuppressedKeys(limit);
  }

  /**
   * Asks whether something may be written in this window. If so, it counts as written.
   *
   * @param identity Its key, with the name where it has one: ASCII.
   * @param window At least `FIRST_WINDOW`, and never less than in an earlier call.
   */
  admit(identity: string, window: number): boolean {
    const { first, second } = textFingerprint(identity);
    return this.#suppressed.admit(first, second, window) === 0;
  }
}
