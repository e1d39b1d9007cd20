import type { TimeOrigin } from "../capture/time_origin.ts";
import { addressText } from "../model/address_text.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { STATE_NAMES } from "../model/conversation_states.ts";
import { IPV6_BIT } from "../model/observation_batch.ts";
import { REASON_NAMES } from "../model/reason.ts";
import {
  IS_OVER,
  RECORD_CLIENT,
  RECORD_FIRST,
  RECORD_FLAGS,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_LAST,
  RECORD_LINK,
  RECORD_MILLISECONDS,
  RECORD_OCTETS,
  RECORD_PACKETS,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_REASON_SHIFT,
  RECORD_SERVER,
  RECORD_TUNNEL,
  RECORD_TUNNEL_ID,
} from "../model/record_batch.ts";
import { tunnelText } from "../model/tunnel_names.ts";
import { wideNumber } from "../model/wide_number.ts";
import { PROTOCOL_TCP } from "../model/protocol_numbers.ts";
import type { DnsKinds } from "../model/dns_kinds.ts";
import type { FlowNames, NamesOfFlow } from "./flow_names.ts";

/** What the numbers of a record need to become words. */
export interface RecordWords {
  /** Where names of servers come from. By default, there are none. */
  readonly names?: FlowNames;
  /** Knows which services are DNS. By default, none is. */
  readonly dnsServices?: DnsKinds;
  /** Names of interfaces by their number, from 1. By default, none has a name. */
  readonly interfaces?: readonly string[];
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  readonly origin?: TimeOrigin;
}

const NO_NAMES: NamesOfFlow = {
  names: [],
  isExplained: null,
  why: null,
  applicationProtocols: [],
};

/**
 * A record of a conversation in words.
 *
 * @param words Records as numbers, laid out as `record_layout.ts` says.
 * @param at Where the record's first word is.
 */
export function recordOf(
  words: Uint32Array,
  at: number,
  { names, dnsServices, interfaces = [], origin }: RecordWords,
): ConversationRecord {
  const start = origin?.seconds ?? 0;
  const head = words[at + RECORD_HEAD];
  const isIpv6 = (head & IPV6_BIT) !== 0;
  const ports = words[at + RECORD_PORTS];
  const link = words[at + RECORD_LINK];
  const flags = words[at + RECORD_FLAGS];
  const milliseconds = words[at + RECORD_MILLISECONDS];
  const named = names?.of(words, at) ?? NO_NAMES;
  const record: ConversationRecord = {
    id: wideNumber(words, at + RECORD_ID),
    isOver: (head & IS_OVER) !== 0,
    protocol: ((head >>> RECORD_PROTOCOL_SHIFT) & 0xff) === PROTOCOL_TCP ? "tcp" : "udp",
    client: addressText(words, at + RECORD_CLIENT, isIpv6),
    clientPort: ports >>> 16,
    server: addressText(words, at + RECORD_SERVER, isIpv6),
    port: ports & 0xffff,
    by: REASON_NAMES[head >>> RECORD_REASON_SHIFT],
    state: STATE_NAMES[head & 0xff],
    packets: [wideNumber(words, at + RECORD_PACKETS), wideNumber(words, at + RECORD_PACKETS + 2)],
    bytes: [wideNumber(words, at + RECORD_OCTETS), wideNumber(words, at + RECORD_OCTETS + 2)],
    flags: [flags & 0xff, (flags >>> 8) & 0xff],
    first: (start + words[at + RECORD_FIRST]) * 1000 + (milliseconds & 0xffff),
    last: (start + words[at + RECORD_LAST]) * 1000 + (milliseconds >>> 16),
    interface: interfaces[(link >>> 16) - 1] ?? null,
    vlan: (link & 0xffff) || null,
    tunnel: tunnelText(words[at + RECORD_TUNNEL], words[at + RECORD_TUNNEL_ID]),
    names: named.names,
    isExplained: named.isExplained,
    why: named.isExplained === false ? named.why : null,
  };
  const { applicationProtocols } = named;
  const dns = dnsServices?.kindAt(isIpv6, words, at + RECORD_CLIENT, at + RECORD_SERVER, {
    ...record,
    names: record.names.map((it) => it.name),
    applicationProtocols,
  });
  return dns == null ? record : { ...record, dns };
}
