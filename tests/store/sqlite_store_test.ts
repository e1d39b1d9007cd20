import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { TimeOrigin } from "../../src/capture/time_origin.ts";
import { SqliteStore, type SqliteStoreOptions } from "../../src/store/sqlite_store.ts";
import { MemoryLog } from "../memory_log.ts";
import { observations } from "../observations.ts";
import { SeededRandom } from "../seeded_random.ts";
import { MIDNIGHT, record } from "./record.ts";
import { RUN } from "./test_store.ts";

const CHILD = fileURLToPath(new URL("./store_child.ts", import.meta.url));
/** How long, in milliseconds, a test waits for what must come. */
const PATIENCE = 60_000;
const KILLS = 20;

const CAN_MOUNT = Deno.uid() === 0 && Deno.build.os === "linux";

async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(what());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function withDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-store-" });
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function value(path: string, sql: string): unknown {
  using database = new DatabaseSync(path);
  return Object.values(database.prepare(sql).get()!)[0];
}

async function open(
  path: string,
  options: Partial<SqliteStoreOptions> = {},
): Promise<{ store: SqliteStore; log: MemoryLog }> {
  const log = new MemoryLog();
  return { store: await SqliteStore.open(path, { run: RUN, ...options }, log), log };
}

function records(count: number, given: Partial<ConversationRecord> = {}): ConversationRecord[] {
  return Array.from(
    { length: count },
    (_, id) => record({ id, client: `10.0.${(id >> 8) & 255}.${id & 255}`, ...given }),
  );
}

/** Seconds since 1970-01-01 UTC. */
const NOW = Math.floor(Date.now() / 1000);

Deno.test("SqliteStore has all that it was given in the file when it is closed", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "flows.db");
    const { store } = await open(path);
    store.takeRecords(records(3_000));
    const seconds = MIDNIGHT / 1000;
    store.write(
      observations({
        kind: "flow",
        a: "10.0.0.1",
        b: "192.0.2.1",
        port: 443,
        protocol: 6,
        seconds,
      }),
    );
    store.writeNames([{ key: "10.0.0.1;192.0.2.1;dns", name: "www.example.com." }], NOW);
    assert.equal(store.pending, 3_002);
    await store.close();
    assert.equal(value(path, "SELECT count(*) FROM conversation"), 3_000);
    assert.equal(value(path, "SELECT sum(observations) FROM usage"), 1);
    assert.equal(value(path, "SELECT name FROM name"), "www.example.com");
    assert.equal(value(path, "SELECT ended >= started FROM run"), 1);
    // It can be copied as it is: nothing is left in a log beside it.
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["flows.db"]);
  });
});

Deno.test("SqliteStore goes on with a file that is there, as another run", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "flows.db");
    for (let run = 0; run < 2; run++) {
      const { store } = await open(path);
      store.takeRecords(records(10));
      await store.close();
    }
    assert.equal(value(path, "SELECT count(*) FROM conversation"), 20);
    assert.equal(value(path, "SELECT count(*) FROM service_use WHERE conversations = 2"), 10);
  });
});

Deno.test("SqliteStore gives names of a replay the capture's time", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "flows.db");
    const { store } = await open(path, { run: { ...RUN, mode: "replay" } });
    const seconds = 1_200_000_000;
    store.writeNames([{ key: "10.0.0.1;192.0.2.1;dns", name: "a.example." }], seconds);
    store.writeNames([{ key: "10.0.0.1;nowhere.example.;nx", name: null }], seconds + 1);
    await store.close();
    assert.equal(value(path, "SELECT first FROM name"), seconds * 1000);
    assert.equal(value(path, "SELECT first FROM refusal"), (seconds + 1) * 1000);
  });
});

Deno.test("SqliteStore drops beyond its bound, counted by kind, and first what loses nothing", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "flows.db");
    // Nothing is taken from it meanwhile: the thread's answers wait until this test does.
    const { store, log } = await open(path, { maxPendingBytes: 700_000 });
    store.takeRecords(records(1_000, { isOver: false, state: "established" }));
    assert.ok(store.deferred > 100, `${store.deferred} deferred`);
    assert.equal(store.lost, 0);
    const deferred = store.deferred;
    store.takeRecords(records(1_000));
    assert.ok(store.losses.records > 100, `${store.losses.records} lost`);
    store.writeNames([{ key: "10.0.0.1;192.0.2.1;dns", name: "www.example.com." }], NOW);
    store.write(observations({ kind: "rst", a: "10.0.0.1", b: "192.0.2.1", seconds: 1 }));
    assert.deepEqual([store.losses.names, store.losses.observations], [1, 1]);
    await store.flush();
    const { losses } = store;
    const text = `${losses.records} conversations, 1 observations, 1 names were lost`;
    assert.deepEqual(log.lines, [
      `warn: store ${path}: ${text} up to now, as more comes than can be written`,
    ]);
    await assert.rejects(store.close(), { message: new RegExp(text) });
    assert.equal(value(path, "SELECT lost_records FROM run"), losses.records);
    assert.equal(value(path, "SELECT lost_observations + lost_names FROM run"), 2);
    // All that was not dropped is there.
    const last = 1_000 - losses.records;
    assert.equal(value(path, "SELECT count(*) FROM conversation WHERE is_over"), last);
    const unfinished = Math.max(0, 1_000 - deferred - last);
    assert.equal(value(path, "SELECT count(*) FROM conversation WHERE NOT is_over"), unfinished);
  });
});

Deno.test(`SqliteStore loses nothing that was flushed when it is killed, ${KILLS} times`, async () => {
  await withDirectory(async (directory) => {
    const random = new SeededRandom();
    const path = join(directory, "flows.db");
    let before = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--allow-all", "--config", configPath(), CHILD, path],
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const enough = 1 + random.below(20);
      let text = "";
      const reader = child.stdout.getReader();
      const decoder = new TextDecoder();
      while (text.split("\n").length <= enough) {
        const { done, value } = await reader.read();
        assert.equal(done, false, "the child has ended by itself");
        text += decoder.decode(value);
      }
      await new Promise((resolve) => setTimeout(resolve, random.below(30)));
      child.kill("SIGKILL");
      for (let chunk; !(chunk = await reader.read()).done;) text += decoder.decode(chunk.value);
      await child.status;
      await child.stderr.cancel();
      const flushed = Number(text.split("\n").at(-2));
      assert.equal(value(path, "PRAGMA integrity_check"), "ok");
      const count = Number(value(path, "SELECT count(*) FROM slice"));
      assert.ok(count - before >= flushed, `${count - before} of ${flushed}`);
      // Sums and conversations are of one transaction.
      assert.equal(value(path, "SELECT sum(conversations) FROM usage"), count);
      assert.equal(value(path, "SELECT sum(conversations) FROM volume"), count);
      before = count;
    }
    assert.deepEqual(
      [...Deno.readDirSync(directory)].map(({ name }) => name).filter((it) => /damaged/.test(it)),
      [],
    );
  });
});

Deno.test({
  name:
    "SqliteStore goes on when the disk is full, says so once, and writes again when there is room" +
    (CAN_MOUNT ? "" : " (ignored: only root can mount a file system)"),
  ignore: !CAN_MOUNT,
  fn: async () => {
    await withDirectory(async (directory) => {
      const disk = join(directory, "disk");
      await Deno.mkdir(disk);
      run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk);
      try {
        const path = join(disk, "flows.db");
        const { store, log } = await open(path, { maxPendingBytes: 4_000_000 });
        store.takeRecords(records(100));
        await store.flush();
        await until(() => store.pending === 0, () => log.lines.join("\n"));
        fill(join(disk, "others"));
        store.takeRecords(records(2_000).map((it) => ({ ...it, id: it.id + 1_000 })));
        await store.flush();
        await until(() => log.lines.length > 0, () => "nothing was said");
        assert.match(store.trouble!, /^store \S+ can't be written \(the disk is full\)$/);
        // What comes meanwhile waits, up to the bound.
        store.takeRecords(records(100).map((it) => ({ ...it, id: it.id + 10_000 })));
        await store.flush();
        assert.equal(store.pending, 2_100);
        assert.equal(value(path, "SELECT count(*) FROM slice"), 100);
        await Deno.remove(join(disk, "others"));
        await until(() => store.pending === 0, () => log.lines.join("\n"));
        await until(() => log.lines.length > 1, () => log.lines.join("\n"));
        assert.match(
          log.lines.join("\n"),
          /^warn: store \S+ can't be written \(the disk is full\); it is tried again every two seconds\ninfo: store \S+ is written again after \d+ s; nothing was lost$/,
        );
        assert.equal(store.trouble, null);
        await store.close();
        assert.equal(value(path, "SELECT count(*) FROM conversation"), 2_200);
        assert.equal(value(path, "PRAGMA integrity_check"), "ok");
      } finally {
        run("umount", disk);
      }
    });
  },
});

Deno.test({
  name: "SqliteStore says at its end what a full disk has lost" +
    (CAN_MOUNT ? "" : " (ignored: only root can mount a file system)"),
  ignore: !CAN_MOUNT,
  fn: async () => {
    await withDirectory(async (directory) => {
      run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", directory);
      try {
        fill(join(directory, "others"));
        const path = join(directory, "flows.db");
        // A capture begins also where the disk is full already.
        const { store } = await open(path);
        store.takeRecords(records(50));
        await assert.rejects(store.close(), {
          name: "UserError",
          message: `store ${path}: 50 conversations were lost (the disk is full)`,
        });
        await assert.rejects(open(path, { run: { ...RUN, mode: "replay" } }), {
          name: "UserError",
          message: /can't be opened \(the disk is full\)/,
        });
      } finally {
        run("umount", directory);
      }
    });
  },
});

Deno.test("SqliteStore puts a file aside that gets damaged while it is written, and goes on in a new one", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "flows.db");
    const first = await open(path);
    first.store.takeRecords(records(5_000));
    await first.store.close();
    const { store, log } = await open(path);
    {
      using file = Deno.openSync(path, { write: true });
      const { size } = Deno.statSync(path);
      file.seekSync(8_192, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array(size - 8_192).fill(0xa5));
    }
    for (let i = 0; log.lines.length === 0 && i < 200; i++) {
      store.takeRecords(records(500).map((it) => ({ ...it, id: it.id + 1_000 * i })));
      await store.flush();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    store.takeRecords(records(1, { id: 999_999 } as Partial<ConversationRecord>));
    await store.close();
    assert.match(
      log.lines.join("\n"),
      /^warn: store \S+ was damaged and is \S+\.damaged-\S+ now; a new one is begun$/,
    );
    assert.equal(value(path, "PRAGMA integrity_check"), "ok");
    assert.equal(
      value(path, "SELECT count(*) FROM conversation WHERE conversation = 999999"),
      1,
    );
  });
});

Deno.test("SqliteStore begins a new file where its own is removed or renamed, and loses no row", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "flows.db");
    const { store, log } = await open(path);
    const told = () => log.lines.join("\n");
    const count = "SELECT count(*) FROM conversation";
    const isWritten = () => until(() => store.pending === 0, told);
    store.takeRecords(records(2));
    await store.flush();
    await isWritten();
    await Deno.rename(path, join(directory, "old.db"));
    store.takeRecords(records(3));
    await store.flush();
    await until(() => log.lines.length === 1, told);
    await isWritten();
    for (const { name } of [...Deno.readDirSync(directory)]) {
      if (name !== "old.db") await Deno.remove(join(directory, name));
    }
    store.takeRecords(records(4));
    await store.close();
    const line = `warn: store ${path} was removed or renamed; a new one is begun`;
    assert.deepEqual(log.lines, [line, line]);
    const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assert.deepEqual(files, ["flows.db", "old.db"]);
    for (const [file, rows] of [["old.db", 2], ["flows.db", 4]] as const) {
      assert.equal(value(join(directory, file), "PRAGMA integrity_check"), "ok");
      assert.equal(value(join(directory, file), count), rows);
    }
  });
});

Deno.test("SqliteStore says what is wrong with a file that can't be opened", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "missing", "flows.db");
    await assert.rejects(open(path), {
      name: "UserError",
      message:
        /^store \S+ can't be opened \(.*\): is its folder there, and may this user write in it\?$/,
    });
  });
});

function configPath(): string {
  return fileURLToPath(new URL("../../deno.json", import.meta.url));
}

function run(program: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Writes a file until there is no room left. */
function fill(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) file.writeSync(new Uint8Array(size));
    } catch (error) {
      if (!/No space left/.test(String(error))) throw error;
    }
  }
}

Deno.test("SqliteStore keeps times beyond 32 bits, and before 1970", async () => {
  await withDirectory(async (directory) => {
    for (const seconds of [4_300_000_000, -86_400 * 365]) {
      const path = join(directory, `${seconds}.db`);
      const origin = new TimeOrigin();
      origin.settle(seconds);
      const { store } = await open(path, { run: { ...RUN, mode: "replay" }, origin });
      const name = { key: "10.0.0.1;192.0.2.1;dns", name: "a.example." };
      store.writeNames([name], origin.secondsOf(seconds));
      const flow = { kind: "flow", a: "10.0.0.1", b: "192.0.2.1", port: 443 } as const;
      store.write(observations({ ...flow, seconds: origin.secondsOf(seconds) }));
      await store.close();
      assert.equal(value(path, "SELECT first FROM usage"), seconds * 1000);
      assert.equal(value(path, "SELECT first FROM name"), seconds * 1000);
      const start = Math.floor(seconds / 600) * 600_000;
      assert.equal(value(path, "SELECT time FROM usage_step"), start);
    }
  });
});
