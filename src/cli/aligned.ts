import { printable } from "../printable.ts";

/** Rows as lines of aligned columns, two blanks between them, each line indented. */
export function aligned(texts: readonly (readonly string[])[], indent = "  "): string[] {
  const rows = texts.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) =>
    (indent + row.map((cell, i) => cell.padEnd(widths[i])).join("  ")).trimEnd()
  );
}
