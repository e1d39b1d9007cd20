import type { ColumnSelection } from "./column_selection.ts";
import type { PageQuery, ServiceRow } from "./page_data.ts";
import { type ChosenFlows, FIGURE_NAMES, type StoreQuery } from "./store_query.ts";

/** Rows of the table, the new ones and those with the most clients. */
const MOST_ROWS = 1_000;
const MOST_CLIENTS = 5;

const SUMS = FIGURE_NAMES.map((it) => `sum(c.${it}) AS ${it}`).join(", ");

/**
 * Services that answered, with what the flows that a query chooses used of them.
 *
 * @param isOwn Whether only those of the own networks are wanted.
 */
export function servicesView(
  store: StoreQuery,
  query: PageQuery,
  isOwn: boolean,
): readonly ServiceRow[] {
  const now = store.now();
  const newSince = store.newSince(now);
  const selected = store.selected(query, now);
  return selected === null
    ? fromStore(store, store.chosen(query, now), isOwn, newSince)
    : fromColumns(selected, isOwn, newSince);
}

function fromColumns(selected: ColumnSelection, isOwn: boolean, newSince: number): ServiceRow[] {
  const services = selected.byService(isOwn, newSince, MOST_ROWS);
  const clients = selected.busiestClients(services.map(({ number }) => number), MOST_CLIENTS);
  return services.map(({ number, ...row }) => ({ ...row, clientList: clients.get(number)! }));
}

function fromStore(
  store: StoreQuery,
  chosen: ChosenFlows,
  isOwn: boolean,
  newSince: number,
): ServiceRow[] {
  const rows = store.rows(
    chosen.selectByService(
      "v.id, v.server, v.port, v.protocol, v.is_local AS isLocal, max(u.name) AS name, " +
        // A flow is one client's.
        "v.first, max(u.last) AS last, count(*) AS clients, " +
        `v.first >= ? AS isNew, ${SUMS}`,
      `v.answered ${isOwn ? "AND v.is_local" : ""}`,
      "ORDER BY isNew DESC, clients DESC, address_key(v.server), v.port, v.protocol " +
        `LIMIT ${MOST_ROWS}`,
    ),
    newSince,
  );
  const clients = busiestClients(store, chosen, rows.map(({ id }) => Number(id)));
  return rows.map(({ id, ...row }) =>
    ({
      ...row,
      isLocal: row.isLocal === 1,
      isNew: row.isNew === 1,
      clientList: clients.get(Number(id)) ?? [],
    }) as unknown as ServiceRow
  );
}

/** The clients that each of the services carried most for. */
function busiestClients(
  store: StoreQuery,
  chosen: ChosenFlows,
  services: readonly number[],
): Map<number, string[]> {
  const clients = new Map<number, string[]>();
  const places = chosen.select(
    "u.service, u.client, row_number() OVER (PARTITION BY u.service ORDER BY " +
      "c.bytesClient + c.bytesServer DESC, c.observations DESC, u.client) AS place",
    "AND u.service IN (SELECT value FROM json_each(?))",
  );
  const rows = store.rows(
    `SELECT service, client FROM (${places}) WHERE place <= ${MOST_CLIENTS} ` +
      "ORDER BY service, place",
    JSON.stringify(services),
  );
  for (const { service, client } of rows) {
    const list = clients.get(Number(service));
    if (list === undefined) clients.set(Number(service), [String(client)]);
    else list.push(String(client));
  }
  return clients;
}
