import type { Figures, FlowPage, FlowRow, FlowSort, PageQuery } from "./page_data.ts";
import { filterText } from "./filter.ts";
import { FIGURE_NAMES, FLOW_COLUMNS, type Row, type StoreQuery } from "./store_query.ts";

/** The most flows that can be scrolled to. */
const MOST_LISTED = 50_000;
/** Flows that are put in order at once: few are looked at, and to order all takes its time. */
const FIRST_LISTED = 2_000;
/** Orders that are kept. */
const MOST_SNAPSHOTS = 4;

const SORTS: Readonly<Record<FlowSort, string>> = {
  last: "u.last",
  first: "u.first",
  client: "k.place",
  server: "k.place",
  port: "v.port",
  name: "u.name",
  by: "u.by",
  bytes: "c.bytesClient + c.bytesServer",
  packets: "c.packetsClient + c.packetsServer",
  conversations: "max(c.conversations, c.observations)",
  duration: "u.last - u.first",
};

/**
 * Addresses are compared as numbers: each has its place among all. That is found out once, and not for
 * each flow: SQLite does not move a window function to where its value is used.
 */
const PLACES = (addresses: string, column: string) =>
  "CROSS JOIN (SELECT address, row_number() OVER (ORDER BY address_key(address)) AS place " +
  `FROM (${addresses})) k ON k.address = ${column}`;
const JOINS: Partial<Record<FlowSort, string>> = {
  client: PLACES("SELECT DISTINCT client AS address FROM usage", "u.client"),
  server: PLACES("SELECT DISTINCT server AS address FROM service", "v.server"),
};

const NAMES = FIGURE_NAMES.join(", ");

/** How flows are sorted. */
export interface FlowOrder {
  readonly by: FlowSort;
  readonly isDescending: boolean;
}

/** An order of flows, in a table of its own. */
interface Snapshot {
  readonly id: string;
  readonly table: string;
  readonly key: string;
  readonly total: number;
  readonly listed: number;
  readonly totals: Figures;
  /** How many are in the table. */
  held: number;
}

/**
 * Flows in orders that stay as they are while one scrolls, though more comes. They are tables in
 * memory, of which the last few are kept.
 */
export class FlowSnapshots {
  readonly #store: StoreQuery;
  readonly #snapshots: Snapshot[] = [];
  #number = 0;

  constructor(store: StoreQuery) {
    this.#store = store;
  }

  /**
   * A part of the flows.
   *
   * @param version That of the data.
   * @param wanted The snapshot that is looked at, if it is still there.
   */
  part(
    query: PageQuery,
    order: FlowOrder,
    { offset, limit, snapshot: wanted }: {
      readonly offset: number;
      readonly limit: number;
      readonly snapshot: string | null;
    },
    version: string,
  ): FlowPage {
    const now = this.#store.now();
    const key = `${filterText(query.filter)}\n${query.span}\n${order.by} ${order.isDescending}`;
    const known = this.#snapshots.find((it) => it.id === wanted && it.key.startsWith(`${key}\n`)) ??
      this.#snapshots.find((it) => it.key === `${key}\n${version}`);
    const snapshot = known ?? this.#make(query, order, now, `${key}\n${version}`);
    if (offset + limit > snapshot.held && snapshot.held < snapshot.listed) {
      this.#fill(snapshot, query, order, now, MOST_LISTED);
    }
    const rows = this.#store.rows(
      `SELECT ${FLOW_COLUMNS}, ${FIGURE_NAMES.map((it) => `s.${it}`).join(", ")}, ` +
        `u.first >= ? AS isNew FROM temp.${snapshot.table} s JOIN usage u ON u.id = s.usage ` +
        "JOIN service v ON v.id = u.service WHERE s.position > ? AND s.position <= ? " +
        "ORDER BY s.position",
      this.#store.newSince(now),
      offset,
      offset + limit,
    ).map(flowOf);
    const { id, total, listed, totals } = snapshot;
    return { snapshot: id, total, listed, totals, offset, rows };
  }

  #make(query: PageQuery, order: FlowOrder, now: number, key: string): Snapshot {
    while (this.#snapshots.length >= MOST_SNAPSHOTS) {
      this.#store.run(`DROP TABLE temp.${this.#snapshots.shift()!.table}`);
    }
    const id = String(++this.#number);
    // Names of tables come again, so that statements do.
    const table = `flows_${this.#number % MOST_SNAPSHOTS}`;
    this.#store.run(
      `CREATE TEMP TABLE ${table} (position INTEGER PRIMARY KEY, usage INTEGER, ` +
        `${FIGURE_NAMES.map((it) => `${it} INTEGER`).join(", ")})`,
    );
    const totals = this.#store.totals(query, now);
    const listed = Math.min(totals.flows, MOST_LISTED);
    const snapshot = {
      ...{ id, table, key, total: totals.flows, listed, held: 0 },
      totals: Object.fromEntries(
        FIGURE_NAMES.map((it) => [it, totals[it as keyof Figures]]),
      ) as unknown as Figures,
    };
    this.#fill(snapshot, query, order, now, FIRST_LISTED);
    this.#snapshots.push(snapshot);
    return snapshot;
  }

  /** Has more flows in a snapshot, behind those that are there. */
  #fill(
    snapshot: Snapshot,
    query: PageQuery,
    { by, isDescending }: FlowOrder,
    now: number,
    most: number,
  ): void {
    const { table, held } = snapshot;
    const selected = this.#store.selected(query, now);
    if (selected !== null) {
      const isThere = held === 0
        ? []
        : this.#store.rows(`SELECT usage FROM temp.${table}`).map(({ usage }) => Number(usage));
      const flows = selected.first(most - held, by, isDescending, new Set(isThere));
      this.#store.run(
        `INSERT INTO temp.${table} (usage, ${NAMES}) SELECT value ->> 'usage', ` +
          `${
            FIGURE_NAMES.map((it) => `value ->> '${it}'`).join(", ")
          } FROM json_each(?) ORDER BY key`,
        JSON.stringify(flows),
      );
      snapshot.held = most;
      return;
    }
    const chosen = this.#store.chosen(query, now);
    const direction = isDescending ? "DESC" : "ASC";
    const isThere = held === 0 ? "" : `AND u.id NOT IN (SELECT usage FROM temp.${table}) `;
    this.#store.run(
      `INSERT INTO temp.${table} (usage, ${NAMES}) ` + chosen.select(
        `c.usage, ${FIGURE_NAMES.map((it) => `c.${it}`).join(", ")}`,
        // What has no name comes last, either way.
        `${isThere}ORDER BY ${SORTS[by]} IS NULL, ${SORTS[by]} ${direction}, c.usage DESC ` +
          `LIMIT ${most - held}`,
        JOINS[by],
      ),
    );
    snapshot.held = most;
  }
}

/** A row of the store as the page has it. */
export function flowOf(row: Row): FlowRow {
  return { ...row, isLocal: row.isLocal === 1, isNew: row.isNew === 1 } as unknown as FlowRow;
}
