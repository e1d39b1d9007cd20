import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { openDatabase } from "../../src/store/open_database.ts";
import { StoreWriter } from "../../src/store/store_writer.ts";
import { observations } from "../observations.ts";
import { SeededRandom } from "../seeded_random.ts";
import { MIDNIGHT, record } from "./record.ts";
import { NO_LOSSES, RUN, TestStore } from "./test_store.ts";

Deno.test("StoreWriter keeps of a conversation what its last record has, however many there were", () => {
  using store = new TestStore();
  const names = [{ name: "www.example.com", from: "lookup" }, {
    name: "cdn.example.net",
    from: "sni",
  }] as const;
  const going = { isOver: false, state: "established", names } as const;
  store.write({ records: [record({ ...going, packets: [3, 2], bytes: [300, 2_000] })] });
  store.write({
    records: [
      record({ ...going, packets: [3, 2], bytes: [300, 2_000], last: MIDNIGHT + 60_000 }),
      record({ names, packets: [9, 8], bytes: [900, 70_000], last: MIDNIGHT + 90_000, vlan: 7 }),
    ],
  });
  const [{ id: _id, ...row }] = store.rows("SELECT * FROM conversation");
  assert.deepEqual(row, {
    run: 1,
    conversation: 1,
    first: MIDNIGHT,
    last: MIDNIGHT + 90_000,
    is_over: 1,
    client: "10.0.0.1",
    client_port: 40_000,
    server: "192.0.2.1",
    port: 443,
    protocol: "tcp",
    by: "syn",
    state: "closed",
    packets_client: 9,
    packets_server: 8,
    bytes_client: 900,
    bytes_server: 70_000,
    flags_client: 0x1b,
    flags_server: 0x1b,
    name: "www.example.com",
    name_origin: "lookup",
    other_names: "sni:cdn.example.net",
    interface: "eth0",
    vlan: 7,
    tunnel: null,
    explained: null,
    why: null,
  });
  assert.equal(store.value("SELECT count(*) FROM slice"), 3);
  assert.deepEqual(
    store.rows("SELECT name, address, origin, count FROM name ORDER BY origin"),
    [
      { name: "www.example.com", address: "192.0.2.1", origin: "lookup", count: 1 },
      { name: "cdn.example.net", address: "192.0.2.1", origin: "sni", count: 1 },
    ],
  );
});

Deno.test("StoreWriter moves a conversation whose client is found to be its server", () => {
  using store = new TestStore();
  const wrong = record({
    isOver: false,
    by: "lower-port",
    state: "open",
    client: "192.0.2.1",
    clientPort: 443,
    server: "10.0.0.1",
    port: 40_000,
    packets: [5, 4],
    bytes: [5_000, 400],
    isExplained: false,
  });
  store.write({ records: [wrong] });
  store.write({
    records: [record({
      packets: [7, 9],
      bytes: [700, 9_000],
      last: MIDNIGHT + 60_000,
      isExplained: true,
    })],
  });
  const figures = "packets_client, packets_server, bytes_client, bytes_server";
  assert.deepEqual(
    store.rows(`SELECT client, client_port, server, port, ${figures} FROM conversation`),
    [{
      client: "10.0.0.1",
      client_port: 40_000,
      server: "192.0.2.1",
      port: 443,
      packets_client: 7,
      packets_server: 9,
      bytes_client: 700,
      bytes_server: 9_000,
    }],
  );
  assert.deepEqual(
    store.rows(
      `SELECT client, conversations, answered, unexplained, ${figures} FROM service_use ORDER BY client`,
    ),
    [
      ["10.0.0.1", 1, 1, 0, 7, 9, 700, 9_000],
      ["192.0.2.1", 0, 0, 0, 0, 0, 0, 0],
    ].map(([client, conversations, answered, unexplained, ...values]) => ({
      client,
      conversations,
      answered,
      unexplained,
      packets_client: values[0],
      packets_server: values[1],
      bytes_client: values[2],
      bytes_server: values[3],
    })),
  );
  // Nothing is left of it in the other direction of the traffic over time.
  assert.deepEqual(
    store.rows(
      "SELECT direction, sum(bytes_client) AS up, sum(bytes_server) AS down FROM volume " +
        "GROUP BY direction ORDER BY direction",
    ),
    [{ direction: "in", up: 0, down: 0 }, { direction: "out", up: 700, down: 9_000 }],
  );
});

Deno.test("StoreWriter writes all of a batch or nothing, and after a full file goes on as if it had not been", () => {
  using store = new TestStore();
  const going = (bytes: number) =>
    record({ isOver: false, state: "established", bytes: [bytes, 0], packets: [1, 1] });
  store.write({ records: [going(100)] });
  const pages = Number(store.value("PRAGMA page_count"));
  store.database.exec(`PRAGMA max_page_count = ${pages}`);
  const many = Array.from(
    { length: 500 },
    (_, i) => record({ id: 100 + i, client: `10.1.${i >> 8}.${i & 255}` }),
  );
  assert.throws(() => store.write({ records: [going(250), ...many] }), /full/);
  assert.equal(store.value("SELECT count(*) FROM conversation"), 1);
  store.database.exec("PRAGMA max_page_count = 100000");
  store.write({ records: [going(250), ...many] });
  store.write({ records: [record({ bytes: [300, 0] })] });
  assert.equal(store.value("SELECT count(*) FROM conversation"), 501);
  assert.equal(store.value("SELECT bytes_client FROM conversation WHERE conversation = 1"), 300);
  assert.equal(store.value("SELECT bytes_client FROM service_use WHERE client = '10.0.0.1'"), 300);
  assert.equal(store.value("SELECT count(DISTINCT id) FROM usage"), 501);
});

Deno.test("StoreWriter takes a port for a service only when it answered", () => {
  using store = new TestStore();
  const attempts: Partial<ConversationRecord>[] = [
    { server: "10.0.0.2", port: 22, state: "refused" },
    { server: "10.0.0.2", port: 23, state: "unreachable" },
    { server: "10.0.0.2", port: 24, state: "unanswered" },
    { server: "10.0.0.2", port: 25, state: "established", isOver: false },
    { server: "10.0.0.2", port: 22, state: "refused" },
  ];
  store.write({ records: attempts.map((it, id) => record({ id, client: "203.0.113.9", ...it })) });
  assert.deepEqual(
    store.rows("SELECT port FROM service_summary WHERE answered AND is_local"),
    [{ port: 25 }],
  );
  assert.deepEqual(
    store.rows("SELECT kind, prober, target, port, count FROM refusal ORDER BY port"),
    ["refused", "unreachable", "unanswered"].map((kind, i) => ({
      kind,
      prober: "203.0.113.9",
      target: "10.0.0.2",
      port: 22 + i,
      count: i === 0 ? 2 : 1,
    })),
  );
});

Deno.test("StoreWriter takes what is sent to a group for nothing that was tried in vain", () => {
  using store = new TestStore();
  const targets = ["224.0.0.251", "239.255.255.250", "255.255.255.255", "ff02::fb", "10.0.0.255"];
  store.write({
    records: targets.map((server, i) =>
      record({ id: i + 1, server, port: 5353, protocol: "udp", state: "unanswered" })
    ),
  });
  // The last may be a host as well.
  assert.deepEqual(store.rows("SELECT target FROM refusal"), [{ target: "10.0.0.255" }]);
  assert.equal(store.value("SELECT count(*) FROM conversation"), targets.length);
});

Deno.test("StoreWriter takes observations, refusals and names as the keys of Redis have them", () => {
  using store = new TestStore({ ...RUN, hasRecords: false });
  const seconds = MIDNIGHT / 1000;
  const { words } = observations(
    { kind: "client", a: "10.0.0.1", seconds },
    { kind: "flow", a: "10.0.0.1", b: "192.0.2.1", port: 443, by: "syn", protocol: 6, seconds },
    { kind: "flow", a: "2001:db8::1", b: "2001:db8::2", port: 53, by: "qr", protocol: 17, seconds },
    { kind: "rst", a: "10.0.0.1", b: "192.0.2.1", port: 40_000, otherPort: 81, seconds },
    { kind: "icmp", a: "10.0.0.1", b: "192.0.2.9", port: 40_000, otherPort: 161, code: 3, seconds },
  );
  store.write({
    words,
    flowNames: [null, "www.example.com.", null, null, null],
    names: [
      { key: "10.0.0.1;192.0.2.1;dns", name: "www.example.com.", time: MIDNIGHT },
      { key: "10.0.0.1;cdn.example.net.;cname", name: "www.example.com.", time: MIDNIGHT },
      { key: "10.0.0.1;nowhere.example.;nx", name: null, time: MIDNIGHT },
      { key: "10.0.0.1;nowhere.example.;nx", name: null, time: MIDNIGHT + 1 },
    ],
  });
  assert.deepEqual(
    store.rows(
      "SELECT client, server, port, protocol, by, name, observations FROM service_use ORDER BY client",
    ),
    [
      ["10.0.0.1", "192.0.2.1", 443, "tcp", "syn", "www.example.com", 1],
      ["2001:db8::1", "2001:db8::2", 53, "udp", "qr", null, 1],
    ].map(([client, server, port, protocol, by, name, observations]) => ({
      client,
      server,
      port,
      protocol,
      by,
      name,
      observations,
    })),
  );
  assert.deepEqual(
    store.rows("SELECT kind, prober, target, port, reason, count FROM refusal ORDER BY kind"),
    [
      ["icmp", "10.0.0.1", "192.0.2.9", 161, "port unreachable", 1],
      ["nx", "10.0.0.1", "nowhere.example", 0, "", 2],
      ["rst", "10.0.0.1", "192.0.2.1", 81, "", 1],
    ].map(([kind, prober, target, port, reason, count]) => ({
      kind,
      prober,
      target,
      port,
      reason,
      count,
    })),
  );
  assert.deepEqual(store.rows("SELECT name, target FROM alias"), [{
    name: "www.example.com",
    target: "cdn.example.net",
  }]);
  assert.deepEqual(store.rows("SELECT name, address FROM name"), [{
    name: "www.example.com",
    address: "192.0.2.1",
  }]);
});

Deno.test("StoreWriter shares a file with another process that writes", () => {
  using store = new TestStore();
  const { database } = openDatabase(store.path);
  const other = new StoreWriter(database, RUN);
  for (let round = 0; round < 4; round++) {
    for (const [i, writer] of [store.writer, other].entries()) {
      const client = `10.0.${i}.${round}`;
      writer.write(
        {
          records: [record({ id: round, client })],
          words: new Uint32Array(),
          flowNames: [],
          names: [],
        },
        NO_LOSSES,
      );
    }
  }
  database.close();
  assert.equal(store.value("SELECT count(*) FROM conversation"), 8);
  assert.equal(store.value("SELECT count(*) FROM service_use WHERE conversations = 1"), 8);
  assert.equal(store.value("SELECT count(*) FROM service"), 1);
});

Deno.test("StoreWriter sums up to the same in all tables, whatever comes in which order", () => {
  const random = new SeededRandom();
  using store = new TestStore();
  const last = new Map<number, ConversationRecord>();
  for (let round = 0; round < 60; round++) {
    const records: ConversationRecord[] = [];
    for (let i = 0; i < 20; i++) {
      const id = random.below(60);
      const before = last.get(id);
      if (before?.isOver) continue;
      const ends = before ?? record({
        client: `10.0.0.${random.below(5)}`,
        server: `192.0.2.${random.below(5)}`,
        first: MIDNIGHT + random.below(100_000_000) - 50_000_000,
        packets: [0, 0],
        bytes: [0, 0],
      });
      // Now and then, another evidence speaks for the other end.
      const isTurned = random.below(8) === 0;
      const turn = <T>([a, b]: readonly [T, T]): [T, T] => isTurned ? [b, a] : [a, b];
      const [client, server] = turn([ends.client, ends.server]);
      const add = (pair: readonly [number, number], most: number): [number, number] => {
        const [a, b] = turn(pair);
        return [a + random.below(most), b + random.below(most)];
      };
      const next = record({
        ...ends,
        id,
        client,
        server,
        isOver: random.below(6) === 0,
        state: random.of(["open", "closed", "refused", "unanswered"]),
        packets: add(ends.packets, 100),
        bytes: add(ends.bytes, 100_000),
        last: (before?.last ?? ends.first) + random.below(70_000),
        isExplained: random.of([true, false, null]),
      });
      last.set(id, next);
      records.push(next);
    }
    store.write({ records });
  }
  const sum = (value: (it: ConversationRecord) => number) =>
    [...last.values()].reduce((total, it) => total + value(it), 0);
  const expected = {
    conversations: last.size,
    unexplained: sum((it) => Number(it.isExplained === false)),
    packets_client: sum((it) => it.packets[0]),
    packets_server: sum((it) => it.packets[1]),
    bytes_client: sum((it) => it.bytes[0]),
    bytes_server: sum((it) => it.bytes[1]),
  };
  const sums = Object.keys(expected).map((name) => `sum(${name}) AS ${name}`).join(", ");
  for (const table of ["usage", "usage_step", "volume"]) {
    const [row] = store.rows(`SELECT ${sums} FROM ${table}`);
    assert.deepEqual(row, expected, `${table}, seed ${random.seed}`);
  }
  assert.equal(
    store.value("SELECT sum(answered) FROM usage"),
    sum((it) => Number(it.state === "open" || it.state === "closed")),
    `seed ${random.seed}`,
  );
  for (const [id, it] of last) {
    const rows = store.rows(`SELECT * FROM conversation WHERE conversation = ${id}`);
    assert.equal(rows.length, 1);
    const [{ client, server, bytes_client, bytes_server, first, last: end }] = rows;
    assert.deepEqual(
      [client, server, bytes_client, bytes_server, first, end],
      [it.client, it.server, ...it.bytes, it.first, it.last],
      `conversation ${id}, seed ${random.seed}`,
    );
  }
});

Deno.test("StoreWriter does not wait for a reader, nor a reader for it", () => {
  using store = new TestStore();
  store.write({ records: [record()] });
  const reader = new DatabaseSync(store.path, { readOnly: true });
  reader.exec("BEGIN");
  const count = () => reader.prepare("SELECT count(*) AS count FROM slice").get()!.count;
  assert.equal(count(), 1);
  store.write({ records: [record({ id: 2 })] });
  assert.equal(count(), 1);
  reader.exec("COMMIT");
  assert.equal(count(), 2);
  reader.close();
});
