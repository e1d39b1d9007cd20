import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseClickHouseUrl } from "../../src/clickhouse/clickhouse_address.ts";
import { ClickHouseSink } from "../../src/clickhouse/clickhouse_sink.ts";
import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { flosensor } from "../cli/program.ts";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { MemoryLog } from "../memory_log.ts";
import { record } from "../records.ts";
import { RUN } from "../store/test_store.ts";

const DEMO = fileURLToPath(new URL("../demo_capture.ts", import.meta.url));

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name: `${name}${NO_CLICKHOUSE}`, ignore: !HAS_CLICKHOUSE, fn: run });
}

async function insert(
  server: ClickHouseServer,
  sensor: string,
  records: readonly ConversationRecord[],
): Promise<void> {
  const sink = await ClickHouseSink.open(
    parseClickHouseUrl(`${server.url}/flows`, "--clickhouse"),
    { run: { ...RUN, mode: "replay", sensor } },
    new MemoryLog(),
  );
  sink.takeRecords(records);
  await sink.close();
}

async function report(...args: string[]) {
  const { status, stdout, stderr } = await flosensor(["report", "--json", ...args]);
  assert.equal(status, 0, stderr);
  const { source: _, ...data } = JSON.parse(stdout);
  return data;
}

test("report says the same of a ClickHouse and of a store of the same replay", async () => {
  await using server = await ClickHouseServer.start();
  const folder = Deno.makeTempDirSync();
  try {
    const capture = join(folder, "demo.pcap");
    const store = join(folder, "flows.db");
    const made = await new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", DEMO] })
      .output();
    assert.ok(made.success);
    Deno.writeFileSync(capture, made.stdout);
    const own = ["192.168.1.0/24", "2001:db8:1::/64"];
    const clickhouse = `${server.url}/flows`;
    const { status, stderr } = await flosensor([
      ...["replay", "--no-redis", "--store", store, "--clickhouse", clickhouse, capture, ...own],
    ]);
    assert.equal(status, 0, stderr);
    const ofStore = await report(store);
    assert.ok(JSON.stringify(ofStore).length > 2000);
    // Who the hosts are stands in the store alone.
    const { devices: _devices, ...expected } = ofStore;
    const { devices: _none, ...found } = await report("--clickhouse", clickhouse);
    assert.deepEqual(found, expected);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test("report counts a conversation once that several sensors see", async () => {
  await using server = await ClickHouseServer.start();
  const first = record().first;
  const seen = record({ id: 1, packets: [10, 10], bytes: [1000, 2000] });
  const cut = record({ id: 9, packets: [4, 3], bytes: [300, 400], first: first + 30 });
  // The same ends again an hour later, of which one sensor knows.
  const later = record({ id: 2, first: first + 3_600_000, last: first + 3_601_000 });
  await insert(server, "north", [seen, later]);
  await insert(server, "south", [cut]);
  await insert(server, "killed", [
    record({ id: 5, isOver: false, packets: [1, 1], last: first + 5 }),
  ]);
  const url = `${server.url}/flows`;
  const { stdout } = await flosensor(["report", "--csv", "--clickhouse", url, "192.168.1.0/24"]);
  const [head, ...rows] = stdout.trimEnd().split("\n").map((line) => line.split(","));
  assert.equal(rows.length, 1, stdout);
  const at = (name: string) => rows[0][head.indexOf(name)];
  assert.equal(at("conversations"), "2");
  assert.equal(at("packets_client"), String(10 + later.packets[0]));
  assert.equal(at("bytes_server"), String(2000 + later.bytes[1]));
});

test("report says in one line why a ClickHouse can't be read, without its password", async () => {
  await using server = await ClickHouseServer.start();
  const url = server.url.replace("//", "//sensor:very-secret@");
  const refused = await flosensor(["report", "--clickhouse", url]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /refuses us \(Code 193: Wrong password for user sensor\)/);
  assert.ok(!refused.stderr.includes("very-secret"));
  const empty = await flosensor(["report", "--clickhouse", `${server.url}/nothing`]);
  assert.equal(empty.status, 1);
  assert.match(empty.stderr, /has nothing of flosensor/);
  const away = await flosensor(["report", "--clickhouse", "http://127.0.0.1:1"]);
  assert.equal(away.status, 1);
  assert.match(away.stderr, /can't be read \(.*\): start it/);
});
