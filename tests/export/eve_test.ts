import assert from "node:assert/strict";
import { Eve } from "../../src/export/eve.ts";
import type { DnsAnswer } from "../../src/export/dns_answer.ts";
import { RecordLines } from "../../src/export/record_lines.ts";
import { record, REFUSED_RECORD, UDP_RECORD } from "../records.ts";
import { EXPORT_CONTEXT } from "./export_context.ts";
import { HAS_JQ, jq, WITHOUT_JQ } from "./jq.ts";

const FORMAT = new Eve(EXPORT_CONTEXT);
const ANSWER: DnsAnswer = {
  time: 1_795_756_467_001,
  client: "192.168.1.23",
  name: "www.example.com",
  type: "A",
  data: "192.0.2.10",
};

Deno.test("eve has a conversation as Suricata's event flow, and what flosensor adds", () => {
  const { flow_id, ...event } = JSON.parse(FORMAT.conversation(record()));
  assert.ok(Number.isSafeInteger(flow_id) && flow_id < 2 ** 51);
  assert.deepEqual(event, {
    timestamp: "2026-11-27T05:14:29.623000+0000",
    in_iface: "eth0",
    event_type: "flow",
    src_ip: "192.168.1.23",
    src_port: 50_123,
    dest_ip: "192.0.2.10",
    dest_port: 443,
    proto: "TCP",
    flow: {
      pkts_toserver: 12,
      pkts_toclient: 10,
      bytes_toserver: 1_840,
      bytes_toclient: 9_310,
      start: "2026-11-27T05:14:27.123000+0000",
      end: "2026-11-27T05:14:29.623000+0000",
      age: 2,
      state: "closed",
      reason: "timeout",
      alerted: false,
    },
    community_id: "1:o6OMohPz3QSchwVdhIXDzLII1iQ=",
    tcp: {
      tcp_flags: "1b",
      tcp_flags_ts: "1b",
      tcp_flags_tc: "1b",
      syn: true,
      fin: true,
      psh: true,
      ack: true,
      state: "closed",
    },
    host: "sensor-1",
    flosensor: { by: "syn", names: [{ name: "www.example.com", from: "lookup" }], explained: true },
  });
});

Deno.test("eve has no TCP of a UDP conversation, and its VLAN", () => {
  const event = JSON.parse(FORMAT.conversation(UDP_RECORD));
  assert.equal(event.tcp, undefined);
  assert.deepEqual(event.vlan, [20]);
  assert.deepEqual([event.proto, event.flow.state], ["UDP", "established"]);
  assert.deepEqual(event.flosensor, { by: "qr" });
});

Deno.test("eve says why no lookup explains a conversation", () => {
  const { flow, tcp, flosensor } = JSON.parse(FORMAT.conversation(REFUSED_RECORD));
  assert.deepEqual([flow.state, tcp.state, tcp.rst], ["closed", "closed", true]);
  assert.deepEqual(flosensor, { by: "syn", explained: false, why: REFUSED_RECORD.why });
});

Deno.test("eve has the times of a capture that no calendar has", () => {
  const event = JSON.parse(FORMAT.conversation(record({ first: -1e20, last: 1e20 })));
  assert.equal(event.flow.end, "+275760-09-13T00:00:00.000000+0000");
  assert.equal(event.flow.start, "-271821-04-20T00:00:00.000000+0000");
});

Deno.test("eve has answers of DNS as Suricata's version 2", () => {
  assert.deepEqual(JSON.parse(FORMAT.answer(ANSWER)), {
    timestamp: "2026-11-27T05:14:27.001000+0000",
    event_type: "dns",
    src_ip: "192.168.1.23",
    dns: {
      version: 2,
      type: "answer",
      rcode: "NOERROR",
      rrname: "www.example.com",
      rrtype: "A",
      answers: [{ rrname: "www.example.com", rrtype: "A", rdata: "192.0.2.10" }],
      grouped: { A: ["192.0.2.10"] },
    },
    host: "sensor-1",
  });
  assert.deepEqual(JSON.parse(FORMAT.answer({ ...ANSWER, type: null, data: null })).dns, {
    version: 2,
    type: "answer",
    rcode: "NXDOMAIN",
    rrname: "www.example.com",
  });
});

Deno.test({
  name: `eve is read by jq as Suricata's is${WITHOUT_JQ}`,
  ignore: !HAS_JQ,
  fn: async () => {
    const text = new RecordLines(FORMAT);
    const lines = [
      ...text.conversations([record(), UDP_RECORD, REFUSED_RECORD]),
      ...text.answers([ANSWER]),
      ...text.end(),
    ].join("");
    // From Suricata's documentation ("Eve JSON 'jq' Examples"): top destinations, bytes by flow.
    const filter = 'select(.event_type=="flow")|[.dest_ip,.dest_port,.proto,' +
      ".flow.bytes_toserver+.flow.bytes_toclient]|@tsv";
    assert.deepEqual(await jq(filter, lines), [
      "192.0.2.10\t443\tTCP\t11150",
      "2001:db8::53\t53\tUDP\t222",
      "192.0.2.10\t8080\tTCP\t100",
    ]);
    assert.deepEqual(
      await jq('select(.event_type=="dns").dns.answers[]|[.rrname,.rdata]|@tsv', lines),
      ["www.example.com\t192.0.2.10"],
    );
  },
});
