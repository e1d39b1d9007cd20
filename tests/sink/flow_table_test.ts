import assert from "node:assert/strict";
import { FlowTable } from "../../src/sink/flow_table.ts";
import { observations } from "../observations.ts";

const FLOW = { kind: "flow", a: "10.0.0.1", b: "192.0.2.1", port: 443 } as const;

Deno.test("FlowTable keeps a row for each flow, with when it was seen", () => {
  const table = new FlowTable();
  table.add(observations(
    { ...FLOW, protocol: 6, by: "lower-port", seconds: 100 },
    { kind: "client", a: FLOW.a, seconds: 100 },
    { kind: "peer", a: FLOW.a, b: FLOW.b, seconds: 100 },
    { ...FLOW, protocol: 17, by: "lower-port", seconds: 150 },
    { ...FLOW, protocol: 6, by: "assign", seconds: 190 },
  ));
  const rows = table.flows.map(({ observation: _, ...row }) => row);
  const base = { client: FLOW.a, server: FLOW.b, port: 443, packets: [0, 0], bytes: [0, 0] };
  assert.deepEqual(rows, [
    { ...base, protocol: "udp", by: "lower-port", first: 150, last: 150, duration: 0 },
    { ...base, protocol: "tcp", by: "assign", first: 100, last: 190, duration: 90_000 },
  ]);
  assert.deepEqual(table.failures, []);
});

Deno.test("FlowTable joins failures of the same service, whatever the client's port was", () => {
  const table = new FlowTable();
  const ends = { a: "10.0.0.1", b: "192.0.2.1" };
  table.add(observations(
    { kind: "rst", ...ends, port: 50_000, otherPort: 81, seconds: 1 },
    { kind: "rst", ...ends, port: 50_001, otherPort: 81, seconds: 2 },
    { kind: "icmp", ...ends, port: 50_000, otherPort: 82, code: 3, seconds: 3 },
    { kind: "icmp", a: "::1", b: "::2", port: 50_000, otherPort: 83, code: 3, seconds: 4 },
    { kind: "icmp", ...ends, port: 50_000, otherPort: 82, code: 200, seconds: 5 },
  ));
  assert.deepEqual(
    table.failures.map((row) => [row.client, row.port, row.reason, row.last]),
    [
      ["10.0.0.1", 81, "refused", 2],
      ["10.0.0.1", 82, "port unreachable", 3],
      ["::1", 83, "address unreachable", 4],
      ["10.0.0.1", 82, "unreachable, code 200", 5],
    ],
  );
});

Deno.test("FlowTable forgets what was not sighted for longest, and counts it", () => {
  const table = new FlowTable(3);
  for (const port of [1, 2, 3, 1, 4, 5]) table.add(observations({ ...FLOW, port }));
  assert.deepEqual(table.flows.map((row) => row.port), [1, 4, 5]);
  assert.equal(table.leftOut, 2);
});

Deno.test("FlowTable takes when failures were seen last, and makes no rows of what it has not", () => {
  const table = new FlowTable();
  const refused = { kind: "rst", a: "10.0.0.1", b: "192.0.2.1", port: 1, otherPort: 81 } as const;
  const ipv6 = { ...refused, a: "2001:db8::1", b: "2001:db8::2" };
  table.add(observations({ ...ipv6, seconds: 110 }, { ...refused, seconds: 120 }));
  table.see(observations(
    { ...ipv6, seconds: 105 },
    { ...refused, port: 2, seconds: 180 },
    { ...refused, otherPort: 82, seconds: 200 },
  ));
  const times = (rows: readonly { client: string; first: number; last: number }[]) =>
    rows.map(({ client, first, last }) => [client, first, last]);
  assert.deepEqual(times(table.failures), [["2001:db8::1", 110, 110], ["10.0.0.1", 120, 180]]);
});
