/**
 * How fast a store is written, and how fast a report is made of it:
 * `deno run --allow-all bench/store.ts [conversations] [file]`.
 *
 * @module
 */
import { Report } from "../src/report/report.ts";
import { reportData } from "../src/report/report_data.ts";
import { GROUPS } from "../src/report/report_query.ts";
import { openStoreFile } from "../src/report/open_store_file.ts";
import { openDatabase } from "../src/store/open_database.ts";
import { StoreWriter } from "../src/store/store_writer.ts";
import type { ConversationRecord } from "../src/model/conversation_record.ts";

const HOUR = 3_600_000;
const BATCH = 5_000;
const STATES = ["closed", "closed", "closed", "reset", "open", "refused", "unanswered"] as const;

const [count = "1000000", given] = Deno.args;
const total = Number(count);
const directory = await Deno.makeTempDir({ prefix: "flosensor-bench-" });
const path = given ?? `${directory}/flows.db`;
const now = Date.now();

/** A network of 2,000 hosts, which use 20,000 servers outside and 50 of their own. */
function conversation(id: number): ConversationRecord {
  const random = (below: number) => Math.floor(Math.random() * below);
  const client = `10.0.${random(8)}.${random(250)}`;
  const isLocal = random(5) === 0;
  // Few servers have most of the clients.
  const server = Math.floor(20_000 * Math.random() ** 4);
  const first = now - 24 * HOUR + Math.floor(24 * HOUR * id / total);
  return {
    id,
    isOver: true,
    protocol: "tcp",
    client,
    clientPort: 1024 + random(60_000),
    server: isLocal
      ? `10.0.9.${random(50)}`
      : `198.${18 + (server >> 14)}.${(server >> 6) & 255}.${server & 63}`,
    port: isLocal ? [22, 53, 80, 443, 5432][random(5)] : 443,
    by: "syn",
    state: STATES[random(STATES.length)],
    packets: [10, 12],
    bytes: [1_000, random(100_000)],
    flags: [27, 27],
    first,
    last: Math.min(now, first + random(30_000)),
    interface: "eth0",
    vlan: null,
    tunnel: null,
    names: isLocal ? [] : [{ name: `host${server}.example.com`, from: "lookup" }],
    isExplained: random(50) > 0,
    why: null,
  };
}

function measure(what: string, work: () => unknown): void {
  const start = performance.now();
  work();
  const { rss } = Deno.memoryUsage();
  console.log(
    `${what.padEnd(28)} ${((performance.now() - start) / 1000).toFixed(2).padStart(7)} s` +
      `  ${(rss / 1e6).toFixed(0).padStart(4)} MB`,
  );
}

if (given === undefined || !await Deno.stat(path).then(() => true, () => false)) {
  const { database } = openDatabase(path);
  const writer = new StoreWriter(database, {
    mode: "capture",
    sources: ["eth0"],
    localNetworks: ["10.0.0.0/8"],
    version: "bench",
    hasRecords: true,
  });
  measure(`${total} conversations written`, () => {
    for (let from = 0; from < total; from += BATCH) {
      const records = Array.from({ length: BATCH }, (_, i) => conversation(from + i));
      writer.write(
        { records, words: new Uint32Array(), flowNames: [], names: [] },
        { records: 0, observations: 0, names: 0 },
      );
    }
  });
  database.close();
  console.log(`${(Deno.statSync(path).size / total).toFixed(0)} bytes a conversation`);
}
const query = { client: null, server: null, newSince: now - HOUR, localNetworks: null };
for (const [what, since] of [["report", null], ["report --since 1h", now - HOUR]] as const) {
  using source = openStoreFile(path);
  measure(what, () => reportData(new Report(source.database, { ...query, since }), 20));
}
for (const group of GROUPS) {
  using source = openStoreFile(path);
  measure(
    `report --by ${group}`,
    () => new Report(source.database, { ...query, since: null }).grouped(group, 20),
  );
}
{
  using source = openStoreFile(path);
  measure(
    "report --client 10.0.1.7",
    () =>
      reportData(new Report(source.database, { ...query, since: null, client: "10.0.1.7" }), 20),
  );
}
await Deno.remove(directory, { recursive: true });
