import assert from "node:assert/strict";
import { join } from "node:path";
import { connection } from "../conversations.ts";
import { HAS_LIBPCAP, HAS_TCPDUMP, WITHOUT_LIBPCAP, WITHOUT_TCPDUMP } from "../installed.ts";
import { ethernet, ipUdp, pcap, udp } from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { flosensor, RunningProgram } from "./program.ts";
import {
  capture,
  keysOfLines,
  OWN_NETWORKS,
  SAMPLE_CAPTURE,
  SAMPLE_KEYS,
  withSample,
} from "./sample_capture.ts";

/** What docs/permissions.md says that a replay needs. */
const READ_ONLY = ["--no-prompt", "--ignore-env", "--allow-read"];
const TTL = 900;

Deno.test("replay --json writes exactly the sample's keys as lines, needing no permission but read", () =>
  withSample(async ({ file, config }) => {
    const args = ["replay", file, ...OWN_NETWORKS, "--json", "-c", config];
    const ending = await flosensor(args, { permissions: READ_ONLY });
    assert.equal(ending.status, 0, ending.stderr);
    assert.deepEqual(keysOfLines(ending.stdout), SAMPLE_KEYS);
  }));

Deno.test("replay - reads standard input", () =>
  withSample(async ({ config }) => {
    const args = ["replay", "-", ...OWN_NETWORKS, "--json", "-c", config];
    const ending = await flosensor(args, { stdin: SAMPLE_CAPTURE });
    assert.equal(ending.status, 0, ending.stderr);
    assert.deepEqual(keysOfLines(ending.stdout), SAMPLE_KEYS);
  }));

Deno.test({
  name: `tcpdump -w - | flosensor replay - gives the same keys${WITHOUT_TCPDUMP}`,
  ignore: !HAS_TCPDUMP,
  fn: () =>
    withSample(async ({ file, config }) => {
      const tcpdump = new Deno.Command("tcpdump", {
        args: ["-r", file, "-w", "-"],
        stderr: "null",
      });
      const { stdout } = await tcpdump.output();
      const args = ["replay", "-", ...OWN_NETWORKS, "--json", "-c", config];
      assert.deepEqual(keysOfLines((await flosensor(args, { stdin: stdout })).stdout), SAMPLE_KEYS);
    }),
});

Deno.test("replay reads several files one after the other", () =>
  withSample(async ({ directory, file, config }) => {
    const other = join(directory, "other.pcap");
    await Deno.writeFile(other, capture(connection("10.1.0.2", 50_000, "198.51.100.2", 80)));
    const args = ["replay", file, other, ...OWN_NETWORKS, "--json", "-c", config];
    const { status, stdout, stderr } = await flosensor(args);
    assert.equal(status, 0);
    const added = keysOfLines(stdout).filter((key) => !SAMPLE_KEYS.includes(key));
    assert.ok(added.includes("10.1.0.2;198.51.100.2;80;flow"));
    assert.match(stderr, /packets: 36 received, 0 dropped by kernel, 0 dropped by interface/);
  }));

Deno.test("replay takes the own networks of the configuration where none are named", () => {
  const config = `import { defineConfig } from "flosensor/config";
export default defineConfig({ ourNets: ${JSON.stringify(OWN_NETWORKS)} });\n`;
  return withSample(async ({ file, config }) => {
    const { stdout } = await flosensor(["replay", file, "--json", "-c", config]);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
  }, config);
});

Deno.test("replay without own networks says so and writes no rst and icmp keys", () =>
  withSample(async ({ file, config }) => {
    const { stdout, stderr } = await flosensor(["replay", file, "--json", "-c", config]);
    const keys = keysOfLines(stdout);
    assert.deepEqual(keys.filter((key) => /;(rst|icmp)$/.test(key)), []);
    const flows = SAMPLE_KEYS.filter((key) => key.endsWith(";flow"));
    assert.deepEqual(flows.filter((key) => !keys.includes(key)), []);
    assert.match(stderr, /no own network is named/);
  }));

Deno.test({
  name: `replay --filter takes only what matches${WITHOUT_LIBPCAP}`,
  ignore: !HAS_LIBPCAP,
  fn: () =>
    withSample(async ({ file, config }) => {
      const filter = ["--filter", "udp port 53"];
      const args = ["replay", file, ...OWN_NETWORKS, ...filter, "--json", "-c", config];
      const { stdout, stderr } = await flosensor(args);
      assert.deepEqual(keysOfLines(stdout), [
        "10.1.0.1;203.0.113.53;53;flow",
        "10.1.0.1;203.0.113.53;peer",
        "203.0.113.53;10.1.0.1;peer",
        "client;10.1.0.1",
      ]);
      assert.match(stderr, /packets: 2 received/);
    }),
});

Deno.test("replay ends with a table of the flows and of what failed", () =>
  withSample(async ({ file, config }) => {
    const { status, stdout } = await flosensor(["replay", file, ...OWN_NETWORKS, "-c", config]);
    assert.equal(status, 0);
    const rows = stdout.split("\n").map((line) => line.split(/ +/).slice(0, 3).join(" "));
    for (
      const row of [
        "CLIENT SERVER PORT",
        "10.1.0.1 198.51.100.80 443/tcp",
        "10.1.0.1 203.0.113.53 53/udp",
        "203.0.113.9 10.1.0.5 22/tcp",
        "2001:db8:1::1 2001:db8:80::1 443/tcp",
        "10.1.0.1 198.51.100.80 8080",
        "2001:db8:1::1 2001:db8:80::1 161",
      ]
    ) assert.ok(rows.includes(row), `${row} in ${stdout}`);
  }));

Deno.test("the table of a replay has when each flow was seen last, though its keys were written once", () =>
  withSample(async ({ directory, config }) => {
    const path = join(directory, "requests.pcap");
    const request = ethernet(ipUdp("10.1.0.1", "198.51.100.2", udp(50_000, 53, "?")));
    const seconds = Array.from({ length: 20 }, (_, i) => 1_790_000_000 + 0.3 * i);
    await Deno.writeFile(path, pcap(seconds.map((at) => ({ packet: request, seconds: at }))));
    const { stdout } = await flosensor([
      "replay",
      path,
      ...OWN_NETWORKS,
      "-c",
      config,
      "--no-redis",
    ]);
    const [, first, last] = /^10\.1\.0\.1 .* (\d\d:\d\d:\d\d) +(\d\d:\d\d:\d\d) /m.exec(stdout)!;
    const time = (seconds: number) => new Date(seconds * 1000).toTimeString().slice(0, 8);
    assert.deepEqual([first, last], [time(1_790_000_000), time(1_790_000_005)]);
    assert.match(stdout, /^CLIENT +SERVER +PORT +BY +FIRST +LAST +FOR +PACKETS +BYTES$/m);
  }));

Deno.test("replay says at its end what it read and wrote", () =>
  withSample(async ({ file, config }) => {
    const args = ["replay", file, ...OWN_NETWORKS, "--json", "-c", config];
    const { stderr } = await flosensor(args);
    const flows = "conversations: 4; without flow: 1 only SYN, FIN or RST; " +
      "flows: 4 (3 syn, 1 registered)";
    const counts = `${flows}; keys: ${SAMPLE_KEYS.length} written, 0 queued`;
    assert.match(stderr, /packets: 28 received, .* 28 decoded; /);
    assert.ok(stderr.includes(counts), stderr);
  }));

Deno.test("replay into a reader who goes away ends quietly, exit status 0", () =>
  withSample(async ({ config }) => {
    await using program = new RunningProgram(["replay", "-", "--json", "-c", config]);
    await program.feed(manyConversations(2_000));
    await program.prints("\n");
    await program.closeOutput();
    await program.endInput();
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /error/);
  }));

for (const [signal, exitStatus] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} while a pipe has nothing writes what is pending, exit status ${exitStatus}`, () =>
    // An interval in which no test is: it is the signal that has the keys written.
    withSample(
      async ({ config }) => {
        const args = ["replay", "-", ...OWN_NETWORKS, "--json", "-c", config, "--stats", "0.1"];
        await using program = new RunningProgram(args);
        await program.feed(SAMPLE_CAPTURE);
        await program.says("packets: 28 received");
        program.signal(signal);
        const { status, stdout, stderr } = await program.ended;
        assert.equal(status, exitStatus, stderr);
        assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
        assert.doesNotMatch(stderr, /error/);
      },
      'import { defineConfig } from "flosensor/config";\n' +
        "export default defineConfig({ flushInterval: 3600 });\n",
    ));
}

Deno.test("a pipe that is cut within a packet after the signal is no error", () =>
  withSample(async ({ config }) => {
    const args = ["replay", "-", ...OWN_NETWORKS, "--json", "-c", config, "--stats", "0.1"];
    await using program = new RunningProgram(args);
    await program.feed(SAMPLE_CAPTURE.subarray(0, SAMPLE_CAPTURE.length - 10));
    await program.says("packets: 27 received");
    program.signal("SIGINT");
    await program.endInput();
    const { status, stderr } = await program.ended;
    assert.equal(status, 130);
    assert.doesNotMatch(stderr, /error/);
  }));

Deno.test("what came out of a pipe is written while the pipe waits for more", () =>
  withSample(async ({ config }) => {
    await using program = new RunningProgram([
      "replay",
      "-",
      ...OWN_NETWORKS,
      "--json",
      "-c",
      config,
    ]);
    await program.feed(SAMPLE_CAPTURE);
    for (const key of SAMPLE_KEYS) await program.prints(`"${key}"`);
    await program.endInput();
    assert.equal((await program.ended).status, 0);
  }));

Deno.test("replay --stats logs statistics while it goes on", () =>
  withSample(async ({ config }) => {
    const args = ["replay", "-", "--json", "-c", config, "--stats", "0.1"];
    await using program = new RunningProgram(args);
    await program.feed(SAMPLE_CAPTURE);
    await program.says("packets: 28 received, 0 dropped by kernel", 3);
    await program.endInput();
    assert.equal((await program.ended).status, 0);
  }));

Deno.test("--log-level error says nothing of a replay that goes well", () =>
  withSample(async ({ file, config }) => {
    const args = ["replay", file, "--json", "-c", config, "--log-level", "error"];
    assert.equal((await flosensor(args)).stderr, "");
  }));

redisTest("replay --redis writes every key with its time to live", async (server) => {
  await withSample(async ({ file, config }) => {
    const args = ["replay", file, ...OWN_NETWORKS, "--redis", server.url, "-c", config];
    const { status, stdout, stderr } = await flosensor(args);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    await assertSample(server, TTL);
  });
});

redisTest("replay writes to the Redis of the configuration, with its ttl", async (server) => {
  const config = `import { defineConfig } from "flosensor/config";
export default defineConfig({ redis: "${server.url}/3", ttl: 77 });\n`;
  await withSample(async ({ file, config }) => {
    const { status } = await flosensor(["replay", file, ...OWN_NETWORKS, "-c", config]);
    assert.equal(status, 0);
    await assertSample(server, 77, "-n", "3");
  }, config);
});

redisTest("--redis overrides the configuration's, which need not be there", async (server) => {
  const config = `import { defineConfig } from "flosensor/config";
export default defineConfig({ redis: "redis://127.0.0.1:1" });\n`;
  await withSample(async ({ file, config }) => {
    const args = ["replay", file, ...OWN_NETWORKS, "--redis", server.url, "-c", config];
    assert.equal((await flosensor(args)).status, 0);
    await assertSample(server, TTL);
  }, config);
});

redisTest("--no-redis turns the configuration's off", async (server) => {
  const config = `import { defineConfig } from "flosensor/config";
export default defineConfig({ redis: "${server.url}" });\n`;
  await withSample(async ({ file, config }) => {
    const args = ["replay", file, ...OWN_NETWORKS, "--no-redis", "--json", "-c", config];
    const { status, stdout } = await flosensor(args, { permissions: READ_ONLY });
    assert.equal(status, 0);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
    assert.equal(await server.cli("DBSIZE"), "0");
  }, config);
});

redisTest(
  "replay writes JSON lines beside Redis, and needs net for its address only",
  async (server) => {
    await withSample(async ({ file, config }) => {
      const args = ["replay", file, ...OWN_NETWORKS, "--redis", server.url, "--json", "-c", config];
      const permissions = [...READ_ONLY, `--allow-net=127.0.0.1:${server.port}`];
      const { status, stdout, stderr } = await flosensor(args, { permissions });
      assert.equal(status, 0, stderr);
      assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
      await assertSample(server, TTL);
    });
  },
);

redisTest("a Redis that refuses us ends a replay in one line", async (server) => {
  await withSample(async ({ file, config }) => {
    const url = server.url.replace("//", "//user:wrong@");
    const { status, stderr } = await flosensor(["replay", file, "--redis", url, "-c", config]);
    assert.equal(status, 1);
    const errors = stderr.split("\n").filter((line) => line.includes("error: "));
    assert.equal(errors.length, 1, stderr);
    assert.match(errors[0], /refuses us \(.*\): mend user, password or database in --redis$/);
    assert.doesNotMatch(stderr, /wrong@/);
  });
});

redisTest(
  "a Redis that is replaced by one that refuses ends a replay, exit status 1",
  async (server) => {
    await withSample(async ({ config }) => {
      const args = ["replay", "-", ...OWN_NETWORKS, "--redis", server.url, "-c", config];
      await using program = new RunningProgram(args);
      await program.feed(SAMPLE_CAPTURE.subarray(0, SAMPLE_CAPTURE.length - 10));
      for (;;) if (await server.cli("DBSIZE") !== "0") break;
      await server.cli("CONFIG", "SET", "requirepass", "changed");
      await server.cli("-a", "changed", "--no-auth-warning", "CLIENT", "KILL", "TYPE", "normal");
      const { status, stderr } = await program.ended;
      assert.equal(status, 1);
      const errors = stderr.split("\n").filter((line) => line.includes("error: "));
      assert.equal(errors.length, 1, stderr);
      assert.match(errors[0], /can't be written to \(NOAUTH/);
    });
  },
);

function redisTest(name: string, fn: (server: RedisServer) => Promise<void>): void {
  Deno.test({
    name: name + NO_REDIS_SERVER,
    ignore: !HAS_REDIS_SERVER,
    fn: async () => {
      await using server = await RedisServer.start();
      await fn(server);
    },
  });
}

async function assertSample(server: RedisServer, ttl: number, ...options: string[]): Promise<void> {
  const keys = await server.dump(...options);
  assert.deepEqual([...keys.keys()].sort(), SAMPLE_KEYS);
  for (const [key, value] of keys) {
    assert.match(value, /^[1-9]\d*$/);
    const left = Number(await server.cli(...options, "TTL", key));
    assert.ok(left > 0 && left <= ttl, `${key} has ${left} s left`);
  }
}

/** Enough text that no pipe holds all of it. */
function manyConversations(count: number): Uint8Array {
  const packets = [];
  for (let i = 0; i < count; i++) {
    packets.push(connection(`10.1.${i >> 8}.${i & 255}`, 50_000, "198.51.100.1", 443)[3]);
  }
  return capture(packets);
}

Deno.test("replay of a long file gives the keys and counts of the same capture from standard input", () =>
  withSample(async ({ directory, config }) => {
    const path = join(directory, "long.pcap");
    // So long that a thread of its own decodes it.
    const payload = "a payload ".repeat(140);
    const packets = Array.from({ length: 13_000 }, (_, i) => ({
      packet: ethernet(
        ipUdp(`10.1.${i % 3}.${i % 250}`, "198.51.100.2", udp(40_000 + i, 443, payload)),
      ),
      seconds: 1_700_000_000 + Math.floor(i / 1000),
    }));
    const long = pcap(packets);
    assert.ok(long.length > 16 * 1024 * 1024);
    await Deno.writeFile(path, long);
    const options = [...OWN_NETWORKS, "--json", "-c", config];
    const [file, pipe] = await Promise.all([
      flosensor(["replay", path, ...options]),
      flosensor(["replay", "-", ...options], { stdin: long }),
    ]);
    assert.equal(file.status, 0, file.stderr);
    assert.deepEqual(keysOfLines(file.stdout), keysOfLines(pipe.stdout));
    assert.match(file.stderr, /packets: 13000 received.* 13000 decoded/);
    assert.equal(file.stderr, pipe.stderr);

    await Deno.writeFile(path, long.subarray(0, long.length - 7));
    const cut = await flosensor(["replay", path, ...options]);
    assert.equal(cut.status, 1);
    assert.match(cut.stderr, /^flosensor: .*long\.pcap: is cut off: the record at byte \d+/m);
    assert.match(cut.stderr, /packets: 12999 received/);
  }));
