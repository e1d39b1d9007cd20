import type { ConversationRecord } from "../model/conversation_record.ts";
import { openDatabase } from "../store/open_database.ts";
import { StoreWriter } from "../store/store_writer.ts";
import type { ReadKeys } from "./key_reader.ts";
import type { ReportSource } from "./report_source.ts";

/** Keys that are written at a time. */
export const KEYS_AT_A_TIME = 10_000;

/** A store in memory, for what is no file of SQLite: so there is one way to make reports. */
export class MemorySource implements ReportSource {
  readonly name: string;
  readonly hasFigures: boolean;
  readonly isCopy = true;
  readonly database;
  readonly #writer: StoreWriter;

  /**
   * @param localNetworks The own networks, as `cidrText` writes them.
   * @param hasFigures Whether conversations follow, with times.
   */
  constructor(name: string, localNetworks: readonly string[], hasFigures = false) {
    this.name = name;
    this.hasFigures = hasFigures;
    this.database = openDatabase(":memory:").database;
    this.#writer = new StoreWriter(this.database, {
      mode: "replay",
      sources: [name],
      localNetworks,
      version: "",
      hasRecords: hasFigures,
    });
  }

  write(
    { sightings, refusals, names }: ReadKeys,
    records: readonly ConversationRecord[] = [],
  ): void {
    this.#writer.write(
      { records, words: new Uint32Array(), flowNames: [], sightings, refusals, names },
      { records: 0, sightings: 0, names: 0 },
    );
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}
