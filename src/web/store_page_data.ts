import type { DatabaseSync } from "node:sqlite";
import { devicesView } from "./devices_view.ts";
import { flowDetails } from "./flow_details.ts";
import { flowOf, type FlowOrder, FlowSnapshots } from "./flow_snapshots.ts";
import { namesView } from "./names_view.ts";
import type {
  DeviceRow,
  EncryptedDnsRow,
  FlowDetails,
  FlowKey,
  FlowPage,
  NamesView,
  Overview,
  PageData,
  PageQuery,
  Refused,
  SensorState,
  ServiceRow,
  UnexplainedRow,
} from "./page_data.ts";
import { refusedCount, refusedView } from "./refused_view.ts";
import { servicesView } from "./services_view.ts";
import { FIGURE_NAMES, FLOW_COLUMNS, StoreQuery, type StoreQueryOptions } from "./store_query.ts";
import { trafficOf } from "./traffic.ts";

/** Rows of tables, the ones with the most. */
const MOST_ROWS = 1_000;

const IS_DNS = "u.encrypted_dns IS NOT NULL";
const FIGURES = FIGURE_NAMES.map((it) => `c.${it} AS ${it}`).join(", ");

/** Answers what the page asks out of a store. Nothing is written to it. */
export class StorePageData implements PageData, Disposable {
  readonly #store: StoreQuery;
  readonly #ownWrites: () => number;
  readonly #snapshots: FlowSnapshots;

  /**
   * Reads a store.
   *
   * @param database A store that is open; its version must be the present one.
   * @param options With what counts the writes through the same connection, which SQLite does not tell.
   */
  constructor(
    database: DatabaseSync,
    { ownWrites = () => 0, ...options }: StoreQueryOptions & {
      readonly ownWrites?: () => number;
    } = {},
  ) {
    this.#store = new StoreQuery(database, () => this.version, options);
    this.#ownWrites = ownWrites;
    this.#snapshots = new FlowSnapshots(this.#store);
  }

  get version(): string {
    return `${this.#store.value("PRAGMA data_version")}.${this.#ownWrites()}`;
  }

  get isLive(): boolean {
    return this.#store.isLive;
  }

  /** What wrote the store last; `null` where nothing did. */
  get sensor(): SensorState | null {
    return this.#store.sensor();
  }

  /**
   * Whether flows are held in memory, so that any filter is quick. If they are many and are not, they
   * begin to be read, beside other work.
   */
  prepare(): boolean {
    return this.#store.selected({ filter: [], span: null }, this.#store.now()) !== null;
  }

  [Symbol.dispose](): void {
    this.#store[Symbol.dispose]();
  }

  overview(query: PageQuery): Overview {
    const now = this.#store.now();
    const { flows, flowsNow, unexplainedFlows, encryptedDns } = this.#store.totals(query, now);
    return {
      now,
      since: this.#store.since(query, now),
      clients: this.#store.clients(query, now),
      ...this.#store.ownServices(query, now),
      flows,
      flowsNow,
      unexplained: unexplainedFlows,
      encryptedDns,
      refused: refusedCount(this.#store, query, now),
      sensor: this.#store.hasTimes ? this.sensor : null,
      traffic: this.#store.hasTimes ? trafficOf(this.#store, query, now) : null,
    };
  }

  flows(
    query: PageQuery,
    order: FlowOrder,
    part: { readonly offset: number; readonly limit: number; readonly snapshot: string | null },
  ): FlowPage {
    return this.#snapshots.part(query, order, part, this.version);
  }

  flow(key: FlowKey): FlowDetails | null {
    return flowDetails(this.#store, key);
  }

  services(query: PageQuery, isOwn: boolean): readonly ServiceRow[] {
    return servicesView(this.#store, query, isOwn);
  }

  devices(query: PageQuery): readonly DeviceRow[] {
    return devicesView(this.#store, query);
  }

  unexplained(query: PageQuery): readonly UnexplainedRow[] {
    return this.#flows(
      query,
      "u.unexplained > 0",
      "c.unexplained > 0",
      "c.unexplained DESC, u.last DESC",
      ", (SELECT s.why FROM slice s WHERE s.usage = u.id AND s.explained = 0 " +
        "ORDER BY s.id DESC LIMIT 1) AS why",
    ) as UnexplainedRow[];
  }

  encryptedDns(query: PageQuery): readonly EncryptedDnsRow[] {
    return this.#flows(
      query,
      IS_DNS,
      "1",
      "u.encrypted_dns = 'DNS', u.last DESC",
      ", u.encrypted_dns AS kind",
    ) as EncryptedDnsRow[];
  }

  refused(query: PageQuery): Refused {
    return refusedView(this.#store, query);
  }

  names(query: PageQuery): NamesView {
    return namesView(this.#store, query);
  }

  /**
   * Flows that a query chooses.
   *
   * @param condition On `usage u`.
   * @param further On their figures in the time of the query, `c`.
   */
  #flows(query: PageQuery, condition: string, further: string, order: string, more: string) {
    const now = this.#store.now();
    const chosen = this.#store.chosen(query, now, condition);
    return this.#store.rows(
      chosen.select(
        `${FLOW_COLUMNS}, ${FIGURES}, u.first >= ? AS isNew${more}`,
        `AND ${condition} AND ${further} ORDER BY ${order} LIMIT ${MOST_ROWS}`,
      ),
      this.#store.newSince(now),
    ).map(flowOf);
  }
}
