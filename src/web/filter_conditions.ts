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
}

/** Those of `usage u` with its `service v`. */
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
  isEncrypted: "u.encrypted_dns IS NOT NULL AND u.encrypted_dns <> 'DNS'",
  isNew: "u.first >= ?",
};

/** All addresses of a kind; a prefix is compared with each once, and not with each row. */
const ADDRESSES: Readonly<Record<"client" | "server", string>> = {
  client: "SELECT DISTINCT client AS address FROM usage UNION SELECT DISTINCT client FROM name " +
    "UNION SELECT DISTINCT prober FROM refusal",
  server:
    "SELECT DISTINCT server AS address FROM service UNION SELECT DISTINCT address FROM name " +
    "UNION SELECT DISTINCT target FROM refusal",
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
): Conditions {
  const values: (string | number)[] = [];
  const parts = filter.map((term) => {
    const any = term.values.map((value) => condition(term, value, newSince, columns, values));
    // What is NULL is not so.
    return `${term.isNot ? "NOT " : ""}coalesce((${any.join(" OR ")}), 0)`;
  });
  return { sql: parts.length === 0 ? "1" : parts.join(" AND "), values };
}

function condition(
  { field }: FilterTerm,
  value: string,
  newSince: number,
  columns: FilteredColumns,
  values: (string | number)[],
): string {
  const add = (sql: string, ...added: (string | number)[]) => {
    values.push(...added);
    return sql;
  };
  switch (field) {
    case "client":
    case "server":
      return addressCondition(field, value, columns[field], values);
    case "host":
      return `${addressCondition("client", value, columns.client, values)} OR ` +
        addressCondition("server", value, columns.server, values);
    case "port": {
      const [first, last = first] = value.split("-").map(Number);
      return first === last
        ? add(`${columns.port} = ?`, first)
        : add(`${columns.port} BETWEEN ? AND ?`, first, last);
    }
    case "proto":
      return add(`${columns.protocol} = ?`, value.toLowerCase());
    case "name":
      return add(`instr(${columns.name}, ?) > 0`, value.toLowerCase());
    case "by":
      return add(`${columns.by} = ?`, value.toLowerCase());
    case "text": {
      const text = value.toLowerCase();
      return add(
        `instr(${columns.client}, ?) > 0 OR instr(${columns.server}, ?) > 0 OR ` +
          `instr(coalesce(${columns.name}, ''), ?) > 0`,
        text,
        text,
        text,
      );
    }
    case "flag":
      switch (value) {
        case "unexplained":
          return columns.isUnexplained;
        case "refused":
          return columns.isRefused;
        case "new":
          return add(columns.isNew, newSince);
        case "local":
          return columns.isLocal;
        default:
          return columns.isEncrypted;
      }
  }
}

function addressCondition(
  kind: "client" | "server",
  value: string,
  column: string,
  values: (string | number)[],
): string {
  const isOne = !value.includes("/");
  values.push(value.toLowerCase());
  // An IPv6 address may be written in more than one way.
  if (isOne && !value.includes(":")) return `${column} = ?`;
  // With the plus, all flows are looked at once, and not those of each address in the index.
  return `+${column} IN (SELECT address FROM (${ADDRESSES[kind]}) WHERE is_within(address, ?))`;
}
