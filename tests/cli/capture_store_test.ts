import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { until } from "../namespaces.ts";
import { captureTest, startCapture } from "./capture_setting.ts";
import { flosensor } from "./program.ts";
import { OWN_NETWORKS, withSample } from "./sample_capture.ts";

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
      "WHERE sightings > 0 OR answered > 0 ORDER BY client, server",
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

captureTest(
  "what was in the store is there after kill -9, and the next capture goes on with it",
  async (setting) => {
    const path = join(setting.directory, "flows.db");
    const args = ["veth0", ...OWN_NETWORKS, "--store", path];
    for (let run = 1; run <= 2; run++) {
      await using program = await startCapture(setting, args);
      await setting.pair.replay(setting.file);
      const seen = () => rows(path, "SELECT min(sightings) FROM usage")[0][0];
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

captureTest(
  "a damaged store is put aside with one line, and the capture goes on",
  async (setting) => {
    const path = join(setting.directory, "flows.db");
    await Deno.writeTextFile(path, "garbage\n");
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
