import assert from "node:assert/strict";
import { join } from "node:path";
import { connection, exchange } from "../conversations.ts";
import { captureTest, startCapture } from "./capture_setting.ts";
import { flosensor } from "./program.ts";
import { capture, OWN_NETWORKS, withSample } from "./sample_capture.ts";

const GUEST = "203.0.113.9";
const NAS = "10.1.0.5";

async function run(args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await flosensor(args);
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

function configWith(settings: string): string {
  return `import { defineConfig } from "flosensor/config";
export default defineConfig({
${settings}
});
`;
}

Deno.test("what expect prints is a setting that has no alert for what was seen, and one for all else", async () => {
  await withSample(async ({ directory, file, config }) => {
    const store = join(directory, "flows.db");
    await run(["replay", file, ...OWN_NETWORKS, "-c", config, "--store", store]);
    const { stdout } = await run(["expect", store, "-c", config]);
    assert.match(
      stdout,
      /^ {2}expected: \[\n {4}\["10\.1\.0\.5", 22, "tcp"\], \/\/ 1 client, since 20\d\d-\d\d-\d\d \d\d:\d\d\n {2}\],$/m,
    );
    await Deno.writeTextFile(config, configWith(stdout));
    const again = await run(["replay", file, ...OWN_NETWORKS, "-c", config, "--store", store]);
    assert.doesNotMatch(again.stderr, /expected/);

    const other = join(directory, "other.pcap");
    await Deno.writeFile(other, capture(connection(GUEST, 50_000, NAS, 3389)));
    const args = ["replay", other, ...OWN_NETWORKS, "-c", config, "--no-redis"];
    const alerted = await run([...args, "--store", store]);
    assert.match(
      alerted.stderr,
      /^flosensor: warning: 10\.1\.0\.5 port 3389\/tcp is not expected: 203\.0\.113\.9 used it \(syn\)$/m,
    );
    // As lines of JSON, also among those of keys.
    await Deno.writeTextFile(config, configWith(`${stdout}  onAlert: "json",`));
    for (const option of [["--json"], ["--store", store]]) {
      const lines = (await run([...args, ...option])).stdout.trim().split("\n")
        .map((line) => JSON.parse(line));
      const alerts = lines.filter(({ alert }) => alert !== undefined);
      assert.deepEqual(
        alerts.map(({ alert, client, server, port }) => [alert, client, server, port]),
        [["unexpected-service", GUEST, NAS, 3389]],
      );
    }
  });
});

Deno.test("datagrams that nobody answered make no alert, as expect does not list them", async () => {
  const settings = '  expected: [["10.1.0.5", 22, "tcp"]],\n  suppressOwnNetwork: false,';
  await withSample(async ({ directory, config }) => {
    const file = join(directory, "datagrams.pcap");
    const unanswered = (server: string, port: number) => exchange(GUEST, 50_000, server, port)[0];
    await Deno.writeFile(
      file,
      capture([
        // A scan, a broadcast, and a service that answers.
        ...[161, 162, 163, 164].map((port) => unanswered(NAS, port)),
        unanswered("10.1.255.255", 137),
        ...exchange(GUEST, 50_001, NAS, 1812),
      ]),
    );
    const { stderr } = await run(["replay", file, ...OWN_NETWORKS, "-c", config, "--no-redis"]);
    assert.deepEqual(stderr.match(/warning: .*/g), [
      `warning: ${NAS} port 1812/udp is not expected: ${GUEST} used it (ephemeral)`,
    ]);
  }, configWith(settings));
});

Deno.test("expected says that it does nothing where no own network is known", async () => {
  await withSample(async ({ file, config }) => {
    const { stderr } = await run(["replay", file, "-c", config, "--no-redis"]);
    assert.match(
      stderr,
      /^flosensor: warning: expected: no own network is known, .* set ourNets$/m,
    );
  }, configWith('  expected: [["10.1.0.5", 22, "tcp"]],'));
});

Deno.test("expect lists what config.ts expects and was never seen", async () => {
  await withSample(async ({ directory, file, config }) => {
    const lines = join(directory, "lines.json");
    const { stdout } = await run(["replay", file, ...OWN_NETWORKS, "-c", config, "--json"]);
    await Deno.writeTextFile(lines, stdout);
    const expected =
      '  expected: [["10.1.0.5", 22, "tcp"], ["10.1.0.5", 80, "tcp", "10.0.0.0/8"]],';
    await Deno.writeTextFile(config, configWith(expected));
    const { stderr } = await run(["expect", lines, ...OWN_NETWORKS, "-c", config]);
    assert.equal(stderr, "flosensor: warning: expected and never seen: 10.1.0.5 port 80/tcp\n");
  });
});

Deno.test("expect takes the own networks that are named behind a store, or those of config.ts", async () => {
  await withSample(async ({ directory, file, config }) => {
    const store = join(directory, "flows.db");
    await run(["replay", file, "198.18.0.0/15", "-c", config, "--store", store]);
    const { stdout } = await run(["expect", store, ...OWN_NETWORKS, "-c", config]);
    assert.match(stdout, /^ {4}\["10\.1\.0\.5", 22, "tcp"\]/m);
    const none = await run(["expect", store, "-c", config]);
    assert.match(none.stdout, /expected: \[\n {2}\],/);
  });
});

Deno.test("expected and onAlert are checked when the configuration is loaded", async () => {
  await withSample(async ({ file, config }) => {
    const wrong: [string, RegExp][] = [
      [
        '  expected: [["10.1.0.5", 22]],',
        /config\.ts:3: \["10\.1\.0\.5",22\] is not an address, a port and a protocol/,
      ],
      ['  expected: [["nas", 22, "tcp"]],', /"nas" is not an IPv4 or IPv6 address/],
      ['  expected: [["10.1.0.5", 70000, "tcp"]],', /70000 is not a port/],
      ['  expected: [["10.1.0.5", 22, "sctp"]],', /"sctp" is not a protocol/],
      [
        '  expected: [["10.1.0.5", 22, "tcp", "office"]],',
        /"office" is not an IPv4 or IPv6 prefix/,
      ],
      [
        '  onAlert: ["log", "mail"],',
        /this is not where alerts can go \(onAlert\[1\]\): write "log", "json"/,
      ],
    ];
    for (const [setting, message] of wrong) {
      await Deno.writeTextFile(config, configWith(setting));
      const { status, stderr } = await flosensor(["replay", file, "-c", config]);
      assert.equal(status, 1);
      assert.match(stderr.trimEnd().split("\n").at(-1)!, message);
    }
  });
});

captureTest(
  "a reload that brings expected or another onAlert says that it counts from the next start",
  async (setting) => {
    await using program = await startCapture(setting, ["veth0", "--no-redis", "--json"]);
    await Deno.writeTextFile(
      setting.config,
      configWith('  expected: [["10.1.0.5", 22, "tcp"]],\n  onAlert: "json",'),
    );
    program.signal("SIGHUP");
    await program.says(
      "expected was not in the configuration before; it counts from the next start",
    );
    await program.says("onAlert of the configuration stays as it was until the next start");
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  },
);
