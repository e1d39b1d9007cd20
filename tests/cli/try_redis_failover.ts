/**
 * Tries a capture of new flows while a master of a Redis Cluster is killed and slots are moved, and while
 * Sentinels make a replica the master, and prints what was seen: `deno task failovers`.
 *
 *     deno task failovers [cluster|sentinel]... [--seconds=120] [--flows=20000]
 *
 * Servers, Sentinels and the sensor are in a namespace of their own, where this runs once more.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { RedisConnection } from "../../src/sink/redis_connection.ts";
import { OwnSockets } from "../../src/sink/own_sockets.ts";
import { parseRedisUrl } from "../../src/sink/redis_url.ts";
import { withNamespaces } from "../namespaces.ts";
import { RedisClusterServers } from "../redis_cluster_servers.ts";
import { RedisSentinelServers } from "../redis_sentinel_servers.ts";
import type { RedisServer } from "../redis_server.ts";
import { refuseWords, taskWords } from "../task_words.ts";
import { CLIENTS, KEYS_PER_FLOW, NewFlows } from "./new_flows.ts";
import { RunningProgram } from "./program.ts";
import { withSample } from "./sample_capture.ts";

/** What is tried. */
interface Trial extends AsyncDisposable {
  readonly url: string;
  /** Does what it is about, some seconds after flows begin to come. */
  readonly disturb: (seconds: number) => Promise<void>;
  readonly masters: () => Promise<readonly RedisServer[]>;
}

/** The option of the run in the namespace: a configuration. */
const INSIDE = "inside";
const SECONDS = 120;
const FLOWS = 20_000;
const SLOTS = 100;
/** How long a server is down. */
const DOWN = 20_000;
const SCAN_COUNT = "5000";
const KINDS = { cluster: clusterTrial, sentinel: sentinelTrial };

const USAGE = `deno task failovers [cluster|sentinel]... [--seconds=${SECONDS}] [--flows=${FLOWS}]`;
const { values, positionals } = taskWords(USAGE, {
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: String(SECONDS) },
    flows: { type: "string", default: String(FLOWS) },
    [INSIDE]: { type: "string" },
  },
});
const [seconds, flows] = [Number(values.seconds), Number(values.flows)];
if (!(seconds > 0 && flows > 0)) refuseWords(USAGE, "--seconds and --flows take a number");
const unknown = positionals.find((it) => !Object.hasOwn(KINDS, it));
if (unknown !== undefined) refuseWords(USAGE, `"${unknown}" can't be tried`);
const named = positionals as (keyof typeof KINDS)[];

if (values[INSIDE] !== undefined) await runInside(named[0], values[INSIDE]);
else {
  for (const kind of named.length > 0 ? named : Object.keys(KINDS)) await runOutside(kind);
}

async function runOutside(kind: string): Promise<void> {
  await withNamespaces((pair) =>
    withSample(async ({ directory, config }) => {
      const inside = pair.command(Deno.execPath(), [
        ...["run", "--quiet", "--lock=tools/deno.lock", "--allow-all"],
        ...[fileURLToPath(import.meta.url), kind, `--${INSIDE}=${config}`],
        ...[`--seconds=${seconds}`, `--flows=${flows}`],
      ], { stdin: "piped", stdout: "piped" }).spawn();
      const writer = inside.stdin.getWriter();
      const reader = inside.stdout.pipeThrough(new TextDecoderStream()).getReader();
      // It is ready.
      await reader.read();
      const sent = await NewFlows.start(pair, directory, seconds * flows, flows);
      await writer.write(new TextEncoder().encode("\n"));
      await sent.ended;
      await writer.close();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        console.log(value.trimEnd());
      }
      assert.equal((await inside.status).code, 0);
    })
  );
}

async function runInside(kind: keyof typeof KINDS, config: string): Promise<void> {
  await using trial = await KINDS[kind]();
  const args = ["capture", "veth0", CLIENTS, "--redis", trial.url, "--stats", "1", "-c", config];
  await using program = new RunningProgram([...args, "--buffer", "256"]);
  await program.says("capturing on");
  console.log("ready");
  const input = Deno.stdin.readable.getReader();
  await input.read();
  await trial.disturb(seconds);
  while (!(await input.read()).done);
  const total = seconds * flows;
  let there = 0;
  let twice = 0;
  for (let tries = 0; tries < 120; tries++) {
    const sizes = await Promise.all((await trial.masters()).map((it) => it.cli("DBSIZE")));
    there = sizes.reduce((sum, size) => sum + Number(size), 0);
    if (there >= total * KEYS_PER_FLOW + 1) break;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  there = 0;
  for (const master of await trial.masters()) {
    const [keys, more] = await countKeys(master);
    there += keys;
    twice += more;
  }
  const lines = stderr.split("\n");
  const queued = lines.flatMap((line) => /(\d+) queued/.exec(line)?.[1] ?? []).map(Number);
  const said = lines.filter((line) => / Redis at /.test(line));
  const seen = / (\d+) dropped by kernel/.exec(lines.findLast((it) => it.includes("dropped"))!)!;
  console.log(
    `${kind}: ${total * KEYS_PER_FLOW} keys of ${total} flows, ${flows} a second: ${there} are ` +
      `there, ${twice} twice; ${seen[1]} packets dropped by the kernel; at most ` +
      `${Math.max(0, ...queued)} queued; exit status ${status}`,
  );
  console.log(said.join("\n"));
  // What runs here is ended before.
  Deno.exitCode = there === total * KEYS_PER_FLOW && status === 0 ? 0 : 1;
}

async function clusterTrial(): Promise<Trial> {
  const cluster = await RedisClusterServers.start(3, ["--cluster-node-timeout", "2000"]);
  const disturb = async (seconds: number) => {
    const [one, two, three] = await cluster.masters();
    await sleep(seconds * 250);
    await two.halt();
    await sleep(Math.min(DOWN, seconds * 250));
    await two.run();
    await sleep(Math.min(DOWN, seconds * 250));
    await one.cli(
      ...["--cluster", "reshard", `127.0.0.1:${one.port}`, "--cluster-yes"],
      ...["--cluster-from", await one.cli("CLUSTER", "MYID")],
      ...["--cluster-to", await three.cli("CLUSTER", "MYID"), "--cluster-slots", `${SLOTS}`],
    );
  };
  return {
    url: cluster.url,
    disturb,
    masters: () => cluster.masters(),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

async function sentinelTrial(): Promise<Trial> {
  const servers = await RedisSentinelServers.start();
  const disturb = async (seconds: number) => {
    await sleep(seconds * 250);
    await servers.master.halt();
    await sleep(Math.min(DOWN, seconds * 250));
    await servers.master.run();
  };
  return {
    url: servers.url(),
    disturb,
    masters: () => Promise.resolve([servers.replica]),
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}

/** Counts keys of flows, and those that were written more than once. */
async function countKeys(server: RedisServer): Promise<[keys: number, twice: number]> {
  const address = parseRedisUrl(server.url, "trial");
  const redis = await RedisConnection.open(address, new OwnSockets(), new AbortController().signal);
  const found = new Set<string>();
  let twice = 0;
  let cursor = "0";
  do {
    const [next, keys] = await redis.call(["SCAN", cursor, "COUNT", SCAN_COUNT]) as [
      string,
      string[],
    ];
    cursor = next;
    const wanted = keys.filter((it) => !it.startsWith("sensor;") && !found.has(it));
    for (const key of wanted) found.add(key);
    const values = await redis.pipeline(wanted.map((key) => ["GET", key]));
    twice += values.filter((it) => Number(it) > 1).length;
  } while (cursor !== "0");
  redis.destroy();
  return [found.size, twice];
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
