import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { stepStart, USAGE_STEPS } from "../store/steps.ts";
import { TOTALS_COLUMNS } from "../store/totals.ts";
import { addressKey } from "./address_key.ts";
import { addressMatcher } from "./address_matcher.ts";
import type { Group, ReportQuery } from "./report_query.ts";

/** Counts and figures, as in tables `usage` and `usage_step`. */
export interface Figures {
  readonly observations: number;
  readonly conversations: number;
  readonly unexplained: number;
  readonly packets_client: number;
  readonly packets_server: number;
  readonly bytes_client: number;
  readonly bytes_server: number;
}

/** Times in milliseconds; 0 where they are not known. */
export interface Times {
  readonly first: number;
  readonly last: number;
}

/** How much there is of all. */
export interface ReportTotals extends Figures, Times {
  readonly clients: number;
  readonly servers: number;
  readonly services: number;
}

/** A client of a service. */
export interface UsageRow extends Figures, Times {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** Empty where it is not known. */
  readonly protocol: string;
  readonly name: string | null;
  readonly name_origin: string | null;
  readonly by: string;
  readonly is_new: number;
}

/** A service, with what its clients have used of it. */
export interface ServiceRow extends Figures, Times {
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  readonly name: string | null;
  readonly clients: number;
  /** Up to five of them, with blanks between. */
  readonly client_list: string;
  readonly is_new: number;
}

/** What belongs together by one of the groups. */
export interface GroupRow extends Figures, Times {
  readonly group: string;
  /** More that is known of it: a device's name, a server's. */
  readonly about: string | null;
  readonly clients: number;
  readonly servers: number;
  readonly services: number;
  readonly is_new: number;
}

/** Conversations of a client with a service that no lookup explains. */
export interface UnexplainedRow extends Times {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  readonly name: string | null;
  readonly name_origin: string | null;
  readonly unexplained: number;
  readonly why: string | null;
}

/** A client that asks for names where the network's name servers don't see it. */
export interface EncryptedDnsRow extends Times {
  readonly client: string;
  /** The server; with plain DNS, one of those that were asked. */
  readonly server: string;
  /** How many there are: more than one with plain DNS only. */
  readonly servers: number;
  readonly port: number;
  readonly kind: string;
  readonly name: string | null;
  readonly conversations: number;
}

/** Who tried services in vain. */
export interface ProberRow extends Times {
  readonly prober: string;
  readonly targets: number;
  /** Different pairs of target and port. */
  readonly services: number;
  readonly attempts: number;
  readonly kinds: string;
  /** Up to five targets with their ports. */
  readonly examples: readonly string[];
}

/** Names that a client looked up and that do not exist. */
export interface MissingNamesRow extends Times {
  readonly client: string;
  readonly names: number;
  readonly answers: number;
  /** Up to five. */
  readonly examples: readonly string[];
}

const SUMS = TOTALS_COLUMNS.map((name) => `sum(c.${name}) AS ${name}`).join(", ");
const FIGURES = TOTALS_COLUMNS.map((name) => `c.${name}`).join(", ");
const BY_VOLUME = "sum(c.bytes_client) + sum(c.bytes_server) DESC, sum(c.conversations) DESC, " +
  "sum(c.observations) DESC";
const FROM_USAGES = "FROM chosen c CROSS JOIN usage u ON u.id = c.usage";
const FROM = `${FROM_USAGES} JOIN service v ON v.id = u.service`;
const FIRST_SEEN = "min(u.first) AS first, max(u.last) AS last";
const EXAMPLES = 5;
/** What was tried in vain is no use of a service: it is among the refusals. */
const WORKED = "(u.observations > 0 OR u.answered > 0)";
/** A connection that was refused made a key besides, and so did one that can't be reached. */
const IS_TOLD_BY_KEY = "EXISTS (SELECT 1 FROM refusal r WHERE r.prober = o.prober AND " +
  "r.target = o.target AND r.port = o.port AND " +
  "(o.kind = 'refused' AND r.kind = 'rst' OR o.kind = 'unreachable' AND r.kind = 'icmp'))";

/** The bit that says that the host has made its address up is in the second digit. */
const IS_PRIVATE = "substr(d.hardware_address, 2, 1) IN ('2', '6', 'a', 'e')";

const GROUPED: Readonly<Record<Group, { key: string; about: string; join?: string }>> = {
  client: { key: "u.client", about: "NULL" },
  server: { key: "v.server", about: "max(u.name)" },
  service: {
    key: "v.server || ' ' || v.port || CASE v.protocol WHEN '' THEN '' ELSE '/' || v.protocol END",
    about: "max(u.name)",
  },
  name: { key: "coalesce(u.name, v.server)", about: "NULL" },
  device: {
    // Of some devices the address alone is known.
    key: "coalesce(nullif(d.hardware_address, ''), u.client)",
    about: "nullif(trim(coalesce(max(d.name), '') || coalesce(' (' || coalesce(max(d.vendor), " +
      `CASE WHEN ${IS_PRIVATE} THEN 'private address' END) || ')', '')), '')`,
    // An address may have been another device's before.
    join: "LEFT JOIN (SELECT address, hardware_address, vendor, name, max(last) FROM device " +
      "GROUP BY address) d ON d.address = u.client",
  },
};

const ENCRYPTED_KINDS = "'DoT', 'DoQ', 'DoH', 'DNSCrypt'";

/** Answers what a report says, out of a store. */
export class Report {
  readonly #database: DatabaseSync;
  readonly #query: ReportQuery;

  /**
   * Chooses what the report is about.
   *
   * @param database A store. Nothing is written to it but to a table of its own, in memory.
   */
  constructor(database: DatabaseSync, query: ReportQuery) {
    this.#database = database;
    this.#query = query;
    const define = (name: string, run: (...values: SQLInputValue[]) => SQLInputValue) =>
      database.function(name, { deterministic: true, varargs: true }, run);
    define("address_key", (address) => addressKey(String(address)));
    define("is_client", matcher(query.client));
    define("is_server", matcher(query.server));
    this.#choose();
  }

  totals(): ReportTotals {
    const one = (sql: string) => this.#all(sql)[0];
    const totals = {
      ...one(`SELECT count(DISTINCT u.client) AS clients, ${SUMS}, ${FIRST_SEEN} ${FROM_USAGES}`),
      ...one(
        "SELECT count(DISTINCT server) AS servers, count(*) AS services FROM service " +
          "WHERE id IN (SELECT u.service FROM chosen c JOIN usage u ON u.id = c.usage)",
      ),
    };
    // Sums of nothing are NULL in SQL.
    return Object.fromEntries(
      Object.entries(totals).map(([name, value]) => [name, value ?? 0]),
    ) as unknown as ReportTotals;
  }

  /** Who used whose service, the most first. There may be a million of them: they are not held. */
  *usages(limit = -1): Generator<UsageRow> {
    const rows = this.#database.prepare(
      "SELECT u.client, v.server, v.port, v.protocol, u.name, u.name_origin, u.by, " +
        `u.first, u.last, u.first >= ? AS is_new, ${FIGURES} FROM (SELECT * FROM chosen ` +
        "ORDER BY bytes_client + bytes_server DESC, conversations DESC, observations DESC LIMIT ?) c " +
        "JOIN usage u ON u.id = c.usage JOIN service v ON v.id = u.service " +
        "ORDER BY c.bytes_client + c.bytes_server DESC, c.conversations DESC, c.observations DESC, " +
        "address_key(u.client), v.server, v.port, v.protocol",
    ).iterate(this.#query.newSince, limit);
    for (const row of rows) yield { ...row } as unknown as UsageRow;
  }

  /** Services of the own networks that answered, by address. */
  offeredServices(): ServiceRow[] {
    return this.#all(
      "SELECT v.server, v.port, v.protocol, max(u.name) AS name, v.first, max(u.last) AS last, " +
        "count(DISTINCT u.client) AS clients, " +
        `(${this.#clientsOf("v.id")}) AS client_list, v.first >= ? AS is_new, ${SUMS} ` +
        `FROM service v CROSS JOIN usage u ON u.service = v.id JOIN chosen c ON c.usage = u.id ` +
        `WHERE v.answered AND v.is_local GROUP BY v.id ` +
        "ORDER BY address_key(v.server), v.port, v.protocol",
      this.#query.newSince,
    ) as unknown as ServiceRow[];
  }

  /** All that was used, together by one of the groups, the most first. */
  grouped(group: Group, limit = -1): GroupRow[] {
    const { key, about, join = "" } = GROUPED[group];
    return this.#all(
      `SELECT ${key} AS "group", ${about} AS about, count(DISTINCT u.client) AS clients, ` +
        "count(DISTINCT v.server) AS servers, count(DISTINCT v.id) AS services, " +
        `min(u.first) >= ? AS is_new, ${SUMS}, ${FIRST_SEEN} ${FROM} ${join} ` +
        `GROUP BY ${key} ORDER BY ${BY_VOLUME}, ${key} LIMIT ?`,
      this.#query.newSince,
      limit,
    ) as unknown as GroupRow[];
  }

  unexplained(limit = -1): UnexplainedRow[] {
    return this.#all(
      "SELECT *, (SELECT s.why FROM slice s WHERE s.usage = one.id AND s.explained = 0 " +
        "ORDER BY s.id DESC LIMIT 1) AS why FROM (SELECT u.id, u.client, v.server, v.port, " +
        "v.protocol, u.name, u.name_origin, c.unexplained, u.first, u.last " +
        // Found by an index of its own.
        "FROM usage u CROSS JOIN service v ON v.id = u.service JOIN chosen c ON c.usage = u.id " +
        "WHERE u.unexplained > 0 AND c.unexplained > 0 " +
        "ORDER BY c.unexplained DESC, u.client, v.server, v.port LIMIT ?) one",
      limit,
    ).map(({ id: _id, ...row }) => row) as unknown as UnexplainedRow[];
  }

  encryptedDns(): EncryptedDnsRow[] {
    const from = "FROM usage u CROSS JOIN service v ON v.id = u.service " +
      "JOIN chosen c ON c.usage = u.id";
    return this.#all(
      "SELECT * FROM (" +
        "SELECT u.client, v.server, 1 AS servers, v.port, u.encrypted_dns AS kind, u.name, " +
        `c.conversations, u.first, u.last ${from} WHERE u.encrypted_dns IN (${ENCRYPTED_KINDS}) ` +
        // Whoever resolves names asks thousands of servers.
        "UNION ALL SELECT client, server, servers, port, kind, NULL, conversations, first, last " +
        "FROM (SELECT u.client, v.server, count(DISTINCT v.server) AS servers, v.port, " +
        "u.encrypted_dns AS kind, sum(c.conversations) AS conversations, min(u.first) AS first, " +
        `max(u.last) AS last ${from} WHERE u.encrypted_dns = 'DNS' GROUP BY u.client)) ` +
        "ORDER BY kind = 'DNS', address_key(client), server, port",
    ) as unknown as EncryptedDnsRow[];
  }

  probers(limit = -1): ProberRow[] {
    const since = this.#query.since ?? 0;
    const rows = this.#all(
      "SELECT prober, count(DISTINCT target) AS targets, count(*) AS services, " +
        "sum(count) AS attempts, min(first) AS first, max(last) AS last FROM (" +
        // One attempt may be there as an RST, and as a conversation that was refused.
        "SELECT prober, target, port, max(count) AS count, min(first) AS first, " +
        `max(last) AS last FROM refusal WHERE kind <> 'nx' AND last >= ? ${this.#refusalFilter} ` +
        "GROUP BY prober, target, port) GROUP BY prober " +
        "ORDER BY services DESC, attempts DESC, prober LIMIT ?",
      since,
      limit,
    );
    const kinds = this.#database.prepare(
      "SELECT group_concat(kind, ', ') AS kinds FROM (SELECT DISTINCT kind FROM refusal o " +
        `WHERE prober = ? AND kind <> 'nx' AND last >= ? ${this.#refusalFilter} ` +
        `AND NOT ${IS_TOLD_BY_KEY} ORDER BY kind)`,
    );
    const examples = this.#database.prepare(
      "SELECT target || ' ' || port AS place FROM refusal WHERE prober = ? AND kind <> 'nx' " +
        `AND last >= ? ${this.#refusalFilter} ` +
        `GROUP BY target, port ORDER BY max(count) DESC, target, port LIMIT ${EXAMPLES}`,
    );
    return rows.map((row) => ({
      ...row,
      kinds: kinds.get(row.prober as string, since)!.kinds,
      examples: examples.all(row.prober as string, since).map(({ place }) => place),
    })) as unknown as ProberRow[];
  }

  missingNames(limit = -1): MissingNamesRow[] {
    const since = this.#query.since ?? 0;
    const rows = this.#all(
      "SELECT prober AS client, count(*) AS names, sum(count) AS answers, min(first) AS first, " +
        `max(last) AS last FROM refusal WHERE kind = 'nx' AND last >= ? ${this.#refusalFilter} ` +
        "GROUP BY prober ORDER BY names DESC, prober LIMIT ?",
      since,
      limit,
    );
    const examples = this.#database.prepare(
      "SELECT target FROM refusal WHERE prober = ? AND kind = 'nx' AND last >= ? " +
        `${this.#refusalFilter} ORDER BY count DESC, target LIMIT ${EXAMPLES}`,
    );
    return rows.map((row) => ({
      ...row,
      examples: examples.all(row.client as string, since).map(({ target }) => target),
    })) as unknown as MissingNamesRow[];
  }

  /** That of refusals, which are of no usage. */
  get #refusalFilter(): string {
    const { client, server } = this.#query;
    return (client === null ? "" : "AND is_client(prober, NULL) ") +
      (server === null ? "" : "AND is_server(target, target) ");
  }

  /** Chooses the usages, with what there is of them in the time. */
  #choose(): void {
    const { since } = this.#query;
    const columns = TOTALS_COLUMNS.join(", ");
    const isAll = since === null && this.#query.client === null && this.#query.server === null;
    if (isAll) {
      // Nothing needs to be copied.
      this.#database.exec(
        `CREATE TEMP VIEW chosen AS SELECT id AS usage, ${columns} FROM usage u ` +
          `WHERE ${WORKED}`,
      );
      return;
    }
    this.#database.exec(
      "CREATE TEMP TABLE chosen (usage INTEGER PRIMARY KEY, " +
        `${TOTALS_COLUMNS.map((name) => `${name} INTEGER`).join(", ")})`,
    );
    const filters = [
      WORKED,
      "(c.observations > 0 OR c.conversations > 0 OR c.packets_client > 0 OR c.packets_server > 0)",
    ];
    if (this.#query.client !== null) filters.push("is_client(u.client, NULL)");
    if (this.#query.server !== null) filters.push("is_server(v.server, u.name)");
    const insert = (from: string, ...values: number[]) =>
      this.#database.prepare(
        `INSERT OR IGNORE INTO temp.chosen SELECT c.usage, ${FIGURES} FROM (${from}) c ` +
          "JOIN usage u ON u.id = c.usage JOIN service v ON v.id = u.service " +
          `WHERE ${filters.join(" AND ")}`,
      ).run(...values);
    if (since === null) {
      insert(`SELECT id AS usage, ${columns} FROM usage`);
      return;
    }
    const edge = this.#edgeOf(since);
    const sums = TOTALS_COLUMNS.map((name) => `sum(${name}) AS ${name}`).join(", ");
    // A longer step counts when it ends after the time. Of the step that the time is in, slices tell.
    insert(
      `SELECT usage, ${sums} FROM (SELECT usage, ${columns} FROM usage_step ` +
        "WHERE time >= ?1 OR (step > ?3 AND time + step * 1000 > ?1) UNION ALL " +
        "SELECT usage, 0, first = began, explained = 0 AND first = began, packets_client, " +
        "packets_server, bytes_client, bytes_server FROM slice " +
        "WHERE last >= ?2 AND last < ?1) GROUP BY usage",
      edge,
      since,
      USAGE_STEPS[0].seconds,
    );
    // What was seen since, and no slice tells of yet: a conversation that goes on comes within a minute.
    const unseen = TOTALS_COLUMNS.filter((name) => name !== "observations");
    insert(
      "SELECT id AS usage, iif(first >= ?1, observations, min(observations, 1)) AS observations, " +
        `${unseen.map((name) => `0 AS ${name}`).join(", ")} FROM usage WHERE last >= ?1`,
      since,
    );
  }

  /** Where steps begin: after the time, if slices tell what was between, else before it. */
  #edgeOf(since: number): number {
    const step = USAGE_STEPS[0].seconds;
    const start = stepStart(since, step);
    if (start === since) return since;
    const end = start + step * 1000;
    const hasSlices = this.#database.prepare(
      "SELECT 1 FROM slice WHERE last >= ? AND last < ? LIMIT 1",
    ).get(start, end) !== undefined;
    return hasSlices ? end : start;
  }

  #clientsOf(service: string): string {
    return "SELECT group_concat(client, ' ') FROM (SELECT o.client FROM usage o " +
      `JOIN chosen oc ON oc.usage = o.id WHERE o.service = ${service} ` +
      `ORDER BY oc.bytes_client + oc.bytes_server DESC, o.client LIMIT ${EXAMPLES})`;
  }

  #all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#database.prepare(sql).all(...values).map((row) => ({ ...row }));
  }
}

/** An address matcher as a function of SQL. */
function matcher(
  wanted: string | null,
): (address: SQLInputValue, name: SQLInputValue) => SQLInputValue {
  const matches = addressMatcher(wanted);
  return (address, name) =>
    Number(matches(String(address), typeof name === "string" ? name : null));
}
