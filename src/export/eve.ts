import { communityId } from "../model/community_id.ts";
import type { ConversationRecord, ConversationState } from "../model/conversation_record.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import type { ExportContext } from "./export_context.ts";
import { flowNumber } from "./flow_number.ts";
import { isoTime } from "./iso_time.ts";
import { jsonLine } from "./json_line.ts";
import type { RecordFormat } from "./record_format.ts";
import { responseCode } from "./response_code.ts";
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from "./tcp_flags.ts";

/** Suricata's names of TCP control bits. */
const FLAG_NAMES = new Map([
  ["syn", TCP_SYN],
  ["fin", TCP_FIN],
  ["rst", TCP_RST],
  ["psh", TCP_PSH],
  ["ack", TCP_ACK],
  ["urg", 0x20],
  ["ecn", 0x40],
  ["cwr", 0x80],
]);

/** Suricata's states: of a flow, and of a TCP session. */
const STATES: { readonly [state in ConversationState]: readonly [flow: string, tcp: string] } = {
  open: ["established", "established"],
  established: ["established", "established"],
  closed: ["closed", "closed"],
  reset: ["closed", "closed"],
  refused: ["closed", "closed"],
  unreachable: ["new", "syn_sent"],
  unanswered: ["new", "syn_sent"],
};

/** The lines of Suricata's `eve.json`: events `flow` and `dns`. */
export class Eve implements RecordFormat {
  readonly #context: ExportContext;

  constructor(context: ExportContext) {
    this.#context = context;
  }

  begin(): string {
    return "";
  }

  conversation(record: ConversationRecord): string {
    const { packets, bytes, first, last, names } = record;
    const [flowState, tcpState] = STATES[record.state];
    return jsonLine({
      timestamp: eveTime(last),
      flow_id: flowNumber(record),
      in_iface: record.interface ?? undefined,
      event_type: "flow",
      vlan: record.vlan === null ? undefined : [record.vlan],
      src_ip: record.client,
      src_port: record.clientPort,
      dest_ip: record.server,
      dest_port: record.port,
      proto: record.protocol.toUpperCase(),
      flow: {
        pkts_toserver: packets[0],
        pkts_toclient: packets[1],
        bytes_toserver: bytes[0],
        bytes_toclient: bytes[1],
        start: eveTime(first),
        end: eveTime(last),
        // As Suricata counts: from the second of the first packet to that of the last.
        age: Math.floor(last / 1000) - Math.floor(first / 1000),
        state: flowState,
        reason: record.isOver ? "timeout" : "shutdown",
        alerted: false,
      },
      community_id: communityId(record),
      tcp: record.protocol === "tcp" ? { ...flagsOf(record), state: tcpState } : undefined,
      host: this.#context.sensor,
      flosensor: {
        by: record.by,
        names: names.length === 0 ? undefined : names,
        explained: record.isExplained ?? undefined,
        why: record.why ?? undefined,
        tunnel: record.tunnel ?? undefined,
      },
    });
  }

  answer(answer: DnsAnswer): string {
    const { client, name, type, data } = answer;
    return jsonLine({
      timestamp: eveTime(answer.time),
      event_type: "dns",
      src_ip: client,
      dns: {
        version: 2,
        type: "answer",
        rcode: responseCode(answer)?.name,
        rrname: name,
        rrtype: type ?? undefined,
        answers: type === null ? undefined : [{ rrname: name, rrtype: type, rdata: data }],
        grouped: type === null ? undefined : { [type]: [data] },
      },
      host: this.#context.sensor,
    });
  }

  end(): string {
    return "";
  }
}

function flagsOf({ flags: [client, server] }: ConversationRecord): Record<string, unknown> {
  const hexadecimal = (flags: number) => flags.toString(16).padStart(2, "0");
  const all = client | server;
  return {
    tcp_flags: hexadecimal(all),
    tcp_flags_ts: hexadecimal(client),
    tcp_flags_tc: hexadecimal(server),
    ...Object.fromEntries(
      [...FLAG_NAMES].filter(([, flag]) => all & flag).map(([it]) => [it, true]),
    ),
  };
}

/** `2026-11-27T05:14:27.123000+0000`. */
function eveTime(time: number): string {
  return isoTime(time).replace("Z", "000+0000");
}
