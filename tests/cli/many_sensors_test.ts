/** Sensors in namespaces of their own, one Redis for all of them and one ClickHouse. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Sensor } from "../../src/report/read_sensors.ts";
import { HEARTBEAT_LATE } from "../../src/sink/heartbeat.ts";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { connection, exchange } from "../conversations.ts";
import { CAN_MAKE_NAMESPACES, NamespacePair, until, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { type Bytes, pcap } from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { IMPORT } from "./capture_setting.ts";
import { flosensor, PERMISSIONS, RunningProgram } from "./program.ts";

const OWN_NETWORK = "10.1.0.0/16";
const CLICKHOUSE = "10.98.0.254";

/** Connections of some clients with a server, each with its own ports. */
function connections(server: string, count: number): Bytes[] {
  return Array.from(
    { length: count },
    (_, i) => connection(`10.1.0.${i % 5 + 1}`, 50_000 + i, server, 443),
  ).flat();
}

/** Seen by `cellar` and by `office`. */
const OF_BOTH = [
  ...connections("198.51.100.1", 20),
  ...exchange("10.1.0.9", 40_000, "203.0.113.53", 53),
];
/** `office` sees only its second half. */
const CUT = connection("10.1.0.7", 50_000, "198.51.100.2", 443);
const OF_CELLAR = connections("198.51.100.3", 3);
const OF_OFFICE = connections("198.51.100.4", 4);
const OF_ROOF = connections("198.51.100.5", 5);
/** When `cellar` is no more. */
const LATER = connections("198.51.100.6", 6);
/** How many conversations each has told ClickHouse of, before one is killed: UDP is told of later. */
const INSERTED = ["cellar\t24", "office\t25", "roof\t5"];
const ALL = 20 + 1 + 1 + 3 + 4 + 5 + 6;

Deno.test({
  name: "three sensors, one Redis, one ClickHouse: sensors says who was killed, and report has " +
    `each conversation once${WITHOUT_NAMESPACES || NO_REDIS_SERVER || NO_CLICKHOUSE}`,
  ignore: !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER || !HAS_CLICKHOUSE,
  fn: async () => {
    // A Unix socket is the same in all namespaces.
    await using redis = await RedisServer.start(["--unixsocket", "DIRECTORY/redis.sock"]);
    const { directory } = redis;
    const permissions = PERMISSIONS.map((it) =>
      it.replace("--allow-write=/,", `--allow-write=/,${directory},`)
    );
    const redisUrl = `unix://${directory}/redis.sock`;
    const pairs = new Map<string, NamespacePair>();
    const programs = new Map<string, RunningProgram>();
    const save = async (packets: readonly Bytes[]) => {
      const path = join(directory, `${crypto.randomUUID()}.pcap`);
      await Deno.writeFile(
        path,
        pcap(packets.map((packet, i) => ({ packet, seconds: 1_790_000_000 + i / 1000 }))),
      );
      return path;
    };
    const run = async (...args: string[]) => {
      const command = pairs.get("roof")!.command.bind(pairs.get("roof"));
      const { status, stdout, stderr } = await flosensor(args, { permissions, command });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const sensors = async (): Promise<Sensor[]> =>
      JSON.parse(await run("sensors", "--json", "--redis", redisUrl));
    try {
      for (const name of ["cellar", "office", "roof"]) {
        pairs.set(name, await NamespacePair.make());
      }
      const [cellar, office, roof] = pairs.values();
      // The network: what comes in at `source0` is seen by both; they speak with ClickHouse elsewhere.
      const network = cellar.sender;
      await office.addVeth("span0", "span0", network);
      await cellar.addVeth("source1", "source0");
      await cellar.addHub("hub", ["source0", cellar.peer, "span0"]);
      for (const [name, pair] of pairs) {
        await pair.addVeth("admin0", `to-${name}`, network);
        const number = [...pairs.keys()].indexOf(name) + 1;
        await pair.ip("addr", "add", `10.98.0.${number}/24`, "dev", "admin0");
      }
      const ways = [...pairs.keys()].map((name) => `to-${name}`);
      await cellar.addHub("admin", ways, `${CLICKHOUSE}/24`);
      const inBoth = { namespace: cellar.sensor, peer: "source1" };

      const at = { namespace: network, address: CLICKHOUSE };
      await using clickhouse = await ClickHouseServer.start({ at });
      const url = `${clickhouse.url}/flows`;
      for (const [name, pair] of pairs) {
        const config = join(directory, `${name}.ts`);
        const settings = {
          sensor: name,
          redis: redisUrl,
          clickhouse: url,
          clickhouseSpool: join(directory, name),
        };
        await Deno.writeTextFile(
          config,
          `${IMPORT}export default defineConfig(${JSON.stringify(settings)});\n`,
        );
        const interfaces = name === "office" ? ["veth0", "span0"] : ["veth0"];
        const program = new RunningProgram(
          ["capture", ...interfaces, OWN_NETWORK, "-c", config],
          { permissions, command: pair.command.bind(pair) },
        );
        programs.set(name, program);
        await program.says("capturing on");
      }
      await until(async () => (await sensors()).length === pairs.size);
      for (const { name, state, interfaces } of await sensors()) {
        assert.equal(state, "running");
        assert.deepEqual(interfaces, name === "office" ? ["veth0", "span0"] : ["veth0"]);
      }

      await cellar.replay(await save(OF_BOTH), inBoth);
      await cellar.replay(await save([...OF_CELLAR, ...CUT.slice(0, 4)]));
      await cellar.replay(await save(CUT.slice(4)), inBoth);
      await office.replay(await save(OF_OFFICE));
      await roof.replay(await save(OF_ROOF));
      await until(async () => {
        const rows = await clickhouse.ask(
          "SELECT sensor, count() FROM conversation FINAL WHERE protocol = 'tcp' GROUP BY sensor " +
            "ORDER BY sensor",
          "flows",
        ).catch(() => []);
        return JSON.stringify(rows) === JSON.stringify(INSERTED);
      });

      const killed = programs.get("cellar")!;
      killed.signal("SIGKILL");
      await killed.ended;
      await cellar.replay(await save(LATER), inBoth);
      const stateOf = async (name: string) =>
        (await sensors()).find((it) => it.name === name)?.state;
      const begin = performance.now();
      while (await stateOf("cellar") !== "late") {
        assert.ok(performance.now() - begin < 3 * HEARTBEAT_LATE, "it is not said to be late");
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      assert.equal(await stateOf("office"), "running");
      for (const name of ["office", "roof"]) {
        const program = programs.get(name)!;
        program.signal("SIGTERM");
        const { status, stderr } = await program.ended;
        assert.equal(status, 0, stderr);
        assert.equal(await stateOf(name), "ended");
      }

      // What one sensor says that sees all of it, once.
      const all = [OF_BOTH, CUT, OF_CELLAR, OF_OFFICE, OF_ROOF, LATER].flat();
      const store = join(directory, "flows.db");
      await run("replay", await save(all), OWN_NETWORK, "--store", store, "--no-redis");
      const rows = async (...source: string[]) => {
        const text = await run("report", "--csv", ...source);
        const [heading, ...lines] = text.trimEnd().split("\n").map((line) => line.split(","));
        const isTime = heading.map((it) => /first|last|seen/.test(it));
        assert.ok(isTime.includes(true));
        return lines.map((cells) => cells.filter((_, i) => !isTime[i]).join(",")).sort();
      };
      assert.deepEqual(await rows("--clickhouse", url), await rows(store));
      const { totals } = JSON.parse(await run("report", "--json", "--clickhouse", url));
      assert.equal(totals.conversations, ALL);
    } finally {
      for (const program of programs.values()) await program[Symbol.asyncDispose]();
      for (const pair of pairs.values()) await pair.remove();
    }
  },
});
