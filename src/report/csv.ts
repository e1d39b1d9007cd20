/** What has one of these is put into quotation marks (RFC 4180, section 2). */
const SPECIAL = /[",\r\n]/;

/**
 * What spreadsheets take for a formula. Names out of packets may begin so; with the character as master
 * files write a byte, `\061` (RFC 1035, section 5.1), they are the same names and none.
 */
const FORMULA = /^[=+\-@\t\r]/;

/** Columns that are times, in milliseconds; 0 where they are not known. */
const TIMES = new Set(["first", "last"]);

/**
 * Rows as lines of CSV (RFC 4180, with the ends of line of Unix), behind a line of the columns' names. What
 * is unknown is empty; times are in ISO 8601.
 *
 * @param columns Names of the rows' fields.
 */
export function* csvLines(
  columns: readonly string[],
  rows: Iterable<object>,
): Generator<string> {
  yield csvLine(columns);
  for (const row of rows) {
    const fields = row as Record<string, unknown>;
    yield csvLine(
      columns.map((column) => TIMES.has(column) ? isoTime(Number(fields[column])) : fields[column]),
    );
  }
}

/** One line, with its end. */
export function csvLine(cells: readonly unknown[]): string {
  return cells.map(cell).join(",") + "\n";
}

function isoTime(milliseconds: number): string | null {
  return milliseconds === 0 ? null : new Date(milliseconds).toISOString();
}

function cell(value: unknown): string {
  const text = typeof value === "string" ? value.replace(FORMULA, inDecimal) : String(value ?? "");
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function inDecimal(character: string): string {
  return `\\${String(character.charCodeAt(0)).padStart(3, "0")}`;
}
