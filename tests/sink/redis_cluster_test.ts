/** A Redis Cluster: real servers, of which one ends, and slots that are moved while keys are written. */
import assert from "node:assert/strict";
import { readRedis } from "../../src/report/redis_source.ts";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients, observations } from "../observations.ts";
import { RedisClusterServers } from "../redis_cluster_servers.ts";
import {
  HAS_REDIS_SERVER,
  HAS_VALKEY_SERVER,
  NO_REDIS_SERVER,
  RedisServer,
  unusedPort,
} from "../redis_server.ts";
import { refusal, until } from "./redis_sink_waits.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };
const REPLAY: RedisSinkOptions = { ttl: 900, mode: "replay" };
const SLOTS_TO_MOVE = 300;

function clusterTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + NO_REDIS_SERVER, ignore: !HAS_REDIS_SERVER, fn });
}

clusterTest(
  "RedisSink writes to all masters of a cluster, whichever node it is told of",
  async () => {
    await using cluster = await RedisClusterServers.start(3);
    const urls = [cluster.url, ...cluster.servers.map(({ url }) => url)];
    for (const [i, url] of urls.entries()) {
      const log = new MemoryLog();
      const sink = await RedisSink.connect(url, i % 2 === 0 ? CAPTURE : REPLAY, log);
      sink.write(clients(5_000));
      sink.writeNames([
        { key: "10.0.0.1;192.0.2.1;dns", name: "a.example." },
        { key: "10.0.0.1;192.0.2.1;dns", name: `b${i}.example.` },
        { key: "10.0.0.1;c.example.;nx", name: null },
        // Not of the slot of what is in its braces alone.
        { key: "10.0.0.1;{}{10.0.0.1}.example.;nx", name: null },
      ]);
      await sink.flush();
      const remotes = new Set(sink.sockets.remotes().map(({ port }) => port));
      for (const { port } of await cluster.masters()) {
        assert.ok(
          remotes.has(port),
          "is not our own",
        );
      }
      await sink.close();
      assert.equal(sink.written, 5_004);
      assert.deepEqual(log.lines, []);
    }
    const keys = await cluster.dump();
    assert.equal(keys.size, 5_003);
    const times = String(urls.length);
    assert.equal(keys.get("client;10.0.19.135"), times);
    assert.equal(keys.get("10.0.0.1;c.example.;nx"), times);
    assert.equal(keys.get("10.0.0.1;{}{10.0.0.1}.example.;nx"), times);
    const names = urls.map((_, i) => `;b${i}.example.;`).join("");
    assert.equal(keys.get("10.0.0.1;192.0.2.1;dns"), `;a.example.;${names}`);
  },
);

clusterTest(
  "RedisSink goes on with other nodes while a master is away, and loses nothing at a failover",
  async () => {
    await using cluster = await RedisClusterServers.start(3);
    const log = new MemoryLog();
    const sink = await RedisSink.connect(cluster.url, CAPTURE, log);
    let count = 0;
    const write = () => {
      sink.write(clients(500, count));
      count += 500;
      return sink.flush();
    };
    await write();
    const victim = (await cluster.masters())[1];
    await victim.halt();
    let mostWaiting = 0;
    await until(async () => {
      await write();
      mostWaiting = Math.max(mostWaiting, sink.pendingKeys);
      return log.lines.length > 0 && !sink.isAway;
    });
    await write();
    await sink.close();
    assert.equal(sink.lost, 0);
    assert.equal(sink.written, count);
    assert.ok(mostWaiting > 0);
    assert.equal((await cluster.dump()).size, count);
    assert.equal(log.lines.length, 2, log.lines.join("\n"));
    assert.match(
      log.lines[0],
      new RegExp(`^warn: Redis at ${cluster.url}: its node 127.0.0.1:${victim.port} is away \\(`),
    );
    assert.match(log.lines[1], /^info: Redis at .* is back after \d+ s: writing the \d+ keys/);
  },
);

clusterTest("RedisSink follows slots that are moved while it writes, without a word", async () => {
  await using cluster = await RedisClusterServers.start(3);
  const log = new MemoryLog();
  const sink = await RedisSink.connect(cluster.url, CAPTURE, log);
  // Keys of a slot that is being moved are in part at one node, in part at another.
  for (let i = 0; i < 20; i++) sink.write(clients(10_000, i * 10_000));
  await sink.flush();
  const [from, to] = await cluster.masters();
  let isMoved = false;
  const moving = moveSlots(from, to).finally(() => isMoved = true);
  let rounds = 1;
  do {
    for (let i = 0; i < 20; i++) sink.write(clients(10_000, i * 10_000));
    await sink.flush();
    rounds++;
  } while (!isMoved);
  await moving;
  await sink.close();
  assert.deepEqual(log.lines, []);
  assert.equal(sink.written, rounds * 200_000);
  const keys = await cluster.dump();
  assert.equal(keys.size, 200_000);
  for (const [key, value] of keys) assert.equal(value, String(rounds), key);
});

clusterTest(
  "RedisSink sends a key to the node that is asked for it while its slot is moved",
  async () => {
    await using cluster = await RedisClusterServers.start(3);
    const key = "client;10.0.0.1";
    const [one] = await cluster.masters();
    const slot = await one.cli("CLUSTER", "KEYSLOT", key);
    const sink = await RedisSink.connect(cluster.url, CAPTURE, new MemoryLog());
    sink.write(clients(2));
    await sink.flush();
    const masters = await cluster.masters();
    const holds = await Promise.all(masters.map(async (it) => (await it.cli("KEYS", key)) === key));
    const from = masters[holds.indexOf(true)];
    const to = masters[(holds.indexOf(true) + 1) % masters.length];
    const id = (server: RedisServer) => server.cli("CLUSTER", "MYID");
    await to.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", await id(from));
    await from.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", await id(to));
    await from.cli("MIGRATE", "127.0.0.1", String(to.port), key, "0", "5000");
    sink.write(clients(2));
    await sink.flush();
    assert.equal(sink.written, 4);
    await Promise.all(
      masters.map(async (it) => it.cli("CLUSTER", "SETSLOT", slot, "NODE", await id(to))),
    );
    sink.write(clients(2));
    await sink.close();
    assert.equal((await cluster.dump()).get(key), "3");
  },
);

async function singleServer(program: string): Promise<void> {
  await using server = await startNode(["--unixsocket", "DIRECTORY/redis.sock"], program);
  await server.cli("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until(async () => (await server.cli("CLUSTER", "INFO")).includes("cluster_state:ok"));
  for (const url of [server.url, `unix://${server.directory}/redis.sock`]) {
    const sink = await RedisSink.connect(url, REPLAY, new MemoryLog());
    sink.write(clients(3_000));
    await sink.close();
  }
  assert.equal(await server.cli("GET", "client;10.0.11.183"), "2");
  assert.equal(
    await refusal(RedisSink.connect(`${server.url}/3`, CAPTURE, new MemoryLog())),
    `Redis at ${server.url}/3: it is a node of a Redis Cluster, which has no database 3: leave the ` +
      "database out",
  );
}

clusterTest(
  "RedisSink writes to a single server in cluster mode by its plain URL",
  () => singleServer("redis-server"),
);

Deno.test({
  name: "RedisSink writes to a single Valkey in cluster mode by its plain URL" +
    (HAS_VALKEY_SERVER ? "" : " (ignored: valkey-server is not installed)"),
  ignore: !HAS_VALKEY_SERVER || !HAS_REDIS_SERVER,
  fn: () => singleServer("valkey-server"),
});

clusterTest("RedisSink waits for a cluster whose slots are not served yet", async () => {
  await using server = await startNode();
  const log = new MemoryLog();
  const sink = await RedisSink.connect(server.url, CAPTURE, log);
  sink.write(clients(10));
  assert.match(log.lines[0], /is away \(CLUSTERDOWN Hash slot not served\): /);
  await server.cli("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until(() => sink.pending === 0);
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "10");
});

clusterTest("RedisSink knows a cluster by its answers where it may not ask", async () => {
  await using server = await startNode();
  await server.cli("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until(async () => (await server.cli("CLUSTER", "INFO")).includes("cluster_state:ok"));
  await server.cli("ACL", "SETUSER", "sensor", "on", ">pw", "~*", "+@all", "-info");
  const url = `redis://sensor:pw@127.0.0.1:${server.port}`;
  for (const options of [CAPTURE, REPLAY]) {
    const sink = await RedisSink.connect(url, options, new MemoryLog());
    sink.write(clients(2_000));
    await sink.flush();
    await until(() => sink.pending === 0);
    await sink.close();
  }
  assert.equal(await server.cli("DBSIZE"), "2000");
});

clusterTest("RedisSink needs no more of a cluster than docs/redis.md names", async () => {
  await using cluster = await RedisClusterServers.start(3);
  const page = await Deno.readTextFile(new URL("../../docs/redis.md", import.meta.url));
  const [command] = /^ACL SETUSER sensor .*$/m.exec(page)!;
  for (const server of cluster.servers) await server.cli(...command.split(" "));
  const log = new MemoryLog();
  const url = cluster.url.replace("//", "//sensor:password@");
  const sink = await RedisSink.connect(url, CAPTURE, log);
  const figures = { lost: 0, queued: 0, dropped: 0, packets: 0, packetsPerSecond: 0, started: 1 };
  sink.setHeartbeat("one", (isOver) => ({ ...figures, version: "1", interfaces: [], isOver }));
  sink.write(clients(3_000));
  sink.writeNames([{ key: "10.0.0.1;192.0.2.1;dns", name: "a.example." }]);
  await sink.close();
  assert.deepEqual(log.lines, []);
  const keys = await cluster.dump();
  assert.equal(keys.size, 3_002);
  assert.ok(keys.has("sensor;one"));
});

clusterTest(
  "RedisSink writes to a cluster where scripts are forbidden, and passes over keys of other types",
  async () => {
    await using cluster = await RedisClusterServers.start(3);
    for (const server of cluster.servers) {
      await server.cli("ACL", "SETUSER", "sensor", "on", ">pw", "~*", "+@all", "-@scripting");
    }
    for (const login of ["", "sensor:pw@"]) {
      for (const server of await cluster.masters()) await server.flush();
      const [other] = cluster.servers;
      await other.cli("-c", "LPUSH", "client;10.0.0.1", "x");
      const log = new MemoryLog();
      const sink = await RedisSink.connect(cluster.url.replace("//", `//${login}`), CAPTURE, log);
      sink.write(clients(3_000));
      sink.writeNames([{ key: "10.0.0.1;192.0.2.1;dns", name: "a.example." }]);
      await sink.flush();
      assert.match(
        await refusal(sink.close()),
        /: 1 observations were lost \(1: it refused their keys/,
      );
      assert.equal(sink.written, 3_000);
      const said = log.lines.filter((line) => !line.includes("were lost"));
      assert.equal(said.length, login === "" ? 1 : 2, said.join("\n"));
      assert.equal((await cluster.dump()).get("10.0.0.1;192.0.2.1;dns"), ";a.example.;");
    }
  },
);

clusterTest(
  "RedisSink says that one node of a cluster refuses its keys, and writes those of the others",
  async () => {
    await using cluster = await RedisClusterServers.start(3);
    const [full] = await cluster.masters();
    const log = new MemoryLog();
    const sink = await RedisSink.connect(cluster.url, CAPTURE, log);
    await full.cli("CONFIG", "SET", "maxmemory", "1");
    sink.write(clients(3_000));
    await until(async () => {
      await sink.flush();
      return sink.written > 1_500;
    });
    assert.match(
      sink.trouble!,
      new RegExp(`: its node 127.0.0.1:${full.port} refuses to be written to \\(OOM `),
    );
    await full.cli("CONFIG", "SET", "maxmemory", "0");
    await until(() => sink.pending === 0 && !sink.isAway);
    await sink.close();
    assert.equal((await cluster.dump()).size, 3_000);
    assert.equal(log.lines.length, 2, log.lines.join("\n"));
  },
);

clusterTest("report reads all nodes of a cluster", async () => {
  await using cluster = await RedisClusterServers.start(3);
  const sink = await RedisSink.connect(cluster.url, REPLAY, new MemoryLog());
  const flows = Array.from({ length: 50 }, (_, i) => (
    { kind: "flow", a: `10.0.0.${i}`, b: "192.0.2.1", port: 443 } as const
  ));
  sink.write(observations(...flows));
  await sink.close();
  using source = await readRedis(cluster.servers[0].url, "report", undefined, ["10.0.0.0/8"]);
  const { rows } = source.database.prepare("SELECT count(DISTINCT client) AS rows FROM usage")
    .get() as { rows: number };
  assert.equal(rows, 50);
});

async function startNode(
  serverArguments: readonly string[] = [],
  program?: string,
): Promise<RedisServer> {
  const busPort = String(await unusedPort());
  const cluster = ["--cluster-enabled", "yes", "--cluster-port", busPort];
  return await RedisServer.start([...cluster, ...serverArguments], program);
}

/** Moves slots and their keys, as redis-cli does it. */
async function moveSlots(from: RedisServer, to: RedisServer): Promise<void> {
  await from.cli(
    ...["--cluster", "reshard", `127.0.0.1:${from.port}`, "--cluster-yes"],
    ...["--cluster-from", await from.cli("CLUSTER", "MYID")],
    ...["--cluster-to", await to.cli("CLUSTER", "MYID")],
    ...["--cluster-slots", String(SLOTS_TO_MOVE)],
  );
}
