import type { TimeOrigin } from "../capture/time_origin.ts";
import type { NameWrite } from "../dns/name_write.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_RST,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_A,
  WORD_B,
  WORD_KIND,
} from "../model/observation_batch.ts";
import type { Log } from "../log.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import type { FlowNames } from "../sink/flow_names.ts";
import { Patience } from "../sink/patience.ts";
import { rowCount, type RowCounts } from "../sink/row_counts.ts";
import { RowLosses } from "../sink/row_losses.ts";
import type { Sink } from "../sink/sink.ts";
import { UserError } from "../user_error.ts";
import { errorOf } from "../workers/failure.ts";
import { storeWorkerFor } from "./start_store_worker.ts";
import type { TimedName } from "./store_batch.ts";
import type { FromStore, ToStore } from "./store_messages.ts";
import { DEFAULT_RETENTION, type Retention, type StoreRun } from "./store_options.ts";

/** How a {@linkcode SqliteStore} goes about its work. */
export interface SqliteStoreOptions {
  readonly run: StoreRun;
  /** @default {DEFAULT_RETENTION} */
  readonly retention?: Retention;
  /** Where names of the servers of flows come from. */
  readonly names?: FlowNames;
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  readonly origin?: TimeOrigin;
  /**
   * Where the user named the file, for messages.
   * @default {"--store"}
   */
  readonly place?: string;
  /**
   * How many bytes a capture may leave waiting; then it drops.
   * @default {67_108_864}
   */
  readonly maxPendingBytes?: number;
  /** A thread that keeps what it is given in memory, in the place of that which writes the file. */
  readonly memory?: Worker;
}

const DEFAULT_MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** Of that, reports about conversations that go on may have so much: later ones have their figures. */
const UNFINISHED_PART = 0.5;
/** What is gathered is handed over when there is so much of it, or it is flushed. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** What a record and a write of a name need, in bytes, but for the characters of names. */
const RECORD_BYTES = 600;
const NAME_BYTES = 120;
/** What a device needs, about. */
const DEVICE_BYTES = 1000;
/** Why what is pending at the end is lost. */
const TOO_SLOW = "writing was too slow";

/** A batch that the thread has. */
interface Sent extends RowCounts {
  readonly number: number;
  readonly bytes: number;
}

/**
 * Writes what it is given to a file of SQLite, see `docs/store.md`. A thread of its own does the work, and
 * what waits for it is bounded.
 */
export class SqliteStore implements Sink {
  readonly name: string;
  readonly #path: string;
  readonly #worker: Worker;
  readonly #options: SqliteStoreOptions;
  readonly #log: Log;
  readonly #maxPendingBytes: number;
  #records: ConversationRecord[] = [];
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(1024 * OBSERVATION_WORDS);
  #wordCount = 0;
  #flowNames: (string | null)[] = [];
  #names: TimedName[] = [];
  /** By what each is found by: of a device, the latest is enough. */
  #devices = new Map<string, DeviceRecord>();
  /** Of what is gathered, and of what the thread has. */
  #bytes = 0;
  #sentBytes = 0;
  #sent: Sent[] = [];
  #number = 0;
  readonly #losses: RowLosses;
  #written = 0;
  #deferred = 0;
  #awaySince: number | null = null;
  #trouble: string | null = null;
  #lostBefore = 0;
  #failure: Error | null = null;
  #isOpen = false;
  #change = Promise.withResolvers<void>();
  readonly #patience = new Patience();
  #closedReason: string | null = null;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<string | null>();

  private constructor(path: string, worker: Worker, options: SqliteStoreOptions, log: Log) {
    this.#path = path;
    this.name = options.memory === undefined ? "store" : "page";
    this.#worker = worker;
    this.#options = options;
    this.#log = log;
    this.#losses = new RowLosses(`store ${path}`, log);
    this.#maxPendingBytes = options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES;
    this.#opened.promise.catch(() => {});
    worker.onmessage = ({ data }: MessageEvent<FromStore>) => this.#take(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`store: ${event.message}`));
    };
  }

  /**
   * Opens a file, and makes it if it is not there.
   *
   * @throws {UserError} when that can't be done.
   */
  static async open(file: string, options: SqliteStoreOptions, log: Log): Promise<SqliteStore> {
    const { path, worker } = options.memory === undefined
      ? storeWorkerFor(file, options.place ?? "--store")
      : { path: file, worker: options.memory };
    const store = new SqliteStore(path, worker, options, log);
    const retention = options.retention ?? DEFAULT_RETENTION;
    store.#post({ kind: "open", path, run: options.run, retention });
    try {
      await store.#opened.promise;
      return store;
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  /** Absolute path of the file. */
  get path(): string {
    return this.#path;
  }

  get trouble(): string | null {
    return this.#trouble === null
      ? null
      : `store ${this.#path} can't be written (${this.#trouble})`;
  }

  get pending(): number {
    const gathered = this.#records.length + this.#wordCount / OBSERVATION_WORDS +
      this.#names.length;
    return gathered +
      this.#sent.reduce((sum, it) => sum + rowCount(it), 0);
  }

  get pendingBytes(): number {
    return this.#bytes + this.#sentBytes;
  }

  /** How much was given up, by kind. */
  get losses(): RowCounts {
    return this.#losses.counts;
  }

  get written(): number {
    return this.#written;
  }

  /** How many observations, names and records were given up. */
  get lost(): number {
    return this.#losses.total;
  }

  /** Reports about conversations that go on that were left out; nothing is lost by that. */
  get deferred(): number {
    return this.#deferred;
  }

  /** Another set of own networks, as `cidrText` writes them. */
  setLocalNetworks(localNetworks: readonly string[]): void {
    this.#post({ kind: "networks", localNetworks });
  }

  write({ words, count }: ObservationBatch): void {
    let lost = 0;
    for (let i = 0; i < count; i++) {
      const offset = i * OBSERVATION_WORDS;
      const head = words[offset + WORD_KIND];
      const kind = head & 0xff;
      if (kind !== KIND_FLOW && kind !== KIND_RST && kind !== KIND_ICMP) continue;
      if (this.#isFull) {
        lost++;
        continue;
      }
      const name = kind === KIND_FLOW
        ? this.#options.names
          ?.find((head & IPV6_BIT) !== 0, words, offset + WORD_A, offset + WORD_B) ?? null
        : null;
      this.#addWords(words, offset);
      this.#flowNames.push(name);
      this.#bytes += OBSERVATION_WORDS * 4 + 2 * (name?.length ?? 0);
    }
    if (lost > 0) this.#losses.add({ observations: lost });
    this.#sendIfLarge();
  }

  writeNames(writes: readonly NameWrite[], seconds: number): void {
    this.#addNames(writes, (this.#origin + seconds) * 1000);
    this.#sendIfLarge();
  }

  takeRecords(records: readonly ConversationRecord[]): void {
    for (const record of records) {
      if (this.#isFull) {
        if (record.isOver) this.#losses.add({ records: 1 });
        else this.#deferred++;
        continue;
      }
      if (!record.isOver && this.#isCrowded) {
        this.#deferred++;
        continue;
      }
      this.#records.push(record);
      this.#bytes += RECORD_BYTES +
        record.names.reduce((sum, { name }) => sum + 2 * name.length, 0);
    }
    this.#sendIfLarge();
  }

  takeDevices(devices: readonly DeviceRecord[]): void {
    for (const device of devices) {
      const key = device.hardware ?? device.addresses[0].address;
      if (this.#isFull && !this.#devices.has(key)) continue;
      if (!this.#devices.has(key)) this.#bytes += DEVICE_BYTES;
      this.#devices.set(key, device);
    }
    this.#sendIfLarge();
  }

  /**
   * Hands over what is pending. A replay waits until it is in the file.
   *
   * @throws {UserError} when a replay can't write.
   */
  async flush(): Promise<void> {
    this.#send();
    this.#losses.say("more comes than can be written");
    if (this.#options.run.mode === "replay") {
      const isWaiting = () => this.#sent.length > 0 && this.#failure === null;
      while (isWaiting() && !this.#patience.hasBegun) await this.#change.promise;
    }
    // A capture goes on without its store: that was said, and the end says it again.
    if (this.#failure !== null && this.#options.run.mode === "replay") throw this.#failure;
  }

  hurry(): void {
    this.#patience.begin();
    this.#change.resolve();
  }

  /**
   * Writes what is pending, and closes the file; in a capture, or after `hurry()`, in a few seconds.
   *
   * @throws {UserError} that says how much was lost, when some was.
   */
  async close(): Promise<void> {
    this.#send();
    this.#post({ kind: "close", losses: this.losses });
    if (this.#options.run.mode === "capture") this.hurry();
    await this.#patience.wait(this.#closed.promise.then((reason) => this.#closedReason = reason));
    const error = this.abandon(this.#closedReason ?? TOO_SLOW);
    if (this.#failure !== null) throw this.#failure;
    if (error !== null) throw error;
  }

  abandon(reason: string): UserError | null {
    this.#patience.end();
    this.#worker.terminate();
    for (const sent of this.#sent) this.#losses.add(sent);
    this.#sent = [];
    this.#losses.add({
      records: this.#records.length,
      observations: this.#wordCount / OBSERVATION_WORDS,
      names: this.#names.length,
    });
    this.#records = [];
    this.#wordCount = 0;
    this.#names = [];
    return this.#losses.error(reason);
  }

  get #origin(): number {
    return this.#options.origin?.seconds ?? 0;
  }

  get #isFull(): boolean {
    return this.#options.run.mode === "capture" &&
      this.pendingBytes >= this.#maxPendingBytes;
  }

  get #isCrowded(): boolean {
    return this.#options.run.mode === "capture" &&
      this.pendingBytes >= this.#maxPendingBytes * UNFINISHED_PART;
  }

  #addWords(words: Uint32Array, offset: number): void {
    if (this.#wordCount + OBSERVATION_WORDS > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    for (let i = 0; i < OBSERVATION_WORDS; i++) this.#words[this.#wordCount++] = words[offset + i];
  }

  #addNames(writes: readonly NameWrite[], time: number): void {
    for (const { key, name } of writes) {
      if (this.#isFull) {
        this.#losses.add({ names: 1 });
        continue;
      }
      this.#names.push({ key, name, time });
      this.#bytes += NAME_BYTES + 2 * (key.length + (name?.length ?? 0));
    }
  }

  #sendIfLarge(): void {
    if (this.#bytes >= BATCH_BYTES) this.#send();
  }

  #send(): void {
    if (this.#failure !== null) return;
    const words = this.#words.slice(0, this.#wordCount);
    const batch = {
      records: this.#records,
      words,
      origin: this.#origin,
      flowNames: this.#flowNames,
      names: this.#names,
      devices: [...this.#devices.values()],
    };
    const sent = {
      number: ++this.#number,
      bytes: this.#bytes,
      records: batch.records.length,
      observations: words.length / OBSERVATION_WORDS,
      names: batch.names.length,
    };
    const isEmpty = sent.records + sent.observations + sent.names + batch.devices.length === 0;
    if (isEmpty) return;
    this.#sent.push(sent);
    this.#sentBytes += sent.bytes;
    this.#records = [];
    this.#wordCount = 0;
    this.#flowNames = [];
    this.#names = [];
    this.#devices = new Map();
    this.#bytes = 0;
    this.#post({ kind: "write", number: sent.number, batch, losses: this.losses }, [words.buffer]);
  }

  #post(message: ToStore, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #take(message: FromStore): void {
    switch (message.kind) {
      case "opened":
        this.#isOpen = true;
        this.#opened.resolve();
        break;
      case "written":
        while (this.#sent.length > 0 && this.#sent[0].number <= message.number) {
          const { bytes, records, observations, names } = this.#sent.shift()!;
          this.#sentBytes -= bytes;
          this.#written += records + observations + names;
        }
        break;
      case "refused": {
        const refused = this.#sent.findIndex(({ number }) => number === message.number);
        if (refused < 0) break;
        const [sent] = this.#sent.splice(refused, 1);
        this.#sentBytes -= sent.bytes;
        this.#losses.add(sent);
        this.#log.error(
          `store ${this.#path}: what can't be written is given up (${message.reason}); ` +
            "this is a defect",
        );
        break;
      }
      case "away":
        this.#sayAway(message.reason);
        break;
      case "log":
        this.#log[message.level](message.message);
        break;
      case "closed":
        this.#closed.resolve(message.reason);
        break;
      case "failed":
        this.#fail(errorOf(message));
    }
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  #sayAway(reason: string | null): void {
    this.#trouble = reason;
    if (reason !== null) {
      this.#awaySince = performance.now();
      this.#lostBefore = this.lost;
      if (this.#options.run.mode === "replay") {
        this.#fail(
          new UserError(
            `store ${this.#path} can't be written (${reason}): make room, or name another file`,
          ),
        );
      } else {
        this.#log.warn(
          `store ${this.#path} can't be written (${reason}); it is tried again every two seconds`,
        );
      }
    } else if (this.#awaySince !== null) {
      this.#losses.sayBack(this.#awaySince, this.#lostBefore);
      this.#awaySince = null;
    }
  }

  #fail(error: Error): void {
    const isLive = this.#options.run.mode === "capture";
    if (this.#failure === null && isLive && this.#isOpen) {
      this.#log.error(`store ${this.#path} is given up: ${error.message}`);
    }
    this.#failure ??= error;
    this.#trouble ??= error.message;
    this.#opened.reject(error);
    this.#closed.resolve(error.message);
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}
