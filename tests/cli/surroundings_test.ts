/** What a capture bears around it: interfaces, namespaces and clocks that change, being stopped. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connection, keysOfFlow } from "../conversations.ts";
import { FAKE_CLOCK_PATHS } from "../fake_clock.ts";
import { type NamespacePair, run, until } from "../namespaces.ts";
import { captureTest, IMPORT, redisTest, type Setting, startCapture } from "./capture_setting.ts";
import { RunningProgram } from "./program.ts";
import type { RedisInNamespace } from "./redis_in_namespace.ts";
import { capture, OWN_NETWORKS, SAMPLE_KEYS } from "./sample_capture.ts";

const SOON = `${IMPORT}export default defineConfig({ flushInterval: 0.2 });\n`;
const SERVER = "198.51.100.1";

/** Sends a connection of a client until its flow is written. */
async function isSeen(
  { pair, directory }: Setting,
  redis: RedisInNamespace,
  client: string,
): Promise<void> {
  const file = join(directory, `${client}.pcap`);
  await Deno.writeFile(file, capture(connection(client, 50_000, SERVER, 443)));
  const wanted = keysOfFlow(client, SERVER, 443);
  await until(async () => {
    await pair.replay(file);
    const keys = await redis.keys();
    return wanted.every((key) => keys.includes(key));
  });
}

/** Ends a capture, in which nothing may have gone wrong. */
async function endsWell(program: RunningProgram): Promise<string> {
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /error|lost/);
  return stderr;
}

for (const source of ["libpcap", "af_packet"]) {
  redisTest(
    `an interface that is renamed, comes back, is removed and made again: ${source}`,
    async (setting, redis) => {
      const { pair } = setting;
      await using program = await startCapture(setting, [
        ...["veth0", ...OWN_NETWORKS, "--redis", redis.url, "--source", source],
      ]);
      await isSeen(setting, redis, "10.1.0.1");
      await rename(pair, "veth0", "other0");
      // It is looked at once a second, and may only be down then.
      await program.says("capture waits for it to come back");
      await rename(pair, "other0", "veth0");
      await program.says("veth0 is up: capture goes on");
      await isSeen(setting, redis, "10.1.0.2");
      await pair.removeVeth();
      await program.says("capture waits for it to come back", 2);
      await pair.addVeth();
      await program.says("veth0 is up: capture goes on", 2);
      await isSeen(setting, redis, "10.1.0.3");
      const stderr = await endsWell(program);
      assert.equal(stderr.match(/warning: /g)!.length, 2, stderr);
    },
    SOON,
  );
}

async function rename(pair: NamespacePair, from: string, to: string): Promise<void> {
  await pair.ip("link", "set", "dev", from, "down");
  await pair.ip("link", "set", "dev", from, "name", to);
  await pair.ip("link", "set", "dev", to, "up");
}

redisTest(
  "a namespace that goes, with the other end of the interface, loses nothing",
  async (setting, redis) => {
    const { pair, file } = setting;
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--redis", redis.url],
    ]);
    await pair.replay(file);
    await run("ip", "netns", "del", pair.sender);
    await program.says("veth0 has vanished: capture waits for it to come back");
    await redis.has(...SAMPLE_KEYS);
    // Nobody can find the sensor's own any more; who is in it stays.
    await run("ip", "netns", "del", pair.sensor);
    assert.deepEqual(await redis.keys(), SAMPLE_KEYS);
    await endsWell(program);
  },
  SOON,
);

const FAKE_CLOCK = FAKE_CLOCK_PATHS.find((path) => existsSync(path));

redisTest(
  "a clock that is set back an hour, then on by two days, stops no key" +
    (FAKE_CLOCK ? "" : " (skipped: libfaketime is not installed)"),
  async (setting, redis) => {
    if (FAKE_CLOCK === undefined) return;
    const { pair, config, directory } = setting;
    const clock = join(directory, "clock");
    // In one step, as the program reads it whenever it asks for the time.
    const set = async (time: string) => {
      await Deno.writeTextFile(`${clock}.new`, `${time}\n`);
      await Deno.rename(`${clock}.new`, clock);
    };
    await set("+0");
    await using program = new RunningProgram(
      ["capture", "veth0", ...OWN_NETWORKS, "--redis", redis.url, "-c", config],
      {
        command: (name, parameters, { env, ...options }) =>
          pair.command(name, parameters, {
            ...options,
            env: {
              ...env,
              LD_PRELOAD: FAKE_CLOCK,
              FAKETIME_TIMESTAMP_FILE: clock,
              FAKETIME_NO_CACHE: "1",
              // As when the machine's clock is set: what counts from its start goes on.
              DONT_FAKE_MONOTONIC: "1",
            },
          }),
      },
    );
    await program.says("capturing on");
    const observations = async () => Number(await redis.cli("GET", `client;10.1.0.1`));
    await isSeen(setting, redis, "10.1.0.1");
    const first = await observations();
    for (const [time, client] of [["-1h", "10.1.0.2"], ["+2d", "10.1.0.3"], ["+0", "10.1.0.4"]]) {
      const before = await observations();
      await set(time);
      await isSeen(setting, redis, client);
      // After a leap all keys are free again, and no later than in a new process.
      await until(async () => {
        await isSeen(setting, redis, "10.1.0.1");
        return await observations() > before;
      });
    }
    assert.ok(await observations() > first);
    await endsWell(program);
  },
  SOON,
);

redisTest("a capture that is stopped and goes on takes what comes then", async (setting, redis) => {
  await using program = await startCapture(setting, [
    ...["veth0", ...OWN_NETWORKS, "--redis", redis.url],
  ]);
  await isSeen(setting, redis, "10.1.0.1");
  program.signal("SIGSTOP");
  await until(async () => (await stateOf(program)) === "T");
  // What the kernel keeps meanwhile is there when it goes on.
  await setting.pair.replay(setting.file);
  // Longer than a Redis may take to answer.
  await new Promise((resolve) => setTimeout(resolve, STOPPED));
  program.signal("SIGCONT");
  await redis.has(...SAMPLE_KEYS);
  await isSeen(setting, redis, "10.1.0.2");
  assert.doesNotMatch(await endsWell(program), /warning/);
}, SOON);

/** Milliseconds; minutes are tried with another number in `FLOSENSOR_TEST_STOPPED`. */
const STOPPED = Number(Deno.env.get("FLOSENSOR_TEST_STOPPED") ?? 12_000);

/** The state of a process, proc_pid_stat(5). */
async function stateOf({ pid }: RunningProgram): Promise<string> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
}

redisTest(
  "a storm of signals has the configuration loaded again, and then all written once",
  async (setting, redis) => {
    const { pair, file } = setting;
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--redis", redis.url],
    ]);
    await pair.replay(file);
    for (let i = 0; i < 500; i++) program.signal("SIGHUP");
    await program.says("configuration: ", 2);
    for (let i = 0; i < 500; i++) program.signal(i % 2 === 0 ? "SIGTERM" : "SIGINT");
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(await redis.keys(), SAMPLE_KEYS);
    assert.equal(await redis.cli("GET", "client;10.1.0.1"), "1");
    assert.doesNotMatch(stderr, /error|warning/);
  },
  // Nothing is written before the end.
  SOON.replace("0.2", "3600"),
);

captureTest("signals while it starts end it, and leave nothing behind", async (setting) => {
  const { pair, config } = setting;
  for (const delay of [0, 50, 150, 300, 500]) {
    await using program = new RunningProgram(
      ["capture", "veth0", ...OWN_NETWORKS, "-c", config, "--json"],
      { command: (name, parameters, options) => pair.command(name, parameters, options) },
    );
    await new Promise((resolve) => setTimeout(resolve, delay));
    program.signal("SIGTERM");
    const { status, stderr } = await program.ended;
    // Before there is anything to be brought to an end, the signal itself is what ended it.
    assert.ok(status === 0 || status === 143, stderr);
    assert.doesNotMatch(stderr, /error|defect|panic/);
  }
});

/** What a user sees of code that has no end, as it is loaded, and as it is asked about a flow. */
const ENDLESS = {
  "as config.ts is loaded": ["export default defineConfig({});", "for (;;);\n"],
  "in a rule": [
    "export default defineConfig({});",
    "export default defineConfig({ flushInterval: 0.1, flows: [[null, null, () => { for (;;); }]] });\n",
  ],
};

for (const [where, [before, after]] of Object.entries(ENDLESS)) {
  for (const workers of where === "in a rule" ? ["1", "2"] : ["1"]) {
    captureTest(
      `code without an end ${where} is one line: --workers ${workers}`,
      async (setting) => {
        const { pair, config, file } = setting;
        await Deno.writeTextFile(config, `${IMPORT}${before}\n`);
        await using program = await startCapture(setting, [
          ...["veth0", ...OWN_NETWORKS, "--no-redis", "--json", "--workers", workers],
        ]);
        await Deno.writeTextFile(config, `${IMPORT}${after}`);
        program.signal("SIGHUP");
        if (where === "in a rule") await program.says("configuration: ", 2);
        await pair.replay(file);
        await program.says(
          `flosensor: warning: ${config}: for 10 s of processor time nothing else has run: a function ` +
            "of it, or what stands outside of its functions, does not end; flosensor ends if that " +
            "goes on to 30 s\n",
        );
      },
    );
  }
}
