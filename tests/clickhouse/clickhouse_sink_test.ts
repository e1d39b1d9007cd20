import assert from "node:assert/strict";
import { parseClickHouseUrl } from "../../src/clickhouse/clickhouse_address.ts";
import {
  ClickHouseSink,
  type ClickHouseSinkOptions,
} from "../../src/clickhouse/clickhouse_sink.ts";
import { communityId } from "../../src/model/community_id.ts";
import { Spool } from "../../src/clickhouse/spool.ts";
import { makeCertificates } from "../certificates.ts";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { fillDisk } from "../fill_disk.ts";
import { MemoryLog } from "../memory_log.ts";
import { observations } from "../observations.ts";
import { record } from "../records.ts";
import { RUN } from "../store/test_store.ts";

const LIVE = { ...RUN, sensor: "north" };
const SAVED = { ...LIVE, mode: "replay" as const };

const IS_ROOT = Deno.uid() === 0;

function test(name: string, fn: () => Promise<void>, isPossible = true): void {
  const ignore = !HAS_CLICKHOUSE || !isPossible;
  Deno.test({ name: `ClickHouseSink ${name}${NO_CLICKHOUSE}`, ignore, fn });
}

function records(from: number, count: number) {
  return Array.from(
    { length: count },
    (_, i) => record({ id: from + i, clientPort: 1024 + (from + i) % 60_000 }),
  );
}

/** Conversations that are there, and the sum of their numbers. */
async function conversations(server: ClickHouseServer): Promise<string[]> {
  return await server.ask("SELECT count(), sum(conversation) FROM conversation FINAL", "flows");
}

function sums(from: number, count: number): string {
  return `${count}\t${count * from + count * (count - 1) / 2}`;
}

function mount(...args: string[]): void {
  assert.ok(new Deno.Command("mount", { args }).outputSync().success);
}

function unmount(folder: string): void {
  assert.ok(new Deno.Command("umount", { args: ["--lazy", folder] }).outputSync().success);
}

/** A capture's sink, whose rows wait in a folder. */
function openSpooled(
  server: ClickHouseServer,
  folder: string,
  log: MemoryLog,
  bound = 2 ** 30,
  options: Partial<ClickHouseSinkOptions> = {},
): Promise<ClickHouseSink> {
  return ClickHouseSink.open(
    parseClickHouseUrl(`${server.url}/flows`, "--clickhouse"),
    { run: LIVE, spool: new Spool(folder, bound, "test"), ...options },
    log,
  );
}

/** Flushes until it can't be written, and returns what is said of that. */
async function troubled(sink: ClickHouseSink): Promise<string> {
  const until = performance.now() + 120_000;
  while (sink.trouble === null) {
    assert.ok(performance.now() < until, "it is not said that it can't be written");
    await sink.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return sink.trouble;
}

/** Flushes until nothing is pending. */
async function flushed(sink: ClickHouseSink): Promise<void> {
  const until = performance.now() + 120_000;
  while (sink.pending > 0) {
    assert.ok(performance.now() < until, `${sink.pending} are pending: ${sink.trouble}`);
    await sink.flush();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("makes a database and tables, and inserts what it is given", async () => {
  await using server = await ClickHouseServer.start();
  const log = new MemoryLog();
  const sink = await ClickHouseSink.open(
    parseClickHouseUrl(`${server.url}/flows`, "--clickhouse"),
    { run: SAVED },
    log,
  );
  const strange = record({ id: 1, isExplained: false, why: "a\tb\\c\nd'e\0ü", vlan: 7 });
  sink.takeRecords([record({ id: 2, isOver: false, bytes: [1, 1] }), strange]);
  sink.takeRecords([record({ id: 2, bytes: [2 ** 52, 5] })]);
  sink.write(observations(
    { kind: "flow", a: "10.0.0.1", b: "192.0.2.1", port: 53, by: "qr", protocol: 17, seconds: 60 },
    { kind: "flow", a: "10.0.0.1", b: "192.0.2.1", port: 53, by: "qr", protocol: 17, seconds: 61 },
    { kind: "rst", a: "10.0.0.1", b: "192.0.2.1", port: 40_000, otherPort: 25, seconds: 60 },
    { kind: "client", a: "10.0.0.1", seconds: 60 },
  ));
  sink.writeNames([
    { key: "10.0.0.1;192.0.2.1;dns", name: "www.example.com." },
    { key: "10.0.0.1;www.example.com.;cname", name: "alias.example.com." },
    { key: "10.0.0.1;none.example.com.;nx", name: null },
  ], 60);
  assert.equal(sink.pending, 9);
  await sink.close();
  assert.equal(communityId(strange), "1:o6OMohPz3QSchwVdhIXDzLII1iQ=");
  assert.deepEqual([sink.pending, sink.written, sink.lost], [0, 9, 0]);
  assert.deepEqual(
    await server.ask(
      "SELECT conversation, community_id, is_over, bytes_client, why, vlan, interface, sensor " +
        "FROM conversation FINAL ORDER BY conversation",
      "flows",
    ),
    [
      "1\t1:o6OMohPz3QSchwVdhIXDzLII1iQ=\t1\t1840\ta\\tb\\\\c\\nd\\'e\\0ü\t7\teth0\tnorth",
      "2\t1:o6OMohPz3QSchwVdhIXDzLII1iQ=\t1\t4503599627370496\t\\N\t\\N\teth0\tnorth",
    ],
  );
  assert.deepEqual(
    await server.ask("SELECT client, server, port, protocol, by, count FROM service_use", "flows"),
    ["10.0.0.1\t192.0.2.1\t53\tudp\tqr\t2"],
  );
  assert.deepEqual(
    await server.ask("SELECT name, type, data FROM name ORDER BY type", "flows"),
    ["www.example.com\tA\t192.0.2.1", "alias.example.com\tCNAME\twww.example.com"],
  );
  assert.deepEqual(
    await server.ask("SELECT kind, target, port FROM refusal ORDER BY kind", "flows"),
    ["nx\tnone.example.com\t0", "rst\t192.0.2.1\t25"],
  );
});

test("loses and doubles nothing when the server is killed and comes back", async () => {
  await using server = await ClickHouseServer.start();
  const folder = Deno.makeTempDirSync();
  try {
    const log = new MemoryLog();
    const sink = await openSpooled(server, folder, log);
    let id = 0;
    const take = (count: number) => {
      for (let i = 0; i < count; i += 1000) sink.takeRecords(records(id + i, 1000));
      id += count;
    };
    take(40_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await server.halt();
    take(60_000);
    assert.match(await troubled(sink), /can't be written/);
    take(20_000);
    assert.ok([...Deno.readDirSync(folder)].length > 0, "what waits is on disk");
    await server.run();
    await flushed(sink);
    await sink.close();
    assert.deepEqual([sink.written, sink.lost], [id, 0]);
    assert.deepEqual(await conversations(server), [sums(0, id)]);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    const said = log.lines.filter((it) => !it.startsWith("debug"));
    assert.match(
      said[0],
      /^warn: ClickHouse at http:.* can't be written \(.*\); it is tried again/,
    );
    assert.match(said[1], /written again after \d+ s; nothing was lost/);
    assert.equal(said.length, 2);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test(`waits while the server's disk is full${IS_ROOT ? "" : " (ignored: not root)"}`, async () => {
  const data = Deno.makeTempDirSync();
  mount("-t", "tmpfs", "-o", "size=48m", "tmpfs", data);
  const folder = Deno.makeTempDirSync();
  try {
    await using server = await ClickHouseServer.start({ data: `${data}/server` });
    const log = new MemoryLog();
    const sink = await openSpooled(server, folder, log);
    await fillDisk(`${data}/filler`);
    for (let i = 0; i < 40; i++) sink.takeRecords(records(i * 1000, 1000));
    await troubled(sink);
    Deno.removeSync(`${data}/filler`);
    await flushed(sink);
    await sink.close();
    assert.equal(sink.lost, 0);
    assert.deepEqual(await conversations(server), [sums(0, 40_000)]);
    assert.match(log.lines.at(-1)!, /written again after \d+ s; nothing was lost/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
    unmount(data);
    Deno.removeSync(data, { recursive: true });
  }
}, IS_ROOT);

test("leaves what can't be inserted at its end to the next start", async () => {
  await using server = await ClickHouseServer.start();
  const folder = Deno.makeTempDirSync();
  try {
    const open = () => openSpooled(server, folder, new MemoryLog());
    const sink = await open();
    await server.halt();
    sink.takeRecords(records(0, 5000));
    await sink.close();
    assert.equal(sink.lost, 0);
    await server.run();
    const next = await open();
    await next.close();
    assert.deepEqual(await conversations(server), [sums(0, 5000)]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test("says what was taken out of its spool by others", async () => {
  await using server = await ClickHouseServer.start();
  const folder = Deno.makeTempDirSync();
  try {
    const log = new MemoryLog();
    const sink = await openSpooled(server, folder, log);
    await server.halt();
    for (let i = 0; i < 60; i++) sink.takeRecords(records(i * 1000, 1000));
    await troubled(sink);
    const [first] = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    Deno.removeSync(`${folder}/${first}`);
    await server.run();
    await flushed(sink);
    assert.ok(sink.lost > 0 && sink.lost + sink.written === 60_000, `${sink.lost}`);
    assert.deepEqual(
      (await conversations(server))[0].split("\t")[0],
      String(sink.written),
    );
    assert.match(
      log.lines.join("\n"),
      /warn: .*: \d+ rows that waited in \S+ are gone, or damaged/,
    );
    await assert.rejects(sink.close(), { message: /conversations were lost/ });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test("keeps what comes within the bound, and says what is lost beyond", async () => {
  await using server = await ClickHouseServer.start();
  const folder = Deno.makeTempDirSync();
  try {
    const log = new MemoryLog();
    const bound = 5 * 2 ** 20;
    const sink = await openSpooled(server, folder, log, bound, { mostPendingBytes: bound });
    await server.halt();
    for (let i = 0; i < 120; i++) sink.takeRecords(records(i * 1000, 1000));
    const { lost } = sink;
    assert.ok(lost > 0 && lost < 120_000, String(lost));
    await server.run();
    await flushed(sink);
    await assert.rejects(sink.close(), {
      message: new RegExp(`: ${lost} conversations were lost`),
    });
    assert.equal(sink.written, 120_000 - lost);
    const [there] = await conversations(server);
    assert.equal(there.split("\t")[0], String(120_000 - lost));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test("says in one line without the password why it is refused", async () => {
  await using server = await ClickHouseServer.start();
  const url = server.url.replace("//", "//sensor:wrong-secret@");
  for (const run of [LIVE, SAVED]) {
    const log = new MemoryLog();
    const address = parseClickHouseUrl(url, "--clickhouse");
    await assert.rejects(ClickHouseSink.open(address, { run }, log), ({ name, message }: Error) => {
      assert.equal(name, "UserError");
      assert.match(
        message,
        /^ClickHouse at http:\/\/sensor:\*\*\*@127\.0\.0\.1:\d+\/flosensor refuses us/,
      );
      assert.match(message, /\(Code 193: Wrong password for user sensor\): check the user/);
      assert.ok(!message.includes("secret"));
      return true;
    });
  }
  const right = server.url.replace("//", "//sensor:correct@");
  const sink = await ClickHouseSink.open(
    parseClickHouseUrl(right, "--clickhouse"),
    { run: SAVED },
    new MemoryLog(),
  );
  await sink.close();
});

test("speaks TLS, and trusts whom it is told to", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await makeCertificates(folder);
    const tls = { certificate: `${folder}/server.pem`, key: `${folder}/server.key` };
    await using server = await ClickHouseServer.start({ tls });
    const open = (query: string) =>
      ClickHouseSink.open(
        parseClickHouseUrl(`https://sensor:correct@localhost:${server.port}/flows${query}`, "test"),
        { run: SAVED },
        new MemoryLog(),
      );
    await assert.rejects(open(""), { message: /can't be written \(.*(certificate|issuer)/i });
    const sink = await open(`?cacert=${folder}/ca.pem`);
    sink.takeRecords(records(0, 3));
    await sink.close();
    assert.equal(sink.written, 3);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test("is not begun by a replay where no server is", async () => {
  const address = parseClickHouseUrl("http://127.0.0.1:1/flows", "--clickhouse");
  await assert.rejects(
    ClickHouseSink.open(address, { run: SAVED }, new MemoryLog()),
    { message: /^ClickHouse at http:\/\/127\.0\.0\.1:1\/flows can't be written \(.*\): start it/ },
  );
});
