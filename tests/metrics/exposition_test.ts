import assert from "node:assert/strict";
import { Exposition } from "../../src/metrics/exposition.ts";
import type { Row } from "../../src/metrics/metric.ts";

Deno.test("Exposition writes what is counted at that moment, and no label that is gone", async () => {
  const exposition = new Exposition();
  let packets: Row[] = [[3, "eth0"], [4, "eth1"]];
  exposition.add({
    packets: { name: "packets_total", help: "Packets.", type: "counter", labels: ["interface"] },
    queued: { name: "queued", help: "Queued.", type: "gauge", labels: [] },
  }, () => ({ packets, queued: [[packets.length]] as Row[] }));
  assert.match(
    await exposition.text(),
    /^packets_total\{interface="eth0"\} 3\npackets_total\{interface="eth1"\} 4\n[^]*^queued 2$/m,
  );
  packets = [[5, "eth0"]];
  const text = await exposition.text();
  assert.match(text, /^packets_total\{interface="eth0"\} 5$/m);
  assert.doesNotMatch(text, /eth1/);
});

Deno.test("Exposition keeps what is in a label within its quotes", async () => {
  const exposition = new Exposition();
  exposition.add({
    packets: { name: "packets_total", help: "Packets.", type: "counter", labels: ["interface"] },
  }, () => ({ packets: [[1, 'a"} 7\nother_total{x="\\']] as Row[] }));
  const lines = (await exposition.text()).split("\n").filter((it) =>
    it !== "" && !it.startsWith("#")
  );
  assert.deepEqual(lines, ['packets_total{interface="a\\"} 7\\nother_total{x=\\"\\\\"} 1']);
});
