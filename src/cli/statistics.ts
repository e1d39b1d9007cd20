import type { SourceStatistics } from "../capture/packet_source.ts";
import type { DnsStatistics } from "../dns/dns_meter.ts";
import { DNS_OUTCOME_NAMES, NXDOMAIN } from "../dns/dns_outcome.ts";
import type { EngineStatistics } from "../engine/engine.ts";
import type { ExplainedStatistics } from "../names/flow_explainer.ts";
import { BECAME_NAMES, GAVE_FLOW } from "../model/no_flow.ts";
import { REASON_NAMES } from "../model/reason.ts";
import { DECODED_NAMES, UNREACHABLE } from "../packet/decoded.ts";
import { undecodedText } from "./undecoded_text.ts";

/** Link types or protocols of packets that were not decoded, of those that a line names of a kind. */
const MOST_NUMBERS = 3;

/** What became of observations in the sinks. */
export interface SinkCounts {
  /** Those that are not written yet, as far as it is known. */
  readonly pending: number;
  /** Those that are where they should go: Redis has acknowledged them, a reader taken them. */
  readonly written: number;
  readonly lost: number;
}

/**
 * Statistics as one line.
 *
 * @param sinks Of all sinks together.
 * @param dns `null` where DNS is not read.
 * @param forgottenNames Names of flows that were forgotten for want of room.
 * @param explained Flows that lookups explain, and those that none explains; `null` where that is not asked.
 * @param dnsUsers How many clients ask for names where the network's name servers don't see it, by kind.
 * @param devices How many devices are known, in words.
 */
export function statisticsLine(
  sources: readonly SourceStatistics[],
  meter: EngineStatistics,
  sinks: SinkCounts,
  dns: DnsStatistics | null = null,
  forgottenNames = 0,
  explained: ExplainedStatistics | null = null,
  dnsUsers = "",
  devices = "",
): string {
  const sum = (field: keyof SourceStatistics) =>
    sources.reduce((total, source) => total + source[field], 0);
  let used = 0;
  const unused: string[] = [];
  meter.decoded.forEach((count, decoded) => {
    if (decoded <= UNREACHABLE) used += count;
    else if (count > 0) {
      unused.push(`${count} ${DECODED_NAMES[decoded]}${numbersText(decoded, meter)}`);
    }
  });
  const notDecoded = unused.length === 0 ? "" : ` (not decoded: ${unused.join(", ")})`;
  return `packets: ${sum("received")} received, ${sum("droppedByKernel")} dropped by kernel, ` +
    `${sum("droppedByInterface")} dropped by interface, ${used} decoded${notDecoded}; ` +
    `conversations: ${meter.conversations}${forgottenText(meter)}; ${noFlowText(meter)}` +
    `flows: ${meter.flows}${flowsByText(meter)}; ${explainedText(explained)}` +
    `keys: ${sinks.written} written, ${sinks.pending} queued` +
    (sinks.lost === 0 ? "" : `, ${sinks.lost} lost`) +
    (dns === null ? "" : `; ${dnsStatisticsText(dns)}`) +
    (forgottenNames === 0 ? "" : `, ${forgottenNames} names of flows forgotten`) +
    (dnsUsers === "" ? "" : `; clients that ask for names elsewhere: ${dnsUsers}`) +
    (devices === "" ? "" : `; devices: ${devices}`);
}

/** Of which link types or protocols packets were that were not decoded: `: 3 EtherType 0x0806 (ARP)`. */
function numbersText(decoded: number, { undecoded }: EngineStatistics): string {
  const texts = undecoded.filter(({ outcome }) => outcome === decoded).slice(0, MOST_NUMBERS)
    .map((count) => `${count.packets} ${undecodedText(count)}`);
  return texts.length === 0 ? "" : `: ${texts.join(", ")}`;
}

/** What was forgotten for want of room. */
function forgottenText({ forgotten, evidence }: EngineStatistics): string {
  const { ends, halfOpen, suppressedKeys } = evidence;
  const counts = [
    [forgotten, ""],
    [ends, " addresses with ports"],
    [halfOpen, " half-open connections"],
    [suppressedKeys, " held keys"],
  ] as const;
  const texts = counts.filter(([count]) => count > 0).map(([count, what]) => `${count}${what}`);
  return texts.length === 0 ? "" : ` (forgotten: ${texts.join(", ")})`;
}

/** How many conversations lookups explain, where any was asked about. */
function explainedText(explained: ExplainedStatistics | null): string {
  if (explained === null || explained.explained + explained.unexplained === 0) return "";
  return `by lookups: ${explained.explained} explained, ${explained.unexplained} unexplained; `;
}

/** How many conversations gave no flow, and why. */
function noFlowText({ became }: EngineStatistics): string {
  const texts = became.map((count, kind) => `${count} ${BECAME_NAMES[kind]}`)
    .filter((_, kind) => kind !== GAVE_FLOW && became[kind] > 0);
  return texts.length === 0 ? "" : `without flow: ${texts.join(", ")}; `;
}

/** What decided the flows, and how often it gave way: ` (3 syn, 1 registered; 1 corrected)`. */
function flowsByText({ flowsBy, corrections }: EngineStatistics): string {
  const texts = flowsBy.map((count, by) => `${count} ${REASON_NAMES[by]}`)
    .filter((_, by) => flowsBy[by] > 0);
  if (texts.length === 0) return "";
  return ` (${texts.join(", ")}${corrections === 0 ? "" : `; ${corrections} corrected`})`;
}

/** What was counted of DNS, as a part of a line. */
export function dnsStatisticsText({ outcomes, written }: DnsStatistics): string {
  const total = outcomes.reduce((sum, count) => sum + count, 0);
  const texts = outcomes.map((count, outcome) => `${count} ${DNS_OUTCOME_NAMES[outcome]}`);
  const used = texts.slice(0, NXDOMAIN + 1).join(", ");
  const unused = texts.slice(NXDOMAIN + 1).filter((_, i) => outcomes[NXDOMAIN + 1 + i] > 0);
  return `DNS: ${total} messages, ${used}` +
    (unused.length === 0 ? "" : ` (not used: ${unused.join(", ")})`) + `, ${written} names written`;
}
