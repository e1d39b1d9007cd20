import type { Filter, FilterField } from "./filter.ts";
import {
  everyAddress,
  filterConditions,
  type FilteredColumns,
  USAGE_COLUMNS,
} from "./filter_conditions.ts";
import type { NameNode, NamesView, PageQuery } from "./page_data.ts";
import type { StoreQuery } from "./store_query.ts";

/** What is looked at, the newest; and what a column has room for, the ones with the most. */
const MOST_ROWS = 4_000;
/** Where it is asked for flows too, so many of the newest names are looked at before all of them. */
const NEWEST_ROWS = 20_000;
const MOST_NODES = 30;
/** Servers without a name that are among them. */
const MOST_UNNAMED = 10;
const MOST_NOTES = 4;
/** How long a chain of aliases is followed. */
const MOST_ALIASES = 8;

/** Fields that a name with its client and address has; all else is of flows. */
const OF_NAMES: ReadonlySet<FilterField> = new Set(["client", "server", "host", "name", "text"]);

const NAME_COLUMNS: FilteredColumns = {
  client: "n.client",
  server: "n.address",
  name: "n.name",
  ...{ port: "NULL", protocol: "NULL", by: "NULL" },
  addresses: { client: everyAddress("name", "client"), server: everyAddress("name", "address") },
  ...{ isLocal: "0", isUnexplained: "0", isRefused: "0", isEncrypted: "0", isNew: "n.first >= ?" },
};

/** A name that does not exist has no address, and no flow. */
const MISSING_COLUMNS: FilteredColumns = {
  ...NAME_COLUMNS,
  client: "n.prober",
  server: "''",
  name: "n.target",
  addresses: { client: everyAddress("refusal", "prober") },
  isRefused: "1",
};

/** Of `usage u` and its `service v`, which are looked up for a client and an address. */
const LOOKED_UP: FilteredColumns = { ...USAGE_COLUMNS, service: undefined };

/** Of `usage u`. */
const HAS_NO_NAME = "u.name IS NULL";

/** A client, or `null` where the flow has no name; a name; an address, or `null` for one that is missing. */
interface Link {
  readonly client: string;
  readonly name: string | null;
  readonly address: string | null;
  readonly count: number;
  readonly last: number;
}

/** Who looked up which names, for which addresses, and the flows that no name is known for. */
export function namesView(store: StoreQuery, query: PageQuery): NamesView {
  const now = store.now();
  const links = [...nameLinks(store, query, now), ...missingLinks(store, query, now)];
  const bare = bareLinks(store, query, now);
  const named = [...links, ...bare];
  const names = chosen(links, ({ name }) => name);
  const servers = besideNames(links, names, bare);
  const inView = named.filter(({ name, address }) =>
    name === null ? servers.has(address!) : names.has(name)
  );
  const clients = chosen(inView, ({ client }) => client);
  const indexes = {
    clients: indexOf(clients),
    names: indexOf(names),
    servers: indexOf(servers),
  };
  const pairs = (
    select: (link: Link) => readonly [number | undefined, number | undefined],
  ): (readonly [number, number])[] => {
    const found = new Map<string, readonly [number, number]>();
    for (const link of inView) {
      const [a, b] = select(link);
      if (a !== undefined && b !== undefined) found.set(`${a} ${b}`, [a, b]);
    }
    return [...found.values()];
  };
  const missing = new Set(links.filter(({ address }) => address === null).map(({ name }) => name));
  const aliases = aliasesOf(store, [...names.keys()]);
  const ports = portsOf(store, [...servers.keys()]);
  const local = localOf(store, [...servers.keys()]);
  const at = (index: Map<string, number>, id: string | null) =>
    id === null ? undefined : index.get(id);
  return {
    clients: nodes(clients, () => ({ isMissing: false, isLocal: false, notes: [] })),
    names: nodes(names, (id) => ({
      isMissing: missing.has(id),
      isLocal: false,
      notes: aliases.get(id) ?? [],
    })),
    servers: nodes(servers, (id) => ({
      isMissing: false,
      isLocal: local.has(id),
      notes: ports.get(id) ?? [],
    })),
    asked: pairs((it) => [indexes.clients.get(it.client), at(indexes.names, it.name)]),
    resolved: pairs((it) => [at(indexes.names, it.name), at(indexes.servers, it.address)]),
    unnamed: pairs((it) => [
      it.name === null ? indexes.clients.get(it.client) : undefined,
      at(indexes.servers, it.address),
    ]),
    totals: {
      clients: new Set(named.map(({ client }) => client)).size,
      names: new Set(links.map(({ name }) => name)).size,
      servers: new Set(named.map(({ address }) => address).filter((it) => it !== null)).size,
    },
  };
}

function nameLinks(store: StoreQuery, query: PageQuery, now: number): Link[] {
  const newSince = store.newSince(now);
  const where = filterConditions(ofNames(query.filter), newSince, NAME_COLUMNS);
  const rest = query.filter.filter(({ field }) => !OF_NAMES.has(field));
  const flows = filterConditions(rest, newSince, LOOKED_UP);
  const values = [store.since(query, now) ?? 0, ...where.values, ...flows.values];
  const linksOf = (rows: string) =>
    store.rows(
      "SELECT client, name, address, sum(count) AS count, max(last) AS last, count(*) AS rows FROM " +
        `(SELECT * FROM ${rows} ORDER BY n.last DESC LIMIT ${MOST_ROWS}) ` +
        "GROUP BY client, name, address",
      ...values,
    ) as unknown as (Link & { readonly rows: number })[];
  const named = `name n WHERE n.last >= ? AND ${where.sql}`;
  if (rest.length === 0) return linksOf(named);
  // An address has few services: whether the client used one is found in an index.
  const isUsed = "EXISTS (SELECT 1 FROM service v CROSS JOIN usage u ON u.service = v.id " +
    `WHERE v.server = n.address AND u.client = n.client AND ${flows.sql})`;
  const newest = linksOf(
    `(SELECT * FROM ${named} ORDER BY n.last DESC LIMIT ${NEWEST_ROWS}) n WHERE ${isUsed}`,
  );
  return newest.reduce((sum, { rows }) => sum + rows, 0) === MOST_ROWS
    ? newest
    : linksOf(`${named} AND ${isUsed}`);
}

function missingLinks(store: StoreQuery, query: PageQuery, now: number): Link[] {
  const where = filterConditions(query.filter, store.newSince(now), MISSING_COLUMNS);
  return store.rows(
    "SELECT prober AS client, target AS name, NULL AS address, count, last FROM refusal n " +
      `WHERE kind = 'nx' AND n.last >= ? AND ${where.sql} ORDER BY last DESC LIMIT ${MOST_ROWS}`,
    store.since(query, now) ?? 0,
    ...where.values,
  ) as unknown as Link[];
}

/** Flows without a name. */
function bareLinks(store: StoreQuery, query: PageQuery, now: number): Link[] {
  const flows = store.chosen(query, now, HAS_NO_NAME);
  return store.rows(
    flows.select(
      "u.client, NULL AS name, v.server AS address, max(c.conversations, c.observations) AS count, " +
        "u.last",
      `AND ${HAS_NO_NAME} AND NOT EXISTS (SELECT 1 FROM name n WHERE n.address = v.server) ` +
        `ORDER BY u.last DESC LIMIT ${MOST_ROWS}`,
    ),
  ) as unknown as Link[];
}

function ofNames(filter: Filter): Filter {
  return filter.filter(({ field }) => OF_NAMES.has(field));
}

/**
 * Servers in the order of their names, so that few connections cross; then those without a name.
 *
 * @param bare Flows without a name.
 */
function besideNames(
  links: readonly Link[],
  names: ReadonlyMap<string, unknown>,
  bare: readonly Link[],
): Map<string, { weight: number; last: number }> {
  const order = indexOf(names);
  const inView = links.filter(({ name }) => name !== null && names.has(name));
  const places = new Map<string, number>();
  for (const { name, address } of inView) {
    if (address === null) continue;
    places.set(address, Math.min(places.get(address) ?? Infinity, order.get(name!)!));
  }
  const named = [...chosen(inView, ({ address }) => address)]
    .sort(([one], [other]) => places.get(one)! - places.get(other)!);
  const room = Math.min(MOST_UNNAMED, MOST_NODES - named.length);
  return new Map([...named, ...[...chosen(bare, ({ address }) => address)].slice(0, room)]);
}

/** The ids with the most links and counts, with these and when they were seen last. */
function chosen(
  links: readonly Link[],
  idOf: (link: Link) => string | null,
): Map<string, { weight: number; last: number }> {
  const all = new Map<string, { weight: number; last: number }>();
  for (const link of links) {
    const id = idOf(link);
    if (id === null) continue;
    const known = all.get(id) ?? { weight: 0, last: 0 };
    all.set(id, { weight: known.weight + link.count, last: Math.max(known.last, link.last) });
  }
  const most = [...all].sort(([, one], [, other]) => other.weight - one.weight);
  return new Map(most.slice(0, MOST_NODES));
}

function indexOf(ids: ReadonlyMap<string, unknown>): Map<string, number> {
  return new Map([...ids.keys()].map((id, i) => [id, i]));
}

function nodes(
  ids: ReadonlyMap<string, { weight: number; last: number }>,
  more: (id: string) => Pick<NameNode, "isMissing" | "isLocal" | "notes">,
): NameNode[] {
  return [...ids].map(([id, { weight, last }]) => ({ id, weight, last, ...more(id) }));
}

/** Names that are aliases (CNAME) of names, at whatever distance; the nearest first. */
export function aliasesOf(store: StoreQuery, names: readonly string[]): Map<string, string[]> {
  const rows = store.rows(
    "WITH RECURSIVE chain(root, name, depth) AS (SELECT value, value, 0 FROM json_each(?) " +
      "UNION SELECT root, a.name, depth + 1 FROM chain JOIN alias a ON a.target = chain.name " +
      `WHERE depth < ${MOST_ALIASES}) SELECT root, name, min(depth) AS depth FROM chain ` +
      "WHERE depth > 0 AND name <> root GROUP BY root, name ORDER BY depth, name",
    JSON.stringify(names),
  ) as unknown as { root: string; name: string }[];
  return grouped(rows.map(({ root, name }) => [root, name]), MOST_ALIASES);
}

function portsOf(store: StoreQuery, servers: readonly string[]): Map<string, string[]> {
  const rows = store.rows(
    "SELECT server, port, protocol FROM service WHERE server IN (SELECT value FROM json_each(?)) " +
      "AND answered ORDER BY last DESC",
    JSON.stringify(servers),
  ) as unknown as { server: string; port: number; protocol: string }[];
  return grouped(
    rows.map((
      { server, port, protocol },
    ) => [server, protocol === "" ? `${port}` : `${port}/${protocol}`]),
    MOST_NOTES,
  );
}

function localOf(store: StoreQuery, servers: readonly string[]): Set<string> {
  return new Set(
    store.rows(
      "SELECT DISTINCT server FROM service WHERE is_local AND server IN " +
        "(SELECT value FROM json_each(?))",
      JSON.stringify(servers),
    ).map(({ server }) => String(server)),
  );
}

function grouped(
  pairs: readonly (readonly [string, string])[],
  most: number,
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else if (group.length < most) group.push(value);
  }
  return groups;
}
