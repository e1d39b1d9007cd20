/** What has one of these is put into quotation marks (RFC 4180, section 2). */
const SPECIAL = /[",\r\n]/;

/**
 * Rows as lines of CSV (RFC 4180), with a line of the columns' names. What is unknown is empty.
 *
 * @param columns Names of the rows' fields.
 */
export function csv(columns: readonly string[], rows: readonly object[]): string {
  const line = (cells: readonly unknown[]) => cells.map(cell).join(",") + "\r\n";
  let text = line(columns);
  for (const row of rows) {
    const fields = row as Record<string, unknown>;
    text += line(columns.map((column) => fields[column]));
  }
  return text;
}

function cell(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value);
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
