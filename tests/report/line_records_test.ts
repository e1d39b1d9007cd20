import assert from "node:assert/strict";
import fc from "fast-check";
import { deviceOfLine, type LineObject, recordOfLine } from "../../src/report/line_records.ts";

const END = {
  type: "end",
  time: "2026-11-27T12:00:01.500Z",
  client: "10.0.0.7",
  client_port: 50_000,
  server: "198.51.100.1",
  port: 443,
  protocol: "tcp",
  by: "syn",
  id: 17,
  state: "closed",
  packets: [5, 3],
  bytes: [308, 186],
  first: "2026-11-27T12:00:00.000Z",
  last: "2026-11-27T12:00:01.500Z",
  flags: [27, 26],
  names: [{ name: "www.example.com.", from: "sni", outer: true }],
  explained: false,
  why: "10.0.0.7 did not look up 198.51.100.1",
  dns: "DoH",
};
const DEVICE = {
  type: "device",
  time: "2026-11-27T12:00:01.000Z",
  key: "02:00:5e:00:53:07;device",
  hardware: "02:00:5e:00:53:07",
  private: true,
  names: [{ name: "laptop", from: "dhcp" }],
  addresses: [{
    address: "10.0.0.7",
    first: "2026-11-27T12:00:00.000Z",
    last: "2026-11-27T12:00:01.000Z",
  }],
  first: "2026-11-27T12:00:00.000Z",
};

Deno.test("recordOfLine() reads a line about a conversation's end", () => {
  const first = Date.UTC(2026, 10, 27, 12);
  assert.deepEqual(recordOfLine(END, 4), {
    ...{ id: 4, isOver: true, protocol: "tcp", by: "syn", state: "closed", dns: "DoH" },
    ...{ client: "10.0.0.7", clientPort: 50_000, server: "198.51.100.1", port: 443 },
    ...{ packets: [5, 3], bytes: [308, 186], flags: [27, 26], first, last: first + 1500 },
    ...{ interface: null, vlan: null, tunnel: null, isExplained: false, why: END.why },
    names: [{ name: "www.example.com", from: "sni", isOuter: true }],
  });
});

Deno.test("deviceOfLine() reads a line about a device", () => {
  const first = Date.UTC(2026, 10, 27, 12);
  assert.deepEqual(deviceOfLine(DEVICE), {
    ...{ hardware: DEVICE.hardware, vendor: null, isPrivate: true, names: DEVICE.names },
    addresses: [{ address: "10.0.0.7", first, last: first + 1000 }],
    ...{ first, last: first + 1000, hasNews: true },
  });
});

Deno.test("what is wrong with a line makes it none, and never an error", () => {
  const wrong: [object: LineObject, field: string, value: unknown][] = [
    ...["flow", 1].map((type) => [END, "type", type] as [LineObject, string, unknown]),
    [END, "client", "10.0.0"],
    [END, "port", 65_536],
    [END, "port", "443"],
    [END, "protocol", "icmp"],
    [END, "state", "odd"],
    [END, "packets", [1, -1]],
    [END, "bytes", [1]],
    [END, "first", "yesterday"],
    [DEVICE, "addresses", [{ address: "a" }, null]],
    [DEVICE, "time", 5],
  ];
  for (const [line, field, value] of wrong) {
    const changed = { ...line, [field]: value };
    assert.equal(recordOfLine(changed, 1) ?? deviceOfLine(changed), null, `${field} ${value}`);
  }
  fc.assert(fc.property(
    fc.constantFrom(END, DEVICE),
    fc.constantFrom(...Object.keys({ ...END, ...DEVICE })),
    fc.jsonValue(),
    (line, field, value) => {
      const changed = { ...line, [field]: value };
      recordOfLine(changed, 1);
      deviceOfLine(changed);
    },
  ));
});
