/**
 * A thread of its own that writes a store. See `store_thread.ts`.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { UserError } from "../user_error.ts";
import { failureOf } from "../workers/failure.ts";
import type { WorkerScope } from "../workers/worker_scope.ts";
import { fileAt } from "./file_at.ts";
import { leaveMoved, openDatabase, putAside } from "./open_database.ts";
import { SteadyClock } from "./steady_clock.ts";
import { isDamage, isPassing, sqliteReason } from "./sqlite_error.ts";
import type { StoreBatch } from "./store_batch.ts";
import type { RowCounts } from "../sink/row_counts.ts";
import type { FromStore, OpenStoreMessage, ToStore } from "./store_messages.ts";
import { StoreRetention } from "./store_retention.ts";
import { StoreWriter } from "./store_writer.ts";

/** How long, in milliseconds, after a write that failed the next is tried. */
const RETRY_AFTER = 2_000;
/** How often, in milliseconds, the store is kept within its time. */
const KEEP_EVERY = 60_000;
const NOTHING: StoreBatch = { records: [], words: new Uint32Array(), flowNames: [], names: [] };

const scope = globalThis as unknown as WorkerScope<ToStore, FromStore>;

interface Waiting {
  readonly number: number;
  readonly batch: StoreBatch;
}

/** The thread's side of the conversation. */
class StoreWorker {
  #open: OpenStoreMessage | null = null;
  #database: DatabaseSync | null = null;
  #writer: StoreWriter | null = null;
  /** Which file is open. */
  #file: string | null = null;
  #retention: StoreRetention | null = null;
  /** In the order they came, where they can't be written. */
  #waiting: Waiting[] = [];
  readonly #clock = new SteadyClock();
  #losses: RowCounts = { records: 0, observations: 0, names: 0 };
  #localNetworks: readonly string[] = [];
  /** Why nothing can be written; `null` where it can. */
  #away: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #keptAt = performance.now();

  take(message: ToStore): void {
    try {
      this.#take(message);
    } catch (error) {
      scope.postMessage(failureOf(error));
    }
  }

  #take(message: ToStore): void {
    switch (message.kind) {
      case "open":
        this.#open = message;
        this.#localNetworks = message.run.localNetworks;
        this.#start();
        scope.postMessage({ kind: "opened" });
        break;
      case "write":
        this.#losses = message.losses;
        this.#waiting.push(message);
        // What failed a moment ago would fail again.
        if (this.#away === null) this.#write();
        break;
      case "networks":
        this.#localNetworks = message.localNetworks;
        this.#writer?.setLocalNetworks(message.localNetworks);
        break;
      case "close":
        this.#losses = message.losses;
        this.#close();
    }
  }

  /** @throws {UserError} when the file can't be used, now or later. */
  #start(): void {
    const { path } = this.#open!;
    try {
      this.#openFile();
      // That nothing can be written is known now, and not when something is lost.
      this.#writer!.write(NOTHING, this.#losses);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const reason = sqliteReason(error);
      if (reason !== "the disk is full" || this.#open!.run.mode === "replay") {
        throw new UserError(
          `store ${path} can't be opened (${reason}): is its folder there, and may this user ` +
            "write in it?",
        );
      }
      this.#goAway(reason);
    }
  }

  #openFile(): void {
    const { path, run, retention } = this.#open!;
    const { database, damaged } = openDatabase(path);
    if (damaged !== null) sayDamaged(path, damaged);
    this.#file = fileAt(path);
    this.#use(database, new StoreWriter(database, { ...run, localNetworks: this.#localNetworks }));
    this.#retention = new StoreRetention(database, retention);
  }

  #use(database: DatabaseSync, writer: StoreWriter): void {
    this.#database = database;
    this.#writer = writer;
  }

  /** Writes what waits, one batch after the other. */
  #write(): void {
    try {
      this.#leaveWhatWasMoved();
      if (this.#database === null) this.#openFile();
      for (let next; (next = this.#waiting[0]) !== undefined;) {
        this.#writer!.write(next.batch, this.#losses);
        this.#waiting.shift();
        scope.postMessage({ kind: "written", number: next.number });
      }
      this.#keep();
      this.#comeBack();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What is written to a file that was removed, nobody would ever see, and SQLite doesn't mind. */
  #leaveWhatWasMoved(): void {
    const { path } = this.#open!;
    if (this.#database === null || fileAt(path) === this.#file) return;
    leaveMoved(this.#database, path);
    this.#closeFile();
    sayNew(path, "was removed or renamed");
  }

  #keep(): void {
    const now = performance.now();
    const isDue = now >= this.#keptAt + KEEP_EVERY;
    if (!isDue && !this.#retention!.isTooLarge) return;
    const isLive = this.#open!.run.mode === "capture";
    if (isDue) {
      this.#keptAt = now;
      this.#retention!.keep(isLive ? this.#clock.now() : this.#writer!.newest, isLive);
    } else {
      this.#retention!.trim();
    }
  }

  #fail(error: unknown): void {
    if (isDamage(error)) {
      const { path } = this.#open!;
      this.#closeFile();
      try {
        sayDamaged(path, putAside(path));
        this.#openFile();
        this.#timer ??= setTimeout(() => this.#retry(), 0);
        return;
      } catch (second) {
        error = second;
      }
    }
    if (isPassing(error) || error instanceof UserError || this.#waiting.length === 0) {
      this.#goAway(sqliteReason(error));
      return;
    }
    // What can't be written is given up, or nothing would be written any more.
    const { number } = this.#waiting.shift()!;
    scope.postMessage({ kind: "refused", number, reason: sqliteReason(error) });
    this.#timer ??= setTimeout(() => this.#retry(), 0);
  }

  #goAway(reason: string): void {
    if (this.#away === null) scope.postMessage({ kind: "away", reason });
    this.#away = reason;
    this.#timer ??= setTimeout(() => this.#retry(), RETRY_AFTER);
  }

  #comeBack(): void {
    if (this.#away === null) return;
    this.#away = null;
    scope.postMessage({ kind: "away", reason: null });
  }

  #retry(): void {
    this.#timer = undefined;
    try {
      // There is nothing else that would say whether anything can be written.
      if (this.#waiting.length === 0) this.#waiting.push({ number: 0, batch: NOTHING });
      this.#write();
    } catch (error) {
      scope.postMessage(failureOf(error));
    }
  }

  #close(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#write();
    clearTimeout(this.#timer);
    const reason = this.#waiting.length > 0 ? this.#away : null;
    try {
      if (this.#waiting.length === 0) this.#writer?.write(NOTHING, this.#losses, true);
    } catch (error) {
      // Only that the run has ended is not written.
      scope.postMessage({ kind: "log", level: "debug", message: String(error) });
    }
    this.#closeFile();
    scope.postMessage({ kind: "closed", reason });
  }

  #closeFile(): void {
    const database = this.#database;
    this.#database = this.#writer = this.#retention = null;
    try {
      // Where no other has it open: then whoever may only read can, with no files beside it.
      database?.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE");
    } catch {
      // It stays as it is.
    }
    try {
      database?.close();
    } catch {
      // It is damaged, or there is no room to put the log into it: that is done at the next start.
    }
  }
}

function sayDamaged(path: string, aside: string): void {
  sayNew(path, `was damaged and is ${aside} now`);
}

function sayNew(path: string, what: string): void {
  const message = `store ${path} ${what}; a new one is begun`;
  scope.postMessage({ kind: "log", level: "warn", message });
}

const worker = new StoreWorker();
scope.onmessage = ({ data }) => worker.take(data);
scope.postMessage({ kind: "loaded" });
