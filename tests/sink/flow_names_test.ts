import assert from "node:assert/strict";
import type { FlowNames } from "../../src/sink/flow_names.ts";
import { FlowTable } from "../../src/sink/flow_table.ts";
import { JsonSink } from "../../src/sink/json_sink.ts";
import { renderFlowTable } from "../../src/sink/render_flow_table.ts";
import { observations } from "../observations.ts";

/** Names by the last word of the server's address. */
function namesOf(names: Record<number, string>): FlowNames {
  return {
    isEmpty: Object.keys(names).length === 0,
    find: (_isIpv6, words, _client, address) => names[words[address + 3] & 0xff] ?? null,
    of: () => ({ names: [], isExplained: null, why: null, applicationProtocols: [] }),
  };
}

const FLOWS = observations(
  { kind: "flow", a: "10.0.0.1", b: "192.0.2.1", port: 443, by: "lower-port", protocol: 6 },
  { kind: "flow", a: "10.0.0.1", b: "192.0.2.2", port: 53, by: "lower-port", protocol: 17 },
  { kind: "client", a: "10.0.0.1" },
);
const LONG = "a-rather-long-host-name.of-a-network-for-content.example.com.";

function tableWith(names: Record<number, string>): FlowTable {
  const table = new FlowTable(10, namesOf(names));
  table.add(FLOWS);
  return table;
}

Deno.test("JsonSink writes names of flows, and keys with names as their own lines", async () => {
  let text = "";
  const output = {
    write(bytes: Uint8Array) {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const names = namesOf({ 1: 'odd\\"name.example.' });
  const sink = new JsonSink({ mode: "replay", output, names });
  sink.write(FLOWS);
  sink.writeNames([
    { key: "10.0.0.1;192.0.2.1;dns", name: 'odd\\"name.example.' },
    { key: "10.0.0.1;semi\\059colon.example.;nx", name: null },
  ], 1_800_000_000);
  assert.equal(sink.pending, 5);
  await sink.close();
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ key, name }) => [key, name]), [
    ["10.0.0.1;192.0.2.1;443;flow", 'odd\\"name.example.'],
    ["10.0.0.1;192.0.2.2;53;flow", undefined],
    ["client;10.0.0.1", undefined],
    ["10.0.0.1;192.0.2.1;dns", 'odd\\"name.example.'],
    ["10.0.0.1;semi\\059colon.example.;nx", undefined],
  ]);
  assert.deepEqual(lines.at(-1), {
    type: "nx",
    time: "2027-01-15T08:00:00.000Z",
    key: "10.0.0.1;semi\\059colon.example.;nx",
    count: 1,
    client: "10.0.0.1",
    query: "semi\\059colon.example.",
  });
});

Deno.test("FlowTable keeps the name that a flow had when a later observation has none", () => {
  const names: Record<number, string> = { 1: "www.example.com." };
  const table = tableWith(names);
  delete names[1];
  table.add(FLOWS);
  assert.equal(table.flows.find(({ port }) => port === 443)?.name, "www.example.com.");
});

Deno.test("renderFlowTable() has a column of names where a flow has one, as wide as there is room", () => {
  const none = renderFlowTable(tableWith({}), 120);
  assert.doesNotMatch(none[1], /NAME/);
  const wide = renderFlowTable(tableWith({ 1: LONG }), 200);
  assert.match(wide[1], /LAST +NAME$/);
  assert.ok(wide[2].endsWith(`  ${LONG}`));
  const narrow = renderFlowTable(tableWith({ 1: LONG }), 80);
  assert.match(narrow[2], /…[^ ]*example\.com\.$/);
  for (const line of narrow) assert.ok(line.length <= 80, line);
});
