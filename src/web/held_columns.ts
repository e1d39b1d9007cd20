import type { DatabaseSync } from "node:sqlite";
import { FlowColumns } from "./flow_columns.ts";

/** From so many flows on they are held; of fewer, SQLite tells as soon. */
const LEAST_FLOWS = 50_000;
/** What flows and their steps of time may take: about 1,500,000 of each. */
const MOST_BYTES = 128 * 1024 * 1024;
/** What is asked together with the first question is answered before, in milliseconds. */
const WAIT = 500;
/** How long, in milliseconds, others wait at a time while the store is read. */
const TURN = 50;
/** Memory for SQLite's pages, in KiB: most of what is asked looks at each page once. */
const CACHE_KIBIBYTES = 8_192;
/** How often, in milliseconds, what changes is read as a whole, and what is too large is looked at. */
const READ_EVERY = 600_000;

/** Holds the flows of a large store in memory, and keeps them as they are in the store. */
export class HeldColumns implements Disposable {
  readonly #database: DatabaseSync;
  readonly #version: () => string;
  readonly #onRead: () => void;
  readonly #leastFlows: number;
  #columns: FlowColumns | null = null;
  /** That of the data that the columns have. */
  #known = "";
  #readAt = -Infinity;
  #reading: Generator<void, FlowColumns | null> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param version That of the data: it changes when the data does.
   * @param onRead Called before flows are read and when they are there, never while something is
   * asked: what answered in their place until then may have needed much memory.
   */
  constructor(
    database: DatabaseSync,
    version: () => string,
    onRead: () => void,
    leastFlows = LEAST_FLOWS,
  ) {
    this.#database = database;
    this.#version = version;
    this.#onRead = onRead;
    this.#leastFlows = leastFlows;
    database.exec(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
  }

  /**
   * The columns; `null` where flows are not held. They are read beside other work.
   *
   * @param isAwaited Whether it takes less to read them to their end now than to do without.
   */
  get(isAwaited: boolean): FlowColumns | null {
    const version = this.#version();
    const isOld = performance.now() > this.#readAt + READ_EVERY;
    if (this.#reading === null && isOld && (this.#columns === null || version !== this.#known)) {
      this.#columns = null;
      this.#begin();
    }
    if (this.#reading !== null) {
      if (!isAwaited) return null;
      this.#unlessUnreadable(() => this.#read(Infinity));
    }
    if (this.#columns !== null && version !== this.#known) {
      this.#unlessUnreadable(() => this.#columns!.update());
      this.#known = version;
    }
    return this.#columns;
  }

  [Symbol.dispose](): void {
    this.#reading = null;
    clearTimeout(this.#timer);
  }

  #begin(): void {
    this.#readAt = performance.now();
    // Ids count up; those that are gone do not matter here.
    const [most] = Object.values(this.#database.prepare("SELECT max(id) FROM usage").get()!);
    if (Number(most ?? 0) < this.#leastFlows) return;
    this.#reading = FlowColumns.read(this.#database, MOST_BYTES);
    this.#known = this.#version();
    this.#readLater(WAIT);
  }

  #readLater(wait = 0): void {
    this.#later(() => {
      if (wait > 0) this.#onRead();
      this.#read(TURN);
    }, wait);
  }

  #later(work: () => void, wait = 0): void {
    this.#timer = setTimeout(() => this.#unlessUnreadable(work), wait);
    // The process does not wait for it.
    Deno.unrefTimer(this.#timer);
  }

  /** Reads on, for so many milliseconds at most. */
  #read(most: number): void {
    clearTimeout(this.#timer);
    for (const end = performance.now() + most; this.#reading !== null;) {
      const { done, value } = this.#reading.next();
      if (done) {
        [this.#columns, this.#reading] = [value, null];
        this.#later(this.#onRead);
      } else if (performance.now() > end) return this.#readLater();
    }
  }

  /** Nothing is held where it can't be read: who asks without is told what is wrong with the store. */
  #unlessUnreadable(work: () => void): void {
    try {
      work();
    } catch {
      [this.#columns, this.#reading] = [null, null];
    }
  }
}
