import { bytesText } from "../bytes_text.ts";
import { type Column, textTable } from "../sink/text_table.ts";
import { counted, timeText } from "./quantities.ts";
import type { Figures, GroupRow, ReportTotals } from "./report.ts";
import type { ReportData } from "./report_data.ts";
import type { Group } from "./report_query.ts";

/** How a report is shown. */
export interface ReportView {
  /** What it is from. */
  readonly source: string;
  readonly since: number | null;
  /** When something was seen last, where that is before `since`: it is why there is nothing. */
  readonly seenBefore: number | null;
  /** Whether anything is known of how much, and when. */
  readonly hasFigures: boolean;
  /** Characters in a line. */
  readonly width: number;
}

const NEW = "new";

/** A column, and how its text is made of a row. */
type Cell<Row> = readonly [column: Column, text: (row: Row) => string];

/** The report as lines of text. */
export function renderReport(data: ReportData, view: ReportView): string[] {
  const { totals, usages, offered, unexplained, encryptedDns, probers, missingNames } = data;
  const times: Cell<{ first: number; last: number }>[] = view.hasFigures
    ? [[{ title: "FIRST", dropRank: 1 }, ({ first }) => timeText(first)], [
      { title: "LAST", dropRank: 2 },
      ({ last }) => timeText(last),
    ]]
    : [];
  const isNew: Cell<{ is_new: number }>[] = view.hasFigures
    ? [[{ title: "NEW", dropRank: 4 }, (it) => it.is_new ? NEW : ""]]
    : [];
  return [
    ...headLines(totals, view),
    ...section(
      "Who used whose service",
      [...usages],
      view,
      [
        [{ title: "CLIENT" }, ({ client }) => client],
        [{ title: "SERVER" }, ({ server }) => server],
        [{ title: "SERVICE" }, serviceText],
        ...figures(view),
        [{ title: "BY", dropRank: 3 }, ({ by }) => by],
        ...isNew,
        ...times,
        [{ title: "NAME", leastWidth: 20 }, ({ name }) => name ?? ""],
      ],
    ),
    ...section("Services offered on own networks", offered, view, [
      [{ title: "SERVER" }, ({ server }) => server],
      [{ title: "SERVICE" }, serviceText],
      [{ title: "CLIENTS", isNumber: true }, ({ clients }) => String(clients)],
      ...figures(view),
      ...isNew,
      ...times,
      [{ title: "TO WHOM", leastWidth: 20 }, clientsText],
    ]),
    ...section("Explained by no lookup", unexplained, view, [
      [{ title: "CLIENT" }, ({ client }) => client],
      [{ title: "SERVER" }, ({ server }) => server],
      [{ title: "SERVICE" }, serviceText],
      [{ title: "CONVERSATIONS", isNumber: true }, (it) => String(it.unexplained)],
      ...times,
      [
        { title: "KNOWN INSTEAD" },
        (it) => it.name === null ? "nothing" : `${it.name_origin} ${it.name}`,
      ],
      [{ title: "WHY", leastWidth: 20 }, ({ why }) => why ?? ""],
    ]),
    ...section("Encrypted DNS, and DNS to servers outside", encryptedDns, view, [
      [{ title: "CLIENT" }, ({ client }) => client],
      [{ title: "SERVER" }, ({ server, servers }) => listText([server], servers)],
      [{ title: "KIND" }, ({ kind }) => kind],
      ...times,
      [{ title: "NAME", leastWidth: 20 }, ({ name }) => name ?? ""],
    ]),
    ...section("Refused or unreachable, by who tried", probers, view, [
      [{ title: "PROBER" }, ({ prober }) => prober],
      [{ title: "HOW" }, ({ kinds }) => kinds],
      [{ title: "TARGETS", isNumber: true }, ({ targets }) => String(targets)],
      [{ title: "SERVICES", isNumber: true }, ({ services }) => String(services)],
      [{ title: "ATTEMPTS", isNumber: true }, ({ attempts }) => String(attempts)],
      ...times,
      [
        { title: "WHAT", leastWidth: 20 },
        ({ examples, services }) => listText(examples, services),
      ],
    ]),
    ...section("Names that do not exist, by who asked", missingNames, view, [
      [{ title: "CLIENT" }, ({ client }) => client],
      [{ title: "HOW" }, () => "NXDOMAIN"],
      [{ title: "NAMES", isNumber: true }, ({ names }) => String(names)],
      [{ title: "ANSWERS", isNumber: true }, ({ answers }) => String(answers)],
      ...times,
      [{ title: "WHICH", leastWidth: 20 }, ({ examples, names }) => listText(examples, names)],
    ]),
  ];
}

/** What is used, together by a group, as lines of text. */
export function renderGroups(
  rows: readonly GroupRow[],
  group: Group,
  totals: ReportTotals,
  view: ReportView,
): string[] {
  const counts: Cell<GroupRow>[] = [
    ...group === "client" || group === "device" ? [] : [
      [{ title: "CLIENTS", isNumber: true }, ({ clients }) => String(clients)] as Cell<GroupRow>,
    ],
    ...group === "server" || group === "service" ? [] : [
      [{ title: "SERVERS", isNumber: true }, ({ servers }) => String(servers)] as Cell<GroupRow>,
    ],
    ...group === "service"
      ? []
      : [[{ title: "SERVICES", isNumber: true }, (it) => String(it.services)] as Cell<GroupRow>],
  ];
  const times: Cell<GroupRow>[] = view.hasFigures
    ? [
      [{ title: "NEW", dropRank: 4 }, (it) => it.is_new ? NEW : ""],
      [{ title: "FIRST", dropRank: 1 }, ({ first }) => timeText(first)],
      [{ title: "LAST", dropRank: 2 }, ({ last }) => timeText(last)],
    ]
    : [];
  return [
    ...headLines(totals, view),
    ...section(`By ${group}`, rows, view, [
      [{ title: group.toUpperCase() }, (it) => it.group],
      [{ title: "KNOWN AS" }, ({ about }) => about ?? ""],
      ...counts,
      ...figures(view),
      ...times,
    ]),
  ];
}

function headLines(
  totals: ReportTotals,
  { source, since, seenBefore, hasFigures }: ReportView,
): string[] {
  const period = since === null
    ? totals.first > 0 ? `, ${timeText(totals.first)} to ${timeText(totals.last)}` : ""
    : `, since ${timeText(since)}`;
  const figures = hasFigures && totals.conversations > 0
    ? `; ${counted(totals.conversations, "conversation")}, ${
      bytesText(totals.bytes_client + totals.bytes_server)
    }`
    : "";
  const before = seenBefore === null ? "" : `; last seen ${timeText(seenBefore)}`;
  return [
    `${source}${period}: ${counted(totals.clients, "client")} used ` +
    `${counted(totals.services, "service")} of ${
      counted(totals.servers, "server")
    }${figures}${before}`,
  ];
}

function figures(view: ReportView): Cell<Figures>[] {
  const seen: Cell<Figures> = [
    { title: "SEEN", isNumber: true, dropRank: 3 },
    (it) => String(it.observations),
  ];
  if (!view.hasFigures) return [seen];
  return [
    [
      { title: "CONVERSATIONS", isNumber: true },
      (it) => String(it.conversations || it.observations),
    ],
    [{ title: "TO SERVER", isNumber: true }, (it) => volumeText(it, it.bytes_client)],
    [{ title: "TO CLIENT", isNumber: true }, (it) => volumeText(it, it.bytes_server)],
  ];
}

/** Where only keys were seen, nothing is known of bytes. */
function volumeText({ packets_client, packets_server }: Figures, bytes: number): string {
  return packets_client + packets_server === 0 ? "-" : bytesText(bytes);
}

function section<Row>(
  title: string,
  rows: readonly Row[],
  { width }: ReportView,
  cells: readonly Cell<Row>[],
): string[] {
  if (rows.length === 0) return [];
  return [
    "",
    title,
    ...textTable(
      cells.map(([column]) => column),
      rows.map((row) => cells.map(([, text]) => text(row))),
      width,
    ),
  ];
}

/** `443/tcp`, as services(5) has it. */
export function serviceText({ port, protocol }: { port: number; protocol: string }): string {
  return protocol === "" ? String(port) : `${port}/${protocol}`;
}

function clientsText({ client_list, clients }: { client_list: string; clients: number }): string {
  return listText(client_list.split(" "), clients);
}

function listText(some: readonly string[], all: number): string {
  const left = all - some.length;
  return some.join(", ") + (left > 0 ? `, ${left} more` : "");
}
