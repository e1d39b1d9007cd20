import type { DatabaseSync } from "node:sqlite";
import { pragma, rollBack } from "./open_database.ts";
import { type Step, stepStart, USAGE_STEPS, VOLUME_STEPS } from "./steps.ts";
import { AGGREGATES_KEPT, type Retention } from "./store_options.ts";
import { TOTALS_COLUMNS } from "./totals.ts";

/** Rows that go in one transaction: a few tenths of a second. */
const ROWS = 20_000;
/** Of what is permitted, the file may have so much; the rest is for `FILE-wal`. */
const FILE_PART = 0.9;
/** Where the file is too large, this part of the conversations goes. */
const TRIMMED_PART = 0.1;
/** Pages that are given back to the file system at a time. */
const PAGES = 2_000;

const SUM = TOTALS_COLUMNS.map((name) => `${name} = ${name} + excluded.${name}`).join(", ");
const SUMS = TOTALS_COLUMNS.map((name) => `sum(${name})`).join(", ");
const TOTALS = TOTALS_COLUMNS.join(", ");

/** Keeps a store within its time and its size: conversations go first, the oldest before all others. */
export class StoreRetention {
  readonly #database: DatabaseSync;
  readonly #retention: Retention;

  constructor(database: DatabaseSync, retention: Retention) {
    this.#database = database;
    this.#retention = retention;
  }

  /** Whether the file is larger than it may get. */
  get isTooLarge(): boolean {
    return this.#usedBytes() > this.#retention.bytes * FILE_PART;
  }

  /**
   * Takes out what is too old, and makes steps of time coarser.
   *
   * @param now Milliseconds since 1970-01-01 UTC.
   * @param isByAge Whether anything is dropped for its age.
   * @throws {Error} SQLite's.
   */
  keep(now: number, isByAge: boolean): void {
    this.#coarsen("usage_step", "usage", USAGE_STEPS, now);
    this.#coarsen("volume", "direction", VOLUME_STEPS, now);
    if (isByAge) {
      const { milliseconds } = this.#retention;
      // Ids count up, and times do nearly.
      this.#deleteAll(
        "slice",
        "id",
        "id < coalesce((SELECT id FROM slice WHERE last >= ? ORDER BY id LIMIT 1), 1 << 62)",
        now - milliseconds,
      );
      this.#deleteAggregates(now - AGGREGATES_KEPT * milliseconds);
    }
    this.trim();
  }

  /**
   * Takes out the oldest until the file is no larger than permitted.
   *
   * @throws {Error} SQLite's.
   */
  trim(): void {
    if (this.isTooLarge) this.#checkpoint();
    while (this.isTooLarge && (this.#trimSlices() || this.#trimAggregates()));
    this.#giveBack();
  }

  /** @returns Whether there were any. */
  #trimSlices(): boolean {
    const { least, most } = this.#database.prepare(
      "SELECT min(id) AS least, max(id) AS most FROM slice",
    ).get() as { least: number | null; most: number | null };
    if (least === null || most === null) return false;
    // Ids count up, so a range of them is about as many rows.
    const until = least + Math.max(1, Math.ceil((most - least + 1) * TRIMMED_PART));
    this.#deleteAll("slice", "id", "id < ?", until);
    return true;
  }

  /** @returns Whether there was anything. */
  #trimAggregates(): boolean {
    const { first, last } = this.#database.prepare(
      "SELECT min(last) AS first, max(last) AS last FROM (SELECT last FROM usage UNION ALL " +
        "SELECT last FROM name UNION ALL SELECT last FROM refusal)",
    ).get() as { first: number | null; last: number | null };
    if (first === null || last === null) return false;
    this.#deleteAggregates(first + Math.ceil((last - first + 1) * TRIMMED_PART));
    return true;
  }

  #deleteAggregates(before: number): void {
    this.#deleteAll("usage_step", "step, time, usage", "time < ?", before);
    this.#deleteAll("volume", "step, time, direction", "time < ?", before);
    // A usage whose conversations are still there has a later time than any of them.
    this.#deleteAll("usage", "id", "last < ?", before);
    this.#deleteAll(
      "service",
      "id",
      "last < ? AND NOT EXISTS (SELECT 1 FROM usage WHERE usage.service = service.id)",
      before,
    );
    this.#deleteAll("name", "client, name, address, origin", "last < ?", before);
    this.#deleteAll("alias", "client, name, target", "last < ?", before);
    this.#deleteAll("device", "address, hardware_address", "last < ?", before);
    this.#deleteAll("refusal", "prober, target, port, kind, reason", "last < ?", before);
    this.#deleteAll("run", "id", "flushed < ? AND id < (SELECT max(id) FROM run)", before);
  }

  /** Deletes rows in transactions of a bounded length, between which others have their turn. */
  #deleteAll(table: string, key: string, condition: string, value: number): void {
    const statement = this.#database.prepare(
      `DELETE FROM ${table} WHERE (${key}) IN ` +
        `(SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ${ROWS})`,
    );
    while (Number(statement.run(value).changes) === ROWS);
  }

  #coarsen(table: string, key: string, steps: readonly Step[], now: number): void {
    steps.slice(0, -1).forEach(({ seconds, until }, i) => {
      const longer = steps[i + 1].seconds;
      // Only whole steps: what is begun is added to later.
      const before = now - until * 1000;
      const end = stepStart(before, longer);
      const isThere = this.#database.prepare(
        `SELECT 1 FROM ${table} WHERE step = ? AND time < ? LIMIT 1`,
      ).get(seconds, end);
      if (isThere === undefined) return;
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        this.#database.prepare(
          `INSERT INTO ${table} (step, time, ${key}, ${TOTALS}) ` +
            `SELECT ${longer}, ${startOf("time", longer)} AS start, ${key}, ${SUMS} ` +
            `FROM ${table} WHERE step = ? AND time < ? GROUP BY start, ${key} ` +
            `ON CONFLICT DO UPDATE SET ${SUM}`,
        ).run(seconds, end);
        this.#database.prepare(`DELETE FROM ${table} WHERE step = ? AND time < ?`)
          .run(seconds, end);
        this.#database.exec("COMMIT");
      } catch (error) {
        rollBack(this.#database);
        throw error;
      }
    });
  }

  #usedBytes(): number {
    const pages = pragma(this.#database, "page_count") - pragma(this.#database, "freelist_count");
    return pages * pragma(this.#database, "page_size");
  }

  /** Pages that are free go back, but for as many as are soon needed again. */
  #giveBack(): void {
    const most = pragma(this.#database, "page_count") * TRIMMED_PART;
    while (pragma(this.#database, "freelist_count") > most) {
      const before = pragma(this.#database, "freelist_count");
      this.#database.exec(`PRAGMA incremental_vacuum(${PAGES})`);
      if (pragma(this.#database, "freelist_count") >= before) break;
    }
  }

  #checkpoint(): void {
    this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }
}

/** SQL for `stepStart`, also before 1970. */
function startOf(time: string, seconds: number): string {
  const step = seconds * 1000;
  return `${time} - ((${time} % ${step}) + ${step}) % ${step}`;
}
