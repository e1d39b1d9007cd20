import { WINDOWS_SUPPRESSED } from "../model/windows.ts";

/** Some 30 MB of text, were the names of all as long as they are on average. */
const DEFAULT_LIMIT = 200_000;

/**
 * The keys with names that were written lately, each held back as the others are (see `SuppressedKeys`):
 * in the window in which it was written and the two after it.
 */
export class HeldNames {
  readonly #limit: number;
  /** What was written in each window that counts, the present one first. */
  #windows: Set<string>[] = Array.from({ length: WINDOWS_SUPPRESSED }, () => new Set());
  #window = 0;
  #size = 0;

  /** @param limit How many are held at most. Above it the oldest are let go. */
  constructor(limit: number = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  /** How many are held. */
  get size(): number {
    return this.#size;
  }

  /**
   * Asks whether something may be written in this window. If so, it counts as written.
   *
   * @param identity Its key, with the name where it has one.
   * @param window Never less than in an earlier call.
   */
  admit(identity: string, window: number): boolean {
    if (window !== this.#window) this.#moveTo(window);
    for (const written of this.#windows) if (written.has(identity)) return false;
    if (this.#size === this.#limit) this.#letOldestGo();
    this.#windows[0].add(identity);
    this.#size++;
    return true;
  }

  /** What was written in windows that no longer count goes, a whole window at once. */
  #moveTo(window: number): void {
    const steps = Math.min(window - this.#window, WINDOWS_SUPPRESSED);
    this.#window = window;
    const fresh = Array.from({ length: steps }, () => new Set<string>());
    this.#windows = [...fresh, ...this.#windows].slice(0, WINDOWS_SUPPRESSED);
    this.#size = this.#windows.reduce((sum, written) => sum + written.size, 0);
  }

  #letOldestGo(): void {
    const oldest = this.#windows.findLastIndex((written) => written.size > 0);
    this.#size -= this.#windows[oldest].size;
    this.#windows[oldest] = new Set();
  }
}
