import { WINDOWS_HELD } from "../flow/held_keys.ts";

/** Some 30 MB of text, were the names of all as long as they are on average. */
const DEFAULT_LIMIT = 200_000;

/**
 * The keys with names that were written lately, each held back as the others are (see `HeldKeys`):
 * in the window in which it was written and the two after it.
 */
export class HeldNames {
  readonly #limit: number;
  /** The window of each, in the order in which they were written: a Map keeps that. */
  readonly #windows = new Map<string, number>();

  /** @param limit How many are held at most. Above it the oldest are let go. */
  constructor(limit: number = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  /**
   * Asks whether something may be written in this window. If so, it counts as written.
   *
   * @param identity Its key, with the name where it has one.
   * @param window Never less than in an earlier call.
   */
  admit(identity: string, window: number): boolean {
    const written = this.#windows.get(identity);
    if (written !== undefined) {
      if (window - written < WINDOWS_HELD) return false;
      this.#windows.delete(identity);
    }
    this.#windows.set(identity, window);
    this.#sweep(window);
    return true;
  }

  /** Takes out what is no longer held, or is too much: the oldest, as long as it is one of those. */
  #sweep(window: number): void {
    for (const [identity, written] of this.#windows) {
      const isHeld = window - written < WINDOWS_HELD;
      if (isHeld && this.#windows.size <= this.#limit) return;
      this.#windows.delete(identity);
    }
  }
}
