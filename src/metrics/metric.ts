/** One number of a metric, and the values of its labels, in their order. */
export type Row = readonly [value: number, ...labels: string[]];

/** What Prometheus is told of a metric. */
export interface Metric {
  /** By its naming conventions: a unit at the end, `_total` for counters. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** Names of the labels. Each has few values, whatever packets say. */
  readonly labels: readonly string[];
}

/** Metrics by what they are of. */
export type Metrics<Counts> = { readonly [Name in keyof Counts]: Metric };

/** Of each metric its numbers. */
export type Rows<Counts> = { readonly [Name in keyof Counts]: readonly Row[] };
