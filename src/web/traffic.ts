import type { ColumnSelection } from "./column_selection.ts";
import { USAGE_STEPS, VOLUME_STEPS } from "../store/steps.ts";
import type { PageQuery, Traffic } from "./page_data.ts";
import type { Row, StoreQuery } from "./store_query.ts";

/** Points of a picture. */
const MOST_POINTS = 240;
/** Steps that a picture has, in seconds: those that people count time in. */
const STEPS = [1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400, 604_800];
const DIRECTIONS = ["in", "out", "local", "other"] as const;
const ENDS = ["from-client", "from-server"] as const;

/** Traffic over time of what a query asks for. */
export function trafficOf(store: StoreQuery, query: PageQuery, now: number): Traffic {
  return query.filter.length === 0
    ? allTraffic(store, store.since(query, now), now)
    : chosenTraffic(store, query, now);
}

/** Traffic over time of one flow, or `null` where its conversations are not kept. */
export function trafficOfFlow(store: StoreQuery, usage: number): Traffic | null {
  const { first, last } = store.row(
    "SELECT min(first) AS first, max(last) AS last FROM slice WHERE usage = ?",
    usage,
  ) as { first: number | null; last: number | null };
  if (first === null || last === null) return null;
  const step = stepFor(first, last, 1);
  const slot = (column: string) => `${column} / ${step * 1000}`;
  const rows = store.rows(
    `SELECT ${slot("first")} AS slot, ${slot("last")} - ${slot("first")} AS more, ` +
      "0 AS observations, sum(bytes_client) AS a, sum(bytes_server) AS b FROM slice " +
      "WHERE usage = ? GROUP BY slot, more",
    usage,
  ).flatMap(evenly);
  return traffic(byEnd(rows), ENDS, step, first, last);
}

/** Slices are up to a minute, and when in it bytes came is not known: each step of it has as many. */
function evenly(row: Row): Row[] {
  const [slot, count, a, b] = [row.slot, Number(row.more) + 1, row.a, row.b].map(Number);
  return Array.from({ length: count }, (_, i) => ({
    slot: slot + i,
    observations: 0,
    a: a / count,
    b: b / count,
  }));
}

function allTraffic(store: StoreQuery, since: number | null, now: number): Traffic {
  const oldest = since ?? Number(store.value("SELECT min(time) FROM volume") ?? now);
  const longest = store.value(
    "SELECT max(step) FROM volume WHERE time + step * 1000 > ?",
    oldest,
  );
  const step = stepFor(oldest, now, Number(longest ?? VOLUME_STEPS[0].seconds));
  const rows = store.rows(
    `SELECT time / ${
      step * 1000
    } AS slot, direction AS label, sum(observations) AS observations, ` +
      "sum(bytes_client + bytes_server) AS bytes FROM volume WHERE time + step * 1000 > ? " +
      "GROUP BY slot, direction",
    oldest,
  );
  return traffic(rows, DIRECTIONS, step, oldest, now);
}

function chosenTraffic(store: StoreQuery, query: PageQuery, now: number): Traffic {
  const selected = store.selected(query, now);
  if (selected !== null) return selectedTraffic(selected, store.since(query, now), now);
  const oldest = store.since(query, now) ??
    Number(store.value("SELECT min(time) FROM usage_step") ?? now);
  const longest = store.value(
    "SELECT max(step) FROM usage_step WHERE time + step * 1000 > ?",
    oldest,
  );
  const step = stepFor(oldest, now, Number(longest ?? USAGE_STEPS[0].seconds));
  const rows = store.rows(
    `SELECT t.time / ${step * 1000} AS slot, sum(t.observations) AS observations, ` +
      "sum(t.bytes_client) AS a, sum(t.bytes_server) AS b FROM usage_step t " +
      `WHERE t.time + t.step * 1000 > ? AND t.usage IN (${store.chosen(query, now).ids}) ` +
      "GROUP BY slot",
    oldest,
  );
  return traffic(byEnd(rows), ENDS, step, oldest, now);
}

function selectedTraffic(
  { traffic: steps }: ColumnSelection,
  since: number | null,
  now: number,
): Traffic {
  const oldest = since ?? steps.reduce((least, { time }) => Math.min(least, time), now);
  const longest = steps.reduce((most, it) => Math.max(most, it.step), USAGE_STEPS[0].seconds);
  const step = stepFor(oldest, now, longest);
  // Whole numbers are summed before they become rates, as SQLite does it.
  const slots = new Map<number, { slot: number; observations: number; a: number; b: number }>();
  for (const { time, observations, bytesClient, bytesServer } of steps) {
    const slot = Math.floor(time / (step * 1000));
    const row = slots.get(slot) ?? { slot, observations: 0, a: 0, b: 0 };
    row.observations += observations;
    row.a += bytesClient;
    row.b += bytesServer;
    slots.set(slot, row);
  }
  const rows = [...slots.values()];
  return traffic(byEnd(rows), ENDS, step, oldest, now);
}

/** A row for each end. Observations are of no end: they count once. */
function byEnd(rows: readonly Row[]): Row[] {
  return rows.flatMap(({ slot, observations, a, b }) => [
    { slot, label: ENDS[0], observations, bytes: a },
    { slot, label: ENDS[1], observations: 0, bytes: b },
  ]);
}

/** The step that makes few enough points, and is not shorter than what is known. */
function stepFor(from: number, to: number, shortest: number): number {
  const least = Math.max(shortest, (to - from) / 1000 / MOST_POINTS);
  return STEPS.find((step) => step >= least) ?? STEPS.at(-1)!;
}

/** Puts rows with `slot` (number of a step), `label`, `observations` and `bytes` into series. */
function traffic(
  rows: readonly Row[],
  labels: Traffic["labels"],
  step: number,
  from: number,
  to: number,
): Traffic {
  const first = Math.floor(from / 1000 / step);
  const count = Math.max(1, Math.floor(to / 1000 / step) - first + 1);
  const hasBytes = rows.some(({ bytes }) => Number(bytes) > 0);
  const used = hasBytes ? labels : ["observations"] as const;
  const series = used.map(() => new Array<number>(count).fill(0));
  for (const { slot, label, observations, bytes } of rows) {
    const at = Number(slot) - first;
    if (at < 0 || at >= count) continue;
    const which = hasBytes ? labels.indexOf(label as Traffic["labels"][number]) : 0;
    if (which < 0) continue;
    series[which][at] += hasBytes ? Number(bytes) * 8 / step : Number(observations) * 60 / step;
  }
  const times = Array.from({ length: count }, (_, i) => (first + i) * step);
  return { step, times, labels: used, series, unit: hasBytes ? "bit/s" : "observations/min" };
}
