/** Sensors in namespaces of their own that write to one Redis, which says how they do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Sensor } from "../../src/report/read_sensors.ts";
import { HEARTBEAT_KEPT, HEARTBEAT_LATE } from "../../src/sink/heartbeat.ts";
import { VERSION } from "../../src/version.ts";
import { CAN_MAKE_NAMESPACES, NamespacePair, until, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { RedisClusterServers } from "../redis_cluster_servers.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { IMPORT } from "./capture_setting.ts";
import { flosensor, PERMISSIONS, RunningProgram } from "./program.ts";
import { OWN_NETWORKS, SAMPLE_CAPTURE, SAMPLE_KEYS } from "./sample_capture.ts";

const NAMES = ["cellar", "office", "roof"];

async function listed(url: string, permissions = PERMISSIONS): Promise<Sensor[]> {
  const args = ["sensors", "--json", "--redis", url];
  const { status, stdout, stderr } = await flosensor(args, { permissions });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test({
  name: "sensors lists three of them that write to one Redis, and says which was killed" +
    (WITHOUT_NAMESPACES || NO_REDIS_SERVER),
  ignore: !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER,
  fn: async () => {
    // A Unix socket is the same in all namespaces.
    await using redis = await RedisServer.start(["--unixsocket", "DIRECTORY/redis.sock"]);
    const url = `unix://${redis.directory}/redis.sock`;
    const permissions = PERMISSIONS.map((it) =>
      it.replace("--allow-write=/,", `--allow-write=/,${redis.directory},`)
    );
    const file = join(redis.directory, "sample.pcap");
    await Deno.writeFile(file, SAMPLE_CAPTURE);
    const pairs: NamespacePair[] = [];
    const programs: RunningProgram[] = [];
    const stateOf = async (name: string) =>
      (await listed(url, permissions)).find((it) => it.name === name)?.state;
    try {
      for (const name of NAMES) {
        const pair = await NamespacePair.make();
        pairs.push(pair);
        const config = join(redis.directory, `${name}.ts`);
        const setting = `sensor: ${JSON.stringify(name)}, redis: ${JSON.stringify(url)}`;
        await Deno.writeTextFile(config, `${IMPORT}export default defineConfig({ ${setting} });\n`);
        const program = new RunningProgram(
          ["capture", pair.veth, ...OWN_NETWORKS, "--json", "-c", config],
          {
            permissions,
            command: (command, args, options) => pair.command(command, args, options),
          },
        );
        programs.push(program);
        await program.says("capturing on");
      }
      await until(async () => (await listed(url, permissions)).length === NAMES.length);
      for (
        const { name, state, version, interfaces, age, lost } of await listed(url, permissions)
      ) {
        assert.ok(NAMES.includes(name));
        assert.deepEqual({ state, version, interfaces, lost }, {
          state: "running",
          version: VERSION,
          interfaces: ["veth0"],
          lost: 0,
        });
        assert.ok(age >= 0 && age < HEARTBEAT_LATE);
      }

      // All of them see the same conversations: each is in Redis, and in a report, once.
      await Promise.all(pairs.map((pair) => pair.replay(file)));
      await until(async () => {
        const keys = (await redis.cli("KEYS", "*")).split("\n");
        const counts = await redis.pipe(SAMPLE_KEYS.map((key) => `GET ${key}`));
        const seenBy = (key: string) => Number(counts[SAMPLE_KEYS.indexOf(key)]);
        return SAMPLE_KEYS.every((key) => keys.includes(key) && seenBy(key) >= NAMES.length);
      });
      const { stdout } = await flosensor(["report", "--csv", "--redis", url, ...OWN_NETWORKS], {
        permissions,
      });
      const [heading, ...rows] = stdout.trimEnd().split("\n").map((line) => line.split(","));
      assert.deepEqual(heading.slice(0, 3), ["client", "server", "port"]);
      const flows = SAMPLE_KEYS.filter((key) => key.endsWith(";flow"));
      assert.deepEqual(
        rows.map(([client, server, port]) => `${client};${server};${port};flow`).sort(),
        flows,
      );

      const [killed, ended, running] = programs;
      killed.signal("SIGKILL");
      ended.signal("SIGTERM");
      assert.equal((await ended.ended).status, 0);
      assert.equal(await stateOf("office"), "ended");
      // As if it had been quiet for so long.
      await killed.ended;
      const quiet = HEARTBEAT_KEPT - HEARTBEAT_LATE - 1_000;
      await redis.cli("PEXPIRE", "sensor;cellar", String(quiet));
      const table = await flosensor(["sensors", "--redis", url], { permissions });
      assert.match(
        table.stdout,
        /^SENSOR +STATE +SEEN +RUNS +VERSION +PACKETS\/S +DROPPED +QUEUED/,
      );
      assert.match(table.stdout, /\ncellar +late +3\d s ago +- /);
      assert.match(table.stdout, /\noffice +ended /);
      assert.match(table.stdout, /\nroof +running +\S+ s ago +\S+/);
      running.signal("SIGTERM");
      const { stdout: lines } = await running.ended;
      for (const line of lines.trimEnd().split("\n")) assert.equal(JSON.parse(line).sensor, "roof");
    } finally {
      for (const program of programs) await program[Symbol.asyncDispose]();
      for (const pair of pairs) await pair.remove();
    }
  },
});

Deno.test({
  name: "sensors passes over what is no heartbeat, and says when there is none" + NO_REDIS_SERVER,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using cluster = await RedisClusterServers.start(3);
    const [{ url }] = cluster.servers;
    const none = await flosensor(["sensors", "--redis", url]);
    assert.equal(none.status, 0);
    assert.equal(none.stdout, "");
    assert.match(none.stderr, /has not heard of a sensor for a day/);
    const [server] = cluster.servers;
    const beat = { version: "1", interfaces: ["eth0"], started: 1, packets: 9, isOver: false };
    const figures = { packetsPerSecond: 3, dropped: 1, queued: 4, lost: 0 };
    const set = (name: string, value: string) =>
      server.cli("-c", "SET", `sensor;${name}`, value, "PX", String(HEARTBEAT_KEPT));
    await set("one", JSON.stringify({ ...beat, ...figures, news: 1 }));
    await set("\x1b[31mtwo", JSON.stringify({ ...beat, ...figures }));
    await set("half", JSON.stringify(beat));
    await set("text", "1");
    await server.cli("-c", "LPUSH", "sensor;list", "1");
    assert.deepEqual((await listed(url)).map(({ name }) => name), [
      "\x1b[31mtwo",
      "one",
    ]);
    const { stdout } = await flosensor(["sensors", "--redis", url]);
    assert.ok(!stdout.includes("\x1b"));
  },
});
