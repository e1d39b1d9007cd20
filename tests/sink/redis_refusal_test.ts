/** Redis servers that are there and can't be used: each is told in one line, in its own words. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { refusal, until } from "./redis_sink_waits.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };
const REPLAY: RedisSinkOptions = { ttl: 900, mode: "replay" };

function redisTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + NO_REDIS_SERVER, ignore: !HAS_REDIS_SERVER, fn });
}

redisTest("RedisSink refuses a node of a Redis Cluster in one line", async () => {
  await using server = await RedisServer.start(["--cluster-enabled", "yes"]);
  for (const [options, path] of [[CAPTURE, ""], [REPLAY, ""], [CAPTURE, "/3"]] as const) {
    const log = new MemoryLog();
    assert.equal(
      await refusal(RedisSink.connect(server.url + path, options, log)),
      `Redis at ${server.url}${path}: it is a node of a Redis Cluster, which flosensor can't write ` +
        "to yet: name a Redis that is no cluster",
    );
    assert.deepEqual(log.lines, []);
  }
});

redisTest("RedisSink refuses a Sentinel in one line", async () => {
  await using master = await RedisServer.start();
  const folder = await Deno.makeTempDir({ prefix: "flosensor-sentinel-" });
  const configuration = join(folder, "sentinel.conf");
  await Deno.writeTextFile(
    configuration,
    `sentinel monitor master 127.0.0.1 ${master.port} 1\nsentinel resolve-hostnames no\n`,
  );
  const port = await unusedPort();
  const sentinel = new Deno.Command("redis-server", {
    args: [configuration, "--sentinel", "--port", String(port), "--bind", "127.0.0.1"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `redis://127.0.0.1:${port}/1`;
  try {
    await until(() => Deno.connect({ port }).then((it) => it.close() ?? true, () => false));
    for (const options of [CAPTURE, REPLAY]) {
      assert.equal(
        await refusal(RedisSink.connect(url, options, new MemoryLog())),
        `Redis at ${url}: it is a Sentinel, which holds no keys: name the Redis that it watches`,
      );
    }
  } finally {
    sentinel.kill("SIGKILL");
    await sentinel.status;
    await Deno.remove(folder, { recursive: true });
  }
});

redisTest("RedisSink knows a cluster by its answers where it may not ask", async () => {
  await using server = await RedisServer.start(["--cluster-enabled", "yes"]);
  await server.cli("ACL", "SETUSER", "sensor", "on", ">pw", "~*", "+@all", "-info");
  const url = `redis://sensor:pw@127.0.0.1:${server.port}`;
  const isCluster = /it is a node of a Redis Cluster, which flosensor can't write to yet/;
  for (const slots of ["none", "all"]) {
    if (slots === "all") await server.cli("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    const replay = await RedisSink.connect(url, REPLAY, new MemoryLog());
    replay.write(clients(2000));
    assert.match(await refusal(replay.flush()), isCluster);
    await refusal(replay.close());
    const log = new MemoryLog();
    const capture = await RedisSink.connect(url, CAPTURE, log);
    capture.write(clients(2000));
    await capture.flush();
    await until(() => capture.isAway);
    assert.match(log.lines[0], isCluster);
    assert.match(await refusal(capture.close()), /2000 observations were lost/);
    assert.equal(capture.written + capture.lost, 2000);
  }
});

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
  assert.match(log.lines[0], /is away \(LOADING Redis is loading the dataset in memory\): /);
  assert.equal(await server.cli("DBSIZE"), "305");
});

for (
  const [what, reason, refuse, allow] of [
    ["is a replica", "READONLY ", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
    ["has no memory left", "OOM ", ["CONFIG", "SET", "maxmemory", "1"], [
      ...["CONFIG", "SET", "maxmemory", "0"],
    ]],
    ["can't save", "MISCONF ", null, ["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]],
    ["lets its user write no more", "(NOPERM|ERR The user) ", [
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
