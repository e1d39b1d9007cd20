import { openDatabase } from "../store/open_database.ts";
import { StoreWriter } from "../store/store_writer.ts";
import type { StoreBatch } from "../store/store_batch.ts";
import type { ReadKeys } from "./key_reader.ts";
import type { ReportSource } from "./report_source.ts";

/** Keys that are written at a time. */
export const KEYS_AT_A_TIME = 10_000;

/** A store in memory, for what is no file of SQLite: so there is one way to make reports. */
export class MemorySource implements ReportSource {
  readonly name: string;
  readonly isCopy = true;
  readonly database;
  readonly #writer: StoreWriter;
  #hasRecords: boolean;

  /**
   * @param localNetworks The own networks, as `cidrText` writes them.
   * @param hasRecords Whether records of conversations come with the keys; otherwise the first one tells.
   */
  constructor(name: string, localNetworks: readonly string[], hasRecords = false) {
    this.name = name;
    this.#hasRecords = hasRecords;
    this.database = openDatabase(":memory:").database;
    this.#writer = new StoreWriter(this.database, {
      mode: "replay",
      sources: [name],
      localNetworks,
      version: "",
      hasRecords,
    });
  }

  get hasFigures(): boolean {
    return this.#hasRecords;
  }

  /** @param known What is known besides. */
  write(
    { observations, refusals, names }: ReadKeys,
    { records = [], devices = [] }: Partial<Pick<StoreBatch, "records" | "devices">> = {},
  ): void {
    const words = new Uint32Array();
    if (records.length > 0 && !this.#hasRecords) {
      this.#hasRecords = true;
      this.#writer.expectRecords();
    }
    this.#writer.write(
      { records, devices, words, flowNames: [], observations, refusals, names },
      { records: 0, observations: 0, names: 0 },
    );
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}
