import { cidrText } from "../config/cidr.ts";
import type { Mapping } from "../config/mapping.ts";
import { addressText } from "../model/address_text.ts";
import type { ConversationExample } from "../engine/conversation_example.ts";
import type { EngineStatistics } from "../engine/engine.ts";
import {
  DROPPED,
  GAVE_FLOW,
  IGNORED,
  NO_NETWORK_IPV4,
  NO_NETWORK_IPV6,
  NO_RULE,
  ONLY_OPENED,
  OWN_CONNECTION,
  SUPPRESSED,
} from "../model/no_flow.ts";
import {
  BAD_LENGTH,
  BAD_VERSION,
  CUT_SHORT,
  LATER_FRAGMENT,
  NOT_IP,
  OTHER_ICMP,
  OTHER_PROTOCOL,
  UNREACHABLE,
  UNSUPPORTED_LINK_TYPE,
} from "../packet/decoded.ts";
import { PROTOCOL_UDP } from "../packet/packet_header.ts";
import { undecodedText } from "./undecoded_text.ts";

/** Why most of something gave no flow, in one line. */
export interface NoFlowReason {
  /** Tells it from others, whatever the figures are. */
  readonly kind: string;
  /** With the way out, without a full stop. */
  readonly text: string;
}

/** What is in a network that has all addresses. */
const EVERYTHING = '["external", "0.0.0.0/0", "::/0"]';
/** Numbers of what was not decoded that a line has at most. */
const MOST_NUMBERS = 3;

/**
 * Says why most packets were not decoded, and why most conversations gave no flow, if that is so: of each
 * as few reasons as explain more than half.
 *
 * @param parameters What `explain` needs besides a conversation to say the same: own networks, options.
 */
export function whyNoFlows(
  flows: EngineStatistics,
  mapping: Mapping,
  parameters: readonly string[] = [],
): NoFlowReason[] {
  const packets = mostOf(flows.decoded, UNREACHABLE).map((outcome) => ({
    kind: `packets ${outcome}`,
    text: packetsText(outcome, flows),
  }));
  const conversations = mostOf(flows.became, GAVE_FLOW).map((kind) => ({
    kind: `conversations ${kind}`,
    text: conversationsText(kind, flows, mapping, parameters),
  }));
  return [...packets, ...conversations];
}

/**
 * The kinds after `last` of which there is most, as few as are more than half of all; none if all of them
 * are not.
 */
function mostOf(counts: readonly number[], last: number): number[] {
  const half = counts.reduce((sum, count) => sum + count, 0) / 2;
  const kinds = [...counts.keys()].filter((kind) => kind > last && counts[kind] > 0)
    .sort((one, other) => counts[other] - counts[one]);
  let sum = 0;
  const enough = kinds.findIndex((kind) => (sum += counts[kind]) > half);
  return kinds.slice(0, enough + 1);
}

function packetsText(outcome: number, { decoded, undecoded }: EngineStatistics): string {
  const all = decoded.reduce((sum, count) => sum + count, 0);
  const numbers = undecoded.filter((it) => it.outcome === outcome);
  const texts = numbers.slice(0, MOST_NUMBERS).map((it) =>
    numbers.length === 1 ? undecodedText(it) : `${it.packets} of ${undecodedText(it)}`
  );
  const which = texts.join(", ") + (numbers.length > MOST_NUMBERS ? " and others" : "");
  return `${decoded[outcome]} of ${counted(all, "packet")} ${whatOfPackets(outcome, which)}`;
}

/** What is with packets that were not decoded, and what to do about it. */
function whatOfPackets(outcome: number, which: string): string {
  switch (outcome) {
    case UNSUPPORTED_LINK_TYPE:
      return `are of a link layer that flosensor does not read, ${which}: capture on an interface ` +
        'with Ethernet, Linux cooked or raw IP packets; "flosensor interfaces" lists them';
    case NOT_IP:
      return `are not IP, ${which}: flows are TCP or UDP over IP`;
    case OTHER_PROTOCOL:
      return `are neither TCP, UDP nor ICMP, ${which}: flows are TCP or UDP; what is in a tunnel ` +
        "is seen where its packets are plain, such as on the tunnel's own interface";
    case LATER_FRAGMENT:
      return "are later fragments, which have no ports: capture where packets are whole";
    case OTHER_ICMP:
      return "are ICMP that says nothing of a service, such as ping: flows are TCP or UDP";
    case CUT_SHORT:
      return "are cut by the snapshot length before their ports: capture more of each, such as " +
        "with tcpdump -s 128";
    case BAD_LENGTH:
      return "have a length in a header that contradicts the packet: the capture is damaged, or " +
        "its link type is another one than it says";
    case BAD_VERSION:
      return "have another IP version than their place allows: the capture is damaged, or its " +
        "link type is another one than it says";
  }
  return "were not decoded";
}

function conversationsText(
  kind: number,
  { became, examples }: EngineStatistics,
  mapping: Mapping,
  parameters: readonly string[],
): string {
  const count = became[kind];
  const are = (what: string) => `${counted(count, what)} ${count === 1 ? "is" : "are"}`;
  const example = examples[kind];
  const such = example === null ? "" : ` (such as ${endsText(example)})`;
  const explain = example === null ? "" : `: "${explainText(example, parameters)}" says more`;
  const networks = mapping.placeOf("networks");
  const rules = mapping.placeOf("flows");
  switch (kind) {
    case NO_NETWORK_IPV4:
    case NO_NETWORK_IPV6: {
      const [family, other] = kind === NO_NETWORK_IPV4 ? [4, 6] as const : [6, 4] as const;
      const which = `${are(`IPv${family} conversation`)} in no network of ${networks}`;
      return !mapping.hasNetworks(family) && mapping.hasNetworks(other)
        ? `${which}, which has prefixes of IPv${other} only: add yours of IPv${family}, or ` +
          EVERYTHING
        : `${which}${such}: name yours, or add ${EVERYTHING}`;
    }
    case SUPPRESSED:
      return `${are("conversation")} within the own networks, ` +
        `${mapping.ourNets.map(cidrText).join(", ")}${such}: suppressOwnNetwork: false keeps them`;
    case NO_RULE:
      return `${counted(count, "conversation")} match${count === 1 ? "es" : ""} no rule of ` +
        `${rules}${such}: add [null, null, LowerPort()] as the last one, or see which rule should: ` +
        `"${example === null ? "explain" : explainText(example, parameters)}"`;
    case DROPPED:
      return `${are("conversation")} dropped by rules of ${rules}${such}${explain}`;
    case IGNORED:
      return `${are("conversation")} of services in ${mapping.placeOf("ignoreFlows")}${such}: ` +
        "they have client and peer keys, and no flow key";
    case OWN_CONNECTION:
      return `${are("conversation")} the sensor's own, with its Redis or ClickHouse${such}: ` +
        "they are left out";
    case ONLY_OPENED:
      return `${counted(count, "TCP connection")} had packets with SYN, FIN or RST only${such}: ` +
        "nobody answered, they were refused, or a filter leaves the others out; a flow is a " +
        "connection that worked";
  }
  return `${are("conversation")} without a flow${such}`;
}

/** A number of things: `1 packet`, `2 packets`. */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function endsText({ isIpv6, source, destination, ...ports }: ConversationExample): string {
  const end = (address: Uint32Array, port: number) => {
    const text = addressText(address, 0, isIpv6);
    return isIpv6 ? `[${text}]:${port}` : `${text}:${port}`;
  };
  return `${end(source, ports.sourcePort)} to ${end(destination, ports.destinationPort)}`;
}

/** The command that explains a conversation. */
function explainText(
  { isIpv6, protocol, source, sourcePort, destination, destinationPort }: ConversationExample,
  parameters: readonly string[],
): string {
  return [
    "flosensor explain",
    ...[addressText(source, 0, isIpv6), sourcePort],
    ...[addressText(destination, 0, isIpv6), destinationPort],
    ...parameters,
    ...(protocol === PROTOCOL_UDP ? ["--protocol udp"] : []),
  ].join(" ");
}
