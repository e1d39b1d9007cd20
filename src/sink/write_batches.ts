import type { CounterWriter } from "./counter_writer.ts";
import { keyText } from "./keys.ts";
import type { NameWriter } from "./name_writer.ts";
import { PENDING_WORDS, type PendingCounts, WORD_COUNT } from "./pending_counts.ts";
import type { PendingName, PendingNames } from "./pending_names.ts";
import type { WriteOutcome } from "./write_outcome.ts";

/** The ways to write. */
export interface Writers {
  readonly counters: Pick<CounterWriter, "write">;
  readonly names: Pick<NameWriter, "write">;
}

/** Where keys wait. */
export interface PendingKeys {
  readonly counts: PendingCounts;
  readonly names: PendingNames;
}

/** What one call writes: keys that were pending, taken out of where they waited. */
export interface WriteBatch {
  /** How many keys there are. */
  readonly size: number;
  /** How many observations of them. */
  readonly observations: number;
  keyAt(index: number): string;
  observationsAt(index: number): number;
  /** Writes all, see `CounterWriter.write` and `NameWriter.write`. */
  write(writers: Writers, ttl: string): Promise<WriteOutcome>;
  /**
   * Has some of them wait again.
   *
   * @returns How many observations were dropped for want of room.
   */
  putBack(indexes: readonly number[], pending: PendingKeys): number;
}

/** Counters, whose text is made when they are written. */
export class CounterBatch implements WriteBatch {
  size = 0;
  observations = 0;
  readonly #pending: PendingCounts;
  readonly #words: Uint32Array;

  /** @param capacity How many keys there is room for. */
  constructor(pending: PendingCounts, capacity: number) {
    this.#pending = pending;
    this.#words = new Uint32Array(capacity * PENDING_WORDS);
  }

  /** Takes the oldest of those that are pending, and forgets what was taken before. */
  fill(most: number): void {
    const before = this.#pending.total;
    this.size = this.#pending.take(this.#words, most);
    this.observations = before - this.#pending.total;
  }

  keyAt(index: number): string {
    return keyText(this.#words, index * PENDING_WORDS);
  }

  observationsAt(index: number): number {
    return this.#words[index * PENDING_WORDS + WORD_COUNT];
  }

  write({ counters }: Writers, ttl: string): Promise<WriteOutcome> {
    const keys = new Array<string>(this.size);
    for (let i = 0; i < this.size; i++) keys[i] = this.keyAt(i);
    return counters.write(keys, this.observations === this.size ? null : this.#counts(), ttl);
  }

  putBack(indexes: readonly number[], { counts }: PendingKeys): number {
    let dropped = 0;
    for (const i of indexes) dropped += counts.putBack(this.#words, i * PENDING_WORDS);
    return dropped;
  }

  #counts(): string[] {
    const counts = new Array<string>(this.size);
    for (let i = 0; i < this.size; i++) counts[i] = String(this.observationsAt(i));
    return counts;
  }
}

/** Keys with names. */
export class NameBatch implements WriteBatch {
  readonly observations: number;
  readonly #writes: readonly PendingName[];

  /** Takes the oldest of those that are pending. */
  constructor(pending: PendingNames, most: number) {
    this.#writes = pending.take(most);
    this.observations = this.#writes.reduce((sum, { count }) => sum + count, 0);
  }

  get size(): number {
    return this.#writes.length;
  }

  keyAt(index: number): string {
    return this.#writes[index].key;
  }

  observationsAt(index: number): number {
    return this.#writes[index].count;
  }

  write({ names }: Writers, ttl: string): Promise<WriteOutcome> {
    return names.write(this.#writes, ttl);
  }

  putBack(indexes: readonly number[], { names }: PendingKeys): number {
    let dropped = 0;
    for (const i of indexes) dropped += names.putBack(this.#writes[i]);
    return dropped;
  }
}
