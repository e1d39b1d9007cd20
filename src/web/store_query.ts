import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { addressKey } from "../report/address_key.ts";
import type { LocalAddresses } from "../store/local_addresses.ts";
import { stepStart, USAGE_STEPS } from "../store/steps.ts";
import { addressesWithin } from "./addresses_within.ts";
import { ColumnSelection } from "./column_selection.ts";
import { filterText } from "./filter.ts";
import { everyAddress, filterConditions, type IsFew, USAGE_COLUMNS } from "./filter_conditions.ts";
import type { FlowColumns } from "./flow_columns.ts";
import { HeldColumns } from "./held_columns.ts";
import type { Figures, PageQuery, SensorState } from "./page_data.ts";

/** A row as SQLite gives it. */
export type Row = Record<string, unknown>;

/** A sensor that has not written for that long has ended, whatever the store says; milliseconds. */
const SILENT = 120_000;
/** What was first seen so shortly before is new, where the store is older; milliseconds. */
const NEW = 86_400_000;
/** A flow is taken for one that goes on when it was seen so shortly before, in milliseconds. */
const GOES_ON = 120_000;
/** Values that are looked up one by one in an index: so many, or this part of all; flows that are sorted to count their clients. */
const FEW_VALUES = 100;
const FEW_PART = 8;
const FEW_FLOWS = 50_000;
/** Selections that are kept, and flows that they may have together: each takes 50 bytes. */
const MOST_SELECTIONS = 3;
const MOST_SELECTED = 300_000;
/** Statements that are kept. */
const MOST_STATEMENTS = 200;
/** Prefixes that are remembered. */
const MOST_PREFIXES = 100;

/** Names of figures: in the store, and on the page. */
const FIGURES: readonly (readonly [string, string])[] = [
  ["observations", "observations"],
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

/** What is known of a store and of its reader. */
export interface StoreQueryOptions {
  /** Whether this process itself captures, which may see nothing for long. */
  readonly isCapturing?: boolean;
  /** From so many flows on they are held in memory. */
  readonly leastHeld?: number;
  /** Called when much memory was freed at once, of which the C library keeps most for itself. */
  readonly onFreed?: () => void;
}

/** How much there is of the flows that were chosen. */
export interface ChosenTotals extends Figures {
  readonly flows: number;
  /** Those that were seen a short time ago. */
  readonly flowsNow: number;
  /** Those of which some conversations are unexplained, and those that are encrypted DNS. */
  readonly unexplainedFlows: number;
  readonly encryptedDns: number;
}

/** The flows that a query chooses: all, or those in a table of their own, in memory. */
export class ChosenFlows {
  readonly #table: string | null;
  readonly #hasFigures: boolean;

  /**
   * @param table That of the flows, which has `usage`; `null` for all that there are.
   * @param hasFigures Whether it has figures as well. Otherwise they are those of all time.
   */
  constructor(table: string | null, hasFigures: boolean) {
    this.#table = table;
    this.#hasFigures = hasFigures;
  }

  /** A query of their `usage.id`. */
  get ids(): string {
    return this.#table === null
      ? `SELECT u.id FROM usage u WHERE ${WORKED}`
      : `SELECT usage FROM temp.${this.#table}`;
  }

  /** A condition: whether there is one of them that a condition on `usage u` is true of. */
  hasOne(condition: string): string {
    const [from, isChosen] = this.#among("usage u");
    return `EXISTS (SELECT 1 FROM ${from} WHERE ${condition} AND ${isChosen})`;
  }

  /**
   * A query.
   *
   * @param columns What stands behind SELECT.
   * @param rest What stands behind the conditions: more of them, GROUP BY, ORDER BY.
   * @param join What is joined besides.
   */
  select(columns: string, rest = "", join = ""): string {
    const service = /\bv\./.test(`${columns} ${rest} ${join}`)
      ? "JOIN service v ON v.id = u.service"
      : "";
    const [from, isChosen] = this.#table === null
      ? ["usage u", WORKED]
      : [`temp.${this.#table} c CROSS JOIN usage u ON u.id = c.usage`, "1"];
    return `SELECT ${this.#figured(columns)} FROM ${from} ${service} ${this.#figured(join)} ` +
      `WHERE ${isChosen} ${this.#figured(rest)}`;
  }

  /** The same with a row for each service `v` of which a condition is true. */
  selectByService(columns: string, condition: string, rest: string): string {
    // Flows of a service come together, so nothing is sorted.
    const [from, isChosen] = this.#among("service v CROSS JOIN usage u ON u.service = v.id");
    return `SELECT ${this.#figured(columns)} FROM ${from} WHERE ${condition} AND ${isChosen} ` +
      `GROUP BY v.id ${this.#figured(rest)}`;
  }

  /** What stands behind FROM to look for each of others whether it was chosen, and the condition of that. */
  #among(others: string): readonly [from: string, isChosen: string] {
    return this.#table === null
      ? [others, WORKED]
      : [`${others} CROSS JOIN temp.${this.#table} c ON c.usage = u.id`, "1"];
  }

  #figured(sql: string): string {
    return this.#hasFigures ? sql : ofAllTime(sql);
  }
}

/** Flows that conversations or keys were seen of: what was corrected to another client has nothing left. */
const WORKED =
  "(u.conversations > 0 OR u.observations > 0 OR u.packets_client > 0 OR u.packets_server > 0)";

/** Of all time, figures are those of the usage itself. */
function ofAllTime(sql: string): string {
  return sql.replaceAll(/\bc\.(\w+)/g, (_, name: string) => `u.${COLUMN_OF.get(name)}`);
}

const COLUMN_OF: ReadonlyMap<string, string> = new Map([
  ...FIGURES.map(([column, name]) => [name, column] as const),
  ["usage", "id"],
]);

/** Flows that were chosen of the data as it was. */
interface Selection {
  readonly key: string;
  readonly version: string;
  readonly table: string | null;
  /** How many are in the table. */
  readonly rows: number;
  readonly flows: ChosenFlows;
  totals: ChosenTotals | null;
}

/** When data that has no times began, and ended. */
const NO_TIMES = { oldest: null, oldestTimed: null, newest: 0 } as const;

/** When the data of a store began, and ended. */
interface Times {
  readonly oldest: number | null;
  /** The same of what has a time. */
  readonly oldestTimed: number | null;
  readonly newest: number;
}

/** What is asked of a store: its time, the flows that are chosen, and what the sensor says. */
export class StoreQuery implements Disposable {
  readonly #database: DatabaseSync;
  readonly #isCapturing: boolean;
  readonly #version: () => string;
  readonly #prefixes = new Map<string, LocalAddresses>();
  readonly #selections: Selection[] = [];
  readonly #statements = new Map<string, StatementSync>();
  readonly #held: HeldColumns;
  readonly #onFreed: () => void;
  readonly #columnSelections = new Map<string, ColumnSelection>();
  /** What they are of. */
  #columns: FlowColumns | null = null;
  #columnsVersion = "";
  #times: Times = NO_TIMES;
  #timesVersion = "";

  /**
   * @param database A store. Functions are added to the connection; nothing is written.
   * @param version That of the data: it changes when the data does.
   * @param options What is known of the store and of its reader.
   */
  constructor(
    database: DatabaseSync,
    version: () => string,
    { isCapturing = false, leastHeld, onFreed = () => {} }: StoreQueryOptions = {},
  ) {
    this.#database = database;
    this.#version = version;
    this.#isCapturing = isCapturing;
    this.#held = new HeldColumns(database, version, () => this.#forgetAll(), leastHeld);
    this.#onFreed = onFreed;
    // Before there is any table: of tables that are dropped, nothing is kept.
    database.exec("PRAGMA temp.auto_vacuum = FULL");
    const define = (name: string, run: (...values: SQLInputValue[]) => SQLInputValue) =>
      database.function(name, { deterministic: true }, run);
    define(
      "is_within",
      (address, prefix) => Number(this.#prefix(String(prefix)).has(String(address))),
    );
    define("address_key", (address) => addressKey(String(address)));
  }

  rows(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  /** The first row. */
  row(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  /** The first value of the first row. */
  value(sql: string, ...values: SQLInputValue[]): unknown {
    return Object.values(this.row(sql, ...values) ?? {})[0];
  }

  /** A query that is asked again and again. */
  prepared(sql: string): (...values: SQLInputValue[]) => Row[] {
    const statement = this.#statement(sql);
    return (...values) => statement.all(...values);
  }

  /** A statement that is thrown away has its memory for long: those that come again are kept. */
  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement !== undefined) return statement;
    if (this.#statements.size >= MOST_STATEMENTS) {
      this.#statements.delete(this.#statements.keys().next().value!);
    }
    statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** @returns How many rows were changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]();
  }

  /** The time that views end with: that of the clock where a capture writes, else of what came last. */
  now(): number {
    return this.isLive ? Date.now() : this.#dataTimes().newest || Date.now();
  }

  /** When the time begins that is asked for; `null` for all that there is. */
  since({ span }: PageQuery, now: number): number | null {
    // Of what has no times, such as a Redis, there is all or nothing.
    const { newest, oldest } = this.#dataTimes();
    if (span === null || newest === 0) return null;
    const since = Math.floor(now - span);
    // Figures are those of whole steps.
    return stepStart(since, USAGE_STEPS[0].seconds) <= Number(oldest) ? null : since;
  }

  /** What first came after this time is new. Nothing is, in a store that began later or has no times. */
  newSince(now: number): number {
    const oldest = this.#dataTimes().oldestTimed ?? now;
    return oldest < now - NEW ? now - NEW : now + 1;
  }

  /**
   * The flows that a query chooses. They are chosen once while the data stays the same.
   *
   * @param also A condition on `usage u` that is asked of them anyway: the others need not be there.
   */
  chosen(query: PageQuery, now: number, also = "1"): ChosenFlows {
    return this.#selection(query, now, also).flows;
  }

  /** The same out of memory; `null` where flows are not held there. */
  selected(query: PageQuery, now: number): ColumnSelection | null {
    const columns = this.#held.get(query.filter.length > 0);
    if (columns !== this.#columns) this.#columnSelections.clear();
    this.#columns = columns;
    if (columns === null) return null;
    const edge = this.#edge(query, now);
    if (edge === null && !columns.isWhole) return null;
    const version = this.#version();
    const key = selectionKey(query, edge);
    if (version === this.#columnsVersion) {
      const known = this.#columnSelections.get(key);
      if (known !== undefined) return known;
    }
    // What is thrown away is there for long: the memory of one that is old is used again.
    const [oldest] = this.#columnSelections;
    const isFull = this.#columnSelections.size >= MOST_SELECTIONS;
    const other = isFull || version !== this.#columnsVersion ? oldest : undefined;
    if (version !== this.#columnsVersion) this.#columnSelections.clear();
    else if (other !== undefined) this.#columnSelections.delete(other[0]);
    this.#columnsVersion = version;
    const { filter } = query;
    const made = new ColumnSelection(columns, filter, edge, this.newSince(now), other?.[1]);
    this.#columnSelections.set(key, made);
    return made;
  }

  /** How much there is of them. */
  totals(query: PageQuery, now: number): ChosenTotals {
    const selected = this.selected(query, now);
    if (selected !== null) return selected.totals(now - GOES_ON);
    const selection = this.#selection(query, now);
    return selection.totals ??= this.row(
      selection.flows.select(
        "count(*) AS flows, total(u.last >= ?) AS flowsNow, " +
          "total(c.unexplained > 0) AS unexplainedFlows, " +
          `total(${USAGE_COLUMNS.isEncrypted}) AS encryptedDns, ` +
          FIGURE_NAMES.map((name) => `total(c.${name}) AS ${name}`).join(", "),
      ),
      now - GOES_ON,
    ) as unknown as ChosenTotals;
  }

  /** Different clients of them. */
  clients(query: PageQuery, now: number): number {
    const selected = this.selected(query, now);
    if (selected !== null) return selected.clients();
    const { flows } = this.#selection(query, now);
    if (this.totals(query, now).flows <= FEW_FLOWS) {
      return Number(this.value(flows.select("count(DISTINCT u.client)")));
    }
    // Each client has one that is found soon, but there may be a million of them to sort.
    return Number(this.value(
      `SELECT count(*) FROM (${everyAddress("usage", "client")} AND ` +
        `${flows.hasOne("u.client = address")})`,
    ));
  }

  /** Services of the own networks that answered and that they are of: how many, and how many new ones. */
  ownServices(query: PageQuery, now: number): { services: number; newServices: number } {
    const selected = this.selected(query, now);
    if (selected !== null) return selected.ownServices(this.newSince(now));
    const { flows } = this.#selection(query, now);
    const isOne = this.totals(query, now).flows <= FEW_FLOWS
      ? `v.id IN (${flows.select("u.service")})`
      : flows.hasOne("u.service = v.id");
    return this.row(
      "SELECT count(*) AS services, total(v.first >= ?) AS newServices FROM service v " +
        `WHERE v.is_local AND v.answered AND ${isOne}`,
      this.newSince(now),
    ) as unknown as { services: number; newServices: number };
  }

  /** Whether it is known when something was seen: Redis does not have it. */
  get hasTimes(): boolean {
    const { oldest, newest } = this.#dataTimes();
    return oldest === null || newest > 0;
  }

  /** Whether a sensor writes now. */
  get isLive(): boolean {
    return this.#isCapturing || (this.sensor()?.isLive ?? false);
  }

  sensor(): SensorState | null {
    const row = this.row(
      "SELECT mode, sources, local_networks AS localNetworks, version, started, flushed, ended, " +
        "lost_records + lost_observations + lost_names AS lost FROM run ORDER BY id DESC LIMIT 1",
    );
    if (row === undefined) return null;
    const { ended, ...state } = row as unknown as SensorState & { ended: number | null };
    const isLive = state.mode === "capture" && ended === null &&
      (this.#isCapturing || state.flushed > Date.now() - SILENT);
    return { ...state, isLive };
  }

  #selection(query: PageQuery, now: number, also = "1"): Selection {
    const edge = this.#edge(query, now);
    const version = this.#version();
    const key = `${selectionKey(query, edge)}\n${also}`;
    const known = this.#selections.find((it) => it.key === key);
    if (known?.version === version) return known;
    if (known !== undefined) this.#forget(known);
    while (this.#selections.length >= MOST_SELECTIONS) this.#forget(this.#selections[0]);
    const [table, rows] = edge === null && query.filter.length === 0
      ? [null, 0]
      : this.#select(query, edge, now, also);
    const flows = new ChosenFlows(table, edge !== null);
    const selection = { key, version, table, rows, flows, totals: null };
    this.#selections.push(selection);
    while (
      this.#selections.length > 1 &&
      this.#selections.reduce((sum, it) => sum + it.rows, 0) > MOST_SELECTED
    ) this.#forget(this.#selections[0]);
    return selection;
  }

  #edge(query: PageQuery, now: number): number | null {
    const since = this.since(query, now);
    return since === null ? null : stepStart(since, USAGE_STEPS[0].seconds);
  }

  /** Puts the flows that a query chooses into a table. */
  #select(
    query: PageQuery,
    edge: number | null,
    now: number,
    also: string,
  ): readonly [table: string, rows: number] {
    const count = (sql: string, ...values: SQLInputValue[]) =>
      Number(this.value(`SELECT count(*) FROM (${sql})`, ...values));
    const isFew: IsFew = (sql, values, all) =>
      count(sql, ...values) <= Math.max(FEW_VALUES, all === undefined ? 0 : count(all) / FEW_PART);
    const where = filterConditions(query.filter, this.newSince(now), USAGE_COLUMNS, isFew);
    // Names come again, so that statements do.
    const isUsed = new Set(this.#selections.map((it) => it.table));
    let table = "chosen_0";
    for (let number = 1; isUsed.has(table); number++) table = `chosen_${number}`;
    if (edge === null) {
      this.run(`CREATE TEMP TABLE ${table} (usage INTEGER PRIMARY KEY)`);
      const rows = this.run(
        `INSERT INTO temp.${table} SELECT u.id FROM usage u WHERE ${WORKED} AND ${also} AND ` +
          where.sql,
        ...where.values,
      );
      return [table, rows];
    }
    const step = USAGE_STEPS[0].seconds;
    this.run(
      `CREATE TEMP TABLE ${table} (usage INTEGER PRIMARY KEY, ` +
        `${FIGURE_NAMES.map((name) => `${name} INTEGER`).join(", ")})`,
    );
    const rows = this.run(
      `INSERT INTO temp.${table} SELECT usage, ${figures((it) => `sum(${it})`)} FROM usage_step ` +
        `WHERE (time >= ?1 OR (step > ?2 AND time + step * 1000 > ?1)) ` +
        (query.filter.length === 0 && also === "1"
          ? ""
          : `AND usage IN (SELECT u.id FROM usage u WHERE ${also} AND ${where.sql}) `) +
        "GROUP BY usage HAVING sum(conversations) > 0 OR sum(observations) > 0 OR " +
        "sum(packets_client) > 0 OR sum(packets_server) > 0",
      edge,
      step,
      ...where.values,
    );
    return [table, rows];
  }

  #forget(selection: Selection): void {
    this.#selections.splice(this.#selections.indexOf(selection), 1);
    if (selection.table !== null) this.run(`DROP TABLE temp.${selection.table}`);
  }

  #forgetAll(): void {
    while (this.#selections.length > 0) this.#forget(this.#selections[0]);
    // SQLite and the C library would keep their memory.
    this.#database.exec("PRAGMA shrink_memory");
    this.#onFreed();
  }

  /** Found out once while the data stays the same. */
  #dataTimes(): Times {
    const version = this.#version();
    if (version === this.#timesVersion) return this.#times;
    const { oldest, oldestTimed, newest } = this.row(
      "SELECT min(first) AS oldest, min(CASE WHEN first > 0 THEN first END) AS oldestTimed, " +
        "max(last) AS newest FROM service",
    ) as unknown as Times;
    this.#times = { oldest, oldestTimed, newest: newest ?? 0 };
    this.#timesVersion = version;
    return this.#times;
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

function selectionKey({ filter }: PageQuery, edge: number | null): string {
  return `${filterText(filter)}\n${edge}`;
}
