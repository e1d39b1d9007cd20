import type { RowCounts } from "../sink/row_counts.ts";
import type { ClickHouseTable } from "./clickhouse_tables.ts";

/** Rows of one table, in ClickHouse's format TabSeparated. */
export interface BatchPart {
  readonly table: ClickHouseTable;
  readonly rows: Uint8Array;
}

/** What is inserted together. It stays as it is, so that to insert it again changes nothing. */
export interface RowBatch {
  /** Sorts behind those of batches that were made before. */
  readonly name: string;
  readonly parts: readonly BatchPart[];
  readonly counts: RowCounts;
}

const VERSION = 1;
const NEWLINE = 10;

/** How many bytes the rows of a batch have. */
export function batchBytes({ parts }: RowBatch): number {
  return parts.reduce((sum, { rows }) => sum + rows.length, 0);
}

/** A batch as a file: a line of JSON that says what follows, then the rows. */
export function encodeBatch({ parts, counts }: RowBatch): Uint8Array {
  const sizes = parts.map(({ table, rows }) => [table, rows.length]);
  const head = new TextEncoder().encode(JSON.stringify({ version: VERSION, counts, sizes }) + "\n");
  const bytes = new Uint8Array(parts.reduce((sum, { rows }) => sum + rows.length, head.length));
  bytes.set(head);
  let at = head.length;
  for (const { rows } of parts) {
    bytes.set(rows, at);
    at += rows.length;
  }
  return bytes;
}

/** @returns `null` for what is no such file, or was cut. */
export function decodeBatch(name: string, bytes: Uint8Array): RowBatch | null {
  try {
    const end = bytes.indexOf(NEWLINE) + 1;
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
    if (head.version !== VERSION) return null;
    let at = end;
    const parts: BatchPart[] = head.sizes.map(([table, size]: [ClickHouseTable, number]) => {
      const rows = bytes.subarray(at, at += size);
      return { table, rows };
    });
    return at === bytes.length ? { name, parts, counts: head.counts } : null;
  } catch {
    return null;
  }
}
