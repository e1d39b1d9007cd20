import { textTable } from "../sink/text_table.ts";
import { timeText } from "./quantities.ts";
import { serviceText } from "./render_report.ts";
import type { DiffRow } from "./report_diff.ts";

/** What is new or gone, as lines of text. */
export function renderDiff(
  rows: readonly DiffRow[],
  title: string,
  { width, hasFigures }: { width: number; hasFigures: boolean },
): string[] {
  const added = rows.filter(({ change }) => change === "new").length;
  const head = `${title}: ${added} new, ${rows.length - added} gone`;
  if (rows.length === 0) return [head];
  return [
    head,
    "",
    ...textTable(
      [
        { title: "CLIENT" },
        { title: "SERVER" },
        { title: "SERVICE" },
        { title: "CHANGE" },
        ...hasFigures ? [{ title: "FIRST", dropRank: 1 }, { title: "LAST", dropRank: 2 }] : [],
        { title: "NAME", leastWidth: 20 },
      ],
      rows.map((row) => [
        row.client ?? "",
        row.server,
        serviceText(row),
        row.change,
        ...hasFigures ? [timeText(row.first), timeText(row.last)] : [],
        row.name ?? "",
      ]),
      width,
    ),
  ];
}
