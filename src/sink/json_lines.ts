import { addressText } from "../model/address_text.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_PEER,
  KIND_RST,
  TUNNEL_KIND_SHIFT,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
  WORD_TUNNEL,
} from "../model/observation_batch.ts";
import { PROTOCOL_TCP } from "../model/protocol_numbers.ts";
import { tunnelText } from "../model/tunnel_names.ts";
import { REASON_NAMES } from "../model/reason.ts";
import type { NameWrite } from "../dns/name_write.ts";
import { keyText } from "./keys.ts";

/*
 * Events as objects, of which `--json` writes one a line: docs/json.schema.json has their fields. What is
 * a write of a key has `key` and `count`.
 */

/** IANA's protocol numbers. */
const UDP = 17;

/**
 * An observation.
 *
 * @param words Observations, as in an `ObservationBatch`.
 * @param at Where its first word is.
 * @param name That of a flow's server, where it is known.
 * @param record That of a flow's conversation, where there is one.
 * @param origin From when on times are counted, in seconds since 1970-01-01 UTC.
 */
export function observationEvent(
  words: Uint32Array,
  at: number,
  name: string | null,
  record: ConversationRecord | null,
  origin: number,
): Record<string, unknown> {
  const head = words[at + WORD_KIND];
  const isIpv6 = (head & IPV6_BIT) !== 0;
  const kind = head & 0xff;
  const ports = words[at + WORD_PORTS];
  const about = words[at + WORD_ABOUT];
  const protocol = protocolName((about >>> 8) & 0xff);
  const base = {
    type: TYPES[kind],
    time: timeText((origin + words[at + WORD_SECONDS]) * 1000),
    key: keyText(words, at),
    count: 1,
  };
  const client = addressText(words, at + WORD_A, isIpv6);
  if (kind === KIND_CLIENT) return { ...base, client };
  const other = addressText(words, at + WORD_B, isIpv6);
  switch (kind) {
    case KIND_FLOW: {
      const by = REASON_NAMES[about & 0xff];
      const tunnel = tunnelText((about >>> TUNNEL_KIND_SHIFT) & 0xff, words[at + WORD_TUNNEL]);
      const ends = { client, client_port: record?.clientPort, server: other, port: ports };
      const figures = record === null ? {} : figuresOf(record);
      const rest = { tunnel: tunnel ?? undefined, name: name ?? undefined };
      return { ...base, by, ...ends, protocol, ...figures, ...rest };
    }
    case KIND_PEER:
      return { ...base, address: client, peer: other };
    case KIND_RST:
      return {
        ...base,
        client,
        client_port: ports >>> 16,
        server: other,
        port: ports & 0xffff,
        protocol,
      };
    default: {
      const code = (head >>> 16) & 0xff;
      const [client_port, port] = [ports >>> 16, ports & 0xffff];
      return { ...base, client, client_port, server: other, port, protocol, code };
    }
  }
}

const TYPES: Readonly<Record<number, string>> = {
  [KIND_CLIENT]: "client",
  [KIND_FLOW]: "flow",
  [KIND_PEER]: "peer",
  [KIND_RST]: "rst",
  [KIND_ICMP]: "icmp",
};

/**
 * A write of a key with names.
 *
 * @param seconds When, since 1970-01-01 UTC.
 */
export function nameEvent({ key, name }: NameWrite, seconds: number): Record<string, unknown> {
  const first = key.indexOf(";");
  const last = key.lastIndexOf(";");
  const type = key.slice(last + 1);
  const base = { type, time: timeText(seconds * 1000), key };
  const client = key.slice(0, first);
  const what = key.slice(first + 1, last);
  // Who has a name is an address, or what another name is an alias of; what does not exist is a name.
  if (name === null) return { ...base, count: 1, client, query: what };
  return { ...base, name, client, [type === "cname" ? "target" : "address"]: what };
}

/**
 * A conversation that is over. It writes no key; it has one of a kind that Redis has not, so that whoever
 * selects lines by their key need not know of it.
 */
export function endEvent(record: ConversationRecord): Record<string, unknown> {
  return {
    type: "end",
    time: timeText(record.last),
    key: `${record.client};${record.server};${record.port};end`,
    count: 0,
    client: record.client,
    client_port: record.clientPort,
    server: record.server,
    port: record.port,
    protocol: record.protocol,
    by: record.by,
    ...figuresOf(record),
    flags: record.flags,
    tunnel: record.tunnel ?? undefined,
    name: record.names[0]?.name,
  };
}

function figuresOf(record: ConversationRecord): Record<string, unknown> {
  return {
    id: record.id,
    state: record.state,
    packets: record.packets,
    bytes: record.bytes,
    first: timeText(record.first),
    last: timeText(record.last),
    interface: record.interface ?? undefined,
    vlan: record.vlan ?? undefined,
  };
}

function protocolName(protocol: number): string {
  if (protocol === PROTOCOL_TCP) return "tcp";
  return protocol === UDP ? "udp" : String(protocol);
}

/** RFC 3339, in UTC; years after 9999 as ECMA-262 has them. */
function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
