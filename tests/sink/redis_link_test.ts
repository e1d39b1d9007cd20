/** Links to Redis that are slow, are cut again and again, or are dead without a word. */
import assert from "node:assert/strict";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { FaultyLink, type LinkFault } from "../faulty_link.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { until } from "./redis_sink_waits.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };

function linkTest(
  name: string,
  test: (server: RedisServer, link: FaultyLink, sink: RedisSink, log: MemoryLog) => Promise<void>,
): void {
  Deno.test({
    name: name + NO_REDIS_SERVER,
    ignore: !HAS_REDIS_SERVER,
    fn: async () => {
      await using server = await RedisServer.start();
      await using link = await FaultyLink.start(0, server.port);
      const log = new MemoryLog();
      const sink = await RedisSink.connect(`redis://127.0.0.1:${link.port}`, CAPTURE, log);
      await test(server, link, sink, log);
    },
  });
}

/** Writes keys while the link is as it is told, and waits until they are there. */
async function writeThrough(
  server: RedisServer,
  link: FaultyLink,
  sink: RedisSink,
  fault: LinkFault,
  keys: number,
): Promise<void> {
  link.become(fault);
  sink.write(clients(keys));
  while (sink.pending > 0) {
    await sink.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(await server.cli("DBSIZE"), String(keys));
  assert.equal(sink.written, keys);
  assert.equal(sink.lost, 0);
}

linkTest(
  "RedisSink gets keys through a link that is cut before a call of 1,000 keys is through, and says so once",
  async (server, link, sink, log) => {
    await writeThrough(server, link, sink, { cutAfter: 12_000 }, 3_000);
    await sink.close();
    assert.equal(log.lines.length, 2, log.lines.join("\n"));
    assert.match(log.lines[0], /^warn: .* is away \(.*\): keys are kept/);
    assert.match(log.lines[1], /^info: .* is back after \d+ s: writing the \d+ keys that waited/);
  },
);

linkTest(
  "RedisSink gets each key once through a link on which a flush takes longer than an answer may",
  async (server, link, sink, log) => {
    // Four calls of 1,000 keys, of 25 bytes or more each.
    await writeThrough(server, link, sink, { bytesPerSecond: 9_000 }, 4_000);
    await sink.close();
    assert.deepEqual(log.lines, []);
    assert.deepEqual(new Set((await server.dump()).values()), new Set(["1"]));
  },
);

linkTest("RedisSink leaves a link that is dead without a word", async (server, link, sink, log) => {
  link.become({ isDead: true });
  sink.write(clients(1_000));
  await sink.flush();
  await until(() => sink.isAway);
  link.become({});
  await until(() => !sink.isAway && sink.pending === 0);
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "1000");
  assert.match(log.lines[0], /^warn: .* is away \(no answer within 10 s\): keys are kept/);
});
