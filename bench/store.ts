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
import { writeManyConversations } from "./many_conversations.ts";

const HOUR = 3_600_000;

const [count = "1000000", given] = Deno.args;
const total = Number(count);
const directory = await Deno.makeTempDir({ prefix: "flosensor-bench-" });
const path = given ?? `${directory}/flows.db`;
const now = Date.now();

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
  measure(`${total} conversations written`, () => writeManyConversations(path, total, now));
  console.log(`${(Deno.statSync(path).size / total).toFixed(0)} bytes a conversation`);
}
const query = { client: null, server: null, newSince: now - HOUR };
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
