import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { openStoreFile } from "../../src/report/open_store_file.ts";
import { StoreRetention } from "../../src/store/store_retention.ts";
import { StoreWriter } from "../../src/store/store_writer.ts";
import { parseFilter } from "../../src/web/filter.ts";
import { FLOW_SORTS, type PageQuery } from "../../src/web/page_data.ts";
import { StorePageData } from "../../src/web/store_page_data.ts";
import { SeededRandom } from "../seeded_random.ts";
import { MIDNIGHT, record } from "../store/record.ts";
import { batchOf, NO_LOSSES, RUN, TestStore } from "../store/test_store.ts";
import { officeStore } from "./office_store.ts";

const HOUR = 3_600_000;
const FILTERS = [
  ...["", "client:192.168.1.20", "client:192.168.1.16/28", "server:2001:DB8:ff:0::443"],
  ...["server:2001:db8:ff::/48", "host:192.168.1.5,192.168.1.10", "port:443", "-port:80,443"],
  ...["port:80,5000-6000", "proto:udp", "-proto:tcp", "name:EXAMPLE.com", "-name:example"],
  ...["by:lower-port,ephemeral", "-by:syn", "unexplained", "-unexplained local", "refused"],
  ...["-refused", "new", "-new", "encrypted", "-local", "1.60", '"video.example"', "name:%"],
  ...["client:10.0.3.0/24 port:443 name:host -by:first-packet", "-host:10.0.0.0/14", "refused new"],
];

/** Data that holds flows in memory, however few there are. */
async function held(store: TestStore): Promise<StorePageData> {
  const data = new StorePageData(openStoreFile(store.path).database, { leastHeld: 0 });
  while (!data.prepare()) await pause(1);
  return data;
}

/** Whatever is asked of both, they say the same. */
function assertSame(
  one: StorePageData,
  other: StorePageData,
  spans: readonly (number | null)[],
  filters = FILTERS,
) {
  for (const span of spans) {
    for (const filter of filters) {
      const query: PageQuery = { filter: parseFilter(filter), span };
      const what = `${filter}, ${span}`;
      assert.deepEqual(one.overview(query), other.overview(query), what);
      assert.deepEqual(one.devices(query), other.devices(query), what);
      for (const isOwn of [true, false]) {
        assert.deepEqual(one.services(query, isOwn), other.services(query, isOwn), what);
      }
      for (const by of filter === "" ? FLOW_SORTS : ["last" as const]) {
        for (const isDescending of [true, false]) {
          const ask = (data: StorePageData, offset: number, snapshot: string | null) =>
            data.flows(query, { by, isDescending }, { offset, limit: 2_500, snapshot });
          const [first, second] = [ask(one, 0, null), ask(other, 0, null)];
          const { snapshot: _, ...rest } = first;
          assert.deepEqual(
            { ...second, snapshot: undefined },
            { ...rest, snapshot: undefined },
            `${what}, ${by}`,
          );
        }
      }
    }
  }
}

Deno.test("flows in memory are chosen, counted and sorted as SQLite does it", async () => {
  using store = officeStore();
  using data = await held(store);
  using plain = new StorePageData(store.database);
  assert.equal(plain.prepare(), false);
  assertSame(data, plain, [null, 15 * 60_000, HOUR, 24 * HOUR]);
});

Deno.test("once flows are held, what SQLite needed for their like is given back", async () => {
  using store = officeStore();
  let freed = 0;
  const { database } = openStoreFile(store.path);
  using data = new StorePageData(database, { leastHeld: 0, onFreed: () => freed++ });
  const tables = () => database.prepare("SELECT name FROM temp.sqlite_master").all().length;
  data.overview({ filter: [], span: 15 * 60_000 });
  assert.equal(tables(), 1);
  while (!data.prepare()) await pause(1);
  // Not while something is asked.
  await pause(10);
  assert.equal(tables(), 0);
  // Before they were read, and after it.
  assert.equal(freed, 2);
});

Deno.test("a service that comes again stands where SQLite has it among those of its server and port", async () => {
  const run = { ...RUN, mode: "replay" } as const;
  using store = new TestStore(run);
  const recordOf = (id: number, protocol: "tcp" | "udp") =>
    batchOf({ records: [record({ id, protocol, server: "10.0.0.2" })] });
  store.write(recordOf(1, "tcp"));
  store.write(recordOf(2, "udp"));
  // As it is dropped for its age: the service is still there.
  store.database.exec("DELETE FROM usage WHERE id = 1; DELETE FROM usage_step WHERE usage = 1");
  using data = await held(store);
  using plain = new StorePageData(openStoreFile(store.path).database);
  new StoreWriter(store.database, run).write(recordOf(3, "tcp"), NO_LOSSES);
  assertSame(data, plain, [null], [""]);
  const [one, other] = data.services({ filter: [], span: null }, true);
  assert.deepEqual([one.protocol, other.protocol], ["tcp", "udp"]);
});

Deno.test("where flows can't be read, SQLite is asked, and later questions are answered", () => {
  using store = officeStore();
  const { database } = openStoreFile(store.path);
  using data = new StorePageData(database, { leastHeld: 0 });
  using plain = new StorePageData(openStoreFile(store.path).database);
  const query = { filter: parseFilter("port:443"), span: null };
  assert.equal(data.prepare(), false);
  store.database.exec("ALTER TABLE usage_step RENAME TO away");
  assert.throws(() => data.overview(query), /no such table/);
  store.database.exec("ALTER TABLE away RENAME TO usage_step");
  assert.deepEqual(data.overview(query), plain.overview(query));
  assert.deepEqual(data.services(query, false), plain.services(query, false));
});

Deno.test("what is written later is there, also of days that were summed up", async () => {
  // Time ends with what came last, and not with the clock.
  using store = new TestStore({ ...RUN, mode: "replay" });
  const random = new SeededRandom(26);
  const below = (most: number) => random.below(most);
  let id = 0;
  const write = (count: number, from: number, hours: number) =>
    store.write({
      records: Array.from({ length: count }, () => {
        const first = from + below(hours * HOUR);
        const name = below(4) === 0
          ? []
          : [{ name: `host${below(80)}.example`, from: "sni" as const }];
        return record({
          ...{ id: ++id, client: `10.${below(2)}.${below(8)}.${below(9)}`, names: name },
          server: below(3) === 0 ? `10.9.0.${below(9)}` : `2001:db8::${below(900).toString(16)}`,
          ...{ port: [22, 80, 443][below(3)], protocol: below(5) === 0 ? "udp" : "tcp" },
          ...{ by: below(2) === 0 ? "syn" : "lower-port", isExplained: below(3) > 0 },
          state: below(4) === 0 ? "refused" : "closed",
          ...{ packets: [below(9), below(9)], bytes: [below(5_000), below(90_000)] },
          ...{ first, last: first + below(1_200_000) },
        });
      }),
    });
  write(2_000, MIDNIGHT - 96 * HOUR, 96);
  new StoreRetention(store.database, { milliseconds: 1e12, bytes: 1e12 }).keep(MIDNIGHT, false);
  assert.ok(Number(store.value(`SELECT count(DISTINCT step) FROM usage_step`)) > 1);
  using data = await held(store);
  using plain = new StorePageData(openStoreFile(store.path).database);
  const spans = [null, HOUR, 20 * HOUR, 70 * HOUR];
  assertSame(data, plain, spans);
  for (const minutes of [0, 5, 9, 31]) {
    write(300, MIDNIGHT + minutes * 60_000, 0.01);
    assertSame(data, plain, spans.slice(0, 2), ["", "port:443", "unexplained"]);
  }
  assertSame(data, plain, spans);
});
