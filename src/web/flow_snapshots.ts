import type { Figures, FlowPage, FlowRow, FlowSort, PageQuery } from "./page_data.ts";
import { filterText } from "./filter.ts";
import { FIGURE_NAMES, FLOW_COLUMNS, type Row, type StoreQuery } from "./store_query.ts";

/** The most flows that can be scrolled to: browsers end pages of more than some 17 million pixels. */
const MOST_LISTED = 300_000;
/** Orders that are kept. */
const MOST_SNAPSHOTS = 4;

const SORTS: Readonly<Record<FlowSort, string>> = {
  last: "u.last",
  first: "u.first",
  client: "address_key(u.client)",
  server: "address_key(v.server)",
  port: "v.port",
  name: "u.name",
  by: "u.by",
  bytes: "c.bytesClient + c.bytesServer",
  packets: "c.packetsClient + c.packetsServer",
  conversations: "max(c.conversations, c.sightings)",
  duration: "u.last - u.first",
};

const NAMES = FIGURE_NAMES.join(", ");

/** How flows are sorted. */
export interface FlowOrder {
  readonly by: FlowSort;
  readonly isDescending: boolean;
}

/** An order of flows, in a table of its own. */
interface Snapshot {
  readonly table: string;
  readonly key: string;
  readonly total: number;
  readonly listed: number;
  readonly totals: Figures;
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
    const known =
      this.#snapshots.find((it) => it.table === wanted && it.key.startsWith(`${key}\n`)) ??
        this.#snapshots.find((it) => it.key === `${key}\n${version}`);
    const snapshot = known ?? this.#make(query, order, now, `${key}\n${version}`);
    const rows = this.#store.rows(
      `SELECT ${FLOW_COLUMNS}, ${FIGURE_NAMES.map((it) => `s.${it}`).join(", ")}, ` +
        `u.first >= ? AS isNew FROM temp.${snapshot.table} s JOIN usage u ON u.id = s.usage ` +
        "JOIN service v ON v.id = u.service WHERE s.position > ? AND s.position <= ? " +
        "ORDER BY s.position",
      this.#store.newSince(now),
      offset,
      offset + limit,
    ).map(flowOf);
    const { table, total, listed, totals } = snapshot;
    return { snapshot: table, total, listed, totals, offset, rows };
  }

  #make(query: PageQuery, { by, isDescending }: FlowOrder, now: number, key: string): Snapshot {
    while (this.#snapshots.length >= MOST_SNAPSHOTS) {
      this.#store.run(`DROP TABLE temp.${this.#snapshots.shift()!.table}`);
    }
    const table = `flows_${++this.#number}`;
    const { from, where } = this.#store.chosen(query, now);
    const direction = isDescending ? "DESC" : "ASC";
    this.#store.run(
      `CREATE TEMP TABLE ${table} (position INTEGER PRIMARY KEY, usage INTEGER, ` +
        `${FIGURE_NAMES.map((it) => `${it} INTEGER`).join(", ")})`,
    );
    this.#store.run(
      `INSERT INTO temp.${table} (usage, ${NAMES}) SELECT c.usage, ` +
        `${FIGURE_NAMES.map((it) => `c.${it}`).join(", ")} FROM ${from} WHERE ${where.sql} ` +
        // What has no name comes last, either way.
        `ORDER BY ${SORTS[by]} IS NULL, ${SORTS[by]} ${direction}, u.id DESC LIMIT ${MOST_LISTED}`,
      ...where.values,
    );
    const counted = (source: string, values: readonly (string | number)[]) =>
      this.#store.row(
        `SELECT count(*) AS total, ${
          FIGURE_NAMES.map((it) => `total(c.${it}) AS ${it}`).join(", ")
        } FROM ${source}`,
        ...values,
      ) as unknown as Figures & { total: number };
    const listed = counted(`temp.${table} c`, []);
    const all = listed.total < MOST_LISTED
      ? listed
      : counted(`${from} WHERE ${where.sql}`, where.values);
    const { total, ...totals } = all;
    const snapshot = { table, key, total, listed: listed.total, totals };
    this.#snapshots.push(snapshot);
    return snapshot;
  }
}

/** A row of the store as the page has it. */
export function flowOf(row: Row): FlowRow {
  return { ...row, isLocal: row.isLocal === 1, isNew: row.isNew === 1 } as unknown as FlowRow;
}
