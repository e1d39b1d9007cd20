import type { SQLInputValue } from "node:sqlite";
import { everyAddress, filterConditions, type FilteredColumns } from "./filter_conditions.ts";
import type { MissingNamesRow, PageQuery, Refused, RefusedRow } from "./page_data.ts";
import type { Row, StoreQuery } from "./store_query.ts";

/** Rows of each table, those with the most. */
const MOST_ROWS = 500;
const MOST_EXAMPLES = 8;

/** Columns of `refusal r`, of which many conditions ask for what it does not have. */
const COLUMNS: FilteredColumns = {
  client: "r.prober",
  server: "r.target",
  port: "r.port",
  protocol: "''",
  name: "CASE r.kind WHEN 'nx' THEN r.target END",
  by: "NULL",
  isLocal: "r.target IN (SELECT server FROM service WHERE is_local)",
  isUnexplained: "0",
  isRefused: "1",
  isEncrypted: "0",
  isNew: "r.first >= ?",
  addresses: {
    client: everyAddress("refusal", "prober"),
    server: everyAddress("refusal", "target"),
  },
};

/** Kinds of refusals, sorted. */
const KINDS = ["icmp", "refused", "rst", "unanswered", "unreachable"] as const;

const IS_KIND = KINDS.map((it) => `is_${it}`);
/** Figures of what was tried. */
const FIGURES = ["count", "first", "last", ...IS_KIND].join(", ");

/**
 * What was tried: a row for each prober, target and port. One attempt may be there as an RST, and as a
 * conversation that was refused, so the greater count is the one that is right.
 */
const TRIED = "SELECT prober, target, port, max(count), min(first), max(last), " +
  `${KINDS.map((it) => `max(kind = '${it}')`).join(", ")} FROM refusal r WHERE kind <> 'nx'`;

/** Runs `use` with what was tried and chosen as `temp.tried`: it is chosen once, and asked much. */
function withTried<Result>(
  store: StoreQuery,
  chosen: string,
  values: readonly SQLInputValue[],
  use: () => Result,
): Result {
  store.run(
    `CREATE TEMP TABLE tried (prober TEXT, target TEXT, port INTEGER, ${FIGURES}, ` +
      "PRIMARY KEY (prober, target, port)) WITHOUT ROWID",
  );
  try {
    store.run(
      `INSERT INTO temp.tried ${TRIED} ${chosen} GROUP BY prober, target, port`,
      ...values,
    );
    // With all that is asked of a target, so that no row is looked up.
    store.run(`CREATE INDEX temp.tried_target ON tried (target, prober, port, ${FIGURES})`);
    return use();
  } finally {
    store.run("DROP TABLE temp.tried");
  }
}

/** Who tried what in vain. */
export function refusedView(store: StoreQuery, query: PageQuery): Refused {
  const now = store.now();
  const where = filterConditions(query.filter, store.newSince(now), COLUMNS);
  const since = store.since(query, now) ?? 0;
  const chosen = `AND r.last >= ? AND ${where.sql}`;
  const values = [since, ...where.values];
  const by = (one: "prober" | "target", other: "prober" | "target") => {
    const rows = store.rows(
      `SELECT ${one} AS address, count(DISTINCT ${other}) AS others, count(*) AS places, ` +
        "count(DISTINCT port) AS ports, sum(count) AS attempts, min(first) AS first, " +
        `max(last) AS last, ${IS_KIND.map((it) => `max(${it}) AS ${it}`).join(", ")} ` +
        `FROM temp.tried GROUP BY ${one} ORDER BY places DESC, attempts DESC, address ` +
        `LIMIT ${MOST_ROWS}`,
    );
    const examples = store.prepared(
      `SELECT ${other} AS address, port FROM temp.tried WHERE ${one} = ? ` +
        `ORDER BY ${other}, port LIMIT ${MOST_EXAMPLES}`,
    );
    return rows.map((row) => refusedRow(row, examples(String(row.address))));
  };
  return {
    ...withTried(store, chosen, values, () => ({
      probers: by("prober", "target"),
      targets: by("target", "prober"),
    })),
    missingNames: missingNames(store, chosen, values),
  };
}

function missingNames(
  store: StoreQuery,
  chosen: string,
  values: readonly SQLInputValue[],
): MissingNamesRow[] {
  const missing = `FROM refusal r WHERE kind = 'nx' ${chosen}`;
  const rows = store.rows(
    "SELECT prober AS client, count(*) AS names, sum(count) AS answers, " +
      `min(first) AS first, max(last) AS last ${missing} GROUP BY prober ` +
      `ORDER BY names DESC, answers DESC, client LIMIT ${MOST_ROWS}`,
    ...values,
  );
  const examples = store.prepared(
    `SELECT target ${missing} AND prober = ? ORDER BY count DESC, target LIMIT ${MOST_EXAMPLES}`,
  );
  return rows.map((row) =>
    ({
      ...row,
      examples: examples(...values, String(row.client)).map(({ target }) => String(target)),
    }) as unknown as MissingNamesRow
  );
}

/** How many different things were tried in vain. */
export function refusedCount(store: StoreQuery, query: PageQuery, now: number): number {
  const where = filterConditions(query.filter, store.newSince(now), COLUMNS);
  return Number(store.value(
    "SELECT count(*) FROM (SELECT DISTINCT prober, target, port FROM refusal r " +
      `WHERE kind <> 'nx' AND last >= ? AND ${where.sql})`,
    store.since(query, now) ?? 0,
    ...where.values,
  ));
}

function refusedRow(row: Row, examples: readonly Row[]): RefusedRow {
  const { address, others, places, ports, attempts, first, last } = row as unknown as RefusedRow;
  const kinds = KINDS.filter((it) => row[`is_${it}`] === 1);
  const sorted = (examples as unknown as RefusedRow["examples"]).toSorted((one, another) =>
    one.address === another.address
      ? one.port - another.port
      : one.address.localeCompare(another.address, "en", { numeric: true })
  );
  return { address, others, places, ports, attempts, kinds, examples: sorted, first, last };
}
