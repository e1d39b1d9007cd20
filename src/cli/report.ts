import type { DatabaseSync } from "node:sqlite";
import { cidrText } from "../config/cidr.ts";
import { loadConfig } from "../config/load.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import type { Log } from "../log.ts";
import { csvLines } from "../report/csv.ts";
import { jsonList, jsonObject } from "../report/json_pieces.ts";
import { explained } from "../report/open_store_file.ts";
import { openSource } from "../report/open_source.ts";
import { setOwnNetworks } from "../report/own_networks_of_store.ts";
import { renderDiff } from "../report/render_diff.ts";
import { renderGroups, renderReport, type ReportView } from "../report/render_report.ts";
import { timeText } from "../report/quantities.ts";
import { Report } from "../report/report.ts";
import { reportData } from "../report/report_data.ts";
import { diffOfStores, diffOfTimes, type DiffRow } from "../report/report_diff.ts";
import type { Group } from "../report/report_query.ts";
import type { ReportSource } from "../report/report_source.ts";
import { parseDuration } from "../model/duration.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";
import { sourceOf, type SourceOptions } from "./report_source_of.ts";
import { printPieces } from "./print_pieces.ts";

/** Options of the command line. */
export interface ReportOptions extends SourceOptions {
  config?: string;
  /** Milliseconds before now. */
  since?: number;
  client?: string;
  server?: string;
  by?: Group;
  /** How many rows tables have that may be long. */
  top: number;
  csv?: boolean;
  json?: boolean;
  /** A store, a Redis' URL, a file with lines of JSON, or a length of time. */
  diff?: string;
}

const DAY = 86_400_000;
const USAGE_COLUMNS = [
  ...["client", "server", "port", "protocol", "name", "name_origin", "by", "is_new", "first"],
  ...["last", "observations", "conversations", "unexplained", "packets_client", "packets_server"],
  ...["bytes_client", "bytes_server"],
];
const GROUP_COLUMNS = [
  ...[
    "group",
    "about",
    "clients",
    "servers",
    "services",
    "is_new",
    "first",
    "last",
    "observations",
  ],
  ...["conversations", "unexplained", "packets_client", "packets_server", "bytes_client"],
  "bytes_server",
];
const DIFF_COLUMNS = [
  ...["change", "client", "server", "port", "protocol", "name", "first", "last"],
];

/**
 * The command `report`: says who used whose service, from a store, a Redis or lines of JSON.
 *
 * @param parameters What to read, and own networks.
 * @returns The exit status.
 * @throws {UserError} when it can't be read.
 */
export async function report(
  parameters: readonly string[],
  options: ReportOptions,
  log: Log,
): Promise<number> {
  refuseContradictions(options);
  const { names, networks } = partNamesAndNetworks(parameters);
  const { config } = await loadConfig(options.config);
  const parsed = networks.length > 0 ? parseOwnNetworks(networks, log) : config.ourNets;
  const localNetworks = parsed.map(cidrText);
  const named = sourceOf("report", names, options, config);
  const since = options.since === undefined ? null : Date.now() - options.since;
  const period = since === null ? null : { since };
  using source = await openSource(named, localNetworks, period);
  if (options.since !== undefined && !source.hasFigures) {
    throw new UserError(`--since: ${source.name} has no times; a store has`, WRONG_USAGE);
  }
  if (options.diff !== undefined) {
    await printDiff(source, options.diff, options, localNetworks);
    return 0;
  }
  const pieces = explained(source.name, () => {
    setOwnNetworks(source.database, localNetworks, networks.length > 0);
    const report = new Report(source.database, {
      since,
      client: options.client ?? null,
      server: options.server ?? null,
      newSince: since ?? newSinceOf(source),
    });
    const seenBefore = since === null ? null : lastSeenBefore(source.database, since);
    return reportPieces(report, options, {
      ...viewOf(source),
      source: source.name,
      since,
      seenBefore,
    });
  });
  await printPieces(source.name, pieces);
  return 0;
}

/** What only one of can be meant, or says nothing beside the other, is not left out without a word. */
function refuseContradictions({ csv, json, diff, by, since }: ReportOptions): void {
  const wrong = csv && json
    ? "--csv and --json are given; name one"
    : diff !== undefined && by !== undefined
    ? "--diff compares clients of services, which --by does not change; leave one out"
    : diff !== undefined && since !== undefined
    ? `--diff has no --since; "--diff 1d" is the last day beside the day before`
    : null;
  if (wrong !== null) throw new UserError(`report: ${wrong}`, WRONG_USAGE);
}

function reportPieces(
  report: Report,
  options: ReportOptions,
  view: ReportView,
): Iterator<string> {
  const limit = options.csv || options.json ? -1 : options.top;
  if (options.by !== undefined) {
    const rows = report.grouped(options.by, limit);
    if (options.csv) return csvLines(GROUP_COLUMNS, rows);
    if (options.json) return jsonList(rows);
    return lines(renderGroups(rows, options.by, report.totals(), view));
  }
  if (options.csv) return csvLines(USAGE_COLUMNS, report.usages());
  const data = reportData(report, limit);
  if (options.json) {
    return jsonObject({ source: view.source, since: view.since, ...data });
  }
  return lines(renderReport(data, view));
}

async function printDiff(
  source: ReportSource,
  other: string,
  options: ReportOptions,
  localNetworks: readonly string[],
): Promise<void> {
  const length = parseDuration(other);
  const query = { client: options.client ?? null, server: options.server ?? null };
  let rows: DiffRow[];
  let title: string;
  if (length === null) {
    using before = await openSource({ name: other, place: "--diff" }, localNetworks);
    rows = explained(source.name, () => diffOfStores(source.database, before.database, query));
    title = `${source.name} beside ${before.name}`;
  } else {
    if (!source.hasFigures) {
      throw new UserError(`--diff ${other}: ${source.name} has no times; a store has`, WRONG_USAGE);
    }
    const since = Date.now() - length;
    rows = explained(source.name, () => diffOfTimes(source.database, since, length, query));
    const seenBefore = explained(source.name, () => lastSeenBefore(source.database, since));
    title = `${source.name}, the last ${other} beside the ${other} before` +
      (seenBefore === null ? "" : ` (last seen ${timeText(seenBefore)})`);
  }
  const pieces = options.csv
    ? csvLines(DIFF_COLUMNS, rows)
    : options.json
    ? jsonList(rows)
    : lines(renderDiff(rows, title, viewOf(source)));
  await printPieces(source.name, pieces);
}

/** When something was seen last, if that is before a time, so that nothing is there of it since. */
function lastSeenBefore(database: DatabaseSync, time: number): number | null {
  const { last } = database.prepare(
    "SELECT max((SELECT coalesce(max(last), 0) FROM service), " +
      "(SELECT coalesce(max(last), 0) FROM refusal)) AS last",
  ).get() as { last: number };
  return last > 0 && last < time ? last : null;
}

/** Where no time is asked for, what is of the last day is new, unless the store itself is. */
function newSinceOf({ database, hasFigures }: ReportSource): number {
  if (!hasFigures) return Infinity;
  const { first, last } = database.prepare(
    "SELECT (SELECT min(first) FROM service) AS first, (SELECT max(last) FROM service) AS last",
  ).get() as { first: number | null; last: number | null };
  if (first === null || last === null || last - first < DAY) return Number.MAX_SAFE_INTEGER;
  return last - DAY;
}

function viewOf({ hasFigures }: ReportSource): { hasFigures: boolean; width: number } {
  return { hasFigures, width: Deno.stdout.isTerminal() ? terminalWidth() : Infinity };
}

/** Columns of the terminal; a pseudo terminal that was never told its size has none. */
function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}

function lines(all: readonly string[]): Iterator<string> {
  return all.values().map((line) => `${line}\n`);
}
