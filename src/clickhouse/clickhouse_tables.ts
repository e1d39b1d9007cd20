/** The tables that a sensor writes, in the order in which they are written. */
export const CLICKHOUSE_TABLES = ["run", "conversation", "service_use", "name", "refusal"] as const;

/** One of {@linkcode CLICKHOUSE_TABLES}. */
export type ClickHouseTable = typeof CLICKHOUSE_TABLES[number];

/** What all tables begin with: which sensor says it, in which of its runs. */
const SAID_BY = `
  day Date,
  sensor String,
  run UInt64`;
/** What ends the rows of tables that count: a row is what one batch adds. */
const COUNTED = `
  count UInt64,
  first UInt64,
  last UInt64,
  batch UInt64`;

/** Columns, and by which of them a row takes the place of another. Times are in milliseconds. */
const TABLES: Readonly<Record<ClickHouseTable, { columns: string; key: string; engine: string }>> =
  {
    run: {
      columns: `${SAID_BY},
  mode String,
  sources String,
  local_networks String,
  version String,
  started UInt64`,
      key: "day, sensor, run",
      engine: "ReplacingMergeTree",
    },
    conversation: {
      columns: `${SAID_BY},
  conversation UInt64,
  report UInt64,
  community_id String,
  first UInt64,
  last UInt64,
  is_over UInt8,
  protocol String,
  client String,
  client_port UInt16,
  server String,
  port UInt16,
  by String,
  state String,
  packets_client UInt64,
  packets_server UInt64,
  bytes_client UInt64,
  bytes_server UInt64,
  flags_client UInt8,
  flags_server UInt8,
  names String,
  interface Nullable(String),
  vlan Nullable(UInt16),
  tunnel Nullable(String),
  encrypted_dns Nullable(String),
  explained Nullable(UInt8),
  why Nullable(String)`,
      key: "day, sensor, run, conversation",
      engine: "ReplacingMergeTree(report)",
    },
    service_use: {
      columns: `${SAID_BY},
  client String,
  server String,
  port UInt16,
  protocol String,
  by String,
  name String,${COUNTED}`,
      key: "day, client, server, port, protocol, by, name, sensor, run, batch",
      engine: "ReplacingMergeTree",
    },
    name: {
      columns: `${SAID_BY},
  client String,
  name String,
  type String,
  data String,${COUNTED}`,
      key: "day, client, name, type, data, sensor, run, batch",
      engine: "ReplacingMergeTree",
    },
    refusal: {
      columns: `${SAID_BY},
  kind String,
  prober String,
  target String,
  port UInt16,
  reason String,${COUNTED}`,
      key: "day, prober, target, port, kind, reason, sensor, run, batch",
      engine: "ReplacingMergeTree",
    },
  };

/** The statements that make what is not there. */
export function createStatements(): string[] {
  return CLICKHOUSE_TABLES.map((table) => {
    const { columns, key, engine } = TABLES[table];
    return `CREATE TABLE IF NOT EXISTS ${table} (${columns}\n) ENGINE = ${engine} ` +
      `PARTITION BY toYYYYMM(day) ORDER BY (${key})`;
  });
}

/** The names of a table's columns, in the order of a row's values. */
export function columnsOf(table: ClickHouseTable): string[] {
  return TABLES[table].columns.trim().split(/,\s*\n\s*/).map((it) => it.split(" ")[0]);
}

/** Inserts rows as `clickHouseRow` writes them. */
export function insertStatement(table: ClickHouseTable): string {
  return `INSERT INTO ${table} (${columnsOf(table).join(", ")}) FORMAT TabSeparated`;
}

const SPECIAL = /[\\\t\n\r\0]/g;
const ESCAPES: Record<string, string> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\0": "\\0",
};

/** A row in ClickHouse's format TabSeparated. */
export function clickHouseRow(values: readonly (string | number | null)[]): string {
  let row = "";
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) row += "\t";
    if (value === null) row += "\\N";
    else if (typeof value === "number") row += value;
    else row += value.replace(SPECIAL, (it) => ESCAPES[it]);
  }
  return row + "\n";
}

/** The day of a time, as rows have it. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
