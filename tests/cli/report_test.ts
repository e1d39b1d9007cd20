import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { openDatabase } from "../../src/store/open_database.ts";
import { StoreWriter } from "../../src/store/store_writer.ts";
import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { address, alias, nameError, response } from "../dns/dns_messages.ts";
import {
  ACK,
  type Bytes,
  ethernet,
  icmp,
  ip,
  ipIcmp,
  ipUdp,
  pcap,
  PSH,
  RST,
  tcp,
  udp,
} from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { record } from "../store/record.ts";
import { batchOf, NO_LOSSES, RUN } from "../store/test_store.ts";
import { flosensor } from "./program.ts";

const CLIENT = "10.0.0.7";
const OTHER = "10.0.0.8";
const NAS = "10.0.0.5";
const RESOLVER = "203.0.113.53";
const SERVER = "198.51.100.1";
const GUEST = "203.0.113.9";
const NETWORK = "10.0.0.0/8";

function answer(client: string, message: Uint8Array): Bytes {
  return ethernet(ipUdp(RESOLVER, client, udp(53, 40_000, message)));
}

/** Lookups, services in and out, what was refused and could not be reached. */
const PACKETS = [
  answer(
    CLIENT,
    response("www.example.com", [
      alias("www.example.com", "cdn.example.net"),
      address("cdn.example.net", SERVER),
    ]),
  ),
  answer(CLIENT, nameError("nothing.example")),
  ethernet(ip(CLIENT, SERVER, tcp(50_000, 443, PSH | ACK, "question"))),
  ethernet(ip(OTHER, SERVER, tcp(50_001, 443, PSH | ACK, "question"))),
  ethernet(ip(GUEST, NAS, tcp(50_002, 22, PSH | ACK, "question"))),
  ethernet(ip(SERVER, CLIENT, tcp(8080, 50_003, RST))),
  ethernet(ipIcmp(SERVER, OTHER, icmp(3, 3, ipUdp(OTHER, SERVER, udp(50_004, 161))))),
];
const CONFIG =
  'import { defineConfig } from "flosensor/config";\nexport default defineConfig({});\n';

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "flosensor-report-" });
  try {
    await Deno.writeTextFile(join(folder, "config.ts"), CONFIG);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the program with the folder's configuration, and gives what it printed. */
async function printed(folder: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await flosensor([...args, "-c", join(folder, "config.ts")]);
  assert.equal(status, 0, stderr);
  return stdout;
}

/** What a report has that does not depend on what it is made from. */
function comparable(json: string) {
  const { usages, offered, probers, missingNames, totals } = JSON.parse(json);
  const { clients, servers, services, observations } = totals;
  type Row = Record<string, unknown>;
  const use = ({ client, server, port, name, by, observations }: Row) => ({
    client,
    server,
    port,
    name,
    by,
    observations,
  });
  const byText = (a: unknown, b: unknown) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return {
    totals: { clients, servers, services, observations },
    usages: usages.map(use).sort(byText),
    offered: offered.map(({ server, port, clients, client_list }: Row) => ({
      server,
      port,
      clients,
      client_list,
    })),
    probers: probers.map(({ first: _first, last: _last, ...row }: Row) => row),
    missingNames: missingNames.map(({ first: _first, last: _last, ...row }: Row) => row),
  };
}

Deno.test({
  name: "report says the same of a store, of Redis and of lines of JSON" + NO_REDIS_SERVER,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    await withFolder(async (folder) => {
      const capture = join(folder, "capture.pcap");
      await Deno.writeFile(
        capture,
        pcap(PACKETS.map((packet, i) => ({ packet, seconds: 1_790_000_000 + i }))),
      );
      const store = join(folder, "flows.db");
      const lines = join(folder, "lines.json");
      const json = await printed(
        ...[
          folder,
          "replay",
          capture,
          NETWORK,
          "--redis",
          server.url,
          "--store",
          store,
          "--json",
        ] as const,
      );
      await Deno.writeTextFile(lines, json);
      const expected = comparable(await printed(folder, "report", store, "--json"));
      assert.deepEqual(expected, {
        totals: { clients: 3, servers: 3, services: 3, observations: 4 },
        usages: [
          {
            client: CLIENT,
            server: SERVER,
            port: 443,
            name: "www.example.com",
            by: "registered",
            observations: 1,
          },
          { client: CLIENT, server: RESOLVER, port: 53, name: null, by: "qr", observations: 1 },
          // Another client has looked it up.
          {
            client: OTHER,
            server: SERVER,
            port: 443,
            name: "www.example.com",
            by: "registered",
            observations: 1,
          },
          { client: GUEST, server: NAS, port: 22, name: null, by: "registered", observations: 1 },
        ],
        offered: [
          { server: NAS, port: 22, clients: 1, client_list: GUEST },
        ],
        probers: [
          {
            prober: CLIENT,
            targets: 1,
            services: 1,
            attempts: 1,
            kinds: "rst",
            examples: [`${SERVER} 8080`],
          },
          {
            prober: OTHER,
            targets: 1,
            services: 1,
            attempts: 1,
            kinds: "icmp",
            examples: [`${SERVER} 161`],
          },
        ],
        missingNames: [{ client: CLIENT, names: 1, answers: 1, examples: ["nothing.example"] }],
      });
      const ofLines = await printed(folder, "report", lines, NETWORK, "--json");
      assert.deepEqual(comparable(ofLines), expected);
      // Lines have all that a store has: figures, times, states, whether lookups explain flows.
      const whole = (report: string) => ({ ...JSON.parse(report), source: "" });
      assert.deepEqual(whole(ofLines), whole(await printed(folder, "report", store, "--json")));
      // Redis does not have what decided, and what the others looked up is not asked.
      const withoutBy = {
        ...expected,
        usages: expected.usages.map((use: { client: string; name: string | null }) => ({
          ...use,
          by: "",
          name: use.client === OTHER ? null : use.name,
        })),
      };
      const ofRedis = await printed(folder, "report", "--redis", server.url, NETWORK, "--json");
      assert.deepEqual(comparable(ofRedis), withoutBy);
    });
  },
});

const DAY = 86_400_000;

/** A store with a few conversations of today, and one of two days ago. */
function writeStore(
  path: string,
  records: readonly Partial<ConversationRecord>[],
  localNetworks: readonly string[] = RUN.localNetworks,
): void {
  const { database } = openDatabase(path);
  const now = Date.now();
  const writer = new StoreWriter(database, { ...RUN, localNetworks });
  writer.write(
    batchOf({
      records: records.map((it, id) =>
        record({ id, first: now - 60_000, last: now - 30_000, ...it })
      ),
    }),
    NO_LOSSES,
  );
  database.close();
}

Deno.test("report prints tables, those that have no rows left out, and no line with a terminal's codes", async () => {
  await withFolder(async (folder) => {
    const store = join(folder, "flows.db");
    writeStore(store, [
      { names: [{ name: "www.example.com", from: "lookup" }], bytes: [2_000, 3_400_000] },
      { client: GUEST, server: NAS, port: 22, state: "established" },
      { client: GUEST, server: NAS, port: 23, state: "refused" },
      { client: GUEST, server: NAS, port: 24, state: "refused" },
      { server: "192.0.2.53", port: 853, isExplained: false, why: "no lookup within its life" },
    ]);
    const text = await printed(folder, "report", store);
    const titles = text.split("\n").filter((_, i, all) => all[i - 1] === "");
    assert.deepEqual(titles.filter((line) => line !== ""), [
      "Who used whose service",
      "Services offered on own networks",
      "Explained by no lookup",
      "Encrypted DNS, and DNS to servers outside",
      "Refused or unreachable, by who tried",
    ]);
    assert.match(text, /2 clients used 3 services of 3 servers; 3 conversations, 3\.4 MB/);
    assert.match(
      text,
      /^10\.0\.0\.1 +192\.0\.2\.1 +443\/tcp +1 +2\.0 kB +3\.4 MB .*www\.example\.com$/m,
    );
    assert.match(text, /^10\.0\.0\.5 +22\/tcp +1 .*203\.0\.113\.9$/m);
    assert.match(text, /^203\.0\.113\.9 +refused +1 +2 +2 .*10\.0\.0\.5 23, 10\.0\.0\.5 24$/m);
    assert.match(text, /^10\.0\.0\.1 +192\.0\.2\.53 +DoT/m);
    assert.match(
      text,
      /^10\.0\.0\.1 +192\.0\.2\.53 +853\/tcp +1 .*nothing +no lookup within its life$/m,
    );
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f]/);
  });
});

Deno.test("report --since, --client, --server and --by choose and group", async () => {
  await withFolder(async (folder) => {
    const store = join(folder, "flows.db");
    const old = Date.now() - 2 * DAY;
    writeStore(store, [
      { names: [{ name: "www.example.com", from: "lookup" }] },
      { client: "10.0.0.2" },
      { client: "10.0.1.3", server: "192.0.2.9", first: old, last: old },
    ]);
    const uses = async (...args: string[]) =>
      JSON.parse(await printed(folder, "report", store, "--json", ...args)).usages
        .map(({ client, server }: { client: string; server: string }) => `${client} ${server}`)
        .sort();
    const all = ["10.0.0.1 192.0.2.1", "10.0.0.2 192.0.2.1", "10.0.1.3 192.0.2.9"];
    assert.deepEqual(await uses(), all);
    assert.deepEqual(await uses("--since", "1h"), all.slice(0, 2));
    assert.deepEqual(await uses("--since", "10s"), []);
    assert.deepEqual(await uses("--since", "3d"), all);
    assert.deepEqual(await uses("--client", "10.0.0.0/24"), all.slice(0, 2));
    assert.deepEqual(await uses("--server", "192.0.2.9"), all.slice(2));
    assert.deepEqual(await uses("--server", "example.com"), all.slice(0, 1));
    const groups = async (by: string) =>
      (await printed(folder, "report", store, "--csv", "--by", by)).split("\n").slice(1, -1)
        .map((line) => line.split(",")[0]).sort();
    assert.deepEqual(await groups("client"), ["10.0.0.1", "10.0.0.2", "10.0.1.3"]);
    assert.deepEqual(await groups("device"), ["10.0.0.1", "10.0.0.2", "10.0.1.3"]);
    assert.deepEqual(await groups("server"), ["192.0.2.1", "192.0.2.9"]);
    assert.deepEqual(await groups("service"), ["192.0.2.1 443/tcp", "192.0.2.9 443/tcp"]);
    assert.deepEqual(await groups("name"), ["192.0.2.1", "192.0.2.9", "www.example.com"]);
    const csv = await printed(folder, "report", store, "--csv", "--client", "10.0.0.1");
    assert.deepEqual(csv.split("\n").map((line) => line.split(",").slice(0, 6)), [
      ["client", "server", "port", "protocol", "name", "name_origin"],
      ["10.0.0.1", "192.0.2.1", "443", "tcp", "www.example.com", "lookup"],
      [""],
    ]);
  });
});

Deno.test("report --diff says what is new and gone, beside another store and beside the time before", async () => {
  await withFolder(async (folder) => {
    const [before, now] = [join(folder, "before.db"), join(folder, "now.db")];
    const old = Date.now() - 1.5 * DAY;
    writeStore(before, [{}, { client: "10.0.0.2" }]);
    writeStore(now, [{}, { client: "10.0.0.3" }, { client: "10.0.0.4", first: old, last: old }]);
    const changes = async (other: string) =>
      JSON.parse(await printed(folder, "report", now, "--json", "--diff", other))
        .map(({ change, client }: { change: string; client: string }) => `${change} ${client}`)
        .sort();
    assert.deepEqual(await changes(before), ["gone 10.0.0.2", "new 10.0.0.3", "new 10.0.0.4"]);
    assert.deepEqual(await changes("1d"), ["gone 10.0.0.4", "new 10.0.0.1", "new 10.0.0.3"]);
    const text = await printed(folder, "report", now, "--diff", before);
    assert.match(text, /: 2 new, 1 gone\n/);
    assert.match(text, /^10\.0\.0\.2 +192\.0\.2\.1 +443\/tcp +gone /m);
  });
});

Deno.test("report --since has what was seen a moment ago, before a record of it comes", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "flows.db");
    const { database } = openDatabase(path);
    const seen = { server: NAS, port: 161, protocol: "udp", by: "qr", name: null, count: 2 };
    const now = Date.now();
    new StoreWriter(database, RUN).write(
      batchOf({
        // Where slices tell of a part of a step, its sums are not asked.
        records: [record({ client: "10.0.0.4", first: now - 29_000, last: now - 28_000 })],
        observations: [
          { ...seen, client: "10.0.0.1", time: now - 2_000 },
          // That goes on since long.
          { ...seen, client: "10.0.0.2", time: now - DAY },
          { ...seen, client: "10.0.0.2", time: now - 2_000 },
          { ...seen, client: "10.0.0.3", time: now - DAY },
        ],
      }),
      NO_LOSSES,
    );
    database.close();
    const { usages } = JSON.parse(
      await printed(folder, "report", path, "--since", "30s", "--json"),
    );
    const rows = usages as { client: string }[];
    assert.deepEqual(rows.map(({ client }) => client).sort(), [
      ...["10.0.0.1", "10.0.0.2", "10.0.0.4"],
    ]);
  });
});

Deno.test("report --diff compares the clients and servers that are asked for", async () => {
  await withFolder(async (folder) => {
    const [before, now] = [join(folder, "before.db"), join(folder, "now.db")];
    writeStore(before, [{ client: "10.0.0.2" }, { client: "10.0.1.2" }]);
    writeStore(now, [
      { client: "10.0.0.3", names: [{ name: "www.example.com", from: "lookup" }] },
      { client: "10.0.1.3", server: "192.0.2.9" },
    ]);
    const changes = async (...args: string[]) =>
      JSON.parse(await printed(folder, "report", now, "--json", "--diff", ...args))
        .map(({ change, client }: { change: string; client: string }) => `${change} ${client}`);
    const inOne = ["new 10.0.0.3", "gone 10.0.0.2"];
    assert.deepEqual(await changes(before, "--client", "10.0.0.0/24"), inOne);
    assert.deepEqual(await changes(before, "--server", "192.0.2.9"), ["new 10.0.1.3"]);
    assert.deepEqual(await changes("1d", "--server", "*.example.com"), ["new 10.0.0.3"]);
  });
});

Deno.test("report --server names no target but those of who tried in vain", async () => {
  await withFolder(async (folder) => {
    const store = join(folder, "flows.db");
    const failed = { client: GUEST, state: "refused" } as const;
    writeStore(store, [
      { ...failed, server: NAS, port: 23 },
      { ...failed, server: "10.0.0.6", port: 24 },
      { ...failed, server: "10.0.0.7", port: 25, state: "unreachable" },
    ]);
    const { probers } = JSON.parse(
      await printed(folder, "report", store, "--json", "--server", NAS),
    );
    assert.deepEqual(
      probers.map(({ kinds, targets, examples }: Record<string, unknown>) => [
        kinds,
        targets,
        examples,
      ]),
      [["refused", 1, [`${NAS} 23`]]],
    );
  });
});

Deno.test("report says when something was seen last where there is nothing in the time", async () => {
  await withFolder(async (folder) => {
    const store = join(folder, "flows.db");
    const old = Date.now() - 5 * DAY;
    writeStore(store, [{ first: old, last: old }]);
    const head = /: 0 clients .*; last seen 20\d\d-\d\d-\d\d \d\d:\d\d\n$/;
    assert.match(await printed(folder, "report", store, "--since", "1h"), head);
    assert.match(
      await printed(folder, "report", store, "--diff", "1d"),
      /the 1d before \(last seen 20\d\d-\d\d-\d\d \d\d:\d\d\): 0 new, 0 gone\n$/,
    );
    assert.doesNotMatch(await printed(folder, "report", store, "--since", "9d"), /last seen/);
    const json = await printed(folder, "report", store, "--since", "1h", "--json");
    assert.deepEqual([...new Set(Object.values(JSON.parse(json).totals))], [0]);
  });
});

Deno.test("report takes the own networks that are named, or those of config.ts where a store has none", async () => {
  await withFolder(async (folder) => {
    const offered = async (...args: string[]) =>
      JSON.parse(await printed(folder, "report", "--json", ...args)).offered
        .map(({ server }: { server: string }) => server);
    const [store, without] = [join(folder, "flows.db"), join(folder, "without.db")];
    const records = [{ server: NAS }, { server: "192.0.2.9" }];
    writeStore(store, records);
    writeStore(without, records, []);
    assert.deepEqual(await offered(store), [NAS]);
    assert.deepEqual(await offered(store, "192.0.2.0/24"), ["192.0.2.9"]);
    assert.deepEqual(await offered(without), []);
    await Deno.writeTextFile(
      join(folder, "config.ts"),
      `import { defineConfig } from "flosensor/config";
export default defineConfig({ ourNets: ["192.0.2.0/24"] });
`,
    );
    assert.deepEqual(await offered(store), [NAS]);
    assert.deepEqual(await offered(without), ["192.0.2.9"]);
  });
});

Deno.test("report takes the configuration's store where nothing is named", async () => {
  await withFolder(async (folder) => {
    const store = join(folder, "flows.db");
    writeStore(store, [{}]);
    await Deno.writeTextFile(
      join(folder, "config.ts"),
      `import { defineConfig } from "flosensor/config";
export default defineConfig({ store: ${JSON.stringify(store)} });
`,
    );
    assert.match(await printed(folder, "report"), /1 client used 1 service/);
  });
});

Deno.test("report has the figures of lines of JSON whose first record comes after many keys", async () => {
  await withFolder(async (folder) => {
    const [path, store] = [join(folder, "capture.pcap"), join(folder, "flows.db")];
    const client = (i: number) => `203.0.${i >>> 8}.${i & 0xff}`;
    const packets = Array.from({ length: 11_000 }, (_, i) => [
      ethernet(ipUdp(client(i), NAS, udp(50_000, 443, "question"))),
      // Some get no answer, and one port has none for anyone.
      i % 3 === 0
        ? ethernet(ipUdp(client(i), NAS, udp(50_000, 161, "question")))
        : ethernet(ipUdp(NAS, client(i), udp(443, 50_000, "answer"))),
    ]).flat();
    await Deno.writeFile(
      path,
      pcap(packets.map((packet, i) => ({ packet, seconds: 1_790_000_000 + i / 2_000 }))),
    );
    const lines = join(folder, "lines.json");
    const args = [path, NETWORK, "--no-redis", "--store", store, "--json"];
    await Deno.writeTextFile(lines, await printed(folder, "replay", ...args));
    const [ofLines, ofStore] = await Promise.all(
      [[lines, NETWORK], [store]].map(async (it) =>
        JSON.parse(await printed(folder, "report", "--json", ...it))
      ),
    );
    assert.equal(ofLines.totals.conversations, ofStore.totals.conversations);
    assert.deepEqual(ofLines.totals, ofStore.totals);
    assert.deepEqual(ofLines.offered, ofStore.offered);
    assert.deepEqual(ofLines.offered.map(({ port }: { port: number }) => port), [443]);
  });
});

Deno.test("report says in one line what is wrong with what it should read", async () => {
  await withFolder(async (folder) => {
    const file = (name: string) => join(folder, name);
    await Deno.writeTextFile(file("text"), "garbage\n");
    writeStore(
      file("cut.db"),
      Array.from({ length: 300 }, (_, i) => ({ client: `10.0.1.${i % 250}` })),
    );
    await Deno.truncate(file("cut.db"), 16_384);
    {
      using other = new DatabaseSync(file("other.db"));
      other.exec("CREATE TABLE theirs (a)");
    }
    const wrong: [args: string[], message: RegExp, status: number][] = [
      [[file("missing.db")], /missing\.db: there is no such file/, 1],
      [
        [file("text")],
        /text:1: this is neither a store nor a line of JSON as --json writes it$/,
        1,
      ],
      [[file("cut.db")], /cut\.db can't be read: it is damaged; .* \.recover/, 1],
      [[file("other.db")], /other\.db is no store of flosensor$/, 1],
      [[folder], /is no file$/, 1],
      [[], /report: there is nothing to read: name a store/, 2],
      [[file("a"), file("b")], /are given; name one$/, 2],
      [
        ["--redis", "redis://127.0.0.1:1"],
        /Redis at redis:\/\/127\.0\.0\.1:1 can't be read \(connection refused\)/,
        1,
      ],
      [["--since", "yesterday", file("a")], /a number with s, min, h, d or w/, 2],
      [["--client", "example.com", file("a")], /"example\.com" is not an IPv4 or IPv6 prefix/, 2],
      [["--server", "10.0.0.0/33", file("a")], /write a number from 0 to 32$/, 2],
      [["--server", "10.0.0.5:22", file("a")], /"10\.0\.0\.5:22" is not an IPv4 or IPv6 prefix/, 2],
      [["--server", "", file("a")], /"" is not an IPv4 or IPv6 prefix/, 2],
      [["--csv", "--json", file("a")], /--csv and --json are given; name one$/, 2],
      [
        ["--diff", "1d", "--by", "client", file("a")],
        /which --by does not change; leave one out$/,
        2,
      ],
      [
        ["--diff", "1d", "--since", "1d", file("a")],
        /^flosensor: error: report: --diff has no --since/,
        2,
      ],
    ];
    for (const [args, message, status] of wrong) {
      const ending = await flosensor(["report", ...args, "-c", file("config.ts")]);
      assert.equal(ending.status, status, ending.stderr);
      assert.match(ending.stderr.trimEnd(), message);
      assert.equal(ending.stderr.trimEnd().split("\n").length, 1, ending.stderr);
      assert.equal(ending.stdout, "");
    }
  });
});
