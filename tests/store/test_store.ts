import type { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { openDatabase } from "../../src/store/open_database.ts";
import type { StoreBatch } from "../../src/store/store_batch.ts";
import type { StoreRun } from "../../src/store/store_options.ts";
import { StoreWriter } from "../../src/store/store_writer.ts";

/** What a run is in tests. */
export const RUN: StoreRun = {
  mode: "capture",
  sources: ["eth0"],
  localNetworks: ["10.0.0.0/8"],
  version: "0",
  hasRecords: true,
};

export const NO_LOSSES = { records: 0, observations: 0, names: 0 };

/** A batch of which the rest is empty. */
export function batchOf(given: Partial<StoreBatch>): StoreBatch {
  return { records: [], words: new Uint32Array(), flowNames: [], names: [], ...given };
}

/** A store in a folder of its own. */
export class TestStore implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "flosensor-store-" });
  readonly path = join(this.directory, "flows.db");
  readonly database: DatabaseSync;
  readonly writer: StoreWriter;

  constructor(run: StoreRun = RUN) {
    this.database = openDatabase(this.path).database;
    this.writer = new StoreWriter(this.database, run);
  }

  write(given: Partial<StoreBatch>): void {
    this.writer.write(batchOf(given), NO_LOSSES);
  }

  /** Rows as plain objects. */
  rows(sql: string): Record<string, unknown>[] {
    return this.database.prepare(sql).all().map((row) => ({ ...row }));
  }

  /** The one value of the one row. */
  value(sql: string): unknown {
    return Object.values(this.rows(sql)[0])[0];
  }

  [Symbol.dispose](): void {
    this.database.close();
    Deno.removeSync(this.directory, { recursive: true });
  }
}
