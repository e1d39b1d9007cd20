import assert from "node:assert/strict";
import { StoreRetention } from "../../src/store/store_retention.ts";
import { MIDNIGHT, record } from "./record.ts";
import { TestStore } from "./test_store.ts";

const DAY = 86_400_000;
const HUGE = 2 ** 40;

/** A conversation a day, of another client each. */
function writeDays(store: TestStore, days: number): void {
  store.write({
    records: Array.from({ length: days }, (_, day) =>
      record({
        id: day,
        client: `10.0.${day >> 8}.${day & 255}`,
        names: [{ name: `day${day}.example.com`, from: "sni" }],
        first: MIDNIGHT + day * DAY,
        last: MIDNIGHT + day * DAY + 5_000,
      })),
  });
}

Deno.test("StoreRetention drops conversations after their time, and sums after twelve times that", () => {
  using store = new TestStore();
  writeDays(store, 400);
  const retention = new StoreRetention(store.database, { milliseconds: 30 * DAY, bytes: HUGE });
  retention.keep(MIDNIGHT + 400 * DAY, true);
  assert.equal(store.value("SELECT count(*) FROM conversation"), 30);
  for (const table of ["usage", "name"]) {
    assert.equal(store.value(`SELECT count(*) FROM ${table}`), 360, table);
  }
  // The service is there since the first day, whoever of its clients is not.
  assert.equal(store.value("SELECT first FROM service"), MIDNIGHT);
});

Deno.test("StoreRetention drops nothing of a replay for its age", () => {
  using store = new TestStore();
  writeDays(store, 400);
  const retention = new StoreRetention(store.database, { milliseconds: DAY, bytes: HUGE });
  retention.keep(MIDNIGHT + 400 * DAY, false);
  assert.equal(store.value("SELECT count(*) FROM conversation"), 400);
});

Deno.test("StoreRetention makes steps of time coarser with their age, and their sums stay", () => {
  using store = new TestStore();
  writeDays(store, 100);
  const sums = () =>
    ["usage_step", "volume"].map((table) =>
      store.rows(
        `SELECT sum(conversations) AS conversations, sum(bytes_server) AS bytes FROM ${table}`,
      )
    );
  const before = sums();
  const retention = new StoreRetention(store.database, { milliseconds: HUGE, bytes: HUGE });
  for (const day of [100, 100, 120]) {
    retention.keep(MIDNIGHT + day * DAY, true);
    assert.deepEqual(sums(), before);
  }
  const steps = (table: string) =>
    store.rows(`SELECT DISTINCT step FROM ${table} ORDER BY step`).map(({ step }) => step);
  assert.deepEqual(steps("usage_step"), [3_600, 86_400]);
  assert.deepEqual(steps("volume"), [300, 3_600]);
  assert.equal(store.value("SELECT count(*) FROM volume WHERE time % (step * 1000) <> 0"), 0);
});

Deno.test("StoreRetention keeps the file within its size: the oldest conversations go, the sums stay", () => {
  using store = new TestStore();
  const bytes = 4 * 2 ** 20;
  const retention = new StoreRetention(store.database, { milliseconds: HUGE, bytes });
  const total = 60_000;
  for (let from = 0; from < total; from += 2_000) {
    store.write({
      records: Array.from({ length: 2_000 }, (_, i) =>
        record({
          id: from + i,
          client: `10.0.0.${i % 50}`,
          first: MIDNIGHT + from + i,
          last: MIDNIGHT + from + i,
        })),
    });
    if (retention.isTooLarge) retention.trim();
  }
  store.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const { size } = Deno.statSync(store.path);
  assert.ok(size <= bytes, `${size} bytes`);
  const kept = Number(store.value("SELECT count(*) FROM slice"));
  assert.ok(kept > 5_000 && kept < total, `${kept} kept`);
  assert.equal(store.value("SELECT min(conversation) FROM slice"), total - kept);
  assert.equal(store.value("SELECT sum(conversations) FROM usage"), total);
});

Deno.test("StoreRetention drops the oldest sums where they alone are too large", () => {
  using store = new TestStore();
  const bytes = 2 ** 20;
  writeDays(store, 5_000);
  const retention = new StoreRetention(store.database, { milliseconds: HUGE, bytes });
  retention.trim();
  assert.equal(retention.isTooLarge, false);
  const kept = Number(store.value("SELECT count(*) FROM usage"));
  assert.ok(kept > 100 && kept < 5_000, `${kept} kept`);
  assert.equal(store.value("SELECT max(last) FROM usage"), MIDNIGHT + 4_999 * DAY + 5_000);
});
