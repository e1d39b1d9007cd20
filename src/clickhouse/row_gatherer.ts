import { communityId } from "../model/community_id.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { CountedRows } from "../store/counted_rows.ts";
import { type NameTaker, readName } from "../store/read_name.ts";
import type { ObservationTaker } from "../store/read_observations.ts";
import type { FlowObservations, Refusals, TimedName } from "../store/store_batch.ts";
import type { StoreRun } from "../store/store_options.ts";
import { withoutDot } from "../store/without_dot.ts";
import {
  CLICKHOUSE_TABLES,
  clickHouseRow,
  type ClickHouseTable,
  dayOf,
} from "./clickhouse_tables.ts";
import type { BatchPart, RowBatch } from "./row_batch.ts";

/** Bytes of a row that counts, about. */
const COUNTED_BYTES = 200;
/** Runs that begin in one millisecond have different numbers. */
const RUNS_A_MILLISECOND = 1000;

/** Makes rows of what a sink is given, and batches of rows. */
export class RowGatherer implements ObservationTaker, NameTaker {
  readonly #run: StoreRun;
  readonly #started = Date.now();
  /** Whose rows they are: no other run of the sensor has the same number. */
  readonly #id = this.#started * RUNS_A_MILLISECOND +
    crypto.getRandomValues(new Uint16Array(1))[0] % RUNS_A_MILLISECOND;
  #number = 0;
  #reports = 0;
  #day = "";
  #dayOf = NaN;
  #records: string[] = [];
  #uses = new CountedRows();
  #names = new CountedRows();
  #refusals = new CountedRows();
  #observationCount = 0;
  #nameCount = 0;
  /** Bytes of what is gathered, about. */
  bytes = 0;

  constructor(run: StoreRun) {
    this.#run = run;
  }

  /** Records, observations and names that are gathered. */
  get count(): number {
    return this.#records.length + this.#observationCount + this.#nameCount;
  }

  takeRecord(record: ConversationRecord): void {
    const row = clickHouseRow([
      ...this.#saidBy(record.first),
      record.id,
      ++this.#reports,
      communityId(record),
      record.first,
      record.last,
      Number(record.isOver),
      record.protocol,
      record.client,
      record.clientPort,
      record.server,
      record.port,
      record.by,
      record.state,
      record.packets[0],
      record.packets[1],
      record.bytes[0],
      record.bytes[1],
      record.flags[0],
      record.flags[1],
      record.names.map((it) => `${it.from}:${it.name}`).join(" "),
      record.interface,
      record.vlan,
      record.tunnel,
      record.dns ?? null,
      record.isExplained === null ? null : Number(record.isExplained),
      record.why,
    ]);
    this.#records.push(row);
    this.bytes += row.length;
  }

  takeFlow({ client, server, port, protocol, by, name, count, time }: FlowObservations): void {
    this.#observationCount += count;
    const values = [client, server, port, protocol, by, name === null ? "" : withoutDot(name)];
    this.#count(this.#uses, values, time, count);
  }

  takeRefusals({ kind, prober, target, port, reason, count, time }: Refusals): void {
    this.#observationCount += count;
    const values = [kind, prober, kind === "nx" ? withoutDot(target) : target, port, reason];
    this.#count(this.#refusals, values, time, count);
  }

  takeName(name: TimedName): void {
    readName(name, this);
  }

  takeAddress(client: string, name: string, address: string, time: number, count: number): void {
    this.#nameCount += count;
    const type = address.includes(":") ? "AAAA" : "A";
    this.#count(this.#names, [client, name, type, address], time, count);
  }

  takeAlias(client: string, name: string, target: string, time: number, count: number): void {
    this.#nameCount += count;
    this.#count(this.#names, [client, name, "CNAME", target], time, count);
  }

  /** What is gathered, which is begun anew; `null` where there is nothing. */
  batch(): RowBatch | null {
    if (this.count === 0) return null;
    const number = ++this.#number;
    const counted = (rows: CountedRows) =>
      [...rows.values()].map(({ values, count, first, last }) =>
        clickHouseRow([...this.#saidBy(last), ...values, count, first, last, number])
      );
    const texts: Record<ClickHouseTable, string[]> = {
      run: number === 1 ? [this.#runRow()] : [],
      conversation: this.#records,
      service_use: counted(this.#uses),
      name: counted(this.#names),
      refusal: counted(this.#refusals),
    };
    const encoder = new TextEncoder();
    const parts: BatchPart[] = CLICKHOUSE_TABLES.filter((table) => texts[table].length > 0)
      .map((table) => ({ table, rows: encoder.encode(texts[table].join("")) }));
    const counts = {
      records: this.#records.length,
      observations: this.#observationCount,
      names: this.#nameCount,
    };
    this.#records = [];
    this.#uses = new CountedRows();
    this.#names = new CountedRows();
    this.#refusals = new CountedRows();
    this.#observationCount = this.#nameCount = this.bytes = 0;
    return { name: `${this.#id}-${String(number).padStart(9, "0")}`, parts, counts };
  }

  #count(
    rows: CountedRows,
    values: readonly (string | number)[],
    time: number,
    count: number,
  ): void {
    if (rows.add(values, time, count)) this.bytes += COUNTED_BYTES;
  }

  #saidBy(time: number): [day: string, sensor: string, run: number] {
    const day = Math.floor(time / 86_400_000);
    if (day !== this.#dayOf) {
      this.#dayOf = day;
      this.#day = dayOf(time);
    }
    return [this.#day, this.#run.sensor ?? "", this.#id];
  }

  #runRow(): string {
    const { mode, sources, localNetworks, version } = this.#run;
    return clickHouseRow([
      ...this.#saidBy(this.#started),
      mode,
      sources.join(" "),
      localNetworks.join(" "),
      version,
      this.#started,
    ]);
  }
}
