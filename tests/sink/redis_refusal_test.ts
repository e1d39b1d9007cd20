/** Redis servers that are there and can't be used: each is told in one line, in its own words. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { refusal, until } from "./redis_sink_waits.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };
const REPLAY: RedisSinkOptions = { ttl: 900, mode: "replay" };

function redisTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + NO_REDIS_SERVER, ignore: !HAS_REDIS_SERVER, fn });
}

const BUSY = "a server that is busy";

for (const what of ["a server", BUSY, "a server at a Unix socket"]) {
  redisTest(`RedisSink says that ${what} has too many clients`, async () => {
    await using server = await RedisServer.start(["--unixsocket", "DIRECTORY/redis.sock"]);
    const url = what.endsWith("socket") ? `unix://${server.directory}/redis.sock` : server.url;
    await server.cli("CONFIG", "SET", "maxclients", "1");
    const holder = await Deno.connect({ port: server.port, hostname: "127.0.0.1" });
    await holder.write(new TextEncoder().encode("PING\r\n"));
    await holder.read(new Uint8Array(16));
    /** One that is busy has our first command before it closes the connection: that is a reset. */
    const connect = async (options: RedisSinkOptions, log = new MemoryLog()) => {
      if (what !== BUSY) return await RedisSink.connect(url, options, log);
      server.freeze();
      const connecting = RedisSink.connect(url, options, log);
      const thaw = setTimeout(() => server.thaw(), 300);
      return await connecting.finally(() => clearTimeout(thaw));
    };
    assert.match(
      await refusal(connect(REPLAY)),
      /can't be used \(ERR max number of clients reached\): start it, /,
    );
    const log = new MemoryLog();
    const sink = await connect(CAPTURE, log);
    sink.write(clients(5));
    assert.match(log.lines[0], /is away \(ERR max number of clients reached\): /);
    holder.close();
    await until(() => !sink.isAway && sink.pending === 0);
    await sink.close();
    assert.equal(await server.cli("DBSIZE"), "5");
  });
}

redisTest("RedisSink says that a server is loading its data, and waits for it", async () => {
  // A key takes a hundredth of a second to be loaded, and commands are answered in between.
  await using server = await RedisServer.start([
    ...["--enable-debug-command", "yes", "--key-load-delay", "10000"],
    ...["--loading-process-events-interval-bytes", "1024"],
  ]);
  await server.cli("DEBUG", "POPULATE", "300");
  await server.cli("SAVE");
  await server.halt();
  await server.run();
  const log = new MemoryLog();
  const sink = await RedisSink.connect(server.url, CAPTURE, log);
  sink.write(clients(5));
  await until(() => !sink.isAway && sink.pending === 0);
  await sink.close();
  assert.match(
    log.lines[0],
    /is away \(LOADING (Redis|Valkey) is loading the dataset in memory\): /,
  );
  assert.equal(await server.cli("DBSIZE"), "305");
});

for (
  const [what, reason, refuse, allow] of [
    ["is a replica", "READONLY ", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
    ["has no memory left", "OOM ", ["CONFIG", "SET", "maxmemory", "1"], [
      ...["CONFIG", "SET", "maxmemory", "0"],
    ]],
    ["can't save", "MISCONF ", null, ["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]],
    ["lets its user write no more", "(NOPERM|ERR The user|ERR ACL failure) ", [
      "ACL",
      "SETUSER",
      "default",
      "-@write",
    ], [
      ...["ACL", "SETUSER", "default", "+@write"],
    ]],
  ] as const
) {
  redisTest(`RedisSink says that a server refuses writes as it ${what}, and goes on`, async () => {
    await using server = await RedisServer.start();
    const log = new MemoryLog();
    const sink = await RedisSink.connect(server.url, { ...CAPTURE, maxPendingKeys: 1500 }, log);
    if (refuse === null) await failToSave(server);
    else await server.cli(...refuse);
    sink.write(clients(1000));
    await sink.flush();
    await until(() => sink.isAway);
    sink.write(clients(1000, 1000));
    assert.equal(sink.lost, 500);
    assert.equal(sink.pending, 1500);
    await until(() => log.lines.some((line) => line.includes("were lost")));
    await server.cli(...allow);
    await until(() => !sink.isAway && sink.pending === 0);
    assert.equal(sink.written, 1500);
    assert.match(
      await refusal(sink.close()),
      new RegExp(`500: too many were waiting while it refused to be written to: ${reason}`),
    );
    const warnings = log.lines.filter((line) => line.startsWith("warn"));
    assert.equal(warnings.length, 2, log.lines.join("\n"));
    assert.match(
      warnings[0],
      new RegExp(`refuses to be written to \\(${reason}.*\\): keys are kept until it takes them, `),
    );
    assert.match(
      warnings[1],
      new RegExp(`: 500 observations were lost \\(500: too many .* refused .*: ${reason}`),
    );
    assert.equal(await server.cli("DBSIZE"), "1500");
  });
}

/** Has the server fail to save: where the file should be, there is a folder. */
async function failToSave(server: RedisServer): Promise<void> {
  await Deno.mkdir(join(server.directory, "dump.rdb"));
  await server.cli("CONFIG", "SET", "save", "3600 1");
  await server.cli("BGSAVE");
  await until(async () => (await server.cli("INFO", "persistence")).includes("bgsave_status:err"));
}
