import assert from "node:assert/strict";
import type { DnsAnswer } from "../../src/export/dns_answer.ts";
import { RecordLines } from "../../src/export/record_lines.ts";
import { ZeekJson } from "../../src/export/zeek_json.ts";
import { ZeekTsv } from "../../src/export/zeek_tsv.ts";
import { record, REFUSED_RECORD, UDP_RECORD } from "../records.ts";
import { EXPORT_CONTEXT } from "./export_context.ts";
import { readZeekLogs, type ZeekRow } from "./zeek_log.ts";

const NOW = Date.UTC(2026, 10, 27, 5, 14, 27);
const ADDRESS: DnsAnswer = {
  time: 1_795_756_467_001,
  client: "192.168.1.23",
  name: "www.example.com",
  type: "A",
  data: "192.0.2.10",
};
const ALIAS: DnsAnswer = { ...ADDRESS, type: "CNAME", data: "cdn.example.net" };
const MISSING: DnsAnswer = { ...ADDRESS, name: "nosuch.example", type: null, data: null };

/** What Zeek would have of the same conversations, and what flosensor adds. */
const CONN_ROWS: readonly ZeekRow[] = [{
  "ts": 1_795_756_467.123,
  "id.orig_h": "192.168.1.23",
  "id.orig_p": 50_123,
  "id.resp_h": "192.0.2.10",
  "id.resp_p": 443,
  "proto": "tcp",
  "duration": 2.5,
  "conn_state": "SF",
  "local_orig": true,
  "local_resp": false,
  "history": "ShADadFf",
  "orig_pkts": 12,
  "orig_ip_bytes": 1_840,
  "resp_pkts": 10,
  "resp_ip_bytes": 9_310,
  "community_id": "1:o6OMohPz3QSchwVdhIXDzLII1iQ=",
  "agent_hostname": "sensor-1",
  "interface": "eth0",
  "attributed_by": "syn",
  "server_names": ["www.example.com"],
  "server_names_from": ["lookup"],
  "explained": true,
}, {
  "ts": 1_795_756_467.123,
  "id.orig_h": "2001:db8:1::7",
  "id.orig_p": 40_000,
  "id.resp_h": "2001:db8::53",
  "id.resp_p": 53,
  "proto": "udp",
  "duration": 0.017,
  "conn_state": "SF",
  "local_orig": true,
  "local_resp": false,
  "history": "Dd",
  "orig_pkts": 1,
  "orig_ip_bytes": 79,
  "resp_pkts": 1,
  "resp_ip_bytes": 143,
  "vlan": 20,
  "community_id": "1:+/35FuO+YEgVg9qHTXs8szDKKNU=",
  "agent_hostname": "sensor-1",
  "attributed_by": "qr",
}, {
  "ts": 1_795_756_467.123,
  "id.orig_h": "192.168.1.23",
  "id.orig_p": 50_123,
  "id.resp_h": "192.0.2.10",
  "id.resp_p": 8080,
  "proto": "tcp",
  "duration": 0.001,
  "conn_state": "REJ",
  "local_orig": true,
  "local_resp": false,
  "history": "Sr",
  "orig_pkts": 1,
  "orig_ip_bytes": 60,
  "resp_pkts": 1,
  "resp_ip_bytes": 40,
  "community_id": "1:PLLRPn/XAOUdTSp/d3Y057GIty4=",
  "agent_hostname": "sensor-1",
  "interface": "eth0",
  "attributed_by": "syn",
  "explained": false,
  "why": "no lookup of 192.168.1.23, nor of another client",
}];

const DNS_ROWS: readonly ZeekRow[] = [{
  "ts": 1_795_756_467.001,
  "id.orig_h": "192.168.1.23",
  "query": "www.example.com",
  "qclass": 1,
  "qclass_name": "C_INTERNET",
  "qtype": 1,
  "qtype_name": "A",
  "rcode": 0,
  "rcode_name": "NOERROR",
  "answers": ["192.0.2.10"],
  "agent_hostname": "sensor-1",
}, {
  "ts": 1_795_756_467.001,
  "id.orig_h": "192.168.1.23",
  "query": "www.example.com",
  "qclass": 1,
  "qclass_name": "C_INTERNET",
  "answers": ["cdn.example.net"],
  "agent_hostname": "sensor-1",
}, {
  "ts": 1_795_756_467.001,
  "id.orig_h": "192.168.1.23",
  "query": "nosuch.example",
  "qclass": 1,
  "qclass_name": "C_INTERNET",
  "rcode": 3,
  "rcode_name": "NXDOMAIN",
  "agent_hostname": "sensor-1",
}];

const RECORDS = [record(), UDP_RECORD, REFUSED_RECORD];
const ANSWERS = [ADDRESS, ALIAS, MISSING];

Deno.test("zeek has conn.log and dns.log with Zeek's header, fields and values", () => {
  const text = new RecordLines(new ZeekTsv(EXPORT_CONTEXT), () => NOW);
  const written = [
    ...text.conversations(RECORDS),
    ...text.answers(ANSWERS),
    ...text.end(),
  ].join("");
  assert.ok(written.startsWith(
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
      "#open\t2026-11-27-05-14-27\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t" +
      "proto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\t" +
      "missed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\t",
  ));
  assert.ok(written.endsWith("\n#close\t2026-11-27-05-14-27\n"));
  const [conn, dns, ...others] = readZeekLogs(written);
  assert.deepEqual(others, []);
  assert.equal(conn.path, "conn");
  assert.deepEqual(conn.rows.map(withoutUid), CONN_ROWS);
  assert.equal(dns.path, "dns");
  assert.deepEqual(dns.rows, DNS_ROWS);
});

Deno.test("zeek-json has the same values, unset ones left out, and the log's name", () => {
  const text = new RecordLines(new ZeekJson(EXPORT_CONTEXT), () => NOW);
  const written = [
    ...text.conversations(RECORDS),
    ...text.answers(ANSWERS),
    ...text.end(),
  ].join("");
  const rows = written.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.map(withoutUid),
    [
      ...CONN_ROWS.map((row) => ({ _path: "conn", ...row })),
      ...DNS_ROWS.map((row) => ({ _path: "dns", ...row })),
    ],
  );
});

Deno.test("zeek has the uid of a conversation in each replay, and another for each conversation", () => {
  const uid = (...given: Parameters<typeof record>) =>
    JSON.parse(new ZeekJson(EXPORT_CONTEXT).conversation(record(...given))).uid;
  assert.match(uid(), /^C[\dA-Za-z]{17}$/);
  assert.equal(uid({ packets: [20, 20], last: 1_795_756_480_000 }), uid());
  assert.notEqual(uid({ id: 9 }), uid());
  assert.notEqual(uid({ first: 1 }), uid());
});

Deno.test("zeek leaves local_orig and local_resp unset where no own networks are known", () => {
  const format = new ZeekJson({ ...EXPORT_CONTEXT, isLocal: null });
  const row = JSON.parse(format.conversation(record()));
  assert.ok(!("local_orig" in row) && !("local_resp" in row));
});

Deno.test("zeek escapes what would break a line, a list, or look unset", () => {
  const names = ["a,b\tc\\d\n", "-", "(empty)", "b\u00fccher.example"];
  const written = new RecordLines(new ZeekTsv(EXPORT_CONTEXT));
  const lines = written.conversations([record({
    names: names.map((name) => ({ name, from: "sni" })),
    interface: "-",
    why: "tab\there",
  })]);
  const [{ rows: [row] }] = readZeekLogs(lines.join(""));
  assert.deepEqual(row.server_names, names);
  assert.equal(row.interface, "-");
  assert.equal(row.why, "tab\there");
});

function withoutUid({ uid: _, ...row }: ZeekRow): ZeekRow {
  return row;
}
