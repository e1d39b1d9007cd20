import { daysOf, timeTextOf } from "./table_times.ts";
import { failureLines, flowLines } from "./table_lines.ts";
import { byEnds, type FailureRow, type FlowRow, type FlowTable } from "./flow_table.ts";
import { plural } from "./plural.ts";

type Row = FlowRow | FailureRow;

/**
 * The table of the attributed flows as lines of text, with a line of totals above it, and below it
 * tables of what was not answered, and of what was refused or unreachable, if anything was: all sorted
 * by client. Times are local, as tcpdump's are.
 *
 * @param columns Characters in a line. `Infinity` where nothing limits them.
 */
export function renderFlowTable(table: FlowTable, columns: number): string[] {
  const all = table.flows.sort(byEnds);
  const flows = all.filter((row) => !isUnanswered(row));
  const failures = table.failures.sort(byEnds);
  const failed = new Set(failures.map(serviceText));
  // Why nothing came back is said where it is known.
  const unanswered = all.filter((row) => isUnanswered(row) && !failed.has(serviceText(row)));
  const days = daysOf([...all, ...failures]);
  const clients = flows.filter(({ client }, i) => client !== flows[i - 1]?.client).length;
  const timeText = timeTextOf(days);
  const tables = [
    flowLines(flows, timeText, columns),
    unansweredLines(unanswered, timeText, columns),
    refusedLines(failures, timeText, columns),
  ].filter((lines) => lines.length > 0);
  return [
    totalsLine({ count: flows.length, clients }, table.leftOut, days),
    // An empty line between the tables, also where there are no flows.
    ...tables.flatMap((lines, i) => i === 0 && flows.length > 0 ? lines : ["", ...lines]),
  ];
}

/** What tells apart what was tried. */
export function serviceText(
  { client, server, port }: Pick<Row, "client" | "server" | "port">,
): string {
  return `${client} ${server} ${port}`;
}

/** Whether nothing came back. Over TCP a flow is one that worked, also where one direction was captured. */
export function isUnanswered({ protocol, packets }: FlowRow): boolean {
  return protocol !== "tcp" && packets[0] > 0 && packets[1] === 0;
}

function unansweredLines(
  flows: FlowRow[],
  timeText: (seconds: number) => string,
  columns: number,
): string[] {
  if (flows.length === 0) return [];
  return [`Not answered: ${flows.length}`, ...flowLines(flows, timeText, columns)];
}

function refusedLines(
  failures: FailureRow[],
  timeText: (seconds: number) => string,
  columns: number,
): string[] {
  if (failures.length === 0) return [];
  return [
    `Refused or unreachable: ${failures.length}`,
    ...failureLines(failures, timeText, columns),
  ];
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
