import type { DatabaseSync } from "node:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ExportContext } from "../export/export_context.ts";
import type { ExportFormatName } from "../export/export_format_names.ts";
import { LocalAddresses } from "../store/local_addresses.ts";
import { exportedRows, type Value } from "../export/exported_rows.ts";
import { EXPORTED_TABLES, type ExportedTable } from "../export/exported_tables.ts";
import { plainValue } from "../export/plain_value.ts";
import type { Log } from "../log.ts";
import { csvLine } from "../report/csv.ts";
import { explained, openStoreFile } from "../report/open_store_file.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { printPieces } from "./print_pieces.ts";

/** Options of the command line. */
export interface ExportOptions {
  store?: string;
  /** A folder. */
  parquet?: string;
  csv?: boolean;
  json?: boolean;
  /** The format of another program. */
  format?: ExportFormatName;
  /** Milliseconds before now. */
  since?: number;
  /** What CSV or JSON has. */
  table: string;
}

/**
 * The command `export`: writes a store's tables for other programs. It loads no configuration, as it
 * writes where it is told (see `write_everywhere.ts`).
 *
 * @returns The exit status.
 * @throws {UserError} when the store can't be read, or something can't be written.
 */
export async function exportStore(
  names: readonly string[],
  options: ExportOptions,
  log: Log,
): Promise<number> {
  const paths = [...names, ...options.store === undefined ? [] : [options.store]];
  if (paths.length !== 1) {
    throw new UserError(
      paths.length === 0
        ? "export: name a store"
        : `export: ${paths.join(" and ")}: name one store`,
      WRONG_USAGE,
    );
  }
  const { format } = options;
  // --json --format is as with capture.
  const isJson = options.json && format === undefined;
  const chosen = [options.parquet !== undefined, options.csv, isJson, format !== undefined];
  if (chosen.filter(Boolean).length !== 1) {
    throw new UserError(
      "export: give one of --parquet <folder>, --csv, --json and --format",
      WRONG_USAGE,
    );
  }
  const since = options.since === undefined ? null : Date.now() - options.since;
  using source = openStoreFile(paths[0]);
  const rowsOf = (table: ExportedTable) => exportedRows(source.database, table, since);
  if (options.parquet !== undefined) {
    const { writeParquet } = await import("../export/parquet_file.ts");
    const folder = options.parquet;
    const counts = explained(paths[0], () =>
      writing(folder, () => {
        mkdirSync(folder, { recursive: true });
        return EXPORTED_TABLES.map((table) => {
          const file = join(folder, `${table.name}.parquet`);
          return `${table.name} ${writeParquet(file, table, rowsOf(table))}`;
        });
      }));
    log.info(`${folder} has these tables, with so many rows: ${counts.join(", ")}`);
    return 0;
  }
  if (format !== undefined) {
    const { EXPORT_FORMATS } = await import("../export/export_formats.ts");
    const { storedLines } = await import("../export/stored_lines.ts");
    const lines = EXPORT_FORMATS[format](contextOf(source.database));
    // Their text is printable, and tabs are a part of it.
    await printPieces(paths[0], storedLines(source.database, lines, since), true);
    return 0;
  }
  const table = EXPORTED_TABLES.find(({ name }) => name === options.table)!;
  const text = options.csv ? csvText(table, rowsOf(table)) : jsonText(table, rowsOf(table));
  await printPieces(paths[0], text);
  return 0;
}

/** What the last run said of its own networks, and of itself. */
function contextOf(database: DatabaseSync): ExportContext {
  const run = database
    .prepare("SELECT local_networks AS networks, sensor FROM run ORDER BY id DESC LIMIT 1").get();
  const networks = String(run?.networks ?? "").split(" ").filter((it) => it !== "");
  const local = new LocalAddresses(networks);
  return {
    isLocal: networks.length === 0 ? null : (address) => local.has(address),
    sensor: String(run?.sensor ?? ""),
  };
}

function* csvText({ columns }: ExportedTable, rows: Iterable<Value[]>): Generator<string> {
  yield csvLine(columns.map(([name]) => name));
  for (const row of rows) yield csvLine(row.map((value, i) => plainValue(value, columns[i][1])));
}

function* jsonText({ columns }: ExportedTable, rows: Iterable<Value[]>): Generator<string> {
  for (const row of rows) {
    const entries = row.map((value, i) => [columns[i][0], plainValue(value, columns[i][1])]);
    yield JSON.stringify(Object.fromEntries(entries)) + "\n";
  }
}

function writing<Result>(folder: string, write: () => Result): Result {
  try {
    return write();
  } catch (error) {
    // Of /proc, /dev and the like: all else may be written.
    if (error instanceof Deno.errors.NotCapable) {
      throw new UserError(
        `--parquet ${folder}: flosensor may not write there: name another folder`,
      );
    }
    // Errors of the system have a number; those of SQLite and defects have none.
    if (typeof (error as { errno?: unknown }).errno !== "number") throw error;
    throw new UserError(`--parquet ${folder}: ${(error as Error).message}`, 1, { cause: error });
  }
}
