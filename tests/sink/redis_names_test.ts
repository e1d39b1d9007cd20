import assert from "node:assert/strict";
import type { NameWrite } from "../../src/dns/name_write.ts";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };
const KEY = "10.0.0.7;192.0.2.1;dns";
const NX = "10.0.0.7;nothing.example.;nx";

/** Servers to write to: where the script runs, and where it may not, so that transactions are used. */
const WAYS: Record<string, string[]> = {
  "by a script": [],
  "by transactions": ["--rename-command", "EVAL", "", "--rename-command", "EVALSHA", ""],
};

function redisTest(name: string, fn: (server: RedisServer) => Promise<void>): void {
  for (const [way, options] of Object.entries(WAYS)) {
    Deno.test({
      name: `${name}, ${way}${NO_REDIS_SERVER}`,
      ignore: !HAS_REDIS_SERVER,
      fn: async () => {
        await using server = await RedisServer.start(options);
        await fn(server);
      },
    });
  }
}

function named(...names: string[]): NameWrite[] {
  return names.map((name) => ({ key: KEY, name }));
}

redisTest("RedisSink appends each name once and renews the time to live", async (server) => {
  const sink = await RedisSink.connect(server.url, CAPTURE, new MemoryLog());
  sink.writeNames(named("a.example.", "b.example.", "a.example."));
  sink.writeNames([{ key: NX, name: null }, { key: NX, name: null }]);
  assert.equal(sink.pending, 5);
  assert.equal(sink.pendingKeys, 3);
  await sink.flush();
  assert.equal(sink.pending, 0);
  assert.equal(await server.cli("GET", KEY), ";a.example.;;b.example.;");
  assert.equal(await server.cli("GET", NX), "2");
  await server.cli("EXPIRE", KEY, "5");
  // A name that is the end of another is another one.
  sink.writeNames(named("b.example.", "example.", "a.example."));
  await sink.close();
  assert.equal(await server.cli("GET", KEY), ";a.example.;;b.example.;;example.;");
  assert.ok(Number(await server.cli("TTL", KEY)) > 890);
  assert.equal(sink.lost, 0);
});

redisTest(
  "RedisSinks that write the same names at the same time write each once",
  async (server) => {
    const sinks = await Promise.all(
      Array.from({ length: 4 }, () => RedisSink.connect(server.url, CAPTURE, new MemoryLog())),
    );
    const names = Array.from({ length: 40 }, (_, i) => `name${i}.example.`);
    for (const name of names) {
      for (const sink of sinks) sink.writeNames(named(name));
      await Promise.all(sinks.map((sink) => sink.flush()));
    }
    await Promise.all(sinks.map((sink) => sink.close()));
    const there = (await server.cli("GET", KEY)).split(";").filter((name) => name !== "");
    assert.deepEqual(there.sort(), names.sort());
  },
);

redisTest("RedisSink leaves out a key that holds something else, and no other", async (server) => {
  await server.cli("LPUSH", KEY, "a list");
  const log = new MemoryLog();
  const sink = await RedisSink.connect(server.url, CAPTURE, log);
  sink.writeNames([...named("a.example."), {
    key: "10.0.0.7;b.example.;cname",
    name: "c.example.",
  }]);
  sink.write(clients(1));
  await sink.flush();
  assert.equal(await server.cli("GET", "10.0.0.7;b.example.;cname"), ";c.example.;");
  assert.equal(sink.lost, 1);
  assert.ok(
    log.lines.some((line) => line.includes(`refuses the key ${KEY} (WRONGTYPE`)),
    `${log.lines}`,
  );
  await assert.rejects(sink.close(), /1 observations were lost/);
});

redisTest("RedisSink lets no value grow without end, and renews what is full", async (server) => {
  const sink = await RedisSink.connect(server.url, CAPTURE, new MemoryLog());
  for (let i = 0; i < 6; i++) {
    const names = Array.from({ length: 1000 }, (_, j) => `tunnel-${i}-${j}-0123456789.example.`);
    sink.writeNames(named(...names));
    await sink.flush();
  }
  const length = Number(await server.cli("STRLEN", KEY));
  assert.ok(length <= 65_536 && length > 65_000, String(length));
  await server.cli("EXPIRE", KEY, "5");
  sink.writeNames(named("one-more.example."));
  await sink.close();
  assert.equal(Number(await server.cli("STRLEN", KEY)), length);
  assert.ok(Number(await server.cli("TTL", KEY)) > 890);
});

Deno.test({
  name: `RedisSink keeps names while Redis is away, each once${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    const sink = await RedisSink.connect(
      server.url,
      { ...CAPTURE, maxPendingKeys: 20 },
      new MemoryLog(),
    );
    await server.halt();
    sink.writeNames(named(...Array.from({ length: 6 }, (_, i) => `name${i}.example.`)));
    sink.writeNames(named("name5.example.", "name5.example."));
    // Room for four: the oldest two made room.
    assert.equal(sink.pendingKeys, 4);
    assert.equal(sink.pending, 6);
    assert.equal(sink.lost, 2);
    await server.run();
    await assert.rejects(sink.close(), /2 observations were lost/);
    const value = [2, 3, 4, 5].map((i) => `;name${i}.example.;`).join("");
    assert.equal(await server.cli("GET", KEY), value);
  },
});
