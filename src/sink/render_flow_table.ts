import { bytesText } from "../bytes_text.ts";
import { durationText } from "../duration_text.ts";
import { byEnds, type FailureRow, type FlowRow, type FlowTable } from "./flow_table.ts";
import { plural } from "./plural.ts";
import { type Column, textTable } from "./text_table.ts";

/** How much room a {@linkcode renderFlowTable} has. */
export interface Room {
  /** Characters in a line. `Infinity` where nothing limits them. */
  readonly columns: number;
  /** Lines. `Infinity` where nothing limits them. */
  readonly rows: number;
}

/** How {@linkcode renderFlowTable} sorts: by client, or what was sighted last first. */
export type RowOrder = "by-client" | "newest-first";

const FLOW_COLUMNS: Column[] = [
  { title: "CLIENT" },
  { title: "SERVER" },
  { title: "PORT", isNumber: true },
  { title: "BY", dropRank: 4 },
  { title: "FIRST", dropRank: 1 },
  { title: "LAST" },
];

/** Shown where packets were counted: from the client, from the server. */
const FIGURE_COLUMNS: Column[] = [
  { title: "FOR", isNumber: true, dropRank: 2 },
  { title: "PACKETS", isNumber: true, dropRank: 3 },
  { title: "BYTES", isNumber: true, dropRank: 6 },
];

/** Shown where a flow is in one. */
const TUNNEL_COLUMN: Column = { title: "TUNNEL", dropRank: 5 };

/** Shown where a flow has one. What a name ends in tells more than what it begins with. */
const NAME_COLUMN: Column = { title: "NAME", dropRank: 7, leastWidth: 20 };

const FAILURE_COLUMNS: Column[] = [
  { title: "CLIENT" },
  { title: "SERVER" },
  { title: "PORT", isNumber: true },
  { title: "WHY" },
  { title: "FIRST", dropRank: 1 },
  { title: "LAST", dropRank: 3 },
];

type Row = FlowRow | FailureRow;

/** Where there is not room for all, failures get this part of it. */
const FAILURES_PART = 1 / 4;

/**
 * The table of the attributed flows as lines of text, with a line of totals above it, and below it
 * tables of what was not answered, and of what was refused or unreachable, if anything was. Times are local, as tcpdump's are.
 */
export function renderFlowTable(table: FlowTable, order: RowOrder, room: Room): string[] {
  const all = sorted(table.flows, order);
  const flows = all.filter((row) => !isUnanswered(row));
  const failures = sorted(table.failures, order);
  const failed = new Set(failures.map(serviceText));
  // Why nothing came back is said where it is known.
  const unanswered = all.filter((row) => isUnanswered(row) && !failed.has(serviceText(row)));
  const days = daysOf([...all, ...failures]);
  const clients = order === "by-client"
    ? flows.filter(({ client }, i) => client !== flows[i - 1]?.client).length
    : new Set(flows.map(({ client }) => client)).size;
  const lines = [totalsLine({ count: flows.length, clients }, table.leftOut, days)];
  const timeText = timeTextOf(days);
  const flowLines = flowLinesOf(flows, timeText, room.columns);
  const others = [
    unansweredLinesOf(unanswered, timeText, room.columns),
    failureLinesOf(failures, timeText, room.columns),
  ].filter((some) => some.length > 0);
  const otherLines = others.flatMap((some, i) => i === 0 ? some : ["", ...some]);
  // One line of totals, and an empty line between the tables.
  const available = room.rows - 1 - (otherLines.length > 0 ? 1 : 0);
  const forOthers = Math.min(
    otherLines.length,
    Math.max(Math.floor(available * FAILURES_PART), available - flowLines.length),
  );
  lines.push(...cut(flowLines, available - forOthers));
  if (otherLines.length > 0) lines.push("", ...cut(otherLines, forOthers));
  return lines;
}

function serviceText({ client, server, port }: Row): string {
  return `${client} ${server} ${port}`;
}

/** Whether nothing came back. Over TCP a flow is one that worked, also where one direction was captured. */
function isUnanswered({ protocol, packets }: FlowRow): boolean {
  return protocol !== "tcp" && packets[0] > 0 && packets[1] === 0;
}

/** Columns that are there where flows have something for them. */
interface Extras {
  readonly hasFigures: boolean;
  readonly hasTunnels: boolean;
  readonly hasNames: boolean;
}

function flowLinesOf(
  flows: FlowRow[],
  timeText: (seconds: number) => string,
  columns: number,
): string[] {
  if (flows.length === 0) return [];
  const extras = {
    hasFigures: flows.some(({ packets }) => packets[0] + packets[1] > 0),
    hasTunnels: flows.some(({ tunnel }) => tunnel !== undefined),
    hasNames: flows.some(({ name }) => name !== undefined),
  };
  const shown = [...FLOW_COLUMNS];
  if (extras.hasFigures) shown.push(...FIGURE_COLUMNS);
  if (extras.hasTunnels) shown.push(TUNNEL_COLUMN);
  if (extras.hasNames) shown.push(NAME_COLUMN);
  const rows = flows.map((row) => flowCells(row, timeText, extras));
  return textTable(shown, rows, columns);
}

function unansweredLinesOf(
  flows: FlowRow[],
  timeText: (seconds: number) => string,
  columns: number,
): string[] {
  if (flows.length === 0) return [];
  return [`Not answered: ${flows.length}`, ...flowLinesOf(flows, timeText, columns)];
}

function failureLinesOf(
  failures: FailureRow[],
  timeText: (seconds: number) => string,
  columns: number,
): string[] {
  if (failures.length === 0) return [];
  const rows = failures.map((row) => failureCells(row, timeText));
  return [
    `Refused or unreachable: ${failures.length}`,
    ...textTable(FAILURE_COLUMNS, rows, columns),
  ];
}

function sorted<R extends Row>(rows: R[], order: RowOrder): R[] {
  return rows.sort(order === "by-client" ? byEnds : (a, b) => b.last - a.last || byEnds(a, b));
}

function totalsLine(
  { count, clients }: { count: number; clients: number },
  leftOut: number,
  days: string,
): string {
  return `${plural(count, "flow")} of ${plural(clients, "client")}` +
    (leftOut > 0 ? `, ${leftOut} older left out` : "") +
    (days === "" ? "" : `, ${days}`);
}

function flowCells(
  row: FlowRow,
  timeText: (seconds: number) => string,
  { hasFigures, hasTunnels, hasNames }: Extras,
): string[] {
  const cells = [
    row.client,
    row.server,
    `${row.port}/${row.protocol}`,
    row.by,
    timeText(row.first),
    timeText(row.last),
  ];
  if (hasFigures) cells.push(...figureCells(row));
  if (hasTunnels) cells.push(row.tunnel ?? "");
  if (hasNames) cells.push(row.name ?? "");
  return cells;
}

function figureCells({ packets, bytes, duration }: FlowRow): string[] {
  if (packets[0] + packets[1] === 0) return ["", "", ""];
  return [durationText(duration), packets.join(" / "), bytes.map(bytesText).join(" / ")];
}

function failureCells(row: FailureRow, timeText: (seconds: number) => string): string[] {
  return [
    row.client,
    row.server,
    String(row.port),
    row.reason,
    timeText(row.first),
    timeText(row.last),
  ];
}

/** The days that the rows are of, unless that is today. */
function daysOf(rows: readonly { first: number; last: number }[]): string {
  if (rows.length === 0) return "";
  const first = dateText(rows.reduce((least, row) => Math.min(least, row.first), Infinity));
  const last = dateText(rows.reduce((most, row) => Math.max(most, row.last), -Infinity));
  if (first !== last) return `${first} to ${last}`;
  return first === dateText(Date.now() / 1000) ? "" : first;
}

function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
}

function timeOfDay(seconds: number): string {
  const date = new Date(seconds * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

function timeTextOf(days: string): (seconds: number) => string {
  return remembered(days.includes(" to ") ? dayAndTime : timeOfDay);
}

/** The year is in the line of totals. */
function dayAndTime(seconds: number): string {
  return `${dateText(seconds).replace(/^-?\d+-/, "")} ${timeOfDay(seconds)}`;
}

/** Most rows have their times from others, and a time's text takes longer than all else of a row. */
function remembered(text: (seconds: number) => string): (seconds: number) => string {
  const texts = new Map<number, string>();
  return (seconds) => {
    let known = texts.get(seconds);
    if (known === undefined) texts.set(seconds, known = text(seconds));
    return known;
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** The lines, or where there are too many the first of them and a line that says how many follow. */
function cut(lines: string[], most: number): string[] {
  if (lines.length <= most) return lines;
  const kept = Math.max(0, most - 1);
  return [...lines.slice(0, kept), `… ${lines.length - kept} more lines`].slice(
    0,
    Math.max(0, most),
  );
}
