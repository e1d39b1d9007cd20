import type { NameWrite } from "../dns/name_write.ts";

/** A write that waits, and how often it was asked for. */
export interface PendingName extends NameWrite {
  count: number;
}

/**
 * When it is full, this part makes room at once: the beginning of a Map of which much was taken is
 * costly to find.
 */
const DROPPED_AT_ONCE = 1 / 64;

/**
 * Writes of keys with names that wait, each once. First in, first out, and bounded: when it is full,
 * the oldest makes room.
 */
export class PendingNames {
  readonly #limit: number;
  readonly #writes = new Map<string, PendingName>();
  #total = 0;

  /** @param limit How many different writes may wait. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many writes wait. */
  get size(): number {
    return this.#writes.size;
  }

  /** How often they were asked for. */
  get total(): number {
    return this.#total;
  }

  /** @returns How many were dropped to make room, each as often as it was asked for. */
  add({ key, name }: NameWrite, count: number = 1): number {
    const identity = identityOf(key, name);
    const waiting = this.#writes.get(identity);
    this.#total += count;
    if (waiting !== undefined) {
      waiting.count += count;
      return 0;
    }
    const dropped = this.#writes.size >= this.#limit ? this.#dropOldest() : 0;
    this.#writes.set(identity, { key, name, count });
    return dropped;
  }

  /**
   * Adds what was taken and could not be written: when there is no room, it is what is dropped.
   *
   * @returns How many were dropped.
   */
  putBack(write: PendingName): number {
    const isKnown = this.#writes.has(identityOf(write.key, write.name));
    if (!isKnown && this.#writes.size >= this.#limit) return write.count;
    return this.add(write, write.count);
  }

  /** Takes the oldest out. */
  take(most: number): PendingName[] {
    const taken: PendingName[] = [];
    for (const [identity, write] of this.#writes) {
      if (taken.length === most) break;
      this.#writes.delete(identity);
      this.#total -= write.count;
      taken.push(write);
    }
    return taken;
  }

  #dropOldest(): number {
    const most = Math.max(1, Math.floor(this.#limit * DROPPED_AT_ONCE));
    return this.take(most).reduce((sum, { count }) => sum + count, 0);
  }
}

function identityOf(key: string, name: string | null): string {
  return name === null ? key : `${key};${name}`;
}
