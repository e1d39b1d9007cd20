/** Marks that are kept: more than there are flushes in a quarter of an hour. */
const MOST_MARKS = 1024;

/** What had been taken at a flush. */
interface Mark {
  /** How much, from the beginning on. */
  readonly taken: number;
  /** When the first of it came after what was there at the flush before, in seconds. */
  readonly since: number;
}

/**
 * How long things wait in a queue, as far as that is seen from what was taken and what has left it at
 * each flush. What comes between two flushes counts as come with the first of it.
 */
export class QueueAge {
  readonly #marks: Mark[] = [];
  #taken = 0;
  /** When the first came since the last flush; `null` if nothing did. */
  #since: number | null = null;

  /** Notes that something comes. @param now On whatever clock, in seconds. */
  take(now: number): void {
    this.#since ??= now;
  }

  /** Notes a flush. @param taken What was ever taken. */
  mark(taken: number, now: number): void {
    if (taken > this.#taken) {
      this.#marks.push({ taken, since: this.#since ?? now });
      this.#taken = taken;
      if (this.#marks.length > MOST_MARKS) this.#thin();
    }
    this.#since = null;
  }

  /**
   * Gives the age of what has left the queue: for each flush with which it came, of its oldest.
   *
   * @param gone What has ever left the queue.
   */
  leave(gone: number, now: number): number[] {
    const left = this.#marks.findIndex(({ taken }) => taken > gone);
    return this.#marks.splice(0, left < 0 ? this.#marks.length : left)
      .map(({ since }) => now - since);
  }

  /** The age of the oldest that waits, in seconds; 0 where nothing does. */
  oldest(gone: number, now: number): number {
    const mark = this.#marks.find(({ taken }) => taken > gone);
    return mark === undefined ? 0 : now - mark.since;
  }

  /** Makes one of two marks each, but for the last ones. */
  #thin(): void {
    const all = this.#marks.splice(0);
    for (let i = 0; i + 1 < all.length; i += 2) {
      this.#marks.push({ taken: all[i + 1].taken, since: all[i].since });
    }
    if (all.length % 2 > 0) this.#marks.push(all[all.length - 1]);
  }
}
