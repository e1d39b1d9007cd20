import { byMeaning } from "./by_meaning.ts";
import { flowOf } from "./flow_snapshots.ts";
import { aliasesOf } from "./names_view.ts";
import type { ConversationRow, FlowDetails, FlowKey, FlowName } from "./page_data.ts";
import { figures, FLOW_COLUMNS, type StoreQuery } from "./store_query.ts";
import { trafficOfFlow } from "./traffic.ts";

/** The newest of a flow's conversations, and names of its server. */
const MOST_CONVERSATIONS = 200;
const MOST_NAMES = 50;

/** All that is known of a flow; `null` where there is no such flow. */
export function flowDetails(store: StoreQuery, key: FlowKey): FlowDetails | null {
  const now = store.now();
  const row = store.row(
    `SELECT ${FLOW_COLUMNS}, ${
      figures((it) => `u.${it}`)
    }, u.first >= ? AS isNew, v.id AS service ` +
      "FROM usage u JOIN service v ON v.id = u.service WHERE u.client = ? AND v.server = ? " +
      "AND v.port = ? AND (v.protocol = ? OR ? = '') LIMIT 1",
    store.newSince(now),
    key.client,
    key.server,
    key.port,
    key.protocol,
    key.protocol,
  );
  if (row === undefined) return null;
  const { service, ...flow } = row;
  const id = Number(flow.id);
  return {
    flow: flowOf(flow),
    byMeaning: byMeaning(String(flow.by)),
    conversations: conversations(store, id),
    names: names(store, key),
    otherClients: Number(
      store.value("SELECT count(*) - 1 FROM usage WHERE service = ?", Number(service)),
    ),
    refusals: store.rows(
      "SELECT kind, port, reason, count, last FROM refusal WHERE prober = ? AND target = ? " +
        "AND kind <> 'nx' ORDER BY port = ? DESC, last DESC LIMIT 20",
      key.client,
      key.server,
      key.port,
    ) as unknown as FlowDetails["refusals"],
    traffic: trafficOfFlow(store, id),
  };
}

function conversations(store: StoreQuery, usage: number): ConversationRow[] {
  return store.rows(
    "SELECT max(id) AS id, began AS first, last, is_over AS isOver, client_port AS clientPort, " +
      `by, state, ${figures((it) => it.includes("_") ? `sum(${it})` : "0")}, ` +
      "flags_client AS flagsClient, flags_server AS flagsServer, name, name_origin AS nameOrigin, " +
      "other_names AS otherNames, interface, vlan, tunnel, explained, why FROM slice " +
      "WHERE usage = ? GROUP BY run, conversation ORDER BY max(id) DESC " +
      `LIMIT ${MOST_CONVERSATIONS}`,
    usage,
  ).map((row) =>
    ({
      ...row,
      isOver: row.isOver === 1,
      explained: row.explained === null ? null : row.explained === 1,
    }) as unknown as ConversationRow
  );
}

/** Names of the server: those of this client first. */
function names(store: StoreQuery, { client, server }: FlowKey): FlowName[] {
  const rows = store.rows(
    "SELECT name, client = ? AS isOwn, count(*) AS clients, origin, min(first) AS first, " +
      "max(last) AS last, sum(count) AS count FROM name WHERE address = ? " +
      `GROUP BY name, origin, isOwn ORDER BY isOwn DESC, last DESC LIMIT ${MOST_NAMES}`,
    client,
    server,
  );
  const aliases = aliasesOf(store, [...new Set(rows.map(({ name }) => String(name)))]);
  return rows.map((row) =>
    ({
      ...row,
      isOwn: row.isOwn === 1,
      aliases: aliases.get(String(row.name)) ?? [],
    }) as unknown as FlowName
  );
}
