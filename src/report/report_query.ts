/** What a report is about. */
export interface ReportQuery {
  /** Only what was seen since then, in milliseconds; `null` for all that is there. */
  readonly since: number | null;
  /** Address or prefix. */
  readonly client: string | null;
  /** Address, prefix, or a name with all below it. */
  readonly server: string | null;
  /** What is new since then is marked, in milliseconds. */
  readonly newSince: number;
}

/** What a report can be grouped by. */
export const GROUPS = ["client", "server", "service", "name", "device"] as const;

/** One of {@linkcode GROUPS}. */
export type Group = typeof GROUPS[number];
