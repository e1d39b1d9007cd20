import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { connection } from "../conversations.ts";
import { fillDisk } from "../fill_disk.ts";
import { run, until } from "../namespaces.ts";
import { SeededRandom } from "../seeded_random.ts";
import { captureTest, IMPORT, redisTest, startCapture } from "./capture_setting.ts";
import { flosensor } from "./program.ts";
import { capture, OWN_NETWORKS, SAMPLE_KEYS, withSample } from "./sample_capture.ts";

const KILLS = 20;
/** Sent in a second. */
const CONNECTIONS = 1_500;
const SOON = `${IMPORT}export default defineConfig({ flushInterval: 0.1 });\n`;

/** The services that the sample's clients use. */
const SAMPLE_USES = [
  "10.1.0.1 198.51.100.80 443 tcp",
  "10.1.0.1 203.0.113.53 53 udp",
  "2001:db8:1::1 2001:db8:80::1 443 tcp",
  "203.0.113.9 10.1.0.5 22 tcp",
];

function rows(path: string, sql: string): unknown[][] {
  using database = new DatabaseSync(path, { readOnly: true });
  return database.prepare(sql).all().map((row) => Object.values(row));
}

/** The uses of services that worked, or may have. */
function uses(path: string): string[] {
  return rows(
    path,
    "SELECT client, server, port, protocol FROM service_use " +
      "WHERE observations > 0 OR answered > 0 ORDER BY client, server",
  )
    .map((row) => row.join(" "));
}

for (const workers of ["1", "2"]) {
  captureTest(`capture --store writes what is seen, with ${workers} workers`, async (setting) => {
    const path = join(setting.directory, "flows.db");
    const args = ["veth0", ...OWN_NETWORKS, "--store", path, "--workers", workers];
    await using program = await startCapture(setting, args);
    await setting.pair.replay(setting.file);
    // It can be read while the capture goes on.
    await until(() => Promise.resolve(uses(path).length === SAMPLE_USES.length));
    const report = await flosensor(["report", path, "--json"]);
    assert.equal(JSON.parse(report.stdout).usages.length, SAMPLE_USES.length, report.stderr);
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.deepEqual(uses(path), SAMPLE_USES);
    assert.deepEqual(
      rows(path, "SELECT kind, prober, target, port FROM refusal ORDER BY kind"),
      [
        ["icmp", "2001:db8:1::1", "2001:db8:80::1", 161],
        // What the connection came to, and the key that it made.
        ["refused", "10.1.0.1", "198.51.100.80", 8080],
        ["rst", "10.1.0.1", "198.51.100.80", 8080],
      ],
    );
    assert.deepEqual(
      rows(path, "SELECT mode, sources, ended IS NOT NULL FROM run"),
      [["capture", "veth0", 1]],
    );
    // Those of 22 are the only ones that an own host serves.
    assert.deepEqual(rows(path, "SELECT server FROM service WHERE is_local"), [["10.1.0.5"]]);
  });
}

redisTest(
  "what one capture writes to Redis and to a store is reported alike, while it runs and after",
  async (setting, redis) => {
    const { pair, config, directory, file } = setting;
    const path = join(directory, "flows.db");
    const args = ["veth0", ...OWN_NETWORKS, "--redis", redis.url, "--store", path];
    await using program = await startCapture(setting, args);
    /** What a report has that Redis knows: who used which service and who tried in vain. */
    const told = async (...source: string[]) => {
      const { status, stdout, stderr } = await flosensor(
        ["report", ...source, ...OWN_NETWORKS, "--json", "-c", config],
        { command: (name, parameters, options) => pair.command(name, parameters, options) },
      );
      assert.equal(status, 0, stderr);
      const { usages, offered, probers } = JSON.parse(stdout);
      return {
        usages: usages.map((it: Record<string, unknown>) => [it.client, it.server, it.port]).sort(),
        offered: offered.map((it: Record<string, unknown>) => [it.server, it.port, it.clients]),
        probers: probers.map((it: Record<string, unknown>) => [it.prober, it.examples]).sort(),
      };
    };
    await pair.replay(file);
    await redis.has(...SAMPLE_KEYS);
    await until(() => uses(path).length === SAMPLE_USES.length);
    // Whether a service answered is known of a conversation, and those go on.
    const ofStore = await told(path);
    const ofRedis = await told("--redis", redis.url);
    assert.equal(ofStore.usages.length, SAMPLE_USES.length);
    assert.deepEqual({ ...ofRedis, offered: [] }, { ...ofStore, offered: [] });
    assert.deepEqual(ofRedis.offered, [["10.1.0.5", 22, 1]]);
    program.signal("SIGTERM");
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(await told(path), ofRedis);
    assert.deepEqual(await told("--redis", redis.url), ofRedis);
  },
);

captureTest(
  "what was in the store is there after kill -9, and the next capture goes on with it",
  async (setting) => {
    const path = join(setting.directory, "flows.db");
    const args = ["veth0", ...OWN_NETWORKS, "--store", path];
    for (let run = 1; run <= 2; run++) {
      await using program = await startCapture(setting, args);
      await setting.pair.replay(setting.file);
      const seen = () => rows(path, "SELECT min(observations) FROM usage")[0][0];
      await until(() =>
        Promise.resolve(uses(path).length === SAMPLE_USES.length && seen() === run)
      );
      program.signal("SIGKILL");
      await program.ended;
      assert.deepEqual(rows(path, "PRAGMA integrity_check"), [["ok"]]);
      assert.deepEqual(uses(path), SAMPLE_USES);
    }
    assert.deepEqual(rows(path, "SELECT count(*), count(ended) FROM run"), [[2, 0]]);
  },
);

/** Many connections, as a capture: each of a client with a port of its own on one server. */
async function writeConnections(path: string, count: number): Promise<void> {
  const packets = Array.from(
    { length: count },
    (_, i) => connection("10.1.0.9", 2_000 + i, "198.51.100.9", 1_000 + i),
  ).flat();
  await Deno.writeFile(path, capture(packets));
}

captureTest(
  `a capture that is killed ${KILLS} times, at any moment, has lost nothing that was flushed`,
  async (setting) => {
    const { directory, pair } = setting;
    const path = join(directory, "flows.db");
    const file = join(directory, "connections.pcap");
    await writeConnections(file, CONNECTIONS);
    const random = new SeededRandom();
    // Conversations are there when they are over, and flows at once.
    const seen = () => Number(rows(path, "SELECT total(observations) FROM usage")[0][0]);
    let before = 0;
    for (let run = 1; run <= KILLS; run++) {
      const args = ["veth0", ...OWN_NETWORKS, "--store", path];
      await using program = await startCapture(setting, args);
      const replaying = pair.replay(file, { packetsPerSecond: 8 * CONNECTIONS });
      await new Promise((resolve) => setTimeout(resolve, random.below(2_500)));
      const flushed = seen();
      program.signal("SIGKILL");
      await program.ended;
      await replaying;
      assert.deepEqual(rows(path, "PRAGMA integrity_check"), [["ok"]]);
      const after = seen();
      const told = `seed ${random.seed}: ${before}, ${flushed}, ${after}`;
      assert.ok(before <= flushed && flushed <= after, told);
      before = after;
    }
    assert.ok(before > 0, "there was something to lose");
    assert.deepEqual(rows(path, "SELECT count(*), count(ended) FROM run"), [[KILLS, 0]]);
  },
  { config: SOON },
);

captureTest(
  "a capture goes on when the disk of its store is full, says so once, and writes when there is room",
  async (setting) => {
    const { directory, pair } = setting;
    const disk = join(directory, "disk");
    const path = join(disk, "flows.db");
    const filler = join(disk, "filler");
    const file = join(directory, "connections.pcap");
    await writeConnections(file, CONNECTIONS);
    await Deno.mkdir(disk);
    assert.equal((await run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk)).code, 0);
    try {
      await using program = await startCapture(setting, [
        "veth0",
        ...OWN_NETWORKS,
        "--store",
        path,
      ]);
      await pair.replay(setting.file);
      await until(() => uses(path).length === SAMPLE_USES.length);
      await fillDisk(filler);
      const said = (what: RegExp) => program.stderr.match(what)?.length ?? 0;
      for (let times = 1; times <= 3; times++) {
        await pair.replay(file);
        await program.says("can't be written (the disk is full); it is tried again");
        await new Promise((resolve) => setTimeout(resolve, 2_500));
      }
      assert.equal(said(/the disk is full/g), 1, program.stderr);
      await Deno.remove(filler);
      await program.says("is written again after");
      await until(() => uses(path).length === SAMPLE_USES.length + CONNECTIONS);
      program.signal("SIGTERM");
      const { status, stderr } = await program.ended;
      assert.equal(status, 0, stderr);
      assert.match(stderr, /is written again after \d+ s; nothing was lost$/m);
      assert.equal(said(/warning|error/g), 1, stderr);
      assert.deepEqual(rows(path, "PRAGMA integrity_check"), [["ok"]]);
    } finally {
      await run("umount", "--lazy", disk);
    }
  },
  { config: SOON },
);

captureTest(
  "a damaged store is put aside with one line, and the capture goes on",
  async (setting) => {
    const path = join(setting.directory, "flows.db");
    await Deno.writeFile(path, new Uint8Array(4096).fill(0xa5));
    await using program = await startCapture(setting, ["veth0", ...OWN_NETWORKS, "--store", path]);
    assert.match(
      program.stderr,
      /^flosensor: warning: store \S+ was damaged and is \S+\.damaged-\S+ now; a new one is begun$/m,
    );
    await setting.pair.replay(setting.file);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
    assert.deepEqual(uses(path), SAMPLE_USES);
  },
);

Deno.test("a store of config.ts needs permission for its folder, or --store", async () => {
  await withSample(async (setting) => {
    const path = join(setting.directory, "flows.db");
    await Deno.writeTextFile(
      setting.config,
      `import { defineConfig } from "flosensor/config";
export default defineConfig({ store: ${JSON.stringify(path)} });
`,
    );
    const refused = await flosensor(["replay", setting.file, "-c", setting.config]);
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr.trimEnd(),
      /^flosensor: error: \S+config\.ts:2: no permission to write in \S+: name the file with --store on the command line, or run with --allow-write$/m,
    );
    const { status, stderr } = await flosensor([
      ...["replay", setting.file, ...OWN_NETWORKS, "-c", setting.config, `--store=${path}`],
    ]);
    assert.equal(status, 0, stderr);
    assert.equal(uses(path).length, SAMPLE_USES.length);
  });
});

Deno.test("config.ts can't write in the folder of the store", async () => {
  await withSample(async (setting) => {
    const path = join(setting.directory, "flows.db");
    await Deno.writeTextFile(
      setting.config,
      `import { defineConfig } from "flosensor/config";
Deno.writeTextFileSync(${JSON.stringify(path + ".txt")}, "");
export default defineConfig({});
`,
    );
    const { status, stderr } = await flosensor([
      ...["replay", setting.file, "-c", setting.config, "--store", path],
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /write/);
    assert.deepEqual(
      [...Deno.readDirSync(setting.directory)].filter(({ name }) => name.endsWith(".txt")),
      [],
    );
  });
});
