import type { DatabaseSync } from "node:sqlite";
import type { ExportedTable } from "./exported_tables.ts";

/** A value as SQLite has it. */
export type Value = string | number | null;

/**
 * The rows of a table, one by one, as values in the order of its columns.
 *
 * @param since Only what was seen since then, in milliseconds; `null` for all.
 */
export function* exportedRows(
  database: DatabaseSync,
  { name, columns, seen }: ExportedTable,
  since: number | null,
): Generator<Value[]> {
  const names = columns.map(([column]) => column);
  const condition = since === null ? "" : `WHERE ${seen} >= ${since}`;
  const statement = database.prepare(
    `SELECT ${names.map((column) => `"${column}"`).join(", ")} FROM ${name} ${condition}`,
  );
  for (const row of statement.iterate()) yield names.map((column) => row[column] as Value);
}
