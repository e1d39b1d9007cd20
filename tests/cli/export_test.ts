import assert from "node:assert/strict";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { EXPORTED_TABLES } from "../../src/export/exported_tables.ts";
import { openDatabase } from "../../src/store/open_database.ts";
import { StoreWriter } from "../../src/store/store_writer.ts";
import { MIDNIGHT, record } from "../store/record.ts";
import { batchOf, NO_LOSSES, RUN } from "../store/test_store.ts";
import { flosensor } from "./program.ts";

const HOUR = 3_600_000;
const COUNT = 60_000;

async function withStore(
  count: number,
  test: (path: string, folder: string) => Promise<void>,
  first = MIDNIGHT,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "flosensor-export-" });
  try {
    const path = join(folder, "flows.db");
    const { database } = openDatabase(path);
    const records = Array.from({ length: count }, (_, id) =>
      record({
        id,
        first,
        last: first + 3_000,
        client: `10.0.${(id >> 8) & 255}.${id & 255}`,
        names: id % 2 === 0 ? [{ name: `h${id % 100}.example.com`, from: "sni" }] : [],
        bytes: [id, id === 7 ? 2 ** 40 : 1],
        isExplained: [true, false, null][id % 3],
        why: id % 3 === 1 ? 'nobody asked, "ever"' : null,
      }));
    const names = [{ key: "10.0.0.1;nowhere.example.;nx", name: null, time: MIDNIGHT }];
    new StoreWriter(database, RUN).write(batchOf({ records, names }), NO_LOSSES);
    database.close();
    await test(path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function printed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await flosensor(["export", ...args]);
  assert.equal(status, 0, stderr);
  return stdout;
}

Deno.test("export --parquet writes files that another reader finds all rows in", async () => {
  await withStore(COUNT, async (path, folder) => {
    const output = join(folder, "parquet");
    const { status, stderr } = await flosensor(["export", path, "--parquet", output]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, new RegExp(`conversation ${COUNT}, service_use ${COUNT}`));
    assert.deepEqual(
      [...Deno.readDirSync(output)].map(({ name }) => name).sort(),
      EXPORTED_TABLES.map(({ name }) => `${name}.parquet`).sort(),
    );
    const file = await asyncBufferFromFile(join(output, "conversation.parquet"));
    const metadata = await parquetMetadataAsync(file);
    assert.equal(metadata.num_rows, BigInt(COUNT));
    const [first, second] = await parquetReadObjects({ file, rowStart: 0, rowEnd: 2 });
    assert.deepEqual(first, {
      run: 1n,
      conversation: 0n,
      first: new Date(MIDNIGHT),
      last: new Date(MIDNIGHT + 3_000),
      is_over: true,
      client: "10.0.0.0",
      client_port: 40_000n,
      server: "192.0.2.1",
      port: 443n,
      protocol: "tcp",
      by: "syn",
      state: "closed",
      packets_client: 10n,
      packets_server: 12n,
      bytes_client: 0n,
      bytes_server: 1n,
      flags_client: 27n,
      flags_server: 27n,
      name: "h0.example.com",
      name_origin: "sni",
      other_names: null,
      interface: "eth0",
      vlan: null,
      tunnel: null,
      explained: true,
      why: null,
    });
    assert.deepEqual([second.explained, second.why], [false, 'nobody asked, "ever"']);
    const [seventh] = await parquetReadObjects({ file, rowStart: 7, rowEnd: 8 });
    assert.equal(seventh.bytes_server, BigInt(2 ** 40));
    // The last row group is there too, and tables without rows are files.
    const [last] = await parquetReadObjects({ file, rowStart: COUNT - 1, rowEnd: COUNT });
    assert.equal(last.conversation, BigInt(COUNT - 1));
    const devices = await asyncBufferFromFile(join(output, "device.parquet"));
    assert.deepEqual(await parquetReadObjects({ file: devices }), []);
  });
});

Deno.test("export --csv and --json print the same rows", async () => {
  await withStore(20, async (path) => {
    const json = (await printed(path, "--json")).trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(json.length, 20);
    assert.equal(json[0].first, "2026-11-27T00:00:00.000Z");
    assert.deepEqual([json[0].explained, json[1].explained, json[2].explained], [
      true,
      false,
      null,
    ]);
    const csv = (await printed("--store", path, "--csv")).split("\n");
    assert.equal(csv.length, 22);
    assert.equal(csv[0], Object.keys(json[0]).join(","));
    assert.match(csv[2], /,false,"nobody asked, ""ever"""$/);
    const refusals = await printed(path, "--json", "--table", "refusal");
    assert.equal(JSON.parse(refusals).target, "nowhere.example");
  });
});

Deno.test("export --since leaves out what was seen before", async () => {
  await withStore(20, async (path) => {
    const count = async (since: string) =>
      (await printed(path, "--json", "--since", since)).split("\n").length - 1;
    assert.equal(await count("3h"), 20);
    assert.equal(await count("1h"), 0);
  }, Date.now() - 2 * HOUR);
});

Deno.test("export says in one line what is wrong", async () => {
  await withStore(3, async (path, folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    const wrong: [args: string[], message: RegExp, status: number][] = [
      [["--csv"], /export: name a store$/, 2],
      [[path], /give one of --parquet <folder>, --csv, --json and --format$/, 2],
      [[path, "--csv", "--json"], /give one of/, 2],
      [[path, path, "--csv"], /name one store$/, 2],
      [[path, "--csv", "--table", "flows"], /Allowed choices are conversation, /, 2],
      [[path, "--parquet", "/proc/folder"], /flosensor may not write there: name another/, 1],
      [[join(folder, "none"), "--csv"], /none: there is no such file/, 1],
      [
        [path, "--parquet", join(folder, "file")],
        /^flosensor: error: --parquet \S+: .*(exist|not a dir)/i,
        1,
      ],
    ];
    for (const [args, message, status] of wrong) {
      const ending = await flosensor(["export", ...args]);
      assert.equal(ending.status, status, ending.stderr);
      assert.match(ending.stderr.trimEnd(), message);
      assert.equal(ending.stderr.trimEnd().split("\n").length, 1, ending.stderr);
    }
  });
});
