import type { Metrics, Row } from "../metrics/metric.ts";
import type { DnsStatistics } from "../dns/dns_meter.ts";
import { DNS_OUTCOME_NAMES } from "../dns/dns_outcome.ts";
import type { EngineStatistics } from "../engine/engine.ts";
import type { DeviceCounts } from "../names/devices/device_book.ts";
import type { DnsUsers } from "../names/encrypted_dns/dns_users.ts";
import type { ExplainedStatistics } from "../names/flow_explainer.ts";
import { BECAME_NAMES } from "../model/no_flow.ts";
import { REASON_NAMES } from "../model/reason.ts";
import { DECODED_NAMES } from "../packet/decoded.ts";
import type { Sink } from "../sink/sink.ts";
import type { SourceStatistics } from "../capture/packet_source.ts";
import { undecodedText } from "./undecoded_text.ts";

/** What is counted where. */
export interface CountedParts {
  /** Of each source, with its name. */
  readonly sources: readonly (readonly [name: string, statistics: SourceStatistics])[];
  readonly engine: EngineStatistics;
  readonly sinks: readonly Pick<Sink, "name" | "pending" | "written" | "lost">[];
  /** `null` where DNS is not read. */
  readonly dns: DnsStatistics | null;
  /** Names of flows that were forgotten for want of room. */
  readonly forgottenNames: number;
  readonly explained: ExplainedStatistics;
  readonly dnsUsers: DnsUsers;
  /** `null` where it is not asked who hosts are. */
  readonly devices: DeviceCounts | null;
}

/** All that is counted, in one place: the line of `--stats` and metrics are made of it. */
export interface SensorCounts extends DnsCounts, SinkCounts {
  /** Packets, by source. */
  readonly received: readonly Row[];
  readonly droppedByKernel: readonly Row[];
  readonly droppedByInterface: readonly Row[];
  /** Packets, by what became of them: one of `DECODED_NAMES`. */
  readonly packets: readonly Row[];
  /** Those that were not decoded, by that and by link type or protocol. */
  readonly undecoded: readonly Row[];
  /** Conversations that are remembered now. */
  readonly conversations: readonly Row[];
  /** What was forgotten for want of room, by what it is. */
  readonly forgotten: readonly Row[];
  /** Conversations, by what became of them: one of `BECAME_NAMES`. */
  readonly became: readonly Row[];
  /** Flow keys, by what decided them. */
  readonly flows: readonly Row[];
  readonly corrections: readonly Row[];
  readonly forgottenNames: readonly Row[];
  /** Conversations that were asked about, by whether a lookup explains them. */
  readonly explained: readonly Row[];
  /** Clients that ask for names where the network's name servers don't see it, by kind. */
  readonly dnsClients: readonly Row[];
  /** Devices, by whether a name of theirs is known. */
  readonly devices: readonly Row[];
}

/** What is counted of DNS. */
export interface DnsCounts {
  /** By what became of them; nothing where DNS is not read. */
  readonly dnsMessages: readonly Row[];
  readonly dnsNames: readonly Row[];
}

/** What became of observations, by sink. */
export interface SinkCounts {
  readonly written: readonly Row[];
  readonly pending: readonly Row[];
  readonly lost: readonly Row[];
}

/** What things other than conversations that were forgotten are called. */
const FORGOTTEN = {
  ends: "addresses with ports",
  halfOpen: "half-open connections",
  suppressedKeys: "suppressed keys",
} as const;
/** What conversations are called that a lookup explains, and others that were asked about. */
export const EXPLAINED = "explained";
export const UNEXPLAINED = "unexplained";
/** What devices are called of which a name is known, and others. */
export const NAMED = "known";
const UNNAMED = "unknown";
/** What conversations that were forgotten are called. */
export const CONVERSATIONS = "conversations";

export const DNS_METRICS: Metrics<DnsCounts> = {
  dnsMessages: {
    name: "flosensor_dns_messages_total",
    help: "DNS messages, by what became of them.",
    type: "counter",
    labels: ["outcome"],
  },
  dnsNames: {
    name: "flosensor_dns_names_written_total",
    help: "Writes of keys with names.",
    type: "counter",
    labels: [],
  },
};

export const SINK_METRICS: Metrics<SinkCounts> = {
  written: {
    name: "flosensor_sink_written_total",
    help: "Observations that are where they should go.",
    type: "counter",
    labels: ["sink"],
  },
  pending: {
    name: "flosensor_sink_pending",
    help: "Observations that wait to be written.",
    type: "gauge",
    labels: ["sink"],
  },
  lost: {
    name: "flosensor_sink_lost_total",
    help: "Observations that were given up, or refused.",
    type: "counter",
    labels: ["sink"],
  },
};

/** How Prometheus is told of each count. */
export const SENSOR_METRICS: Metrics<SensorCounts> = {
  received: {
    name: "flosensor_received_packets_total",
    help: "Packets that were seen on an interface, those dropped included.",
    type: "counter",
    labels: ["interface"],
  },
  droppedByKernel: {
    name: "flosensor_kernel_dropped_packets_total",
    help: "Packets dropped because the sensor did not keep up.",
    type: "counter",
    labels: ["interface"],
  },
  droppedByInterface: {
    name: "flosensor_interface_dropped_packets_total",
    help: "Packets dropped by the interface or its driver.",
    type: "counter",
    labels: ["interface"],
  },
  packets: {
    name: "flosensor_packets_total",
    help: "Packets that were read, by what became of them: transport and unreachable are used.",
    type: "counter",
    labels: ["outcome"],
  },
  undecoded: {
    name: "flosensor_undecoded_packets_total",
    help: "Packets that were not decoded, by link type, EtherType or IP protocol.",
    type: "counter",
    labels: ["outcome", "type"],
  },
  conversations: {
    name: "flosensor_conversations",
    help: "Conversations that are remembered.",
    type: "gauge",
    labels: [],
  },
  forgotten: {
    name: "flosensor_forgotten_total",
    help: "What was forgotten for want of room, by what it is.",
    type: "counter",
    labels: ["what"],
  },
  became: {
    name: "flosensor_conversation_outcomes_total",
    help: "Conversations, by what became of them: a flow, or why none.",
    type: "counter",
    labels: ["outcome"],
  },
  flows: {
    name: "flosensor_flows_total",
    help: "Flow keys, by what decided who is client and who is server.",
    type: "counter",
    labels: ["reason"],
  },
  corrections: {
    name: "flosensor_corrections_total",
    help: "Attributions that gave way to stronger evidence.",
    type: "counter",
    labels: [],
  },
  ...SINK_METRICS,
  ...DNS_METRICS,
  forgottenNames: {
    name: "flosensor_flow_names_forgotten_total",
    help: "Names of flows that were forgotten for want of room.",
    type: "counter",
    labels: [],
  },
  explained: {
    name: "flosensor_lookup_conversations_total",
    help: "Conversations from own networks to outside, by whether a lookup explains them.",
    type: "counter",
    labels: ["outcome"],
  },
  dnsClients: {
    name: "flosensor_outside_dns_clients",
    help: "Clients that ask for names where the network's name servers don't see it, by kind.",
    type: "gauge",
    labels: ["kind"],
  },
  devices: {
    name: "flosensor_devices",
    help: "Devices on own networks that announced themselves, by whether a name is known.",
    type: "gauge",
    labels: ["name"],
  },
};

/** Puts together what is counted. */
export function sensorCounts(
  { sources, engine, sinks, dns, forgottenNames, explained, dnsUsers, devices }: CountedParts,
): SensorCounts {
  const ofSources = (field: keyof SourceStatistics): Row[] =>
    sources.map(([name, statistics]) => [statistics[field], name]);
  const { forgotten, evidence } = engine;
  return {
    received: ofSources("received"),
    droppedByKernel: ofSources("droppedByKernel"),
    droppedByInterface: ofSources("droppedByInterface"),
    packets: named(engine.decoded, DECODED_NAMES),
    undecoded: engine.undecoded.map((count) => [
      count.packets,
      DECODED_NAMES[count.outcome],
      undecodedText(count),
    ]),
    conversations: [[engine.conversations]],
    forgotten: [
      [forgotten, CONVERSATIONS],
      [evidence.ends, FORGOTTEN.ends],
      [evidence.halfOpen, FORGOTTEN.halfOpen],
      [evidence.suppressedKeys, FORGOTTEN.suppressedKeys],
    ],
    became: named(engine.became, BECAME_NAMES),
    flows: named(engine.flowsBy, REASON_NAMES),
    corrections: [[engine.corrections]],
    ...sinkCounts(sinks),
    ...dnsCounts(dns),
    forgottenNames: [[forgottenNames]],
    explained: [[explained.explained, EXPLAINED], [explained.unexplained, UNEXPLAINED]],
    dnsClients: dnsUsers.counts().map(([kind, clients]) => [clients, kind]),
    devices: devices === null
      ? []
      : [[devices.named, NAMED], [devices.count - devices.named, UNNAMED]],
  };
}

/** What became of observations. */
export function sinkCounts(sinks: CountedParts["sinks"]): SinkCounts {
  return {
    written: sinks.map(({ name, written }) => [written, name]),
    pending: sinks.map(({ name, pending }) => [pending, name]),
    lost: sinks.map(({ name, lost }) => [lost, name]),
  };
}

/** What was counted of DNS. */
export function dnsCounts(dns: DnsStatistics | null): DnsCounts {
  return {
    dnsMessages: dns === null ? [] : named(dns.outcomes, DNS_OUTCOME_NAMES),
    dnsNames: dns === null ? [] : [[dns.written]],
  };
}

/** The sum of numbers, of those with these labels if they are named. */
export function sumOf(rows: readonly Row[], labels?: readonly string[]): number {
  return rows.reduce(
    (sum, [value, label]) => labels === undefined || labels.includes(label) ? sum + value : sum,
    0,
  );
}

function named(counts: readonly number[], names: readonly string[]): Row[] {
  return counts.map((count, i) => [count, names[i]]);
}
