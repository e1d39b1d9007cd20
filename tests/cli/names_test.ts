import assert from "node:assert/strict";
import { join } from "node:path";
import {
  address,
  alias,
  header,
  hints,
  nameError,
  pointer,
  record,
  response,
  serviceData,
  TYPE_HTTPS,
  wireName,
} from "../dns/dns_messages.ts";
import {
  ACK,
  type Bytes,
  bytes,
  ethernet,
  ip,
  ipUdp,
  pcap,
  PSH,
  tcp,
  u16,
  udp,
} from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { clientHello, records } from "../names/hellos.ts";
import { flosensor } from "./program.ts";

const TYPE_CNAME = 5;
const CLIENT = "10.0.0.7";
const RESOLVER = "10.0.0.53";
const SERVER = "198.51.100.1";
const CONFIG = `import { defineConfig, LowerPort } from "flosensor/config";
export default defineConfig({
  ourNets: ["10.0.0.0/8"],
  ignoreDns: ["ignored.example"],
  flows: [[null, null, LowerPort()]],
});
`;

function answer(message: Uint8Array): Bytes {
  return ethernet(ipUdp(RESOLVER, CLIENT, udp(53, 40_000, message)));
}

/** A client looks a name up, and uses the service. */
const PACKETS = [
  answer(response("www.example.com", [
    alias("www.example.com", "cdn.example.net"),
    address("cdn.example.net", SERVER),
  ])),
  answer(nameError("nothing.example")),
  answer(response("x.ignored.example", [address("x.ignored.example", "198.51.100.2")])),
  ethernet(ip(CLIENT, SERVER, tcp(50_000, 443, PSH | ACK, "question"))),
];

/** The same by an HTTPS record, which hints at the address, behind an alias. */
const HTTPS_PACKETS = [
  answer(bytes(
    header([1, 2, 0, 0]),
    bytes(wireName("w", "example", "com"), u16(TYPE_HTTPS), u16(1)),
    record(pointer(12), TYPE_CNAME, wireName("h", "example", "com")),
    record(
      wireName("h", "example", "com"),
      TYPE_HTTPS,
      serviceData(1, bytes(0), ...hints(SERVER)),
    ),
  )),
  PACKETS[3],
];

async function withCapture(
  test: (file: string, config: string) => Promise<void>,
  packets: readonly Bytes[] = PACKETS,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-names-" });
  try {
    const file = join(directory, "names.pcap");
    const config = join(directory, "config.ts");
    await Deno.writeFile(file, pcap(packets.map((packet, i) => ({ packet, seconds: 1000 + i }))));
    await Deno.writeTextFile(config, CONFIG);
    await test(file, config);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("replay --json writes names, and the name of a flow's server", async () => {
  await withCapture(async (file, config) => {
    const { status, stdout, stderr } = await flosensor(["replay", file, "-c", config, "--json"]);
    assert.equal(status, 0, stderr);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.filter(({ type, name }) => type !== "end" && name !== undefined)
        .map(({ key, name }) => ({ key, name })),
      [
        { key: `${CLIENT};cdn.example.net.;cname`, name: "www.example.com." },
        { key: `${CLIENT};${SERVER};dns`, name: "cdn.example.net." },
        { key: `${CLIENT};${SERVER};443;flow`, name: "www.example.com." },
      ],
    );
    assert.ok(
      lines.some(({ key, count }) => key === `${CLIENT};nothing.example.;nx` && count === 1),
    );
    assert.match(
      stderr,
      /DNS: 3 messages, 1 with addresses, 1 NXDOMAIN \(not used: 1 of ignored names\), 3 names written/,
    );
  });
});

Deno.test("replay shows the name of a flow's server in its table", async () => {
  await withCapture(async (file, config) => {
    const { stdout } = await flosensor(["replay", file, "-c", config]);
    assert.match(stdout, /^10\.0\.0\.7 +198\.51\.100\.1 +443\/tcp .* www\.example\.com\.$/m);
  });
});

Deno.test("replay and explain name a flow by an HTTPS record, which makes no dns key", async () => {
  await withCapture(async (file, config) => {
    const json = await flosensor(["replay", file, "-c", config, "--json"]);
    assert.equal(json.status, 0, json.stderr);
    const lines = json.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.filter(({ type, name }) => type !== "end" && name !== undefined)
        .map(({ key, name }) => ({ key, name })),
      [
        { key: `${CLIENT};h.example.com.;cname`, name: "w.example.com." },
        { key: `${CLIENT};${SERVER};443;flow`, name: "w.example.com." },
      ],
    );
    assert.ok(!lines.some(({ key }) => key.endsWith(";dns")));
    const { names, explained: isExplained } = lines.find(({ type, port }) =>
      type === "end" && port === 443
    );
    assert.deepEqual(names, [{ name: "w.example.com.", from: "https-hint" }]);
    assert.ok(isExplained);
    const table = await flosensor(["replay", file, "-c", config]);
    assert.match(table.stdout, /^10\.0\.0\.7 +198\.51\.100\.1 +443\/tcp .* w\.example\.com\.$/m);
    const flow = [SERVER, "443", CLIENT, "50000"];
    const explained = await flosensor(["explain", ...flow, "-c", config, "--from", file]);
    assert.equal(explained.status, 0, explained.stderr);
    assert.match(
      explained.stdout,
      new RegExp(`^${CLIENT} looked up w\\.example\\.com\\. -> ${SERVER}$`, "m"),
    );
  }, HTTPS_PACKETS);
});

Deno.test({
  name: `explain shows the names that replay wrote to Redis${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    await withCapture(async (file, config) => {
      const redis = ["-c", config, "--redis", server.url];
      await flosensor(["replay", file, ...redis]);
      assert.equal(await server.cli("GET", `${CLIENT};${SERVER};dns`), ";cdn.example.net.;");
      assert.equal(await server.cli("GET", `${CLIENT};nothing.example.;nx`), "1");
      // Also when the packet that is asked about comes from the server.
      const flow = [SERVER, "443", CLIENT, "50000"];
      const { status, stdout } = await flosensor(["explain", ...flow, ...redis]);
      assert.equal(status, 0);
      const chain = `www.example.com. -> cdn.example.net. -> ${SERVER}`;
      assert.match(stdout, new RegExp(`^${CLIENT} looked up ${chain}$`, "m"));
    });
  },
});

Deno.test("explain goes without names where Redis can't be asked", async () => {
  await withCapture(async (_, config) => {
    const url = `redis://127.0.0.1:${await unusedPort()}`;
    const flow = [CLIENT, "50000", SERVER, "443"];
    const { status, stdout, stderr } = await flosensor([
      "explain",
      ...flow,
      ...["-c", config, "--redis", url],
    ]);
    assert.equal(status, 0);
    assert.ok(stdout.includes(`${CLIENT};${SERVER};443;flow`));
    assert.match(
      stderr,
      /names are not shown, since Redis at .* can't be asked \(connection refused/,
    );
  });
});

/** After a lookup, a connection that asks for another name, and one to an address of which none was seen. */
const UNEXPLAINED_PACKETS = [
  PACKETS[0],
  hello(SERVER, 50_000, "other.example"),
  hello("198.51.100.99", 50_001, "hard-coded.example"),
];

function hello(server: string, port: number, name: string): Bytes {
  return ethernet(ip(CLIENT, server, tcp(port, 443, PSH | ACK, records(clientHello(name)))));
}

Deno.test("replay, explain and report say what no lookup explains, and names that disagree", async () => {
  await withCapture(async (file, config) => {
    const store = `${file}.db`;
    const json = await flosensor([
      ...["replay", file, "-c", config, "--json", "--store", store, "--stats", "60"],
    ]);
    assert.equal(json.status, 0, json.stderr);
    assert.match(json.stderr, /by lookups: 1 explained, 1 unexplained;/);
    const why = `${CLIENT} did not look up 198.51.100.99; TLS asks for hard-coded.example`;
    const ends = json.stdout.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ type, port }) => type === "end" && port === 443)
      .map(({ server, name, names, explained, why }) => ({ server, name, names, explained, why }));
    assert.deepEqual(ends, [
      {
        server: SERVER,
        name: "www.example.com.",
        names: [{ name: "www.example.com.", from: "lookup" }, {
          name: "other.example.",
          from: "sni",
        }],
        explained: true,
        why: undefined,
      },
      {
        server: "198.51.100.99",
        name: "hard-coded.example.",
        names: [{ name: "hard-coded.example.", from: "sni" }],
        explained: false,
        why,
      },
    ]);
    const table = await flosensor(["replay", file, "-c", config]);
    assert.match(table.stdout, / www\.example\.com\. \(sni: other\.example\.\)$/m);
    assert.match(table.stdout, / hard-coded\.example\.$/m);
    const explain = (server: string, port: string) =>
      flosensor(["explain", CLIENT, port, server, "443", "-c", config, "--from", file]);
    const disagreeing = await explain(SERVER, "50000");
    assert.match(
      disagreeing.stdout,
      /^Names of the server:\n {2}www\.example\.com {2}lookup\n {2}other\.example {2}sni\nA lookup explains the flow\.$/m,
    );
    const unexplained = await explain("198.51.100.99", "50001");
    assert.ok(unexplained.stdout.includes(`No lookup explains the flow: ${why}.`));
    const report = await flosensor(["report", store, "--json"]);
    const [row, ...others] = JSON.parse(report.stdout).unexplained;
    assert.deepEqual(others, []);
    assert.deepEqual([row.server, row.name, row.unexplained, row.why], [
      ...["198.51.100.99", "hard-coded.example", 1, why],
    ]);
  }, UNEXPLAINED_PACKETS);
});
