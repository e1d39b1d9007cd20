import { bytesText } from "../bytes_text.ts";
import { durationText } from "../duration_text.ts";
import type { FailureRow, FlowRow } from "./flow_table.ts";
import { type Column, textTable } from "./text_table.ts";

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

/** A service has no duration. */
const SERVICE_COLUMNS: Column[] = [
  { title: "SERVER" },
  { title: "LATEST CLIENT" },
  { title: "PORT", isNumber: true },
  { title: "CLIENTS", isNumber: true },
  { title: "FIRST", dropRank: 1 },
  { title: "LAST" },
  ...FIGURE_COLUMNS.slice(1),
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

/** How lines of a part of the rows look like those of all of them. */
export interface PartOf<Row> {
  /** All rows: what they have decides about columns. */
  readonly all: readonly Row[];
  /** See {@linkcode textTable}. */
  readonly widest: number[];
}

/** What is shown of packets. */
type Figures = Pick<FlowRow, "packets" | "bytes" | "duration">;

/** Columns that are there where flows have something for them. */
interface Extras {
  readonly hasFigures: boolean;
  readonly hasTunnels: boolean;
  readonly hasNames: boolean;
}

/**
 * Flows as lines of a table, below their titles.
 *
 * @param timeText Writes a time, in seconds since 1970-01-01 UTC.
 * @param columns Characters in a line. `Infinity` where nothing limits them.
 * @param part What the flows are a part of, where they are one.
 */
export function flowLines(
  flows: readonly FlowRow[],
  timeText: (seconds: number) => string,
  columns: number,
  { all, widest }: PartOf<FlowRow> = { all: flows, widest: [] },
): string[] {
  if (flows.length === 0) return [];
  const extras = {
    hasFigures: all.some(hasFigures),
    hasTunnels: all.some(({ tunnel }) => tunnel !== undefined),
    hasNames: all.some(({ name }) => name !== undefined),
  };
  const shown = [...FLOW_COLUMNS];
  if (extras.hasFigures) shown.push(...FIGURE_COLUMNS);
  if (extras.hasTunnels) shown.push(TUNNEL_COLUMN);
  if (extras.hasNames) shown.push(NAME_COLUMN);
  const rows = flows.map((row) => flowCells(row, timeText, extras));
  return textTable(shown, rows, columns, widest);
}

/** The same of what was tried in vain. */
export function failureLines(
  failures: readonly Omit<FailureRow, "observation">[],
  timeText: (seconds: number) => string,
  columns: number,
  widest: number[] = [],
): string[] {
  if (failures.length === 0) return [];
  const rows = failures.map((row) => failureCells(row, timeText));
  return textTable(FAILURE_COLUMNS, rows, columns, widest);
}

/** A service that clients used. */
export interface ServiceRow {
  readonly server: string;
  /** Who used it last. */
  readonly client: string;
  readonly clients: number;
  readonly port: number;
  readonly protocol: string;
  readonly first: number;
  readonly last: number;
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
  readonly name?: string;
}

/** The same of services. */
export function serviceLines(
  services: readonly ServiceRow[],
  timeText: (seconds: number) => string,
  columns: number,
  { all, widest }: PartOf<ServiceRow> = { all: services, widest: [] },
): string[] {
  if (services.length === 0) return [];
  const hasNames = all.some(({ name }) => name !== undefined);
  const shown = [...SERVICE_COLUMNS];
  if (hasNames) shown.push(NAME_COLUMN);
  const rows = services.map((row) => {
    const cells = [
      row.server,
      row.client,
      `${row.port}/${row.protocol}`,
      String(row.clients),
      timeText(row.first),
      timeText(row.last),
      ...figureCells({ ...row, duration: 0 }).slice(1),
    ];
    if (hasNames) cells.push(row.name ?? "");
    return cells;
  });
  return textTable(shown, rows, columns, widest);
}

function flowCells(
  row: FlowRow,
  timeText: (seconds: number) => string,
  extras: Extras,
): string[] {
  const cells = [
    row.client,
    row.server,
    `${row.port}/${row.protocol}`,
    row.by,
    timeText(row.first),
    timeText(row.last),
  ];
  if (extras.hasFigures) cells.push(...figureCells(row));
  if (extras.hasTunnels) cells.push(row.tunnel ?? "");
  if (extras.hasNames) cells.push(row.name ?? "");
  return cells;
}

function hasFigures({ packets }: Pick<Figures, "packets">): boolean {
  return packets[0] + packets[1] > 0;
}

function figureCells({ packets, bytes, duration }: Figures): string[] {
  if (!hasFigures({ packets })) return ["", "", ""];
  return [durationText(duration), packets.join(" / "), bytes.map(bytesText).join(" / ")];
}

function failureCells(
  row: Omit<FailureRow, "observation">,
  timeText: (seconds: number) => string,
): string[] {
  return [
    row.client,
    row.server,
    String(row.port),
    row.reason,
    timeText(row.first),
    timeText(row.last),
  ];
}
