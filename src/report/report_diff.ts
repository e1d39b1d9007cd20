import type { DatabaseSync } from "node:sqlite";
import { addressMatcher } from "./address_matcher.ts";
import type { Times } from "./report.ts";
import type { ReportQuery } from "./report_query.ts";

/** A service, or a client of one, that is there and was not before, or the other way round. */
export interface DiffRow extends Times {
  /** `new` or `gone`. */
  readonly change: "new" | "gone";
  /** `null` where nobody used the service before. */
  readonly client: string | null;
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  readonly name: string | null;
}

const USES = "SELECT client, server, port, protocol, name, first, last FROM service_use " +
  "WHERE (observations > 0 OR answered > 0)";

/** Which uses are compared. */
export type DiffQuery = Pick<ReportQuery, "client" | "server">;

/**
 * What is in a store and is not in another one, and the other way round.
 *
 * @param before The older one.
 */
export function diffOfStores(
  now: DatabaseSync,
  before: DatabaseSync,
  query: DiffQuery,
): DiffRow[] {
  const rows = (database: DatabaseSync) => {
    const uses = database.prepare(USES).all() as unknown as Use[];
    return new Map(uses.filter(chosenBy(query)).map((use) => [keyOf(use), use] as const));
  };
  const here = rows(now);
  const there = rows(before);
  return [
    ...missing(here, there).map((use) => ({ change: "new" as const, ...use })),
    ...missing(there, here).map((use) => ({ change: "gone" as const, ...use })),
  ].sort(byChange);
}

/**
 * What was seen for the first time since a time, and what was seen in as long a time before that and not
 * since.
 *
 * @param since Milliseconds since 1970-01-01 UTC.
 * @param length Milliseconds.
 */
export function diffOfTimes(
  database: DatabaseSync,
  since: number,
  length: number,
  query: DiffQuery,
): DiffRow[] {
  const uses = (condition: string, ...values: number[]) =>
    (database.prepare(`${USES} AND ${condition}`).all(...values) as unknown as Use[])
      .filter(chosenBy(query));
  return [
    ...uses("first >= ?", since).map((use) => ({ change: "new" as const, ...use })),
    ...uses("last < ? AND last >= ?", since, since - length)
      .map((use) => ({ change: "gone" as const, ...use })),
  ].sort(byChange);
}

type Use = Omit<DiffRow, "change" | "client"> & { readonly client: string };

function chosenBy({ client, server }: DiffQuery): (use: Use) => boolean {
  const [isClient, isServer] = [addressMatcher(client), addressMatcher(server)];
  return (use) => isClient(use.client, null) && isServer(use.server, use.name);
}

function missing(from: ReadonlyMap<string, Use>, other: ReadonlyMap<string, Use>): Use[] {
  return [...from].filter(([key]) => !other.has(key)).map(([, use]) => ({ ...use }));
}

/** Redis and lines of JSON do not have the protocol: it does not make a difference. */
function keyOf({ client, server, port }: Use): string {
  return `${client} ${server} ${port}`;
}

function byChange(a: DiffRow, b: DiffRow): number {
  if (a.change !== b.change) return a.change === "new" ? -1 : 1;
  return a.first - b.first || (`${a.client}${a.server}` < `${b.client}${b.server}` ? -1 : 1);
}
