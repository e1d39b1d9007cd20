import type { TimeOrigin } from "../capture/time_origin.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { Log } from "../log.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import {
  IPV6_BIT,
  type ObservationBatch,
  WORD_A,
  WORD_B,
  WORD_KIND,
} from "../model/observation_batch.ts";
import type { FlowNames } from "../sink/flow_names.ts";
import { OwnSockets } from "../sink/own_sockets.ts";
import { Patience } from "../sink/patience.ts";
import { rowCount, type RowCounts } from "../sink/row_counts.ts";
import { RowLosses } from "../sink/row_losses.ts";
import type { Sink } from "../sink/sink.ts";
import { readObservations } from "../store/read_observations.ts";
import type { StoreRun } from "../store/store_options.ts";
import { UserError } from "../user_error.ts";
import type { ClickHouseAddress } from "./clickhouse_address.ts";
import { ClickHouseClient, reasonOf } from "./clickhouse_client.ts";
import { ClickHouseError } from "./clickhouse_error.ts";
import { CLICKHOUSE_TABLES, createStatements, insertStatement } from "./clickhouse_tables.ts";
import { batchBytes, type RowBatch } from "./row_batch.ts";
import { RowGatherer } from "./row_gatherer.ts";
import type { Spool } from "./spool.ts";

/** How a {@linkcode ClickHouseSink} goes about its work. */
export interface ClickHouseSinkOptions {
  readonly run: StoreRun;
  /** Where batches wait that can't be inserted; by default, in memory alone. */
  readonly spool?: Spool | null;
  /** Where names of the servers of flows come from. */
  readonly names?: FlowNames;
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  readonly origin?: TimeOrigin;
  /** Knows the sensor's own connections. */
  readonly sockets?: OwnSockets;
  /**
   * How many bytes may wait in memory.
   * @default {67_108_864}
   */
  readonly mostPendingBytes?: number;
}

const MOST_PENDING_BYTES = 64 * 1024 * 1024;
/** Of that, so much may wait in memory before the spool is used while the ClickHouse takes rows. */
const SPILL_BYTES = 16 * 1024 * 1024;
/** A capture inserts when there is so much, or it is so old: a ClickHouse wants few large batches. */
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_AGE = 5_000;
/** Between tries to insert, in milliseconds: twice as long each time. */
const FIRST_PAUSE = 500;
const MOST_PAUSE = 10_000;
/** How long, in milliseconds, a replay waits for a ClickHouse that was there at its start. */
const REPLAY_PATIENCE = 30_000;

/**
 * Inserts what it is given into a ClickHouse, see `docs/clickhouse.md`. A batch that may or may not have
 * arrived is inserted again: its rows take the place of themselves.
 */
export class ClickHouseSink implements Sink {
  readonly name = "clickhouse";
  readonly sockets: OwnSockets;
  readonly #client: ClickHouseClient;
  readonly #options: ClickHouseSinkOptions;
  readonly #isLive: boolean;
  readonly #spool: Spool | null;
  readonly #log: Log;
  readonly #mostPendingBytes: number;
  readonly #rows: RowGatherer;
  readonly #patience = new Patience();
  /** The oldest first; none is in the spool. */
  #queue: RowBatch[] = [];
  #queueBytes = 0;
  /** What this run has put into the spool, by the names of batches. */
  readonly #spooled = new Map<string, RowCounts>();
  #gatheredSince = performance.now();
  #written = 0;
  readonly #losses: RowLosses;
  #hasTables = false;
  #draining: Promise<void> | null = null;
  #failure: UserError | null = null;
  #away: { readonly since: number; readonly lost: number; reason: string } | null = null;
  #pause = FIRST_PAUSE;
  #isClosed = false;
  #wake = Promise.withResolvers<void>();

  private constructor(address: ClickHouseAddress, options: ClickHouseSinkOptions, log: Log) {
    this.#options = options;
    this.#isLive = options.run.mode === "capture";
    this.#spool = options.spool ?? null;
    this.#mostPendingBytes = options.mostPendingBytes ?? MOST_PENDING_BYTES;
    this.#rows = new RowGatherer(options.run);
    this.#log = log;
    this.sockets = options.sockets ?? new OwnSockets();
    this.#client = new ClickHouseClient(address, this.sockets);
    this.#losses = new RowLosses(this.#title, log);
  }

  /**
   * Reaches a ClickHouse, and makes the tables that are not there. A capture goes on where it can't be
   * reached, and tries again.
   *
   * @throws {UserError} when it refuses us, and in a replay also when it can't be reached.
   */
  static async open(
    address: ClickHouseAddress,
    options: ClickHouseSinkOptions,
    log: Log,
  ): Promise<ClickHouseSink> {
    const sink = new ClickHouseSink(address, options, log);
    try {
      await sink.#requireTables();
    } catch (error) {
      const isRefused = error instanceof UserError || error instanceof ClickHouseError &&
          (error.isLogin || error.isOfData);
      if (isRefused || !sink.#isLive) {
        sink.#client.destroy();
        throw sink.#unusable(error);
      }
      sink.#goAway(error);
    }
    sink.#drain();
    return sink;
  }

  get trouble(): string | null {
    return this.#away === null ? null : `${this.#title} can't be written (${this.#away.reason})`;
  }

  /** Whether what it can't insert goes into files. */
  get hasSpool(): boolean {
    return this.#spool !== null;
  }

  get pending(): number {
    const counts = [...this.#spooled.values(), ...this.#queue.map((it) => it.counts)];
    return this.#rows.count + counts.reduce((sum, it) => sum + rowCount(it), 0);
  }

  /** Those in memory. */
  get pendingBytes(): number {
    return this.#rows.bytes + this.#queueBytes;
  }

  get written(): number {
    return this.#written;
  }

  get lost(): number {
    return this.#losses.total;
  }

  write(batch: ObservationBatch): void {
    const { words, count } = batch;
    const { names } = this.#options;
    const origin = this.#options.origin?.seconds ?? 0;
    const nameOf = (at: number) =>
      names?.find((words[at + WORD_KIND] & IPV6_BIT) !== 0, words, at + WORD_A, at + WORD_B) ??
        null;
    readObservations(words, count, nameOf, origin, this.#rows);
    this.#queueIfLarge();
  }

  writeNames(writes: readonly NameWrite[], seconds: number): void {
    const time = ((this.#options.origin?.seconds ?? 0) + seconds) * 1000;
    for (const { key, name } of writes) this.#rows.takeName({ key, name, time });
    this.#queueIfLarge();
  }

  takeRecords(records: readonly ConversationRecord[]): void {
    for (const record of records) this.#rows.takeRecord(record);
    this.#queueIfLarge();
  }

  /**
   * Inserts what is pending. A replay waits for that.
   *
   * @throws {UserError} when a replay can't insert.
   */
  async flush(): Promise<void> {
    const age = performance.now() - this.#gatheredSince;
    if (!this.#isLive || age >= BATCH_AGE) this.#queueGathered();
    this.#drain();
    this.#losses.say("there is no room for more to wait");
    if (this.#isLive) return;
    while (this.#queue.length > 0 && this.#failure === null && !this.#patience.isOver) {
      await Promise.race([this.#draining, this.#patience.over]);
      this.#drain();
    }
    if (this.#failure !== null) throw this.#failure;
  }

  hurry(): void {
    this.#patience.begin();
    this.#wakeUp();
  }

  /**
   * Inserts what is pending, in a capture or after `hurry()` for a few seconds; what is left then stays
   * in the spool for the next start.
   *
   * @throws {UserError} that says how much was lost, when some was.
   */
  async close(): Promise<void> {
    this.#queueGathered();
    if (this.#isLive) this.#patience.begin();
    // One more try, also where it was away a moment ago.
    this.#wakeUp();
    this.#drain();
    while (this.#draining !== null && this.#failure === null) {
      if (!await this.#patience.wait(this.#draining)) break;
    }
    const error = this.abandon(this.#away?.reason ?? "it was too slow");
    if (this.#failure !== null) throw this.#failure;
    if (error !== null) throw error;
  }

  abandon(reason: string): UserError | null {
    this.#isClosed = true;
    this.#patience.end();
    this.#wakeUp();
    this.#queueGathered();
    const waiting = this.#queue.splice(0);
    this.#queueBytes = 0;
    for (const batch of waiting) if (!this.#spill(batch)) this.#losses.add(batch.counts);
    this.#client.destroy();
    if (this.#spooled.size > 0) {
      const count = [...this.#spooled.values()].reduce((sum, it) => sum + rowCount(it), 0);
      this.#log.warn(
        `${this.#title}: ${count} rows wait in ${
          this.#spool!.folder
        } (${reason}); the next start ` +
          "inserts them",
      );
    }
    return this.#losses.error(reason);
  }

  get #title(): string {
    return `ClickHouse at ${this.#client.address.text}`;
  }

  #queueIfLarge(): void {
    if (this.#rows.bytes < BATCH_BYTES) return;
    this.#queueGathered();
    this.#drain();
  }

  #queueGathered(): void {
    this.#gatheredSince = performance.now();
    const batch = this.#rows.batch();
    if (batch === null) return;
    const bytes = batchBytes(batch);
    const most = this.#away === null ? SPILL_BYTES : 0;
    if (this.#isLive && this.#queueBytes + bytes > most && this.#spill(batch)) return;
    if (this.#isLive && this.#queueBytes + bytes > this.#mostPendingBytes) {
      this.#losses.add(batch.counts);
      return;
    }
    this.#queue.push(batch);
    this.#queueBytes += bytes;
  }

  /** @returns Whether the spool has it. */
  #spill(batch: RowBatch): boolean {
    if (this.#spool?.put(batch) !== true) return false;
    this.#spooled.set(batch.name, batch.counts);
    return true;
  }

  /** Has what waits inserted, unless that goes on already. */
  #drain(): void {
    if (this.#isClosed || this.#failure !== null) return;
    const isEmpty = this.#queue.length === 0 && (this.#spool?.isEmpty ?? true);
    if (isEmpty && this.#away === null) return;
    this.#draining ??= this.#insertAll().finally(() => this.#draining = null);
  }

  async #insertAll(): Promise<void> {
    while (!this.#isClosed) {
      const spooled = this.#spool?.oldest() ?? null;
      this.#loseMissing();
      const batch = spooled ?? this.#queue[0];
      if (batch === undefined && this.#away === null) return;
      try {
        await this.#requireTables();
        if (batch === undefined) {
          await this.#client.execute("SELECT 1");
        } else {
          await this.#insert(batch);
          this.#written += rowCount(this.#taken(batch));
        }
        this.#comeBack();
      } catch (error) {
        if (this.#isClosed) return;
        if (error instanceof ClickHouseError && error.isNotThere) this.#hasTables = false;
        if (batch !== undefined && error instanceof ClickHouseError && error.isOfData) {
          this.#giveUp(batch, error);
          continue;
        }
        this.#goAway(error);
        if (this.#failure !== null) return;
        await this.#waitForNextTry();
      }
    }
  }

  async #insert({ parts }: RowBatch): Promise<void> {
    for (const { table, rows } of parts) await this.#client.execute(insertStatement(table), rows);
  }

  /** What was put into the spool and can't be read there any more is lost, as far as we know. */
  #loseMissing(): void {
    let rows = 0;
    for (const [name, counts] of this.#spooled) {
      if (this.#spool?.has(name)) continue;
      this.#spooled.delete(name);
      this.#losses.add(counts);
      rows += rowCount(counts);
    }
    if (rows === 0) return;
    const where = this.#spool?.folder;
    this.#log.warn(
      `${this.#title}: ${rows} rows that waited in ${where} are gone, or damaged: does another ` +
        "sensor use that folder?",
    );
  }

  /** Takes a batch away from where it waited. @returns What this run has counted of it. */
  #taken(batch: RowBatch): RowCounts {
    if (this.#queue[0] === batch) {
      this.#queue.shift();
      this.#queueBytes -= batchBytes(batch);
      return batch.counts;
    }
    this.#spool?.remove(batch.name);
    const counts = this.#spooled.get(batch.name);
    this.#spooled.delete(batch.name);
    // A run before has counted it.
    return counts ?? { records: 0, observations: 0, names: 0 };
  }

  #giveUp(batch: RowBatch, error: ClickHouseError): void {
    this.#losses.add(this.#taken(batch));
    this.#log.error(
      `${this.#title}: what it does not take is given up (${error.message}); are its tables those ` +
        "of docs/clickhouse.md?",
    );
  }

  async #requireTables(): Promise<void> {
    if (this.#hasTables) return;
    try {
      await this.#makeTables();
    } catch (error) {
      if (!(error instanceof ClickHouseError) || error.code !== 81) throw error;
      const { database } = this.#client.address;
      await this.#client.execute(`CREATE DATABASE IF NOT EXISTS ${database}`, undefined, false);
      await this.#makeTables();
    }
    this.#hasTables = true;
  }

  /** Who may insert, and not create, needs no more where the tables are there. */
  async #makeTables(): Promise<void> {
    const names = CLICKHOUSE_TABLES.map((it) => `'${it}'`).join(", ");
    const query = "SELECT name FROM system.tables WHERE database = currentDatabase() AND " +
      `name IN (${names})`;
    let found = 0;
    for await (const _ of this.#client.rows(query)) {
      if (++found > CLICKHOUSE_TABLES.length) throw new Error("its answer has no end");
    }
    if (found === CLICKHOUSE_TABLES.length) return;
    for (const statement of createStatements()) await this.#client.execute(statement);
  }

  async #waitForNextTry(): Promise<void> {
    const pause = this.#pause;
    this.#pause = Math.min(pause * 2, MOST_PAUSE);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => timer = setTimeout(resolve, pause));
    await Promise.race([over, this.#wake.promise]);
    clearTimeout(timer);
    // What is left at the end of a capture goes into the spool, or is lost and said to be.
    if (this.#patience.hasBegun) this.#pause = FIRST_PAUSE;
  }

  #wakeUp(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  #goAway(error: unknown): void {
    const reason = reasonOf(error);
    const now = performance.now();
    if (this.#away !== null) {
      this.#away.reason = reason;
      if (!this.#isLive && now - this.#away.since > REPLAY_PATIENCE) {
        this.#failure = this.#unusable(error);
      }
      return;
    }
    this.#away = { since: now, lost: this.lost, reason };
    if (!this.#isLive && error instanceof UserError) this.#failure = error;
    // What waits from now on survives the end of the program too.
    if (this.#isLive && this.#spool !== null) this.#spillQueue();
    const where = this.#spool === null
      ? `${mebibytes(this.#mostPendingBytes)} of rows wait in memory`
      : `${mebibytes(this.#spool.mostBytes)} of rows wait in ${this.#spool.folder}`;
    this.#log.warn(
      `${this.#title} can't be written (${reason}); it is tried again, and up to ${where}`,
    );
  }

  #spillQueue(): void {
    while (this.#queue.length > 0 && this.#spill(this.#queue[0])) {
      this.#queueBytes -= batchBytes(this.#queue.shift()!);
    }
  }

  #comeBack(): void {
    this.#pause = FIRST_PAUSE;
    if (this.#away === null) return;
    const { since, lost } = this.#away;
    this.#away = null;
    this.#losses.sayBack(since, lost);
  }

  #unusable(error: unknown): UserError {
    if (error instanceof UserError) return error;
    const isLogin = error instanceof ClickHouseError && error.isLogin;
    const message = isLogin
      ? `${this.#title} refuses us (${error.message}): check the user and the password`
      : `${this.#title} can't be written (${reasonOf(error)}): start it, or name another one`;
    return new UserError(message, 1, { cause: error });
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
