import type { SourceStatistics } from "../capture/packet_source.ts";
import type { WorkStatistics } from "./packet_work.ts";
import type { DnsStatistics } from "../dns/dns_meter.ts";
import type { CarriedStatistics } from "../names/conversation_names.ts";
import type { EngineStatistics } from "../engine/engine.ts";
import { addedCounts } from "../packet/undecoded_counts.ts";

/** What was written in the end: of keys that several threads had seen, one. */
type Written = Pick<EngineStatistics, "flows" | "flowsBy" | "keys">;

/**
 * What several threads counted, as if it was one.
 *
 * @param all Of each thread; it had the same interfaces in the same order as the others.
 */
export function addedStatistics(
  all: readonly WorkStatistics[],
  written: Written,
): WorkStatistics {
  const sources = (all[0]?.sources ?? []).map((_, index) =>
    addedSource(all.map((one) => one.sources[index]))
  );
  const dns = all.flatMap(({ meters }) => meters.dns ?? []);
  const carried = all.flatMap(({ meters }) => meters.carried ?? []);
  return {
    sources,
    away: sources.map((_, index) =>
      all.find(({ away }) => away[index] !== null)?.away[index] ?? null
    ),
    meters: {
      flows: addedFlows(all.map(({ meters }) => meters.flows), written),
      dns: dns.length === 0 ? null : addedDns(dns),
      carried: carried.length === 0 ? null : addedCarried(carried),
    },
  };
}

function addedSource(all: readonly SourceStatistics[]): SourceStatistics {
  return {
    received: sum(all.map((one) => one.received)),
    given: sum(all.map((one) => one.given)),
    droppedByKernel: sum(all.map((one) => one.droppedByKernel)),
    // The interface is the same for all, and so is what it dropped.
    droppedByInterface: Math.max(...all.map((one) => one.droppedByInterface)),
  };
}

function addedFlows(
  all: readonly EngineStatistics[],
  written: Written,
): EngineStatistics {
  return {
    decoded: columnSums(all.map((one) => one.decoded)),
    undecoded: addedCounts(all.map((one) => one.undecoded)),
    conversations: sum(all.map((one) => one.conversations)),
    forgotten: sum(all.map((one) => one.forgotten)),
    evidence: {
      ends: sum(all.map(({ evidence }) => evidence.ends)),
      halfOpen: sum(all.map(({ evidence }) => evidence.halfOpen)),
      suppressedKeys: sum(all.map(({ evidence }) => evidence.suppressedKeys)),
    },
    became: columnSums(all.map((one) => one.became)),
    examples: (all[0]?.examples ?? []).map((_, kind) =>
      all.map(({ examples }) => examples[kind]).find((example) => example !== null) ?? null
    ),
    corrections: sum(all.map((one) => one.corrections)),
    ...written,
  };
}

function addedDns(all: readonly DnsStatistics[]): DnsStatistics {
  return {
    outcomes: columnSums(all.map((one) => one.outcomes)),
    written: sum(all.map((one) => one.written)),
  };
}

function addedCarried(all: readonly CarriedStatistics[]): CarriedStatistics {
  const kinds = Object.keys(all[0].found);
  return {
    found: Object.fromEntries(kinds.map((by) => [by, sum(all.map(({ found }) => found[by]))])),
    givenUp: sum(all.map((one) => one.givenUp)),
  };
}

function columnSums(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => sum(rows.map((row) => row[column])));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
