import { WINDOWS_HELD } from "../flow/held_keys.ts";

/** How many are held, where names are as long as they are on average. */
const DEFAULT_LIMIT = 200_000;
/** How many bytes they need at most, whatever names there are. */
const DEFAULT_MAX_BYTES = 24 * 1024 * 1024;
/** What one needs beside its text: in bytes, somewhat more than measured. */
const BYTES_OF_ONE = 80;

/** What was written in one window. */
interface Written {
  readonly identities: Set<string>;
  bytes: number;
}

/**
 * The keys with names that were written lately, each held back as the others are (see `HeldKeys`):
 * in the window in which it was written and the two after it.
 */
export class HeldNames {
  readonly #limit: number;
  readonly #maxBytes: number;
  /** What was written in each window that counts, the present one first. */
  #windows: Written[] = Array.from({ length: WINDOWS_HELD }, nothingWritten);
  #window = 0;
  #size = 0;
  #bytes = 0;

  /**
   * @param limit How many are held at most. Above it the oldest are let go: they may be written again.
   * @param maxBytes How much memory they may need.
   */
  constructor(limit: number = DEFAULT_LIMIT, maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#limit = limit;
    this.#maxBytes = maxBytes;
  }

  /** How many are held. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that they need, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Asks whether something may be written in this window. If so, it counts as written.
   *
   * @param identity Its key, with the name where it has one.
   * @param window Never less than in an earlier call.
   */
  admit(identity: string, window: number): boolean {
    if (window !== this.#window) this.#moveTo(window);
    for (const { identities } of this.#windows) if (identities.has(identity)) return false;
    const bytes = identity.length + BYTES_OF_ONE;
    while (this.#size > 0 && (this.#size >= this.#limit || this.#bytes + bytes > this.#maxBytes)) {
      this.#letOldestGo();
    }
    this.#windows[0].identities.add(identity);
    this.#windows[0].bytes += bytes;
    this.#size++;
    this.#bytes += bytes;
    return true;
  }

  /** What was written in windows that no longer count goes, a whole window at once. */
  #moveTo(window: number): void {
    const steps = Math.min(window - this.#window, WINDOWS_HELD);
    this.#window = window;
    const fresh = Array.from({ length: steps }, nothingWritten);
    this.#windows = [...fresh, ...this.#windows].slice(0, WINDOWS_HELD);
    this.#size = this.#windows.reduce((sum, { identities }) => sum + identities.size, 0);
    this.#bytes = this.#windows.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #letOldestGo(): void {
    const oldest = this.#windows.findLastIndex(({ identities }) => identities.size > 0);
    this.#size -= this.#windows[oldest].identities.size;
    this.#bytes -= this.#windows[oldest].bytes;
    this.#windows[oldest] = nothingWritten();
  }
}

function nothingWritten(): Written {
  return { identities: new Set(), bytes: 0 };
}
