import { renameSync, rmSync } from "node:fs";
import { type ColumnSource, fileWriter, ParquetWriter } from "hyparquet-writer";
import { VERSION } from "../version.ts";
import type { Value } from "./exported_rows.ts";
import type { ColumnKind, ExportedTable } from "./exported_tables.ts";

/** Rows that are held at a time, and make a row group. */
const ROWS = 50_000;

const TYPES = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  integer: { type: "INT64" },
  boolean: { type: "BOOLEAN" },
  time: { type: "INT64", converted_type: "TIMESTAMP_MILLIS" },
} as const;

/**
 * Writes rows as a file of Apache Parquet. While it is written it has another name, so that nobody reads
 * a part of one.
 *
 * @returns How many rows there were.
 * @throws {Error} the system's, when it can't be written.
 */
export function writeParquet(path: string, table: ExportedTable, rows: Iterable<Value[]>): number {
  const { columns } = table;
  const partial = `${path}.partial`;
  let count = 0;
  try {
    const writer = new ParquetWriter({
      writer: fileWriter(partial),
      schema: [
        { name: "root", num_children: columns.length },
        ...columns.map(([name, kind]) => ({
          name,
          ...TYPES[kind],
          repetition_type: "OPTIONAL" as const,
        })),
      ],
      createdBy: `flosensor ${VERSION}`,
    });
    let held: unknown[][] = columns.map(() => []);
    const write = () => {
      const columnData: ColumnSource[] = columns.map(([name], i) => ({ name, data: held[i] }));
      writer.write({ columnData, rowGroupSize: ROWS });
      held = columns.map(() => []);
    };
    for (const row of rows) {
      row.forEach((value, i) => held[i].push(parquetValue(value, columns[i][1])));
      if (++count % ROWS === 0) write();
    }
    if (count % ROWS !== 0) write();
    writer.finish();
    renameSync(partial, path);
    return count;
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function parquetValue(value: Value, kind: ColumnKind): unknown {
  if (value === null) return undefined;
  if (kind === "integer") return BigInt(value);
  if (kind === "boolean") return value !== 0;
  if (kind === "time") return value === 0 ? undefined : new Date(value as number);
  return value;
}
