import assert from "node:assert/strict";
import fc from "fast-check";
import { FlowTable } from "../../src/sink/flow_table.ts";
import { renderFlowTable } from "../../src/sink/render_flow_table.ts";
import { observations, type Observed } from "../observations.ts";

const TERMINAL = 80;

function tableOf(...observed: Observed[]): FlowTable {
  const table = new FlowTable();
  table.add(observations(...observed));
  return table;
}

/** The local time that `2012-03-01 12:34:56` is, so that tests pass in every time zone. */
const NOON = new Date(2012, 2, 1, 12, 34, 56).getTime() / 1000;
const TCP = { kind: "flow", by: "lower-port", protocol: 6, seconds: NOON } as const;

Deno.test("renderFlowTable() aligns columns and sorts by client, server and port as numbers", () => {
  const table = tableOf(
    { ...TCP, a: "10.0.0.10", b: "192.0.2.1", port: 443 },
    { ...TCP, a: "10.0.0.9", b: "192.0.2.100", port: 8080 },
    { ...TCP, a: "10.0.0.9", b: "192.0.2.100", port: 53, protocol: 17, by: "assign" },
    { ...TCP, a: "10.0.0.9", b: "192.0.2.100", port: 53, protocol: 17, by: "assign" },
  );
  assert.deepEqual(renderFlowTable(table, Infinity), [
    "3 flows of 2 clients, 2012-03-01",
    "CLIENT     SERVER           PORT  BY          FIRST     LAST",
    "10.0.0.9   192.0.2.100    53/udp  assign      12:34:56  12:34:56",
    "10.0.0.9   192.0.2.100  8080/tcp  lower-port  12:34:56  12:34:56",
    "10.0.0.10  192.0.2.1     443/tcp  lower-port  12:34:56  12:34:56",
  ]);
});

Deno.test("renderFlowTable() shows days where there are several", () => {
  const table = tableOf(
    { ...TCP, a: "10.0.0.1", b: "10.0.0.2", port: 80 },
    { ...TCP, a: "10.0.0.1", b: "10.0.0.2", port: 80, seconds: NOON + 86_400 },
  );
  assert.deepEqual(renderFlowTable(table, Infinity), [
    "1 flow of 1 client, 2012-03-01 to 2012-03-02",
    "CLIENT    SERVER      PORT  BY          FIRST           LAST",
    "10.0.0.1  10.0.0.2  80/tcp  lower-port  03-01 12:34:56  03-02 12:34:56",
  ]);
});

Deno.test("renderFlowTable() leaves the day out when it is today", () => {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const seconds = midnight.getTime() / 1000;
  const table = tableOf({ ...TCP, a: "10.0.0.1", b: "10.0.0.2", port: 80, seconds });
  assert.deepEqual(renderFlowTable(table, Infinity), [
    "1 flow of 1 client",
    "CLIENT    SERVER      PORT  BY          FIRST     LAST",
    "10.0.0.1  10.0.0.2  80/tcp  lower-port  00:00:00  00:00:00",
  ]);
});

Deno.test("renderFlowTable() is readable in 80 columns with the longest addresses", () => {
  const long = (digit: string) => Array(8).fill(digit.repeat(4)).join(":");
  const table = tableOf(
    { ...TCP, a: long("1"), b: long("2"), port: 443 },
    { ...TCP, a: "2001:db8::1", b: "2001:db8:ffff:ffff::2", port: 65535, protocol: 17 },
  );
  assert.deepEqual(renderFlowTable(table, TERMINAL), [
    "2 flows of 2 clients, 2012-03-01",
    "CLIENT                  SERVER                        PORT  BY          LAST",
    "1111:1111:1111:1111:1111:1111:1111:1111",
    "        2222:2222:2222:2222:2222:2222:2222:2222    443/tcp  lower-port  12:34:56",
    "2001:db8::1             2001:db8:ffff:ffff::2    65535/udp  lower-port  12:34:56",
  ]);
});

Deno.test("renderFlowTable() shows what was refused or unreachable below the flows", () => {
  const ends = { a: "10.0.0.1", b: "192.0.2.1", seconds: NOON };
  const table = tableOf(
    { ...TCP, ...ends, port: 80 },
    { kind: "rst", ...ends, port: 50_000, otherPort: 81 },
    { kind: "icmp", ...ends, port: 50_000, otherPort: 82, code: 13 },
  );
  assert.deepEqual(renderFlowTable(table, Infinity).slice(3), [
    "",
    "Refused or unreachable: 2",
    "CLIENT    SERVER     PORT  WHY                   FIRST     LAST",
    "10.0.0.1  192.0.2.1    81  refused               12:34:56  12:34:56",
    "10.0.0.1  192.0.2.1    82  prohibited by filter  12:34:56  12:34:56",
  ]);
  const nothing = renderFlowTable(tableOf(), Infinity);
  assert.deepEqual(nothing, ["0 flows of 0 clients"]);
});

Deno.test("renderFlowTable() keeps within its columns and cuts no address, whatever the flows are", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6().filter((it) => !it.includes(".")));
  const kind = fc.constantFrom("flow", "rst", "icmp");
  const pair = fc.tuple(address, address).filter(([a, b]) => a.includes(":") === b.includes(":"));
  const observed = fc.record({ ends: pair, kind, port: fc.nat(65535), seconds: fc.nat(2 ** 31) });
  fc.assert(fc.property(
    fc.array(observed, { maxLength: 30 }),
    fc.integer({ min: 80, max: 150 }),
    (all, columns) => {
      const table = tableOf(...all.map(({ ends: [a, b], kind, port, seconds }) => ({
        ...{ kind: kind as "flow", a, b, port, otherPort: port, seconds },
        ...{ by: "lower-port" as const, protocol: 17, code: 13 },
      })));
      const whole = renderFlowTable(table, columns);
      for (const line of whole) {
        assert.ok(line.length <= columns, `${columns}: ${line.length} ${line}`);
      }
      const text = whole.join("\n");
      for (const row of [...table.flows, ...table.failures]) {
        assert.ok(text.includes(row.client) && text.includes(row.server));
      }
    },
  ));
});

Deno.test("renderFlowTable() tells services of one port by their protocols, the lower number first", () => {
  const ends = { ...TCP, a: "10.0.0.1", b: "10.0.0.2", port: 53 };
  const table = tableOf(
    { ...ends, protocol: 17 },
    { ...ends, protocol: 132, seconds: NOON - 1 },
    { ...ends, protocol: 6, seconds: NOON + 1 },
  );
  const ports = (lines: string[]) => lines.slice(2).map((line) => line.split(/ +/)[2]);
  const lines = renderFlowTable(table, Infinity);
  assert.deepEqual(ports(lines), ["53/tcp", "53/udp", "53/132"]);
});
