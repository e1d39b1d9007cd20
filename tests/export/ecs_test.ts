import assert from "node:assert/strict";
import { Ecs } from "../../src/export/ecs.ts";
import type { DnsAnswer } from "../../src/export/dns_answer.ts";
import { VERSION } from "../../src/version.ts";
import { record, REFUSED_RECORD, UDP_RECORD } from "../records.ts";
import { EXPORT_CONTEXT } from "./export_context.ts";
import { HAS_JQ, jq, WITHOUT_JQ } from "./jq.ts";

const FORMAT = new Ecs(EXPORT_CONTEXT);
const CLIENT = { address: "192.168.1.23", ip: "192.168.1.23" };
const ANSWER: DnsAnswer = {
  time: 1_795_756_467_001,
  client: CLIENT.ip,
  name: "www.example.com",
  type: "A",
  data: "192.0.2.10",
};
const OBSERVER = {
  type: "sensor",
  product: "flosensor",
  version: VERSION,
  hostname: "sensor-1",
};

Deno.test("ecs has a conversation in the fields of the Elastic Common Schema", () => {
  const client = { ...CLIENT, port: 50_123, bytes: 1_840, packets: 12 };
  const server = {
    address: "192.0.2.10",
    ip: "192.0.2.10",
    port: 443,
    domain: "www.example.com",
    bytes: 9_310,
    packets: 10,
  };
  assert.deepEqual(JSON.parse(FORMAT.conversation(record())), {
    "@timestamp": "2026-11-27T05:14:29.623Z",
    ecs: { version: "8.11.0" },
    event: {
      kind: "event",
      category: ["network"],
      type: ["connection", "end"],
      action: "network_flow",
      dataset: "flosensor.conversation",
      module: "flosensor",
      start: "2026-11-27T05:14:27.123Z",
      end: "2026-11-27T05:14:29.623Z",
      duration: 2_500_000_000,
    },
    network: {
      type: "ipv4",
      transport: "tcp",
      iana_number: "6",
      direction: "outbound",
      community_id: "1:o6OMohPz3QSchwVdhIXDzLII1iQ=",
      bytes: 11_150,
      packets: 22,
    },
    source: client,
    destination: server,
    client,
    server,
    related: { ip: [client.ip, server.ip], hosts: ["www.example.com"] },
    observer: { ...OBSERVER, ingress: { interface: { name: "eth0" } } },
    flosensor: {
      by: "syn",
      state: "closed",
      names: [{ name: "www.example.com", from: "lookup" }],
      explained: true,
    },
  });
});

Deno.test("ecs tells which way a conversation went, by the own networks", () => {
  const direction = (client: string, server: string, context = EXPORT_CONTEXT) =>
    JSON.parse(new Ecs(context).conversation(record({ client, server }))).network.direction;
  assert.equal(direction("192.168.1.1", "192.0.2.1"), "outbound");
  assert.equal(direction("192.0.2.1", "192.168.1.1"), "inbound");
  assert.equal(direction("192.168.1.1", "192.168.1.2"), "internal");
  assert.equal(direction("192.0.2.1", "192.0.2.2"), "external");
  const unknown = { ...EXPORT_CONTEXT, isLocal: null };
  assert.equal(direction("192.168.1.1", "192.0.2.1", unknown), undefined);
});

Deno.test("ecs has the VLAN and the family of a conversation, and that it was denied or goes on", () => {
  const { network, event } = JSON.parse(FORMAT.conversation({ ...UDP_RECORD, isOver: false }));
  assert.deepEqual([network.type, network.iana_number, network.vlan.id], ["ipv6", "17", "20"]);
  assert.deepEqual(event.type, ["connection"]);
  const refused = JSON.parse(FORMAT.conversation(REFUSED_RECORD));
  assert.deepEqual(refused.event.type, ["connection", "denied", "end"]);
});

Deno.test("ecs has answers of DNS", () => {
  assert.deepEqual(JSON.parse(FORMAT.answer(ANSWER)), {
    "@timestamp": "2026-11-27T05:14:27.001Z",
    ecs: { version: "8.11.0" },
    event: {
      kind: "event",
      category: ["network"],
      type: ["protocol", "info"],
      action: "dns_answer",
      dataset: "flosensor.dns",
      module: "flosensor",
    },
    network: { type: "ipv4", protocol: "dns" },
    source: CLIENT,
    client: CLIENT,
    dns: {
      type: "answer",
      question: { name: "www.example.com", type: "A", class: "IN" },
      answers: [{ name: "www.example.com", type: "A", class: "IN", data: "192.0.2.10" }],
      resolved_ip: ["192.0.2.10"],
      response_code: "NOERROR",
    },
    related: { ip: ["192.168.1.23", "192.0.2.10"], hosts: ["www.example.com"] },
    observer: OBSERVER,
  });
  const alias = JSON.parse(FORMAT.answer({ ...ANSWER, type: "CNAME", data: "cdn.example.net" }));
  assert.equal(alias.dns.resolved_ip, undefined);
  assert.equal(alias.dns.response_code, undefined);
});

Deno.test({
  name: `ecs is read by jq, a document a line${WITHOUT_JQ}`,
  ignore: !HAS_JQ,
  fn: async () => {
    const lines = FORMAT.conversation(record()) + FORMAT.answer(ANSWER);
    assert.deepEqual(
      await jq("[.event.dataset, .client.ip, .server.domain // .dns.question.name]|@tsv", lines),
      [
        "flosensor.conversation\t192.168.1.23\twww.example.com",
        "flosensor.dns\t192.168.1.23\twww.example.com",
      ],
    );
  },
});
