/** A row that counts: the columns of its key, when it was seen, and how often. */
export interface CountedRow {
  readonly values: readonly (string | number)[];
  /** Milliseconds since 1970-01-01 UTC. */
  first: number;
  last: number;
  count: number;
}

/** Rows that count, each key once. */
export class CountedRows {
  readonly #rows = new Map<string, CountedRow>();

  get size(): number {
    return this.#rows.size;
  }

  /** @returns Whether the key is a new one. */
  add(values: readonly (string | number)[], time: number, count = 1): boolean {
    const key = values.join("\n");
    const row = this.#rows.get(key);
    if (row === undefined) {
      this.#rows.set(key, { values, first: time, last: time, count });
      return true;
    }
    row.first = Math.min(row.first, time);
    row.last = Math.max(row.last, time);
    row.count += count;
    return false;
  }

  values(): Iterable<CountedRow> {
    return this.#rows.values();
  }
}
