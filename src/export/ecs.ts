import { communityId } from "../model/community_id.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../model/protocol_numbers.ts";
import { VERSION } from "../version.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import type { ExportContext } from "./export_context.ts";
import { isoTime } from "./iso_time.ts";
import { jsonLine } from "./json_line.ts";
import type { RecordFormat } from "./record_format.ts";
import { responseCode } from "./response_code.ts";

/** The version of the schema whose fields are used. */
const ECS_VERSION = "8.11.0";
const NANOSECONDS = 1e6;

/** The Elastic Common Schema (https://www.elastic.co/guide/en/ecs/current): a document a line. */
export class Ecs implements RecordFormat {
  readonly #context: ExportContext;

  constructor(context: ExportContext) {
    this.#context = context;
  }

  begin(): string {
    return "";
  }

  conversation(record: ConversationRecord): string {
    const { client, server, packets, bytes, first, last, names, protocol } = record;
    const clientEnd = {
      address: client,
      ip: client,
      port: record.clientPort,
      bytes: bytes[0],
      packets: packets[0],
    };
    const serverEnd = {
      address: server,
      ip: server,
      port: record.port,
      domain: names[0]?.name,
      bytes: bytes[1],
      packets: packets[1],
    };
    return jsonLine({
      "@timestamp": isoTime(last),
      ecs: { version: ECS_VERSION },
      event: {
        kind: "event",
        category: ["network"],
        type: eventTypes(record),
        action: "network_flow",
        dataset: "flosensor.conversation",
        module: "flosensor",
        start: isoTime(first),
        end: isoTime(last),
        duration: (last - first) * NANOSECONDS,
      },
      network: {
        type: familyOf(client),
        transport: protocol,
        iana_number: String(protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP),
        direction: this.#direction(record),
        community_id: communityId(record),
        bytes: bytes[0] + bytes[1],
        packets: packets[0] + packets[1],
        vlan: record.vlan === null ? undefined : { id: String(record.vlan) },
      },
      // Who opened the conversation is its source (ECS, "Source Fields").
      source: clientEnd,
      destination: serverEnd,
      client: clientEnd,
      server: serverEnd,
      related: {
        ip: [client, server],
        hosts: names.length === 0 ? undefined : names.map(({ name }) => name),
      },
      observer: this.#observer(record.interface),
      flosensor: {
        by: record.by,
        state: record.state,
        names: names.length === 0 ? undefined : names,
        explained: record.isExplained ?? undefined,
        why: record.why ?? undefined,
        tunnel: record.tunnel ?? undefined,
      },
    });
  }

  answer(answer: DnsAnswer): string {
    const { client, name, type, data } = answer;
    const isAddress = type === "A" || type === "AAAA";
    const end = { address: client, ip: client };
    return jsonLine({
      "@timestamp": isoTime(answer.time),
      ecs: { version: ECS_VERSION },
      event: {
        kind: "event",
        category: ["network"],
        type: ["protocol", "info"],
        action: "dns_answer",
        dataset: "flosensor.dns",
        module: "flosensor",
      },
      network: { type: familyOf(client), protocol: "dns" },
      source: end,
      client: end,
      dns: {
        type: "answer",
        question: { name, type: isAddress ? type : undefined, class: "IN" },
        answers: type === null ? undefined : [{ name, type, class: "IN", data }],
        resolved_ip: isAddress ? [data] : undefined,
        response_code: responseCode(answer)?.name,
      },
      related: { ip: isAddress ? [client, data] : [client], hosts: [name] },
      observer: this.#observer(null),
    });
  }

  end(): string {
    return "";
  }

  #observer(ingress: string | null): Record<string, unknown> {
    return {
      type: "sensor",
      product: "flosensor",
      version: VERSION,
      hostname: this.#context.sensor,
      ingress: ingress === null ? undefined : { interface: { name: ingress } },
    };
  }

  /** As ECS has it for a sensor at the border of networks. */
  #direction({ client, server }: ConversationRecord): string | undefined {
    const { isLocal } = this.#context;
    if (isLocal === null) return undefined;
    if (isLocal(client)) return isLocal(server) ? "internal" : "outbound";
    return isLocal(server) ? "inbound" : "external";
  }
}

/** What ECS has of a conversation in `event.type`. */
function eventTypes({ isOver, state }: ConversationRecord): string[] {
  if (state === "refused") return ["connection", "denied", "end"];
  return isOver ? ["connection", "end"] : ["connection"];
}

function familyOf(address: string): string {
  return address.includes(":") ? "ipv6" : "ipv4";
}
