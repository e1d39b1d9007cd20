import type { Filter, FilterTerm } from "./filter.ts";

/** Conditions in SQL, and the values of their parameters. */
export interface Conditions {
  /** Joined by AND; `1` where there is none. */
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** How columns are called where a filter is applied. */
export interface FilteredColumns {
  readonly client: string;
  readonly server: string;
  readonly port: string;
  readonly protocol: string;
  readonly name: string;
  readonly by: string;
  readonly isLocal: string;
  readonly isUnexplained: string;
  readonly isRefused: string;
  readonly isEncrypted: string;
  /** A condition, in which `?` is the time since when something is new. */
  readonly isNew: string;
  /** Queries of all addresses that there are of a kind: see {@linkcode everyAddress}. */
  readonly addresses: Readonly<Partial<Record<"client" | "server", string>>>;
  /**
   * What server, port, protocol and `isLocal` are of, where that is a table `service v` which the row
   * names: such a condition is looked at once for each service, and not for each row.
   */
  readonly service?: string;
}

/**
 * Says whether a query has few rows, so that an index is worth its while.
 *
 * @param all A query of all that there are, where they have about as many rows each.
 */
export type IsFew = (
  sql: string,
  values: readonly (string | number)[],
  all?: string,
) => boolean;

/**
 * A query of all different values of a column, as `address`, which looks only for each next one in an
 * index that begins with the column. More conditions may follow it.
 */
export function everyAddress(table: string, column: string): string {
  return `WITH RECURSIVE every(address) AS (SELECT min(${column}) FROM ${table} UNION ALL ` +
    `SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > every.address) FROM every ` +
    "WHERE address IS NOT NULL) SELECT address FROM every WHERE address IS NOT NULL";
}

/** Those of `usage u`. */
export const USAGE_COLUMNS: FilteredColumns = {
  client: "u.client",
  server: "v.server",
  port: "v.port",
  protocol: "v.protocol",
  name: "u.name",
  by: "u.by",
  isLocal: "v.is_local",
  isUnexplained: "u.unexplained > 0",
  isRefused: "u.conversations > 0 AND u.answered = 0",
  isEncrypted: "coalesce(u.encrypted_dns, 'DNS') <> 'DNS'",
  isNew: "u.first >= ?",
  addresses: { client: everyAddress("usage", "client") },
  service: "u.service",
};

/**
 * A filter as SQL, for a database that has the function `is_within(address, prefix)`.
 *
 * @param newSince What came first after this time is new, in milliseconds.
 */
export function filterConditions(
  filter: Filter,
  newSince: number,
  columns: FilteredColumns = USAGE_COLUMNS,
  isFew: IsFew = () => false,
): Conditions {
  const values: (string | number)[] = [];
  const terms = filter.map((term) => ({
    isNot: term.isNot,
    any: term.values.map((value) => condition(term, value, newSince, columns, isFew)),
  }));
  // What is asked of the row itself comes first: it takes no look at anything else.
  const isOther = ({ any }: typeof terms[number]) => any.some(({ sql }) => sql.includes("SELECT"));
  const parts = terms.toSorted((one, other) => Number(isOther(one)) - Number(isOther(other)))
    .map(({ isNot, any }) => {
      values.push(...any.flatMap((it) => it.values));
      const sql = any.map((it) => it.sql).join(" OR ");
      // What is NULL is not so.
      return isNot ? `NOT coalesce((${sql}), 0)` : `(${sql})`;
    });
  return { sql: parts.length === 0 ? "1" : parts.join(" AND "), values };
}

function condition(
  { field }: FilterTerm,
  value: string,
  newSince: number,
  columns: FilteredColumns,
  isFew: IsFew,
): Conditions {
  const lower = value.toLowerCase();
  switch (field) {
    case "client":
    case "server":
      return addressCondition(field, lower, columns, isFew);
    case "host":
      return anyOf(
        addressCondition("client", lower, columns, isFew),
        addressCondition("server", lower, columns, isFew),
      );
    case "port": {
      const [first, last = first] = value.split("-").map(Number);
      return ofService(
        first === last
          ? { sql: `${columns.port} = ?`, values: [first] }
          : { sql: `${columns.port} BETWEEN ? AND ?`, values: [first, last] },
        columns,
        isFew,
      );
    }
    case "proto":
      return ofService({ sql: `${columns.protocol} = ?`, values: [lower] }, columns, isFew);
    case "name":
      return { sql: `instr(${columns.name}, ?) > 0`, values: [lower] };
    case "by":
      return { sql: `${columns.by} = ?`, values: [lower] };
    case "text":
      return anyOf(
        ofAddresses("client", (address) => `instr(${address}, ?) > 0`, lower, columns, isFew),
        ofAddresses("server", (address) => `instr(${address}, ?) > 0`, lower, columns, isFew),
        { sql: `instr(${columns.name}, ?) > 0`, values: [lower] },
      );
    case "flag":
      switch (value) {
        case "unexplained":
          return { sql: columns.isUnexplained, values: [] };
        case "refused":
          return { sql: columns.isRefused, values: [] };
        case "new":
          return { sql: columns.isNew, values: [newSince] };
        case "local":
          return ofService({ sql: columns.isLocal, values: [] }, columns, isFew);
        default:
          return { sql: columns.isEncrypted, values: [] };
      }
  }
}

function anyOf(...conditions: readonly Conditions[]): Conditions {
  return {
    sql: conditions.map(({ sql }) => `(${sql})`).join(" OR "),
    values: conditions.flatMap(({ values }) => values),
  };
}

function addressCondition(
  kind: "client" | "server",
  value: string,
  columns: FilteredColumns,
  isFew: IsFew,
): Conditions {
  // An IPv6 address may be written in more than one way.
  const isText = !value.includes("/") && !value.includes(":");
  const isClient = kind === "client" || columns.service === undefined;
  if (isText && isClient) return { sql: `${columns[kind]} = ?`, values: [value] };
  const test = isText
    ? (address: string) => `${address} = ?`
    : (address: string) => `is_within(${address}, ?)`;
  return ofAddresses(kind, test, value, columns, isFew);
}

/** A condition on an address, which is looked at once for each of them, and not for each row. */
function ofAddresses(
  kind: "client" | "server",
  test: (address: string) => string,
  value: string,
  columns: FilteredColumns,
  isFew: IsFew,
): Conditions {
  const column = columns[kind];
  if (kind === "server" && columns.service !== undefined) {
    return ofService({ sql: test(column), values: [value] }, columns, isFew);
  }
  const every = columns.addresses[kind];
  return every === undefined
    ? { sql: test(column), values: [value] }
    : within(column, { sql: `${every} AND ${test("address")}`, values: [value] }, isFew, every);
}

/** The same for a condition on a service. */
function ofService(
  { sql, values }: Conditions,
  { service }: FilteredColumns,
  isFew: IsFew,
): Conditions {
  if (service === undefined) return { sql, values };
  return within(service, { sql: `SELECT v.id FROM service v WHERE ${sql}`, values }, isFew);
}

function within(
  column: string,
  { sql, values }: Conditions,
  isFew: IsFew,
  all?: string,
): Conditions {
  // With the plus, all rows are looked at once, and not those of each value in an index.
  return { sql: `${isFew(sql, values, all) ? "" : "+"}${column} IN (${sql})`, values };
}
