import assert from "node:assert/strict";
import { explain, type ExplainedFlow } from "../../src/cli/explain.ts";
import { UserError } from "../../src/user_error.ts";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import "../installed.ts";
import { MemoryLog } from "../memory_log.ts";

const TWO_HOSTS = new URL("../../docs/examples/two-hosts.ts", import.meta.url).pathname;

async function printed(flow: string, ourNets: string[] = [], config = TWO_HOSTS): Promise<string> {
  const [src, sport, dst, dport, protocol = "tcp"] = flow.split(" ");
  const explained = { src, sport, dst, dport, protocol } as ExplainedFlow;
  let text = "";
  const status = await explain(
    explained,
    { config, ourNets, redis: false },
    new MemoryLog(),
    (more) => text += more,
  );
  assert.equal(status, 0);
  return text;
}

function keysIn(text: string): string[] {
  const [, keys = ""] = text.split("Keys written:\n");
  return keys.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

Deno.test("explain prints networks, why each rule did or did not match, and the keys", async () => {
  const text = await printed("192.168.1.1 51000 8.8.8.8 443", ["192.168.0.0/16"]);
  assert.match(text, /^source {7}192\.168\.1\.1 {2}port 51000 {2}in network our_nets {2}own$/m);
  assert.match(text, /^destination {2}8\.8\.8\.8 {6}port 443 {4}in network external$/m);
  assert.match(
    text,
    /flows\[0\] {2}any -> our_nets {2}LowerPort\(SRC\) {2}\(.*two-hosts\.ts:\d+\)\n +no match: the destination is in external, not in our_nets/,
  );
  assert.match(
    text,
    /flows\[1\] .*\n +matches: destination port 443 is lower than 51000, so the destination serves/,
  );
  assert.deepEqual(keysIn(text), [
    "client;192.168.1.1",
    "192.168.1.1;8.8.8.8;443;flow",
    "192.168.1.1;8.8.8.8;peer",
    "8.8.8.8;192.168.1.1;peer",
  ]);
});

Deno.test("explain writes IPv6 keys as the contract has them", async () => {
  assert.deepEqual(
    keysIn(await printed("2001:DB8:0:0::1 53 2001:4860::8888 4000 udp", ["2001:db8::/32"])),
    [
      "client;2001:4860::8888",
      "2001:4860::8888;2001:db8::1;53;flow",
      "2001:4860::8888;2001:db8::1;peer",
      "2001:db8::1;2001:4860::8888;peer",
    ],
  );
});

Deno.test("explain leaves the flow key out where ignoreFlows names an end", async () => {
  const text = await printed("10.0.11.23 53 10.0.0.9 4000", ["10.0.0.0/8"]);
  assert.deepEqual(keysIn(text), [
    "client;10.0.0.9",
    "10.0.0.9;10.0.11.23;peer",
    "10.0.11.23;10.0.0.9;peer",
  ]);
});

Deno.test("explain says that a flow is dropped, or that nothing attributes it", async () => {
  assert.match(
    await printed("8.8.8.8 53 10.33.0.1 4000"),
    /The flow is dropped: no keys are written\.$/,
  );
  assert.match(
    await printed("8.8.8.8 53 9.9.9.9 4000"),
    /Nothing attributes the flow: no keys are written\.$/,
  );
});

Deno.test("explain honours suppressOwnNetwork, and an address in no network", async () => {
  const config = `import { defineConfig, OUR_NETS } from "flosensor/config";
export default defineConfig({ networks: [["our_nets", OUR_NETS]] });`;
  await withFiles({ "config.ts": config }, async (directory) => {
    const file = join(directory, "config.ts");
    assert.match(
      await printed("10.0.0.1 1 10.0.0.2 2", ["10.0.0.0/8"], file),
      /suppressOwnNetwork is on: no keys are written\.$/,
    );
    const text = await printed("10.0.0.1 1 11.0.0.2 2", ["10.0.0.0/8"], file);
    assert.match(text, /in no network$/m);
    assert.match(text, /An address is in no network, so no rule is asked\./);
  });
});

Deno.test("explain tells a custom function's protocol, and what it returned", async () => {
  const config = `import { defineConfig } from "flosensor/config";
export default defineConfig({ flows: [[null, null, function udpOnly(flow) {
  return flow.protocol === "udp" ? { client: flow.src, server: flow.dst, port: 7 } : undefined;
}]] });`;
  await withFiles({ "config.ts": config }, async (directory) => {
    const file = join(directory, "config.ts");
    assert.match(
      await printed("1.1.1.1 1 2.2.2.2 2 tcp", [], file),
      /no match: the function returned nothing/,
    );
    const text = await printed("1.1.1.1 1 2.2.2.2 2 udp", [], file);
    assert.match(text, /matches: the function returned the source as the client/);
    assert.ok(keysIn(text).includes("1.1.1.1;2.2.2.2;7;flow"));
  });
});

const WRONG: [string, string][] = [
  ["10.1 1 2.2.2.2 2", 'source address: "10.1" is not an IPv4 or IPv6 address'],
  [
    "1.1.1.1 1 host 2",
    'destination address: "host" is not an IPv4 or IPv6 address; getent ahosts host has those of a name',
  ],
  [
    "1.1.1.1 x 2.2.2.2 2",
    'source port: "x" is not a number from 0 to 65535; getent services x has that of a service',
  ],
  ["1.1.1.1 1 2.2.2.2 65536", 'destination port: "65536" is not a number from 0 to 65535'],
  [
    "1.1.1.1 1 ::1 2",
    "1.1.1.1 and ::1 are of different families: no packet has an IPv4 and an IPv6 address",
  ],
];

for (const [flow, message] of WRONG) {
  Deno.test(`explain refuses "${flow}" as wrong usage`, async () => {
    await assert.rejects(printed(flow), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.message, message);
      assert.equal(error.exitStatus, 2);
      return true;
    });
  });
}
