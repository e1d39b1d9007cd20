import { parseAddress } from "../model/address.ts";
import type {
  ConversationRecord,
  ConversationState,
  NameOrigin,
  ServerName,
} from "../model/conversation_record.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import type { DnsKind } from "../model/dns_kind.ts";

/** A line of JSON, of which nothing is believed. */
export type LineObject = Readonly<Record<string, unknown>>;

const STATES: ReadonlySet<unknown> = new Set(
  [
    "open",
    "established",
    "closed",
    "reset",
    "refused",
    "unreachable",
    "unanswered",
  ] satisfies ConversationState[],
);
const MOST_PORT = 65_535;

/**
 * The record of a conversation that is over, out of a line that `--json` has written about it.
 *
 * @param id Tells it from others.
 * @returns `null` where it is no such line.
 */
export function recordOfLine(line: LineObject, id: number): ConversationRecord | null {
  const { type, client, client_port: clientPort, server, port, protocol, state } = line;
  const [packets, bytes, flags] = [line.packets, line.bytes, line.flags].map(both);
  const [first, last] = [timeOf(line.first), timeOf(line.last)];
  if (
    type !== "end" || !isAddress(client) || !isAddress(server) || !isPort(clientPort) ||
    !isPort(port) || (protocol !== "tcp" && protocol !== "udp") || !STATES.has(state) ||
    packets === null || bytes === null || flags === null || first === null || last === null
  ) return null;
  const { by, interface: name, vlan, tunnel, dns, explained, why } = line;
  const isExplained = typeof explained === "boolean" ? explained : null;
  return {
    ...{ id, isOver: true, protocol, client, clientPort, server, port },
    by: textOf(by) ?? "",
    state: state as ConversationState,
    ...{ packets, bytes, flags, first, last },
    interface: textOf(name),
    vlan: typeof vlan === "number" ? vlan : null,
    tunnel: textOf(tunnel),
    names: Array.isArray(line.names) ? line.names.flatMap(serverName) : [],
    ...(typeof dns === "string" ? { dns: dns as DnsKind } : {}),
    isExplained,
    why: isExplained === false ? textOf(why) : null,
  };
}

/** What is known of a device, out of a line that `--json` has written; `null` where it is none. */
export function deviceOfLine(line: LineObject): DeviceRecord | null {
  const [first, last] = [timeOf(line.first), timeOf(line.time)];
  if (line.type !== "device" || first === null || last === null) return null;
  const addresses = listOf(line.addresses).flatMap((it) => {
    const times = [timeOf(it?.first), timeOf(it?.last)];
    if (!isAddress(it?.address) || times[0] === null || times[1] === null) return [];
    return [{ address: it.address, first: times[0], last: times[1] }];
  });
  if (addresses.length === 0) return null;
  return {
    hardware: textOf(line.hardware),
    vendor: textOf(line.vendor),
    isPrivate: line.private === true,
    addresses,
    names: listOf(line.names).flatMap((it) => {
      const [name, from] = [textOf(it?.name), textOf(it?.from)];
      return name === null || from === null ? [] : [{ name, from }];
    }),
    ...{ first, last, hasNews: true },
  };
}

/** Milliseconds since 1970-01-01 UTC of a time as lines have it; `null` for what is none. */
export function timeOf(text: unknown): number | null {
  const time = typeof text === "string" ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? null : time;
}

function serverName(it: unknown): ServerName[] {
  const { name, from, outer } = (it ?? {}) as LineObject;
  if (typeof name !== "string" || typeof from !== "string") return [];
  const known = { name: name.replace(/\.$/, ""), from: from as NameOrigin };
  return [outer === true ? { ...known, isOuter: true } : known];
}

function listOf(value: unknown): (LineObject | null)[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && parseAddress(value) !== null;
}

function isPort(value: unknown): value is number {
  return isCount(value) && value <= MOST_PORT;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function both(value: unknown): readonly [number, number] | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [one, other] = value;
  return isCount(one) && isCount(other) ? [one, other] : null;
}
