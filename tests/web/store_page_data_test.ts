import assert from "node:assert/strict";
import { parseAddress } from "../../src/model/address.ts";
import { openStoreFile } from "../../src/report/open_store_file.ts";
import { LocalAddresses } from "../../src/store/local_addresses.ts";
import { parseFilter } from "../../src/web/filter.ts";
import type { FlowRow, FlowSort, PageQuery } from "../../src/web/page_data.ts";
import { FLOW_SORTS } from "../../src/web/page_data.ts";
import { StorePageData } from "../../src/web/store_page_data.ts";
import { batchOf, NO_LOSSES, RUN, TestStore } from "../store/test_store.ts";
import { MIDNIGHT, record } from "../store/record.ts";
import { END } from "./office_network.ts";
import { officeStore } from "./office_store.ts";

const HOUR = 3_600_000;
const ALL: PageQuery = { filter: [], span: null };

function query(filter: string, span: number | null = null): PageQuery {
  return { filter: parseFilter(filter), span };
}

function allFlows(data: StorePageData, of: PageQuery, sort = "-last"): readonly FlowRow[] {
  const order = { by: sort.replace(/^-/, "") as FlowSort, isDescending: sort.startsWith("-") };
  return data.flows(of, order, { offset: 0, limit: 100_000, snapshot: null }).rows;
}

Deno.test("of missing names those are examples that were asked for most, however many there are", () => {
  using store = officeStore();
  const missing = (target: string, count: number) => ({
    ...{ kind: "nx" as const, prober: "192.168.1.77", target, port: 0, reason: "" },
    ...{ count, time: END - HOUR },
  });
  const names = Array.from({ length: 1000 }, (_, i) => missing(`w${i}.example`, 1));
  store.write({ refusals: [...names, missing("wpad.example", 7)] });
  const { missingNames } = new StorePageData(store.database).refused(ALL);
  const { names: count, answers, examples } = missingNames[0];
  assert.deepEqual([count, answers], [1001, 1007]);
  assert.deepEqual(examples.slice(0, 3), ["wpad.example", "w0.example", "w1.example"]);
  assert.equal(examples.length, 8);
});

Deno.test("a filter chooses the flows that plain code chooses", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const all = allFlows(data, ALL);
  const within = (prefix: string) => {
    const addresses = new LocalAddresses([prefix]);
    return (address: string) => addresses.has(address);
  };
  const cases: Readonly<Record<string, (flow: FlowRow) => boolean>> = {
    "client:192.168.1.20": ({ client }) => client === "192.168.1.20",
    "client:192.168.1.16/28": ({ client }) => within("192.168.1.16/28")(client),
    "client:192.168.1.17/28": ({ client }) => within("192.168.1.16/28")(client),
    "server:2001:DB8:ff:0::443": ({ server }) => server === "2001:db8:ff::443",
    "server:2001:db8:ff::/48": ({ server }) => within("2001:db8:ff::/48")(server),
    "host:192.168.1.5": ({ client, server }) =>
      client === "192.168.1.5" || server === "192.168.1.5",
    "host:192.168.1.5,192.168.1.10": ({ client, server }) =>
      ["192.168.1.5", "192.168.1.10"].some((it) => it === client || it === server),
    "port:443": ({ port }) => port === 443,
    "port:80,5000-6000": ({ port }) => port === 80 || port >= 5000 && port <= 6000,
    "proto:udp": ({ protocol }) => protocol === "udp",
    "name:EXAMPLE.com": ({ name }) => name?.includes("example.com") ?? false,
    "-name:example": ({ name }) => !(name?.includes("example") ?? false),
    "by:lower-port,ephemeral": ({ by }) => by === "lower-port" || by === "ephemeral",
    "unexplained": ({ unexplained }) => unexplained > 0,
    "-unexplained local": ({ unexplained, isLocal }) => unexplained === 0 && isLocal,
    "refused": ({ conversations, answered }) => conversations > 0 && answered === 0,
    "new": ({ isNew }) => isNew,
    "encrypted": ({ name, port }) => port === 853 || name === "dns.google",
    "1.60": ({ client, server }) => client.includes("1.60") || server.includes("1.60"),
    '"video.example"': ({ name }) => name === "video.example.com",
    "client:192.168.1.0/24 port:443 name:example -by:first-packet": (flow) =>
      within("192.168.1.0/24")(flow.client) && flow.port === 443 &&
      (flow.name?.includes("example") ?? false) && flow.by !== "first-packet",
    // What SQL would take for something else.
    "name:%": () => false,
    "name:_": () => false,
    'name:"\' OR 1=1 --"': () => false,
  };
  for (const [text, isChosen] of Object.entries(cases)) {
    const expected = all.filter(isChosen).map(({ id }) => id).sort();
    assert.deepEqual(allFlows(data, query(text)).map(({ id }) => id).sort(), expected, text);
    if (!/%|_|'/.test(text)) assert.ok(expected.length > 0, `${text} chooses nothing`);
  }
});

Deno.test("flows are sorted by each of the columns, addresses as numbers, no name last", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  for (const by of FLOW_SORTS) {
    const up = allFlows(data, ALL, by);
    const down = allFlows(data, ALL, `-${by}`);
    assert.equal(new Set(up.map(({ id }) => id)).size, up.length, by);
    const value = {
      ...{ bytes: ({ bytesClient, bytesServer }: FlowRow) => bytesClient + bytesServer },
      ...{ packets: ({ packetsClient, packetsServer }: FlowRow) => packetsClient + packetsServer },
      ...{ duration: ({ first, last }: FlowRow) => last - first },
      ...{ client: ({ client }: FlowRow) => sortable(client) },
      ...{ server: ({ server }: FlowRow) => sortable(server) },
    }[by as string] ?? ((flow: FlowRow) =>
      flow[by as keyof FlowRow] as string | number | bigint | null);
    const known = up.map(value).filter((it) => it !== null);
    for (const [i, it] of known.entries()) assert.ok(i === 0 || known[i - 1]! <= it!, by);
    assert.deepEqual(down.map(value).filter((it) => it !== null), known.toReversed(), by);
    const unnamed = up.filter((flow) => value(flow) === null).length;
    assert.ok(up.slice(up.length - unnamed).every((flow) => value(flow) === null), by);
  }
});

/** IPv4 before IPv6, as numbers. */
function sortable(text: string): bigint {
  const { family, words } = parseAddress(text)!;
  return [...words].reduce((all, word) => all << 32n | BigInt(word), BigInt(family));
}

Deno.test("a snapshot keeps its order while more is written", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const order = { by: "last" as const, isDescending: true };
  const first = data.flows(ALL, order, { offset: 0, limit: 50, snapshot: null });
  const before = allFlows(data, ALL);
  store.write({ records: [record({ id: 1_000_000, first: END, last: END + 1_000 })] });
  const second = data.flows(ALL, order, { offset: 50, limit: 50, snapshot: first.snapshot });
  assert.equal(second.snapshot, first.snapshot);
  assert.deepEqual(
    [...first.rows, ...second.rows].map(({ id }) => id),
    before.slice(0, 100).map(({ id }) => id),
  );
});

Deno.test("data of another connection makes another version, and a new order", () => {
  using store = officeStore();
  using source = openStoreFile(store.path);
  const data = new StorePageData(source.database);
  const order = { by: "last" as const, isDescending: true };
  const before = data.flows(ALL, order, { offset: 0, limit: 1, snapshot: null });
  const { version } = data;
  assert.equal(data.version, version);
  store.write({ records: [record({ id: 1_000_000, first: END, last: END + 1_000 })] });
  assert.notEqual(data.version, version);
  const after = data.flows(ALL, order, { offset: 0, limit: 1, snapshot: null });
  assert.notEqual(after.snapshot, before.snapshot);
  assert.equal(after.rows[0].client, "10.0.0.1");
  assert.equal(after.total, before.total + 1);
});

Deno.test("many filters one after the other take no more memory than a few orders", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  for (let port = 1; port <= 60; port++) allFlows(data, query(`port:${port}`));
  const tables = store.value("SELECT count(*) FROM temp.sqlite_schema WHERE name LIKE 'flows_%'");
  assert.ok(Number(tables) <= 4, `${tables} tables`);
});

Deno.test("figures of a time are those of its steps", () => {
  using store = new TestStore();
  // Of the same flow: one long ago, one now.
  store.write({
    records: [
      record({ id: 1, first: MIDNIGHT - 30 * HOUR, last: MIDNIGHT - 30 * HOUR + 1_000 }),
      record({ id: 2, first: MIDNIGHT, last: MIDNIGHT + 1_000, bytes: [7, 5], packets: [1, 1] }),
      record({
        id: 3,
        client: "10.0.0.9",
        first: MIDNIGHT - 30 * HOUR,
        last: MIDNIGHT - 29 * HOUR,
      }),
    ],
  });
  store.writer.write(batchOf({}), NO_LOSSES, true);
  const data = new StorePageData(store.database);
  const [flow, ...others] = allFlows(data, query("", HOUR));
  assert.deepEqual(others, []);
  assert.deepEqual([flow.conversations, flow.bytesClient, flow.bytesServer], [1, 7, 5]);
  const all = allFlows(data, ALL);
  assert.deepEqual(all.map(({ client, bytesClient }) => [client, bytesClient]), [
    ["10.0.0.1", 1_007],
    ["10.0.0.9", 1_000],
  ]);
});

Deno.test("the first screen counts clients, own services and new ones, what is unexplained and refused", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const all = allFlows(data, ALL);
  const overview = data.overview(ALL);
  const ours = new Set(
    all.filter(({ isLocal, answered }) => isLocal && answered > 0)
      .map(({ server, port }) => `${server} ${port}`),
  );
  assert.equal(overview.clients, new Set(all.map(({ client }) => client)).size);
  assert.equal(overview.services, ours.size);
  assert.equal(overview.newServices, 2);
  assert.equal(overview.flows, all.length);
  assert.equal(overview.unexplained, all.filter(({ unexplained }) => unexplained > 0).length);
  assert.equal(overview.encryptedDns, 4);
  // A port scan of 22, a sweep of 60, two refused and one that does not answer.
  assert.equal(overview.refused, 85);
  assert.equal(overview.now, END);
  assert.deepEqual(overview.sensor?.isLive, false);
});

Deno.test("traffic over time has all bytes, in steps that fit the time", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  for (const [filter, span] of [["", null], ["", 24 * HOUR], ["port:443", null]] as const) {
    const { traffic } = data.overview(query(filter, span));
    assert.ok(traffic!.times.length <= 242, `${traffic!.times.length} points`);
    assert.equal(traffic!.unit, "bit/s");
    const bytes = traffic!.series.flat().reduce((sum, it) => sum + it * traffic!.step / 8, 0);
    if (span !== null) continue;
    const expected = allFlows(data, query(filter))
      .reduce((sum, { bytesClient, bytesServer }) => sum + bytesClient + bytesServer, 0);
    assert.ok(Math.abs(bytes - expected) < expected * 1e-6, `${bytes} of ${expected}`);
  }
});

Deno.test("traffic of a flow is spread over the time that its conversations took", () => {
  using store = new TestStore();
  const bytes: [number, number] = [600, 6_000];
  store.write({ records: [record({ first: MIDNIGHT, last: MIDNIGHT + 59_999, bytes })] });
  const { client, server, port, protocol } = record();
  const { traffic } = new StorePageData(store.database).flow({ client, server, port, protocol })!;
  assert.equal(traffic!.step, 1);
  assert.deepEqual(traffic!.series, [
    new Array(60).fill(80),
    new Array(60).fill(800),
  ]);
});

Deno.test("a store of observations alone shows these", () => {
  using store = new TestStore({ ...RUN, hasRecords: false });
  const observation = {
    client: "10.0.0.1",
    server: "192.0.2.1",
    port: 443,
    protocol: "tcp",
    by: "syn",
  };
  store.write({
    observations: [{ ...observation, name: "www.example.com", count: 3, time: MIDNIGHT }],
  });
  store.writer.write(batchOf({}), NO_LOSSES, true);
  const data = new StorePageData(store.database);
  assert.equal(allFlows(data, query("", HOUR)).length, 1);
  const { traffic, flows } = data.overview(query("", HOUR));
  assert.equal(flows, 1);
  assert.deepEqual(traffic!.labels, ["observations"]);
  assert.equal(traffic!.series[0].reduce((sum, it) => sum + it * traffic!.step / 60, 0), 3);
});

Deno.test("what has no times, such as Redis, has no traffic over time and no sensor", () => {
  using store = new TestStore({ ...RUN, mode: "replay", hasRecords: false });
  // Before anything came, that is not known.
  assert.notEqual(new StorePageData(store.database).overview(ALL).traffic, null);
  const flow = { client: "10.0.0.1", server: "192.0.2.1", port: 443, protocol: "", by: "" };
  store.write({ observations: [{ ...flow, name: null, count: 3, time: 0 }] });
  const { traffic, sensor, flows } = new StorePageData(store.database).overview(ALL);
  assert.deepEqual([traffic, sensor, flows], [null, null, 1]);
});

Deno.test("services are those of own networks that answered, with clients, the new ones first", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const services = data.services(ALL, true);
  assert.deepEqual(
    services.slice(0, 2).map(({ server, port, isNew }) => [server, port, isNew]),
    [["192.168.1.77", 8080, true], ["192.168.1.33", 32_400, true]],
  );
  assert.ok(services.slice(2).every(({ isNew }) => !isNew));
  // It only refused, and the sweep's port 23 too.
  assert.ok(services.every(({ server, port }) => server !== "192.168.1.99" && port !== 23));
  assert.ok(services.every(({ isLocal }) => isLocal));
  const shop = services.find(({ server, port }) => server === "192.168.1.5" && port === 443)!;
  assert.equal(shop.clients, 34);
  assert.equal(shop.clientList.length, 5);
  assert.ok(data.services(ALL, false).some(({ server }) => server === "192.0.2.10"));
});

Deno.test("devices have all their addresses, with what these used and served", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const devices = data.devices(ALL);
  assert.equal(devices.length, 30);
  const flows = allFlows(data, ALL);
  const desk = devices.find(({ names }) => names[0] === "desk-3")!;
  assert.deepEqual(
    [desk.hardwareAddress, desk.vendor, desk.isPrivate, desk.isNew],
    ["b8:27:eb:00:53:02", "Raspberry Pi Foundation", false, false],
  );
  assert.deepEqual(desk.addresses, ["192.168.1.22", "2001:db8:1::22"]);
  const used = flows.filter(({ client }) => desk.addresses.includes(client));
  assert.ok(new Set(used.map(({ client }) => client)).size === 2);
  assert.deepEqual(desk.used, {
    flows: used.length,
    bytes: used.reduce((sum, { bytesClient, bytesServer }) => sum + bytesClient + bytesServer, 0),
    last: Math.max(...used.map(({ last }) => last)),
  });
  const nas = devices.find(({ names }) => names[0] === "nas")!;
  assert.equal(nas.served.flows, flows.filter(({ server }) => server === "192.168.1.10").length);
  assert.ok(nas.served.bytes > 0);
  const phones = data.devices(query("da:a1:19"));
  assert.equal(phones.length, 9);
  assert.ok(phones.every(({ isPrivate, vendor }) => isPrivate && vendor === null));
  // Terms without a field ask for the device, others for its flows.
  const names = (filter: string) => data.devices(query(filter)).map((it) => it.names[0]).sort();
  assert.deepEqual(names("hewlett"), ["NPI601E77.local"]);
  assert.deepEqual(names("desk-1 -desk-1"), []);
  assert.deepEqual(names("192.168.1.10"), ["nas"]);
  const resolved = new Set(flows.filter(({ port }) => port === 853).map(({ client }) => client));
  assert.equal(
    data.devices(query("port:853")).filter(({ used }) => used.flows > 0).length,
    devices.filter(({ addresses }) => addresses.some((it) => resolved.has(it))).length,
  );
});

Deno.test("an address that another device has now counts for that one", () => {
  using store = new TestStore();
  const device = (hardware: string, time: number) => ({
    ...{ hardware, vendor: null, isPrivate: false, names: [], hasNews: true },
    ...{ addresses: [{ address: "10.0.0.1", first: time, last: time }], first: time, last: time },
  });
  store.write({
    records: [record()],
    devices: [device("00:00:5e:00:53:01", MIDNIGHT), device("00:00:5e:00:53:02", MIDNIGHT + 1)],
  });
  const [one, other] = new StorePageData(store.database).devices(ALL);
  assert.deepEqual([one.hardwareAddress, one.used.flows], ["00:00:5e:00:53:02", 1]);
  assert.deepEqual([other.hardwareAddress, other.used.flows], ["00:00:5e:00:53:01", 0]);
});

Deno.test("refusals are told by prober and by target, the widest first; one attempt counts once", () => {
  using store = officeStore();
  store.write({
    refusals: [{
      ...{ kind: "rst", prober: "198.51.100.250", target: "192.168.1.5", port: 21, reason: "" },
      ...{ count: 1, time: END - 2 * HOUR },
    }],
  });
  const { probers, targets, missingNames } = new StorePageData(store.database).refused(ALL);
  const [sweep, scan] = probers;
  assert.deepEqual([sweep.address, sweep.others, sweep.ports], ["203.0.113.199", 60, 1]);
  assert.deepEqual([scan.address, scan.others, scan.ports, scan.attempts], [
    "198.51.100.250",
    1,
    22,
    22,
  ]);
  assert.deepEqual(scan.kinds, ["refused", "rst", "unanswered"]);
  assert.equal(targets[0].address, "192.168.1.5");
  assert.deepEqual(missingNames.map(({ client, examples }) => [client, examples]), [
    ["192.168.1.25", ["intranett.example.com"]],
    ["192.168.1.34", ["tracker.example.invalid"]],
    ["192.168.1.60", ["wpad.example.com"]],
  ]);
});

Deno.test("names connect clients and addresses, with aliases, and what does not exist", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const { clients, names, servers, asked, resolved } = data.names(query("client:192.168.1.34"));
  assert.deepEqual(clients.map(({ id }) => id), ["192.168.1.34"]);
  const name = (id: string) => names.findIndex((it) => it.id === id);
  const cdn = name("cdn.example.net");
  assert.deepEqual(names[cdn].notes, ["static.example.com", "img.example.com"]);
  const server = servers.findIndex(({ id }) => id === "192.0.2.11");
  assert.ok(asked.some(([a, b]) => a === 0 && b === cdn));
  assert.ok(resolved.some(([a, b]) => a === cdn && b === server));
  assert.equal(names[name("tracker.example.invalid")].isMissing, true);
  assert.ok(!resolved.some(([a]) => a === name("tracker.example.invalid")));
  // From a name to who asked for it, and where it is.
  const found = data.names(query("name:video.example"));
  assert.deepEqual(found.names.map(({ id }) => id), ["video.example.com"]);
  assert.deepEqual(found.servers.map(({ id, notes }) => [id, notes]), [
    ["198.51.100.77", ["443/udp"]],
  ]);
  // Conditions on flows count too.
  assert.deepEqual(data.names(query("port:123")).names.map(({ id }) => id), ["time.example.net"]);
});

Deno.test("names whose flows are asked for are found among the newest of many, and behind these", () => {
  using store = new TestStore();
  store.write({ records: [record({ id: 1, port: 22 }), record({ id: 2, server: "192.0.2.2" })] });
  store.database.exec(
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 25000) " +
      "INSERT INTO name SELECT '10.0.0.1', 'host' || i, iif(i = 0, '192.0.2.1', '192.0.2.2'), " +
      `'dns', ${MIDNIGHT}, ${MIDNIGHT} + i, 1 FROM n`,
  );
  const data = new StorePageData(store.database);
  assert.deepEqual(data.names(query("port:22")).names.map(({ id }) => id), ["host0"]);
  const { names, totals } = data.names(query("port:443"));
  assert.equal(totals.names, 4_000);
  assert.ok(names.every(({ last }) => last > MIDNIGHT + 21_000));
  assert.deepEqual(data.names(query("port:443")), data.names(query("-port:22")));
});

Deno.test("a ring of aliases ends", () => {
  using store = new TestStore();
  const names = [
    { key: "10.0.0.1;192.0.2.1;dns", name: "a.example." },
    { key: "10.0.0.1;a.example.;cname", name: "b.example." },
    { key: "10.0.0.1;b.example.;cname", name: "a.example." },
  ].map((it) => ({ ...it, time: MIDNIGHT }));
  store.write({ records: [record()], names });
  const [name] = new StorePageData(store.database).names(ALL).names;
  assert.deepEqual([name.id, name.notes], ["a.example", ["b.example"]]);
});

Deno.test("a flow's page has its conversations, names with their origin, and refusals", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const key = { client: "192.168.1.34", server: "192.0.2.11", port: 443, protocol: "tcp" };
  const details = data.flow(key)!;
  assert.equal(details.flow.name, "cdn.example.net");
  assert.equal(details.byMeaning, "The client sent the SYN that opened the connection.");
  assert.equal(details.conversations.length, details.flow.conversations);
  const sum = details.conversations.reduce((all, { bytesServer }) => all + bytesServer, 0);
  assert.equal(sum, details.flow.bytesServer);
  assert.deepEqual(
    details.names.map(({ name, isOwn, origin, aliases }) => [name, isOwn, origin, aliases]),
    [true, false].map((
      isOwn,
    ) => ["cdn.example.net", isOwn, "lookup", ["static.example.com", "img.example.com"]]),
  );
  assert.equal(details.otherClients, 26);
  const refused = data.flow({
    ...{ client: "198.51.100.250", server: "192.168.1.5", port: 3306, protocol: "" },
  })!;
  assert.equal(refused.refusals[0].port, 3306);
  assert.equal(data.flow({ ...key, port: 1 }), null);
});

Deno.test("an empty store has all views", () => {
  using store = new TestStore();
  const data = new StorePageData(store.database);
  const overview = data.overview(query("", HOUR));
  assert.deepEqual([overview.clients, overview.flows, overview.sensor], [0, 0, null]);
  assert.deepEqual(allFlows(data, query("new", HOUR)), []);
  assert.deepEqual(data.services(ALL, true), []);
  assert.deepEqual(data.unexplained(ALL), []);
  assert.deepEqual(data.encryptedDns(ALL), []);
  assert.deepEqual(data.refused(ALL), { probers: [], targets: [], missingNames: [] });
  assert.deepEqual(data.names(ALL).names, []);
});

Deno.test("names are filtered by a client, and by a prefix of clients", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  for (const filter of ["client:192.168.1.33", "client:192.168.1.32/29"]) {
    const { clients } = data.names(query(filter, null));
    assert.ok(clients.length > 0, filter);
    assert.ok(clients.every(({ id }) => /^192\.168\.1\.3[2-9]$/.test(id)), filter);
  }
});
