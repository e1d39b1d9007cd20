import { printable } from "../printable.ts";

/** A column of a {@linkcode textTable}. */
export interface Column {
  readonly title: string;
  /** Numbers are aligned at their right. */
  readonly isNumber?: boolean;
  /** Where there is no room for all, columns with a rank are left out, the lowest first. */
  readonly dropRank?: number;
  /**
   * The last column may have this: texts that are wider than it and than the room that is left are
   * cut at their beginning.
   */
  readonly leastWidth?: number;
}

/** Stands where a text was cut. */
const CUT = "…";

/** Between two columns. */
const GAP = "  ";
/** Width of an IPv6 address with all its digits (RFC 4291, section 2.2). */
const WIDEST_ADDRESS = 39;
/** The least width in which each of the two address columns is still a column. */
const NARROWEST = 15;

/**
 * Lines of a table whose first two columns are addresses.
 *
 * In a narrow place, columns that have a rank are left out, and rows whose addresses don't fit side
 * by side have them one below the other: an address is never cut, so that it can be copied.
 *
 * @param columns The columns, addresses first.
 * @param texts A text for each column, row by row.
 * @param width How many characters a line has room for. May be `Infinity`.
 * @param widest The widest text that each column had before, so that columns stay where they are while
 * rows come and go. It is kept up to date.
 */
export function textTable(
  columns: readonly Column[],
  texts: string[][],
  width: number,
  widest: number[] = [],
): string[] {
  const rows = texts.map((row) => row.map(printable));
  const natural = columns.map(({ title }, i) => Math.max(title.length, widest[i] ?? 0));
  for (const row of rows) {
    for (let i = 0; i < natural.length; i++) {
      if (row[i].length > natural[i]) natural[i] = row[i].length;
    }
  }
  natural.forEach((it, i) => widest[i] = it);
  const wanted = columns.map(({ leastWidth }, i) => Math.min(natural[i], leastWidth ?? Infinity));
  const shown = shownColumns(columns, wanted, width);
  const last = shown.at(-1)!;
  if (columns[last].leastWidth !== undefined) {
    natural[last] = elasticWidth(shown, natural, wanted, width);
  }
  const others = shown.slice(2);
  const room = width - others.reduce((sum, i) => sum + GAP.length + natural[i], 0);
  const [client, server] = addressWidths(natural[0], natural[1], room);
  const lines: string[] = [];
  for (const row of [columns.map(({ title }) => title), ...rows]) {
    let tail = "";
    for (const i of others) {
      const text = cutToWidth(row[i], natural[i]);
      if (columns[i].isNumber) tail += GAP + text.padStart(natural[i]);
      // What is last is not padded, so that most lines need not be looked at for where they end.
      else tail += GAP + (i === last ? text : text.padEnd(natural[i]));
    }
    pushRow(lines, row[0], row[1], client, server, tail);
    if (others.length === 0 || row[last] === "") lines.push(lines.pop()!.trimEnd());
  }
  return lines;
}

/** Indexes of the columns that there is room for. */
function shownColumns(columns: readonly Column[], natural: number[], width: number): number[] {
  const shown = columns.map((_, i) => i);
  const ranked = shown.filter((i) => columns[i].dropRank !== undefined)
    .sort((a, b) => columns[a].dropRank! - columns[b].dropRank!);
  const least = Math.max(
    WIDEST_ADDRESS,
    Math.min(natural[0], NARROWEST) + GAP.length + Math.min(natural[1], NARROWEST),
  );
  const needed = () =>
    shown.slice(2).reduce((sum, i) => sum + GAP.length + natural[i], 0) +
    Math.min(least, natural[0] + GAP.length + natural[1]);
  for (const i of ranked) {
    if (needed() <= width) break;
    shown.splice(shown.indexOf(i), 1);
  }
  return shown;
}

/** Width of the last column: what the others leave, but no less than it needs. */
function elasticWidth(
  shown: number[],
  natural: number[],
  wanted: number[],
  width: number,
): number {
  const last = shown.at(-1)!;
  const others = shown.slice(0, -1).reduce((sum, i) => sum + natural[i] + GAP.length, 0);
  return Math.min(natural[last], Math.max(wanted[last], width - others));
}

function cutToWidth(text: string, width: number): string {
  return text.length <= width
    ? text
    : (CUT + text.slice(text.length - width + CUT.length)).toWellFormed();
}

function addressWidths(client: number, server: number, room: number): [number, number] {
  const available = Math.max(room - GAP.length, 2 * NARROWEST);
  if (client + server <= available) return [client, server];
  const half = Math.floor(available / 2);
  if (client <= half) return [client, available - client];
  if (server <= half) return [available - server, server];
  return [half, available - half];
}

function pushRow(
  lines: string[],
  client: string,
  server: string,
  clientWidth: number,
  serverWidth: number,
  tail: string,
): void {
  const end = clientWidth + GAP.length + serverWidth;
  // A server that is too wide for its column begins further to the left.
  const start = Math.max(0, Math.min(clientWidth + GAP.length, end - server.length));
  let head = client;
  if (client.length + GAP.length > start) {
    lines.push(client);
    head = "";
  }
  lines.push(head.padEnd(start) + server.padEnd(end - start) + tail);
}
