import { NXDOMAIN } from "../dns/dns_outcome.ts";
import type { Row } from "../metrics/metric.ts";
import { BECAME_NAMES, GAVE_FLOW } from "../model/no_flow.ts";
import { DECODED_NAMES, UNREACHABLE } from "../packet/decoded.ts";
import { CONVERSATIONS, type DnsCounts, NAMED, type SensorCounts, sumOf } from "./sensor_counts.ts";

/** Link types or protocols of packets that were not decoded, of those that a line names of a kind. */
const MOST_NUMBERS = 3;
/** What became of packets that are used. */
const USED: readonly string[] = DECODED_NAMES.slice(0, UNREACHABLE + 1);
/** Kinds of DNS that a line calls otherwise than records do. */
const DNS_KIND_TEXTS = new Map([["DNS", "DNS to servers outside"]]);
/** Where a capture's observations go, if it is there. */
const REDIS = "redis";

/** Statistics as one line. Written are those that Redis took, if there is one. */
export function statisticsLine(counts: SensorCounts): string {
  const unused = counts.packets.filter(([count, outcome]) => !USED.includes(outcome) && count > 0)
    .map(([count, outcome]) => `${count} ${outcome}${numbersText(outcome, counts.undecoded)}`);
  const notDecoded = unused.length === 0 ? "" : ` (not decoded: ${unused.join(", ")})`;
  const toRedis = counts.written.some(([, sink]) => sink === REDIS) ? [REDIS] : undefined;
  const [lost, forgottenNames] = [sumOf(counts.lost), sumOf(counts.forgottenNames)];
  return `packets: ${sumOf(counts.received)} received, ` +
    `${sumOf(counts.droppedByKernel)} dropped by kernel, ` +
    `${sumOf(counts.droppedByInterface)} dropped by interface, ` +
    `${sumOf(counts.packets, USED)} decoded${notDecoded}; ` +
    `conversations: ${sumOf(counts.conversations)}${forgottenText(counts.forgotten)}; ` +
    `${noFlowText(counts.became)}` +
    `flows: ${sumOf(counts.flows)}${flowsByText(counts)}; ${explainedText(counts)}` +
    `keys: ${sumOf(counts.written, toRedis)} written, ${sumOf(counts.pending)} queued` +
    (lost === 0 ? "" : `, ${lost} lost`) +
    (counts.dnsMessages.length === 0 ? "" : `; ${dnsText(counts)}`) +
    (forgottenNames === 0 ? "" : `, ${forgottenNames} names of flows forgotten`) +
    dnsClientsText(counts.dnsClients) +
    devicesText(counts.devices);
}

/** Of which link types or protocols packets were that were not decoded: `: 3 EtherType 0x0806 (ARP)`. */
function numbersText(outcome: string, undecoded: readonly Row[]): string {
  const texts = undecoded.filter(([, it]) => it === outcome).slice(0, MOST_NUMBERS)
    .map(([packets, , type]) => `${packets} ${type}`);
  return texts.length === 0 ? "" : `: ${texts.join(", ")}`;
}

/** What was forgotten for want of room. */
function forgottenText(forgotten: readonly Row[]): string {
  const texts = forgotten.filter(([count]) => count > 0)
    .map(([count, what]) => what === CONVERSATIONS ? String(count) : `${count} ${what}`);
  return texts.length === 0 ? "" : ` (forgotten: ${texts.join(", ")})`;
}

/** How many conversations lookups explain, where any was asked about. */
function explainedText({ explained }: SensorCounts): string {
  if (sumOf(explained) === 0) return "";
  return `by lookups: ${explained.map((it) => it.join(" ")).join(", ")}; `;
}

/** How many conversations gave no flow, and why. */
function noFlowText(became: readonly Row[]): string {
  const texts = countTexts(became.filter(([, what]) => what !== BECAME_NAMES[GAVE_FLOW]));
  return texts.length === 0 ? "" : `without flow: ${texts.join(", ")}; `;
}

/** What decided the flows, and how often it gave way: ` (3 syn, 1 registered; 1 corrected)`. */
function flowsByText({ flows, corrections }: SensorCounts): string {
  const texts = countTexts(flows);
  if (texts.length === 0) return "";
  const corrected = sumOf(corrections);
  return ` (${texts.join(", ")}${corrected === 0 ? "" : `; ${corrected} corrected`})`;
}

/** How many clients ask for names elsewhere, as a part of a line. */
function dnsClientsText(clients: readonly Row[]): string {
  const texts = clients.filter(([count]) => count > 0)
    .map(([count, kind]) => `${count} by ${DNS_KIND_TEXTS.get(kind!) ?? kind}`);
  return texts.length === 0 ? "" : `; clients that ask for names elsewhere: ${texts.join(", ")}`;
}

/** How many devices are known, as a part of a line. */
function devicesText(devices: readonly Row[]): string {
  const count = sumOf(devices);
  return count === 0 ? "" : `; devices: ${count}, ${sumOf(devices, [NAMED])} with a name`;
}

/** What was counted of DNS, as a part of a line. */
export function dnsText({ dnsMessages, dnsNames }: DnsCounts): string {
  const used = dnsMessages.slice(0, NXDOMAIN + 1).map(([count, outcome]) => `${count} ${outcome}`);
  const unused = countTexts(dnsMessages.slice(NXDOMAIN + 1));
  return `DNS: ${sumOf(dnsMessages)} messages, ${used.join(", ")}` +
    (unused.length === 0 ? "" : ` (not used: ${unused.join(", ")})`) +
    `, ${sumOf(dnsNames)} names written`;
}

/** Each with its label, but for those that are 0. */
function countTexts(rows: readonly Row[]): string[] {
  return rows.filter(([count]) => count > 0).map(([count, label]) => `${count} ${label}`);
}
