/**
 * How fast conversations are inserted into a ClickHouse, on loopback:
 * `deno run --allow-all bench/clickhouse.ts [conversations]`.
 *
 * @module
 */
import { parseClickHouseUrl } from "../src/clickhouse/clickhouse_address.ts";
import { ClickHouseSink } from "../src/clickhouse/clickhouse_sink.ts";
import { LineLog } from "../src/log.ts";
import { ClickHouseServer } from "../tests/clickhouse_server.ts";
import { record } from "../tests/records.ts";
import { RUN } from "../tests/store/test_store.ts";

const BATCH = 1000;
const count = Number(Deno.args[0] ?? 1_000_000);
await using server = await ClickHouseServer.start();
const sink = await ClickHouseSink.open(
  parseClickHouseUrl(`${server.url}/flows`, "bench"),
  { run: { ...RUN, mode: "replay", sensor: "bench" } },
  new LineLog("info"),
);
const begin = performance.now();
for (let id = 0; id < count; id += BATCH) {
  sink.takeRecords(Array.from({ length: BATCH }, (_, i) =>
    record({
      id: id + i,
      client: `10.${(id >> 16) & 255}.${(id >> 8) & 255}.${i & 255}`,
      clientPort: 1024 + (id + i) % 60_000,
      first: record().first + id,
      last: record().last + id,
    })));
  if (sink.pendingBytes > 4 * 2 ** 20) await sink.flush();
}
await sink.close();
const seconds = (performance.now() - begin) / 1000;
const [rows] = await server.ask("SELECT count() FROM conversation FINAL", "flows");
const [bytes] = await server.ask(
  "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'conversation'",
  "flows",
);
console.log(
  `${rows} conversations in ${seconds.toFixed(1)} s, ${
    Math.round(Number(rows) / seconds)
  } a second, ` +
    `${(Number(bytes) / Number(rows)).toFixed(0)} bytes each on disk`,
);
