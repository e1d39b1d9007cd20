import type { DnsAnswer } from "./dns_answer.ts";
import type { ExportContext } from "./export_context.ts";
import { responseCode } from "./response_code.ts";
import type { ZeekField } from "./zeek_field.ts";

type Field = ZeekField<DnsAnswer, ExportContext>;

/** Types that can be asked for only as such (IANA, DNS Parameters). */
const QUERY_TYPES = new Map([["A", 1], ["AAAA", 28]]);

const unset = () => null;

/**
 * The fields of `dns.log`, those of Zeek in its order. A line is one record of an answer: which server
 * gave it, over which connection and with which header is not kept, and is unset.
 */
export const ZEEK_DNS_FIELDS: readonly Field[] = [
  { name: "ts", type: "time", value: ({ time }) => time / 1000 },
  { name: "uid", type: "string", value: unset },
  { name: "id.orig_h", type: "addr", value: ({ client }) => client },
  { name: "id.orig_p", type: "port", value: unset },
  { name: "id.resp_h", type: "addr", value: unset },
  { name: "id.resp_p", type: "port", value: unset },
  { name: "proto", type: "enum", value: unset },
  { name: "trans_id", type: "count", value: unset },
  { name: "rtt", type: "interval", value: unset },
  { name: "query", type: "string", value: ({ name }) => name },
  { name: "qclass", type: "count", value: () => 1 },
  { name: "qclass_name", type: "string", value: () => "C_INTERNET" },
  { name: "qtype", type: "count", value: ({ type }) => QUERY_TYPES.get(type ?? "") ?? null },
  { name: "qtype_name", type: "string", value: ({ type }) => type === "CNAME" ? null : type },
  { name: "rcode", type: "count", value: (answer) => responseCode(answer)?.number ?? null },
  { name: "rcode_name", type: "string", value: (answer) => responseCode(answer)?.name ?? null },
  { name: "AA", type: "bool", value: unset },
  { name: "TC", type: "bool", value: unset },
  { name: "RD", type: "bool", value: unset },
  { name: "RA", type: "bool", value: unset },
  { name: "Z", type: "count", value: unset },
  { name: "answers", type: "vector[string]", value: ({ data }) => data === null ? null : [data] },
  { name: "TTLs", type: "vector[interval]", value: unset },
  { name: "rejected", type: "bool", value: unset },
  { name: "agent_hostname", type: "string", value: (_, { sensor }) => sensor },
];
