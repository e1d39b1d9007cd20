import type { NameWrite } from "../dns/name_write.ts";

/** What a write needs beside its texts, which are kept twice: in bytes, somewhat more than measured. */
const BYTES_OF_WRITE = 400;
/**
 * Bytes that all need, unless told otherwise. A name may have a thousand characters, and one message
 * thousands of records: a bound in entries alone would be none.
 */
const DEFAULT_MAX_BYTES = 48 * 1024 * 1024;

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
 * Writes of keys with names that wait, each once. First in, first out, and bounded in number and
 * bytes: when it is full, the oldest makes room.
 */
export class PendingNames {
  readonly #limit: number;
  readonly #maxBytes: number;
  readonly #writes = new Map<string, PendingName>();
  #total = 0;
  #bytes = 0;

  /**
   * @param limit How many different writes may wait.
   * @param maxBytes How much memory they may need.
   */
  constructor(limit: number, maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#limit = limit;
    this.#maxBytes = maxBytes;
  }

  /** How many writes wait. */
  get size(): number {
    return this.#writes.size;
  }

  /** How often they were asked for. */
  get total(): number {
    return this.#total;
  }

  /** Bytes that they need, about. */
  get bytes(): number {
    return this.#bytes;
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
    const bytes = bytesOf(identity);
    let dropped = 0;
    while (this.#isFull(bytes)) dropped += this.#dropOldest();
    this.#writes.set(identity, { key, name, count });
    this.#bytes += bytes;
    return dropped;
  }

  /**
   * Adds what was taken and could not be written: when there is no room, it is what is dropped.
   *
   * @returns How many were dropped.
   */
  putBack(write: PendingName): number {
    const identity = identityOf(write.key, write.name);
    if (!this.#writes.has(identity) && this.#isFull(bytesOf(identity))) return write.count;
    return this.add(write, write.count);
  }

  /** Takes the oldest out. */
  take(most: number): PendingName[] {
    const taken: PendingName[] = [];
    for (const [identity, write] of this.#writes) {
      if (taken.length === most) break;
      this.#writes.delete(identity);
      this.#total -= write.count;
      this.#bytes -= bytesOf(identity);
      taken.push(write);
    }
    return taken;
  }

  /** Whether there is no room for a write of so many bytes. A single one always has it. */
  #isFull(bytes: number): boolean {
    const { size } = this.#writes;
    return size >= this.#limit || (size > 0 && this.#bytes + bytes > this.#maxBytes);
  }

  #dropOldest(): number {
    const most = Math.max(1, Math.floor(this.#writes.size * DROPPED_AT_ONCE));
    return this.take(most).reduce((sum, { count }) => sum + count, 0);
  }
}

function bytesOf(identity: string): number {
  return 2 * identity.length + BYTES_OF_WRITE;
}

function identityOf(key: string, name: string | null): string {
  return name === null ? key : `${key};${name}`;
}
