import type { DatabaseSync } from "node:sqlite";
import type { RowCounts } from "../sink/row_counts.ts";
import { openDatabase } from "../store/open_database.ts";
import { SteadyClock } from "../store/steady_clock.ts";
import type { StoreBatch } from "../store/store_batch.ts";
import type { Retention, StoreRun } from "../store/store_options.ts";
import { StoreRetention } from "../store/store_retention.ts";
import { StoreWriter } from "../store/store_writer.ts";
import { StorePageData } from "./store_page_data.ts";
import type { StoreQueryOptions } from "./store_query.ts";

/** How often, in milliseconds, what is there is kept within its time. */
const KEEP_EVERY = 60_000;

/** A store in memory, which is written and read through one connection. */
export class MemoryStore {
  readonly #database: DatabaseSync;
  readonly #writer: StoreWriter;
  readonly #retention: StoreRetention;
  readonly #keepEvery: number;
  readonly #clock = new SteadyClock();
  #writes = 0;
  #keptAt = performance.now();
  /** What the page shows of it. */
  readonly data: StorePageData;

  constructor(
    run: StoreRun,
    retention: Retention,
    options: StoreQueryOptions,
    keepEvery = KEEP_EVERY,
  ) {
    this.#database = openDatabase(":memory:").database;
    this.#writer = new StoreWriter(this.#database, run);
    this.#retention = new StoreRetention(this.#database, retention);
    this.#keepEvery = keepEvery;
    this.data = new StorePageData(this.#database, { ...options, ownWrites: () => this.#writes });
  }

  setLocalNetworks(networks: readonly string[]): void {
    this.#writer.setLocalNetworks(networks);
  }

  /**
   * Writes a batch, and takes out what is too old or too much.
   *
   * @throws {Error} SQLite's.
   */
  write(batch: StoreBatch, losses: RowCounts): void {
    this.#writer.write(batch, losses);
    this.#writes++;
    const now = performance.now();
    if (now < this.#keptAt + this.#keepEvery && !this.#retention.isTooLarge) return;
    this.#keptAt = now;
    this.#retention.keep(this.#clock.now(), true);
  }
}
