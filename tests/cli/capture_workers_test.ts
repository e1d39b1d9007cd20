import assert from "node:assert/strict";
import { join } from "node:path";
import { FFI_PATHS, LIBC_PATHS } from "../../ffi/library.ts";
import { LowerPort } from "../../src/config/mod.ts";
import { connection, keysOfFlow } from "../conversations.ts";
import { until } from "../namespaces.ts";
import { mappingOf, observedKeys } from "../observed_keys.ts";
import type { Bytes } from "../packets.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import {
  captureTest,
  IMPORT,
  redisTest,
  type Setting,
  startCapture,
  withoutCapabilities,
} from "./capture_setting.ts";
import { flosensor } from "./program.ts";
import { capture, keysOfLines, OWN_NETWORKS, SAMPLE_KEYS } from "./sample_capture.ts";

/** Real captures whose frames a veth pair carries: TCP, UDP, both families, refusals, tunnels. */
const CAPTURES = [
  "443-chrome.pcap",
  "bad-dns-traffic.pcap",
  "ftp_failed.pcap",
  "http_ipv6.pcap",
  "quic_interop_V.pcapng",
  "syslog.pcap",
  "tcp_scan.pcapng",
];
const THEIR_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
const LOWER_PORT = `${IMPORT}export default defineConfig({
  dnsPorts: [], suppressOwnNetwork: false, flows: [[null, null, LowerPort()]] });\n`;

const SOURCES = ["libpcap", "af_packet"];
const SCOPED = `--allow-ffi=${FFI_PATHS.join(",")}`;
const PERMISSIONS = ["--no-prompt", "--ignore-env", "--allow-read", "--allow-net", SCOPED];
const ALL_OF_FFI = [...PERMISSIONS.slice(0, -1), "--allow-ffi"];

/** The keys that a replay of the captures gives. */
async function expectedKeys(): Promise<string[]> {
  const config = {
    suppressOwnNetwork: false,
    flows: [[null, null, LowerPort()]] as const,
  };
  const mapping = mappingOf(config, THEIR_NETWORKS);
  const keys: string[] = [];
  for (const name of CAPTURES) {
    keys.push(...await observedKeys(sharedCapture(`pcap/${name}`), mapping));
  }
  return [...new Set(keys)].sort();
}

for (
  const [args, permissions, how] of [
    [["--source", "libpcap"], PERMISSIONS, "libpcap"],
    [["--source", "af_packet"], PERMISSIONS, "the ring"],
    [["--source", "af_packet"], ALL_OF_FFI, "the ring, read in place"],
    [["--source", "libpcap", "--workers", "2"], PERMISSIONS, "two workers with libpcap"],
    [["--source", "af_packet", "--workers", "3"], PERMISSIONS, "three workers with the ring"],
  ] as const
) {
  captureTest(`real packets give the keys that a replay gives: ${how}`, async (setting) => {
    const more = [...THEIR_NETWORKS, "--json", "--snaplen", "65535", "--stats", "0.3", ...args];
    await using program = await startCapture(setting, ["veth0", ...more], [...permissions]);
    const expected = await expectedKeys();
    for (const name of CAPTURES) await setting.pair.replay(sharedCapture(`pcap/${name}`));
    await until(() => expected.length <= new Set(program.stdout.split("\n")).size - 1);
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    // Each once: what several workers had seen was written for one of them only.
    assert.deepEqual(keysOfLines(stdout), expected);
    assert.match(stderr, new RegExp(`keys: ${expected.length} written, 0 queued`));
    assert.doesNotMatch(stderr, /[1-9]\d* dropped/);
  }, {
    config: LOWER_PORT,
    ...(HAS_SHARED_CAPTURES ? {} : { ignore: true, reason: WITHOUT_SHARED_CAPTURES }),
  });
}

for (const source of SOURCES) {
  captureTest(`at a signal, workers write all that was captured, ${source}`, async (setting) => {
    const args = ["veth0", ...OWN_NETWORKS, "--json", "--source", source, "--workers", "2"];
    await using program = await startCapture(setting, args);
    await setting.pair.replay(setting.file);
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
  }, { config: `${IMPORT}export default defineConfig({ flushInterval: 3600 });\n` });
}

captureTest('workers take packets of the interface "any", and of several', async (setting) => {
  for (const names of [["any"], ["lo", "veth0"]]) {
    const args = [...names, ...OWN_NETWORKS, "--json", "--source", "af_packet", "--workers", "2"];
    await using program = await startCapture(setting, args);
    await setting.pair.replay(setting.file);
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
  }
});

async function replayOne(setting: Setting, name: string, packets: Bytes[]): Promise<void> {
  const file = join(setting.directory, name);
  await Deno.writeFile(file, capture(packets));
  await setting.pair.replay(file);
}

captureTest("SIGHUP has every worker load the configuration again", async (setting) => {
  const args = ["veth0", "--json", "--source", "af_packet", "--workers", "3"];
  await using program = await startCapture(setting, args);
  /** So many conversations that each worker has some. */
  const round = async (number: number) => {
    const clients = Array.from({ length: 30 }, (_, i) => `10.1.${number}.${i + 1}`);
    await replayOne(
      setting,
      `round${number}.pcap`,
      clients.flatMap((client) => connection(client, 50_000, "198.51.100.1", 443)),
    );
    return clients;
  };
  for (const client of await round(1)) {
    await program.prints(`"${client};198.51.100.1;443;flow"`);
  }
  await Deno.writeTextFile(
    setting.config,
    `${IMPORT}export default defineConfig({ ttl: "long" });\n`,
  );
  program.signal("SIGHUP");
  await program.says("the configuration that was loaded before stays in place");
  for (const client of await round(2)) {
    await program.prints(`"${client};198.51.100.1;443;flow"`);
  }
  // The rule turns the flow around, for all to see that it is the new one that is asked.
  await Deno.writeTextFile(
    setting.config,
    `${IMPORT}export default defineConfig({ flows: [[null, null, PortMatch([50_000])]] });\n`,
  );
  program.signal("SIGHUP");
  await program.says("configuration: ", 2);
  for (const client of await round(3)) {
    await program.prints(`"198.51.100.1;${client};50000;flow"`);
  }
  program.signal("SIGTERM");
  const { status, stdout, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout, /198\.51\.100\.1;10\.1\.[12]\.\d+;50000;flow/);
  assert.doesNotMatch(stdout, /10\.1\.3\.\d+;198\.51\.100\.1;443;flow/);
  assert.equal(stderr.split("error: ").length, 2, stderr);
});

for (const source of SOURCES) {
  redisTest(
    `workers know the sensor's own connection to Redis, with ${source}`,
    async (setting, redis) => {
      const options = ["--redis", redis.url, "--source", source, "--workers", "2"];
      await using program = await startCapture(setting, ["any", ...options]);
      // Its keys, written again and again, are what the sensor's own connection carries.
      for (let i = 1; i <= 5; i++) {
        await replayOne(
          setting,
          `${i}.pcap`,
          connection("10.1.0.1", 50_000 + i, `198.51.100.${i}`, 443),
        );
        await redis.has(...keysOfFlow("10.1.0.1", `198.51.100.${i}`, 443));
      }
      assert.deepEqual((await redis.keys()).filter((key) => key.includes("127.0.0.1")), []);

      // It is made again, from another port. The server has forgotten what was written before.
      await redis.halt();
      await program.says("is away (");
      await redis.run();
      await program.says("is back after");
      await replayOne(setting, "6.pcap", connection("10.1.0.2", 50_006, "198.51.100.6", 443));
      await redis.has(...keysOfFlow("10.1.0.2", "198.51.100.6", 443));
      assert.deepEqual((await redis.keys()).filter((key) => key.includes(";6379;")), []);
      program.signal("SIGTERM");
      assert.equal((await program.ended).status, 0);
    },
    `${IMPORT}export default defineConfig({ suppressOwnNetwork: false, flushInterval: 0.2 });\n`,
  );
}

captureTest("without libpcap the kernel's ring is taken, and it is said", async (setting) => {
  const libc = `--allow-ffi=${LIBC_PATHS.join(",")}`;
  for (const more of [[], ["--workers", "2"]]) {
    await using program = await startCapture(
      setting,
      ["veth0", ...OWN_NETWORKS, "--json", ...more],
      ["--no-prompt", "--ignore-env", "--allow-read", libc],
    );
    assert.match(
      program.stderr,
      /^flosensor: packets are taken from the kernel's ring: libpcap: no permission to load it/,
    );
    await setting.pair.replay(setting.file);
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
  }
});

for (
  const [args, message] of [
    [["eth99"], /^flosensor: error: eth99: no such interface; there are lo, veth0, any\n$/],
    [["veth0", "--filter", "port http and"], /^flosensor: error: filter "port http and": .*\n$/],
  ] as const
) {
  captureTest(`${args.join(" ")}: one line, and not one for each worker`, async ({ pair }) => {
    for (const source of SOURCES) {
      const ending = await flosensor(["capture", ...args, "--workers", "3", "--source", source], {
        command: (name, parameters, options) => pair.command(name, parameters, options),
      });
      assert.equal(ending.status, 1);
      assert.match(ending.stderr, message);
    }
  });
}

captureTest(
  "no permission to capture: one line, with the ring and with workers",
  async ({ pair }) => {
    for (const more of [[], ["--workers", "2"]]) {
      const ending = await flosensor(["capture", "veth0", "--source", "af_packet", ...more], {
        command: withoutCapabilities(pair),
      });
      assert.equal(ending.status, 1);
      assert.match(
        ending.stderr,
        /^flosensor: error: veth0: .*not permitted.*setcap cap_net_raw,cap_net_admin\+e.*\n$/,
      );
    }
  },
);

captureTest("no permission to read the workers' modules: one line", async ({ pair }) => {
  const ending = await flosensor(["capture", "veth0", "--workers", "2"], {
    permissions: ["--no-prompt", "--ignore-env", SCOPED],
    command: (name, parameters, options) => pair.command(name, parameters, options),
  });
  assert.equal(ending.status, 1);
  assert.match(
    ending.stderr,
    /^flosensor: error: --workers: no permission to read .*: run with --allow-read\n$/,
  );
});

captureTest(
  "an interface that goes and comes back is said once by all workers",
  async (setting) => {
    const args = ["veth0", ...OWN_NETWORKS, "--json", "--workers", "2", "--source", "af_packet"];
    await using program = await startCapture(setting, args);
    await setting.pair.removeVeth();
    await program.says("veth0 has vanished: capture waits for it to come back");
    await setting.pair.addVeth();
    await program.says("veth0 is up: capture goes on");
    // The workers see it one after the other, within a second or so.
    await until(async () => {
      await setting.pair.replay(setting.file);
      return SAMPLE_KEYS.every((key) => program.stdout.includes(`"${key}"`));
    });
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
    assert.equal(stderr.split("has vanished").length, 2, stderr);
    assert.equal(stderr.split("capture goes on").length, 2, stderr);
  },
);
