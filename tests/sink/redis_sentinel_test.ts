/** Redis behind Sentinels: real ones, and failovers of theirs. */
import assert from "node:assert/strict";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients } from "../observations.ts";
import { RedisSentinelServers } from "../redis_sentinel_servers.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER } from "../redis_server.ts";
import { refusal, until } from "./redis_sink_waits.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };
const REPLAY: RedisSinkOptions = { ttl: 900, mode: "replay" };

function sentinelTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + NO_REDIS_SERVER, ignore: !HAS_REDIS_SERVER, fn });
}

sentinelTest(
  "RedisSink writes to the Redis that Sentinels name, and to the next one after a failover",
  async () => {
    await using servers = await RedisSentinelServers.start();
    const log = new MemoryLog();
    const sink = await RedisSink.connect(servers.url(), CAPTURE, log);
    let written = 0;
    const write = () => {
      sink.write(clients(500, written));
      written += 500;
      return sink.flush();
    };
    await write();
    assert.equal(await servers.master.cli("DBSIZE"), "500");
    await servers.master.halt();
    await until(async () => {
      await write();
      return log.lines.length > 0 && !sink.isAway;
    });
    await write();
    await sink.close();
    assert.equal(sink.lost, 0);
    assert.equal(await servers.replica.cli("DBSIZE"), String(written));
    assert.equal(log.lines.length, 2, log.lines.join("\n"));
    assert.match(log.lines[0], /^warn: Redis at redis-sentinel:\S+\/flows is away \(/);
    assert.match(log.lines[1], /^info: Redis at redis-sentinel:\S+\/flows is back after /);
  },
);

for (const options of [CAPTURE, REPLAY]) {
  sentinelTest(
    `RedisSink follows a failover without a server that ends, in a ${options.mode}`,
    async () => {
      await using servers = await RedisSentinelServers.start();
      const log = new MemoryLog();
      const sink = await RedisSink.connect(servers.url(), options, log);
      let written = 0;
      await until(async () => {
        if (written === 5_000) {
          await servers.sentinel(servers.ports[1], "SENTINEL", "FAILOVER", "flows");
        }
        sink.write(clients(500, written));
        written += 500;
        await sink.flush();
        return written > 5_000 && (await servers.replica.cli("ROLE")).startsWith("master") &&
          log.lines.length > 0 && sink.pending === 0;
      });
      await sink.close();
      assert.equal(await servers.replica.cli("DBSIZE"), String(written));
      assert.equal(log.lines.length, 2, log.lines.join("\n"));
    },
  );
}

sentinelTest(
  "RedisSink knows the Redis of a Sentinel by the URL of a server, where that is all it watches",
  async () => {
    await using servers = await RedisSentinelServers.start();
    const [port] = servers.ports;
    const url = `redis://127.0.0.1:${port}/2`;
    const sink = await RedisSink.connect(url, REPLAY, new MemoryLog());
    sink.write(clients(10));
    await sink.close();
    assert.equal(await servers.master.cli("-n", "2", "DBSIZE"), "10");
    await servers.sentinel(port, "SENTINEL", "MONITOR", "other", "127.0.0.1", "1", "1");
    assert.match(
      await refusal(RedisSink.connect(url, REPLAY, new MemoryLog())),
      /: it is a Sentinel, and watches (flows, other|other, flows): name one, redis-sentinel:\/\/host\/name$/,
    );
    assert.match(
      await refusal(RedisSink.connect(servers.url("", "flow"), CAPTURE, new MemoryLog())),
      /: its Sentinels watch no Redis of the name flow: they watch (flows, other|other, flows)$/,
    );
  },
);

sentinelTest(
  "RedisSink logs in to a Redis whose Sentinels have no password, and asks those that are there",
  async () => {
    await using servers = await RedisSentinelServers.start("pw");
    const url = servers.url(":pw@").replace("@", "@127.0.0.1:1,");
    const sink = await RedisSink.connect(url, REPLAY, new MemoryLog());
    sink.write(clients(10));
    await sink.close();
    assert.equal(await servers.master.cli("-a", "pw", "--no-auth-warning", "DBSIZE"), "10");
    for (const port of servers.ports) {
      await servers.sentinel(port, "CONFIG", "SET", "requirepass", "pw");
      await servers.sentinel(port, "ACL", "SETUSER", "default", "on", ">pw", "resetpass", ">pw");
    }
    const again = await RedisSink.connect(url, REPLAY, new MemoryLog());
    again.write(clients(20));
    await again.close();
    assert.equal(await servers.master.cli("-a", "pw", "--no-auth-warning", "DBSIZE"), "20");
  },
);

sentinelTest("RedisSink says which Sentinels do not answer", async () => {
  const url = "redis-sentinel://127.0.0.1:1,127.0.0.1:2/flows";
  assert.equal(
    await refusal(RedisSink.connect(url, REPLAY, new MemoryLog())),
    `Redis at ${url} can't be used (no Sentinel answers: 127.0.0.1:1: connection refused, ` +
      "127.0.0.1:2: connection refused): start it, name another one with --redis URL, or leave it " +
      "out with --no-redis",
  );
});
