import type {
  EncryptedDnsRow,
  MissingNamesRow,
  ProberRow,
  Report,
  ReportTotals,
  ServiceRow,
  UnexplainedRow,
  UsageRow,
} from "./report.ts";

/** All that a report says; each list has the most first. What was used can be read once. */
export interface ReportData {
  readonly totals: ReportTotals;
  readonly usages: Iterable<UsageRow>;
  readonly offered: readonly ServiceRow[];
  readonly unexplained: readonly UnexplainedRow[];
  readonly encryptedDns: readonly EncryptedDnsRow[];
  readonly probers: readonly ProberRow[];
  readonly missingNames: readonly MissingNamesRow[];
}

/**
 * Asks for all of it.
 *
 * @param limit How many rows lists have that may be long; -1 for all.
 */
export function reportData(report: Report, limit: number): ReportData {
  return {
    totals: report.totals(),
    usages: report.usages(limit),
    offered: report.offeredServices(),
    unexplained: report.unexplained(limit),
    encryptedDns: report.encryptedDns(),
    probers: report.probers(limit),
    missingNames: report.missingNames(limit),
  };
}
