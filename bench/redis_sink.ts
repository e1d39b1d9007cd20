/**
 * Key updates a second through the real Redis sink, beside redis-benchmark on the same server.
 *
 * A key update is INCR and EXPIRE. redis-benchmark sends commands of one kind, 1,000 at a time: the
 * INCR of one key, which is the most that the server takes, and INCR and EXPIRE of as many keys as
 * the sink writes. What these two take together for a key is what the server needs for an update.
 *
 * With `cluster` it is a Redis Cluster of three masters and three replicas, without redis-benchmark.
 *
 *     deno run --allow-all bench/redis_sink.ts [keys] [cluster]
 */
import {
  KIND_CLIENT,
  KIND_FLOW,
  KIND_PEER,
  OBSERVATION_WORDS,
  ObservationBatch,
  WORD_A,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
} from "../src/model/observation_batch.ts";
import { LineLog } from "../src/log.ts";
import { RedisSink } from "../src/sink/redis_sink.ts";
import { RedisClusterServers } from "../tests/redis_cluster_servers.ts";
import { RedisServer } from "../tests/redis_server.ts";

const DEFAULT_KEYS = 200_000;
const ROUNDS = 5;
const BATCH = 4096;
/** As a replay does it: the sink is flushed whenever this much is pending. */
const LARGE_PENDING = 50_000;
const BENCHMARK_COMMANDS = 1_000_000;
/** Of the first million commands on keys chosen by chance out of so many, half meet a new one. */
const KEYS_OF_BENCHMARK = "800000";
const KEY_OF_BENCHMARK = "10.0.0.1;192.168.0.1;443:__rand_int__;flow";
const NAME_WIDTH = 50;

const keys = Number(Deno.args[0] ?? DEFAULT_KEYS);
const isCluster = Deno.args.includes("cluster");
await using cluster = isCluster ? await RedisClusterServers.start(3) : null;
await using server = await RedisServer.start();
const sink = await RedisSink.connect(
  cluster?.url ?? server.url,
  { ttl: 900, mode: "replay" },
  new LineLog("warn"),
);
const rows: Record<string, number[]> = {
  "new keys": [],
  "known keys": [],
  ...isCluster ? {} : {
    "redis-benchmark, INCR and EXPIRE of new keys": [],
    "redis-benchmark, INCR and EXPIRE of known keys": [],
    "redis-benchmark, INCR of one key": [],
  },
};
for (let round = 0; round < ROUNDS; round++) {
  for (const it of await cluster?.masters() ?? [server]) await it.flush();
  rows["new keys"].push(await updatesPerSecond());
  rows["known keys"].push(await updatesPerSecond());
  if (isCluster) continue;
  await server.flush();
  for (const keys of ["new keys", "known keys"]) {
    const increments = await benchmarkRate(["-r", KEYS_OF_BENCHMARK, "incr", KEY_OF_BENCHMARK]);
    const expiries = await benchmarkRate(
      ["-r", KEYS_OF_BENCHMARK, "expire", KEY_OF_BENCHMARK, "900"],
    );
    rows[`redis-benchmark, INCR and EXPIRE of ${keys}`].push(1 / (1 / increments + 1 / expiries));
  }
  rows["redis-benchmark, INCR of one key"].push(await benchmarkRate(["incr", "key"]));
}
await sink.close();
for (const [name, rates] of Object.entries(rows)) {
  const rate = Math.round(median(rates)).toLocaleString("en").padStart(12);
  console.log(`${name.padEnd(NAME_WIDTH)}${rate} a second`);
}

/** Writes each key once, in the mix that conversations give: a client, a flow, two peers. */
async function updatesPerSecond(): Promise<number> {
  const batch = new ObservationBatch(BATCH);
  const begin = performance.now();
  for (let i = 0; i < keys;) {
    for (batch.clear(); i < keys && !batch.isFull; i++) addObservation(batch, i);
    sink.write(batch);
    if (sink.pending >= LARGE_PENDING) await sink.flush();
  }
  await sink.flush();
  return keys / (performance.now() - begin) * 1000;
}

function addObservation(batch: ObservationBatch, i: number): void {
  const { words } = batch;
  const at = batch.count++ * OBSERVATION_WORDS;
  const conversation = i >>> 2;
  const [client, server] = [0x0a000000 + conversation, 0xc0a80000 + (conversation * 31 & 0xffff)];
  const part = i & 3;
  words[at + WORD_KIND] = part === 0 ? KIND_CLIENT : part === 1 ? KIND_FLOW : KIND_PEER;
  words[at + WORD_A + 3] = part === 3 ? server : client;
  words[at + WORD_B + 3] = part === 0 ? 0 : part === 3 ? client : server;
  words[at + WORD_PORTS] = part === 1 ? 1 + conversation % 50_000 : 0;
}

/** Commands a second. @param command The command, and options before it. */
async function benchmarkRate(command: string[]): Promise<number> {
  const { stdout } = await new Deno.Command("redis-benchmark", {
    args: ["-p", String(server.port), "-P", "1000", "-n", String(BENCHMARK_COMMANDS), "--csv"]
      .concat(command),
  }).output();
  // A line of headings, then "name","rate", ...
  const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  return Number(line.split('","')[1]);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
