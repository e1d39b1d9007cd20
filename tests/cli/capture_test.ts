import assert from "node:assert/strict";
import { join } from "node:path";
import { FFI_PATHS } from "../../ffi/library.ts";
import { connection, exchange, keysOfFlow } from "../conversations.ts";
import { type NamespacePair, until } from "../namespaces.ts";
import { ACK, type Bytes, ethernet, ip, RST, tcp } from "../packets.ts";
import {
  captureTest,
  IMPORT,
  redisTest,
  startCapture,
  withoutCapabilities,
} from "./capture_setting.ts";
import { flosensor } from "./program.ts";
import {
  capture,
  keysOfLines,
  OWN_NETWORKS,
  SAMPLE_KEYS,
  SAMPLE_PACKETS,
} from "./sample_capture.ts";

redisTest(
  "capture writes each key to Redis, of both families and directions, by scoped permissions",
  async (setting, redis) => {
    const permissions = [
      ...["--no-prompt", "--ignore-env", `--allow-read=${setting.config}`],
      ...["--allow-net=127.0.0.1:6379", `--allow-ffi=${FFI_PATHS.join(",")}`],
    ];
    const args = ["veth0", ...OWN_NETWORKS, "--redis", redis.url];
    await using program = await startCapture(setting, args, permissions);
    await setting.pair.replay(setting.file);
    await redis.has(...SAMPLE_KEYS);
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.deepEqual(await redis.keys(), SAMPLE_KEYS);
    for (const key of SAMPLE_KEYS) {
      const left = Number(await redis.cli("TTL", key));
      assert.ok(left > 800 && left <= 900, `${key} has ${left} s left`);
    }
  },
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  captureTest(`${signal} has all that was captured written, exit status 0`, async (setting) => {
    // Nothing is written in between, and the packets are still in the kernel when it comes.
    await using program = await startCapture(setting, ["veth0", ...OWN_NETWORKS, "--json"]);
    await setting.pair.replay(setting.file);
    program.signal(signal);
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
  }, { config: `${IMPORT}export default defineConfig({ flushInterval: 3600 });\n` });
}

captureTest("capture without a terminal prints the table at its end", async (setting) => {
  await using program = await startCapture(setting, ["veth0", ...OWN_NETWORKS]);
  await setting.pair.replay(setting.file);
  program.signal("SIGTERM");
  const { status, stdout } = await program.ended;
  assert.equal(status, 0);
  assert.match(stdout, /^10\.1\.0\.1 +198\.51\.100\.80 +443\/tcp /m);
  assert.match(stdout, /^2001:db8:1::1 +2001:db8:80::1 +443\/tcp /m);
  assert.match(stdout, /^Refused or unreachable: 2$/m);
});

for (const workers of ["1", "2"]) {
  captureTest(
    `the table of a capture has when each flow was seen last, though its keys are suppressed, with ${workers} workers`,
    async (setting) => {
      const args = ["veth0", ...OWN_NETWORKS, "--workers", workers];
      await using program = await startCapture(setting, args);
      await setting.pair.replay(setting.file);
      // The times of the table are seconds.
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      await setting.pair.replay(setting.file);
      program.signal("SIGTERM");
      const { stdout } = await program.ended;
      const rows = stdout.matchAll(/^[\d.a-f:]+ .* (\d\d:\d\d:\d\d) +(\d\d:\d\d:\d\d)(?: .*)?$/gm);
      const times = [...rows].map(([, first, last]) => [first, last]);
      assert.equal(times.length, 6, stdout);
      for (const [first, last] of times) assert.notEqual(first, last, stdout);
    },
    { config: `${IMPORT}export default defineConfig({ flushInterval: 1 });\n` },
  );
}

captureTest("capture takes packets of several interfaces", async (setting) => {
  const { pair, directory } = setting;
  await pair.addVeth("veth1", "peer1");
  const halves: [Bytes[], Bytes[]] = [[], []];
  SAMPLE_PACKETS.forEach((packet, i) => halves[i % 2].push(packet));
  const files = await Promise.all(halves.map(async (packets, i) => {
    const file = join(directory, `half${i}.pcap`);
    await Deno.writeFile(file, capture(packets));
    return file;
  }));
  await using program = await startCapture(setting, ["veth0", "veth1", ...OWN_NETWORKS, "--json"]);
  await pair.replay(files[0]);
  await pair.replay(files[1], { peer: "peer1" });
  program.signal("SIGTERM");
  const { status, stdout, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
});

captureTest('capture takes packets of the interface "any"', async (setting) => {
  await using program = await startCapture(setting, ["any", ...OWN_NETWORKS, "--json"]);
  await setting.pair.replay(setting.file);
  program.signal("SIGTERM");
  const { status, stdout, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
});

captureTest(
  "the own networks are the interface's prefixes where none are named",
  async (setting) => {
    const file = join(setting.directory, "reset.pcap");
    const reset = ethernet(ip("198.51.100.9", "10.99.0.77", tcp(80, 50_000, RST | ACK)));
    await Deno.writeFile(file, capture([reset]));
    await using program = await startCapture(setting, ["veth0", "--json"]);
    await program.says(
      "own networks: 10.99.0.0/24, 2001:db8:99::/64, fe80::/64, from the interface",
    );
    await setting.pair.replay(file);
    await program.prints('"10.99.0.77;198.51.100.9;50000:80;rst"');
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  },
);

captureTest("capture --filter and --stats", async (setting) => {
  const options = ["--filter", "udp port 53", "--stats", "0.2"];
  await using program = await startCapture(setting, [
    "veth0",
    ...OWN_NETWORKS,
    "--json",
    ...options,
  ]);
  await setting.pair.replay(setting.file);
  await program.says("packets: 2 received, 0 dropped by kernel, 0 dropped by interface, 2 decoded");
  program.signal("SIGTERM");
  assert.deepEqual(keysOfLines((await program.ended).stdout), [
    "10.1.0.1;203.0.113.53;53;flow",
    "10.1.0.1;203.0.113.53;peer",
    "203.0.113.53;10.1.0.1;peer",
    "client;10.1.0.1",
  ]);
});

captureTest(
  "capture --json into a reader who goes away ends quietly, exit status 0",
  async (setting) => {
    await using program = await startCapture(setting, ["veth0", "--json"]);
    await setting.pair.replay(setting.file);
    await program.prints("\n");
    await program.closeOutput();
    const other = join(setting.directory, "other.pcap");
    await Deno.writeFile(other, capture(exchange("10.1.0.9", 50_000, "198.51.100.9", 123)));
    await setting.pair.replay(other);
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /error/);
  },
);

redisTest(
  "SIGHUP loads the configuration again, and a broken one leaves the running one",
  async (setting, redis) => {
    const { pair, config, directory } = setting;
    const replay = async (name: string, packets: Bytes[]) => {
      const file = join(directory, name);
      await Deno.writeFile(file, capture(packets));
      await pair.replay(file);
    };
    await using program = await startCapture(setting, ["veth0", "--redis", redis.url]);
    await replay("first.pcap", connection("10.1.0.1", 50_000, "198.51.100.1", 443));
    await redis.has(...keysOfFlow("10.1.0.1", "198.51.100.1", 443));

    await Deno.writeTextFile(config, `${IMPORT}export default defineConfig({ ttl: "long" });\n`);
    program.signal("SIGHUP");
    await program.says("the configuration that was loaded before stays in place");
    assert.match(program.stderr, /error: .*config\.ts:2: "long" is not a time to live \(ttl\): /);
    await replay("second.pcap", connection("10.1.0.2", 50_000, "198.51.100.1", 443));
    await redis.has(...keysOfFlow("10.1.0.2", "198.51.100.1", 443));

    // The rule turns the flow around, for all to see that it is the new one that is asked.
    await Deno.writeTextFile(
      config,
      `${IMPORT}export default defineConfig({ ttl: 77, flushInterval: 0.1,
  flows: [[null, null, PortMatch([50_000])]] });\n`,
    );
    program.signal("SIGHUP");
    await program.says("configuration: ", 2);
    await replay("third.pcap", connection("10.1.0.3", 50_000, "198.51.100.1", 443));
    await redis.has(...keysOfFlow("198.51.100.1", "10.1.0.3", 50_000));
    assert.ok(Number(await redis.cli("TTL", "198.51.100.1;10.1.0.3;50000;flow")) <= 77);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  },
);

for (const name of ["lo", "any"]) {
  redisTest(
    `on ${name}, the sensor's own connection to Redis is not reported, others' are`,
    async (setting, redis) => {
      const { pair } = setting;
      await using program = await startCapture(setting, [name, "--redis", redis.url]);
      // Its keys, written again and again, are what the sensor's own connection carries.
      for (let i = 1; i <= 5; i++) {
        await udpTo(pair, `127.0.0.${i}`);
        await redis.has(`127.0.0.1;127.0.0.${i};53;flow`);
      }
      const own = (await redis.keys()).filter((key) => key.includes("6379"));
      assert.deepEqual(own, []);

      // The key is the one that the sensor's own connection would have.
      const ping = ["-h", "127.0.0.1", "PING"];
      await until(async () => {
        await pair.command("redis-cli", ping).output();
        return (await redis.keys()).includes("127.0.0.1;127.0.0.1;6379;flow");
      });
      program.signal("SIGTERM");
      assert.equal((await program.ended).status, 0);
    },
    `${IMPORT}export default defineConfig({ suppressOwnNetwork: false, flushInterval: 0.2 });\n`,
  );
}

redisTest(
  "while Redis is away packets are taken, and their keys written when it is back",
  async (setting, redis) => {
    await using program = await startCapture(setting, [
      "veth0",
      ...OWN_NETWORKS,
      "--redis",
      redis.url,
    ]);
    await redis.halt();
    await program.says("is away (");
    await setting.pair.replay(setting.file);
    await program.says("is away (");
    await redis.run();
    await redis.has(...SAMPLE_KEYS);
    await program.says("is back after");
    program.signal("SIGTERM");
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.equal(stderr.split("is away (").length, 2);
    assert.equal(stderr.split("is back after").length, 2);
  },
);

redisTest("a capture that starts before Redis does waits for it", async (setting, redis) => {
  await redis.halt();
  await using program = await startCapture(setting, [
    "veth0",
    ...OWN_NETWORKS,
    "--redis",
    redis.url,
  ]);
  await program.says("is away (connection refused)");
  await setting.pair.replay(setting.file);
  await redis.run();
  await redis.has(...SAMPLE_KEYS);
  program.signal("SIGTERM");
  assert.equal((await program.ended).status, 0);
});

redisTest(
  "what can't be written at the end is said, with its number, exit status 1",
  async (setting, redis) => {
    await using program = await startCapture(setting, [
      "veth0",
      ...OWN_NETWORKS,
      "--redis",
      redis.url,
    ]);
    await redis.halt();
    await program.says("is away (");
    await setting.pair.replay(setting.file);
    program.signal("SIGTERM");
    const { status, stderr } = await program.ended;
    assert.equal(status, 1);
    const errors = stderr.split("\n").filter((line) => line.includes("error: "));
    assert.equal(errors.length, 1, stderr);
    const lost = `: ${SAMPLE_KEYS.length} observations were lost (${SAMPLE_KEYS.length}: `;
    assert.ok(errors[0].includes(lost), errors[0]);
  },
);

captureTest(
  "an interface that is not there: one line that names those that are",
  async ({ pair }) => {
    const ending = await flosensor(["capture", "eth99"], {
      command: (name, parameters, options) => pair.command(name, parameters, options),
    });
    assert.equal(ending.status, 1);
    assert.equal(
      ending.stderr,
      "flosensor: error: eth99: no such interface; there are lo, veth0, any\n",
    );
  },
);

captureTest("a filter with an error: one line that says so", async ({ pair }) => {
  const ending = await flosensor(["capture", "veth0", "--filter", "port http and"], {
    command: (name, parameters, options) => pair.command(name, parameters, options),
  });
  assert.equal(ending.status, 1);
  assert.match(
    ending.stderr,
    /^flosensor: error: filter "port http and": .*syntax error.*: see pcap-filter\(7\)\n$/,
  );
});

captureTest(
  "no permission to capture: one line that says setcap and which capabilities",
  async ({ pair }) => {
    const ending = await flosensor(["capture", "veth0"], {
      command: withoutCapabilities(pair),
    });
    assert.equal(ending.status, 1);
    assert.match(
      ending.stderr,
      /^flosensor: error: veth0: .*setcap cap_net_raw,cap_net_admin\+e.*\n$/,
    );
  },
);

/** Sends a datagram to port 53 of an address, from where nobody answers. */
async function udpTo(pair: NamespacePair, address: string): Promise<void> {
  const script = `echo question > /dev/udp/${address}/53`;
  await pair.command("bash", ["-c", script]).output();
}
