import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { addressKey } from "../report/address_key.ts";
import type { LocalAddresses } from "../store/local_addresses.ts";
import { stepStart, USAGE_STEPS } from "../store/steps.ts";
import { addressesWithin } from "./addresses_within.ts";
import { type Conditions, filterConditions } from "./filter_conditions.ts";
import type { PageQuery, SensorState } from "./page_data.ts";

/** A row as SQLite gives it. */
export type Row = Record<string, unknown>;

/** A sensor that has not written for that long has ended, whatever the store says; milliseconds. */
const SILENT = 120_000;
/** What was first seen so shortly before is new, where the store is older; milliseconds. */
const NEW = 86_400_000;
/** Prefixes that are remembered. */
const MOST_PREFIXES = 100;

/** Names of figures: in the store, and on the page. */
const FIGURES: readonly (readonly [string, string])[] = [
  ["sightings", "sightings"],
  ["conversations", "conversations"],
  ["unexplained", "unexplained"],
  ["packets_client", "packetsClient"],
  ["packets_server", "packetsServer"],
  ["bytes_client", "bytesClient"],
  ["bytes_server", "bytesServer"],
];

/** Figures as columns, such as `sum(c.packets_client) AS packetsClient`. */
export function figures(expression: (column: string) => string): string {
  return FIGURES.map(([column, name]) => `${expression(column)} AS ${name}`).join(", ");
}

/** Names of figures on the page. */
export const FIGURE_NAMES: readonly string[] = FIGURES.map(([, name]) => name);

/** Columns of a flow, but for its figures: `usage u` and its `service v`. */
export const FLOW_COLUMNS = "u.id, u.client, v.server, v.port, v.protocol, " +
  "v.is_local AS isLocal, u.by, u.name, u.name_origin AS nameOrigin, u.answered, u.first, u.last";

/** Flows that are chosen, as parts of SQL. There, `u` is a usage, `v` its service, `c` has figures. */
export class ChosenFlows {
  readonly values: readonly (string | number)[];
  readonly #since: number | null;
  readonly #condition: string;

  /** @param since Since when figures count, in whole steps of time; `null` for all. */
  constructor(since: number | null, { sql, values }: Conditions) {
    this.#since = since;
    this.values = values;
    // What was corrected to another client has nothing left.
    this.#condition = "(c.conversations > 0 OR c.sightings > 0 OR c.packetsClient > 0 OR " +
      `c.packetsServer > 0) AND ${sql}`;
  }

  /**
   * A query.
   *
   * @param columns What stands behind SELECT.
   * @param rest What stands behind the conditions: more of them, GROUP BY, ORDER BY.
   * @param join What is joined besides.
   */
  select(columns: string, rest = "", join = ""): string {
    const text = `${columns} ${this.#condition} ${rest} ${join}`;
    const service = /\bv\./.test(text) ? "JOIN service v ON v.id = u.service" : "";
    return this.#withFigures(
      `SELECT ${columns} FROM ${this.#from} ${service} ${join} WHERE ${this.#condition} ${rest}`,
    );
  }

  get #from(): string {
    if (this.#since === null) return "usage u";
    const step = USAGE_STEPS[0].seconds;
    const edge = stepStart(this.#since, step);
    return `(SELECT usage, ${figures((it) => `sum(${it})`)} FROM usage_step ` +
      `WHERE time >= ${edge} OR (step > ${step} AND time + step * 1000 > ${edge}) GROUP BY usage) ` +
      "c JOIN usage u ON u.id = c.usage";
  }

  /** Of all time, figures are those of the usage itself: it need not be joined to itself. */
  #withFigures(sql: string): string {
    if (this.#since !== null) return sql;
    return sql.replaceAll(/\bc\.(\w+)/g, (_, name: string) => `u.${COLUMN_OF.get(name)}`);
  }
}

const COLUMN_OF: ReadonlyMap<string, string> = new Map([
  ...FIGURES.map(([column, name]) => [name, column] as const),
  ["usage", "id"],
]);

/** What is asked of a store: its time, the flows that are chosen, and what the sensor says. */
export class StoreQuery {
  readonly #database: DatabaseSync;
  readonly #isCapturing: boolean;
  readonly #prefixes = new Map<string, LocalAddresses>();

  /**
   * @param database A store. Functions are added to the connection; nothing is written.
   * @param isCapturing Whether this process itself captures, which may see nothing for long.
   */
  constructor(database: DatabaseSync, isCapturing = false) {
    this.#database = database;
    this.#isCapturing = isCapturing;
    const define = (name: string, run: (...values: SQLInputValue[]) => SQLInputValue) =>
      database.function(name, { deterministic: true }, run);
    define(
      "is_within",
      (address, prefix) => Number(this.#prefix(String(prefix)).has(String(address))),
    );
    define("address_key", (address) => addressKey(String(address)));
  }

  rows(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#database.prepare(sql).all(...values);
  }

  /** The first row. */
  row(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#database.prepare(sql).get(...values);
  }

  /** The first value of the first row. */
  value(sql: string, ...values: SQLInputValue[]): unknown {
    return Object.values(this.row(sql, ...values) ?? {})[0];
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#database.prepare(sql).run(...values);
  }

  /** The time that views end with: that of the clock where a capture writes, else of what came last. */
  now(): number {
    return this.isLive ? Date.now() : this.#newest() || Date.now();
  }

  /** When the time begins that is asked for; `null` for all that there is. */
  since({ span }: PageQuery, now: number): number | null {
    // Of what has no times, such as a Redis, there is all or nothing.
    if (span === null || this.#newest() === 0) return null;
    const since = Math.floor(now - span);
    const oldest = Number(this.value("SELECT min(first) FROM service"));
    // Figures are those of whole steps.
    return stepStart(since, USAGE_STEPS[0].seconds) <= oldest ? null : since;
  }

  /** What first came after this time is new. Nothing is, in a store that began later or has no times. */
  newSince(now: number): number {
    const oldest = Number(this.value("SELECT min(first) FROM service WHERE first > 0") ?? now);
    return oldest < now - NEW ? now - NEW : now + 1;
  }

  /** The flows that a query chooses. */
  chosen(query: PageQuery, now: number): ChosenFlows {
    const where = filterConditions(query.filter, this.newSince(now));
    return new ChosenFlows(this.since(query, now), where);
  }

  /** Whether a sensor writes now. */
  get isLive(): boolean {
    return this.#isCapturing || (this.sensor()?.isLive ?? false);
  }

  sensor(): SensorState | null {
    const row = this.row(
      "SELECT mode, sources, local_networks AS localNetworks, version, started, flushed, ended, " +
        "lost_records + lost_sightings + lost_names AS lost FROM run ORDER BY id DESC LIMIT 1",
    );
    if (row === undefined) return null;
    const { ended, ...state } = row as unknown as SensorState & { ended: number | null };
    const isLive = state.mode === "capture" && ended === null &&
      (this.#isCapturing || state.flushed > Date.now() - SILENT);
    return { ...state, isLive };
  }

  /** Time of what came last; 0 where there is nothing, or no times. */
  #newest(): number {
    return Number(this.value("SELECT max(last) FROM service"));
  }

  #prefix(text: string): LocalAddresses {
    let prefix = this.#prefixes.get(text);
    if (prefix === undefined) {
      if (this.#prefixes.size >= MOST_PREFIXES) this.#prefixes.clear();
      prefix = addressesWithin(text);
      this.#prefixes.set(text, prefix);
    }
    return prefix;
  }
}
