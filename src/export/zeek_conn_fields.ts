import { communityId } from "../model/community_id.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { conversationDigest } from "./conversation_digest.ts";
import type { ExportContext } from "./export_context.ts";
import type { ZeekField } from "./zeek_field.ts";
import { zeekHistory } from "./zeek_history.ts";
import { zeekState } from "./zeek_state.ts";

type Field = ZeekField<ConversationRecord, ExportContext>;

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Zeek's identifiers of connections have 96 bits, in base 62. */
const UID_BYTES = 12;
const UID_DIGITS = 17;

/**
 * The fields of `conn.log`: those of Zeek itself in its order, those of its policies `vlan-logging` and
 * `community-id-logging`, `agent_hostname`, which RITA reads, and what flosensor alone knows.
 */
export const ZEEK_CONN_FIELDS: readonly Field[] = [
  { name: "ts", type: "time", value: ({ first }) => first / 1000 },
  { name: "uid", type: "string", value: uid },
  { name: "id.orig_h", type: "addr", value: ({ client }) => client },
  { name: "id.orig_p", type: "port", value: ({ clientPort }) => clientPort },
  { name: "id.resp_h", type: "addr", value: ({ server }) => server },
  { name: "id.resp_p", type: "port", value: ({ port }) => port },
  { name: "proto", type: "enum", value: ({ protocol }) => protocol },
  // What Zeek's parsers confirmed, and bytes of payload. Nothing here parses or puts together.
  { name: "service", type: "string", value: () => null },
  { name: "duration", type: "interval", value: duration },
  { name: "orig_bytes", type: "count", value: () => null },
  { name: "resp_bytes", type: "count", value: () => null },
  { name: "conn_state", type: "string", value: zeekState },
  {
    name: "local_orig",
    type: "bool",
    value: (record, { isLocal }) => isLocal?.(record.client) ?? null,
  },
  {
    name: "local_resp",
    type: "bool",
    value: (record, { isLocal }) => isLocal?.(record.server) ?? null,
  },
  { name: "missed_bytes", type: "count", value: () => null },
  { name: "history", type: "string", value: (record) => zeekHistory(record) || null },
  { name: "orig_pkts", type: "count", value: ({ packets }) => packets[0] },
  { name: "orig_ip_bytes", type: "count", value: ({ bytes }) => bytes[0] },
  { name: "resp_pkts", type: "count", value: ({ packets }) => packets[1] },
  { name: "resp_ip_bytes", type: "count", value: ({ bytes }) => bytes[1] },
  { name: "tunnel_parents", type: "set[string]", value: () => null },
  { name: "vlan", type: "int", value: ({ vlan }) => vlan },
  { name: "community_id", type: "string", value: (record) => communityId(record) },
  { name: "agent_hostname", type: "string", value: (_, { sensor }) => sensor },
  { name: "interface", type: "string", value: (record) => record.interface },
  { name: "tunnel", type: "string", value: ({ tunnel }) => tunnel },
  { name: "attributed_by", type: "string", value: ({ by }) => by },
  { name: "server_names", type: "vector[string]", value: (record) => ofNames(record, "name") },
  { name: "server_names_from", type: "vector[string]", value: (record) => ofNames(record, "from") },
  { name: "explained", type: "bool", value: ({ isExplained }) => isExplained },
  { name: "why", type: "string", value: ({ why }) => why },
];

/** As in Zeek, what is one packet long has no duration. */
function duration({ first, last, packets }: ConversationRecord): number | null {
  return packets[0] + packets[1] > 1 ? (last - first) / 1000 : null;
}

function ofNames({ names }: ConversationRecord, part: "name" | "from"): string[] | null {
  return names.length === 0 ? null : names.map((name) => name[part]);
}

function uid(record: ConversationRecord): string {
  let number = 0n;
  for (const byte of conversationDigest(record).subarray(0, UID_BYTES)) {
    number = (number << 8n) | BigInt(byte);
  }
  let text = "";
  for (; number > 0n; number /= 62n) text = DIGITS[Number(number % 62n)] + text;
  return "C" + text.padStart(UID_DIGITS, "0");
}
