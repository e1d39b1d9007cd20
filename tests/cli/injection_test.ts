/** Names that packets carry can't be taken for anything but names, wherever they are written. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Bytes, bytes, ethernet, ip, ipUdp, tcp, u16, udp } from "../packets.ts";
import { withFiles } from "../config/temporary_files.ts";
import { connection } from "../conversations.ts";
import { header, pointer, record, TYPE_CNAME, wireName } from "../dns/dns_messages.ts";
import { assertPrintable } from "../hostile_text.ts";
import { clientHello, records } from "../names/hellos.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { flosensor } from "./program.ts";
import { capture } from "./sample_capture.ts";

const CLIENT = "10.1.0.1";
const RESOLVER = "203.0.113.53";
const NETWORK = "10.1.0.0/16";
const HEADER_BYTES = 12;

/** Labels as whoever owns a zone, or answers in its place, may choose them. */
const LABELS: readonly Bytes[] = [
  "\n10.1.0.1;192.0.2.9;22;flow",
  ";flow",
  "a;b;c;dns",
  "\r\nflosensor: error: another line",
  "\x1b[2J\x1b]0;title\x07",
  "\x9b31m",
  "\u202egnp.exe",
  "\u2066\u200b\ufeff",
  "\0end",
  "=cmd|'/C calc'!A0",
  "+1+1",
  "-1",
  "@SUM(1)",
  '"},{"key":"x',
  "<script>alert(1)</script>",
  "'; DROP TABLE name; --",
  '{instance="x"} 1\nup 0',
  "$(reboot)`reboot`",
  "*?[a]",
  "\\",
  "a.b",
].map((it) => bytes(it.slice(0, 60)).slice(0, 63));

/** A response: the label is an alias of another name, which has the address; and one that none has. */
function responses(label: Uint8Array, address: string): Bytes[] {
  const name = wireName(label, "example");
  const question = bytes(name, u16(1), u16(1));
  const alias = wireName("b", label, "example");
  const answers = [
    record(pointer(HEADER_BYTES), TYPE_CNAME, alias),
    record(alias, 1, bytes(...address.split(".").map(Number))),
  ];
  return [
    bytes(header([1, 2, 0, 0]), question, ...answers),
    bytes(header([1, 0, 0, 0], 0x8183), question),
  ];
}

/** Looked up, then connected to, with the same name in the connection. */
const PACKETS = LABELS.flatMap((label, i) => {
  const server = `192.0.2.${i + 1}`;
  const hello = records(clientHello(new TextDecoder("latin1").decode(label)));
  const [syn, synAck, ack, , ...rest] = connection(CLIENT, 50_000 + i, server, 443);
  return [
    ...responses(label, server).map((message) =>
      ethernet(ipUdp(RESOLVER, CLIENT, udp(53, 40_000 + i, message)))
    ),
    ...[syn, synAck, ack],
    ethernet(ip(CLIENT, server, tcp(50_000 + i, 443, 0x18, hello))),
    ...rest,
  ];
});

/** The connections, and the look-ups before them. */
const FLOWS = LABELS.length + 1;

/** Runs a command, whose words have to be harmless on a terminal and in a log. */
async function printed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await flosensor([...args, "--log-level", "debug"]);
  assert.equal(status, 0, stderr);
  assertPrintable(stdout);
  assertPrintable(stderr);
  for (const line of stderr.split("\n").filter((it) => it !== "")) {
    // A line that a name has made would begin in another way.
    assert.match(line, /^(flosensor: | {4})/, stderr);
    assert.doesNotMatch(line, /^flosensor: error/);
  }
  return stdout;
}

/** Runs a test with a file of these packets. */
function hostileTest(name: string, test: (file: string, directory: string) => Promise<void>): void {
  Deno.test(name, () =>
    withFiles({}, async (directory) => {
      const file = join(directory, "hostile.pcap");
      await Deno.writeFile(file, capture(PACKETS));
      await test(file, directory);
    }));
}

/** Forms of keys, docs/redis.md; a name has no `;`, and nothing that is no printable ASCII. */
const IP = "[0-9a-f.:]+";
const NAME = "[!-:<-~]+\\.";
const KEYS = new RegExp(
  `^(client;${IP}|${IP};${IP};\\d+;(flow|end)|${IP};${IP};peer|${IP};${IP};dns|${IP};${NAME};(cname|nx))$`,
);

Deno.test({
  name: `names in packets make no key of another kind, and end no value${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: () =>
    withFiles({}, async (directory) => {
      const file = join(directory, "hostile.pcap");
      await Deno.writeFile(file, capture(PACKETS));
      await using server = await RedisServer.start();
      await printed("replay", file, NETWORK, "--redis", server.url);
      const raw = ["--raw"];
      const keys = (await server.cli(...raw, "KEYS", "*")).split("\n");
      for (const key of keys) assert.match(key, KEYS);
      const kinds = (kind: string) => keys.filter((key) => key.endsWith(`;${kind}`)).length;
      assert.equal(kinds("flow"), FLOWS);
      assert.equal(kinds("dns"), LABELS.length);
      assert.equal(kinds("cname"), LABELS.length);
      assert.equal(kinds("nx"), LABELS.length);
      for (const key of keys.filter((it) => /;(dns|cname)$/.test(it))) {
        assert.match(await server.cli(...raw, "GET", key), new RegExp(`^;${NAME};$`));
      }
      await printed("explain", CLIENT, "50000", "192.0.2.1", "443", NETWORK, "--redis", server.url);
      await printed("report", server.url, NETWORK);
    }),
});

/** What whoever writes to the same Redis may put there, as keys and as values. */
const FOREIGN: readonly string[] = [
  "10.1.0.1;\x1b[2J;443;flow",
  "10.1.0.1;10.1.0.9\n10.1.0.8;443;flow",
  '10.1.0.1;10.1.0.9"], evil(), [";443;flow',
  "10.1.0.1;10.1.0.9\u2028];evil();443;flow",
  "=cmd|' /C calc'!A0;10.1.0.9;443;flow",
  "10.1.0.1;10.1.0.9;9e99;flow",
  "10.1.0.1;10.1.0.9;-1;flow",
  "10.1.0.1;10.1.0.9;1:99999999999999999999;rst",
  "10.1.0.1;<script>;1:2;99999;icmp",
  "client;\x9b31m",
  "\u202e;10.1.0.9;dns",
  ";;;flow",
  ";".repeat(5_000),
];

Deno.test({
  name: `what others write to Redis is data in reports, in CSV and in config.ts${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    for (const key of FOREIGN) {
      if (key.endsWith(";dns")) await server.cli("SET", key, ";a\nb;;=1;;\x1b[2J;;*/ evil();");
      else await server.cli("SET", key, "1");
    }
    for (const [i, count] of ["9007199254740993", "1e999", "-5", "0.5", "many"].entries()) {
      await server.cli("SET", `10.1.0.1;10.1.0.9;${8000 + i};flow`, count);
    }
    await server.cli("LPUSH", "10.1.0.1;10.1.0.9;9000;flow", "a list");
    await server.cli("SET", "10.1.0.1;10.1.0.9;443;flow", "7");
    await server.cli("SET", "10.1.0.1;10.1.0.9;dns", ";a.example.\n], evil(), [;");
    const named = [server.url, NETWORK];
    await printed("report", ...named);
    JSON.parse(await printed("report", ...named, "--json"));
    const csv = (await printed("report", ...named, "--csv")).trimEnd().split("\n").map(cellsOf);
    for (const row of csv) {
      assert.equal(row.length, csv[0].length);
      for (const cell of row) assert.doesNotMatch(cell, /^[=+@\t\r]|^-(?!\d+$)/);
    }
    assert.ok(csv.some((row) => row.includes("10.1.0.9")));
    const expected = await printed("expect", ...named);
    // It is put into config.ts: were anything in it code, it would be run.
    const services = new Function("evil", `return ({${expected}}).expected`)(() => {
      throw new Error("it was run");
    });
    for (const [address, port, protocol] of services) {
      assert.match(address, /^[\d.]+$/);
      assert.ok(port === 443 || port >= 8000 && port < 8005);
      assert.match(protocol, /^(tcp|udp)$/);
    }
    assert.ok(services.some(([, port]: [string, number]) => port === 443));
  },
});

hostileTest("names in packets are names in lines of JSON", async (file) => {
  const lines = (await printed("replay", file, NETWORK, "--no-redis", "--json")).trimEnd();
  const flows = new Set<string>();
  for (const line of lines.split("\n")) {
    const { key, type } = JSON.parse(line);
    if (key !== undefined) assert.match(key, KEYS);
    else assert.equal(type, "end");
    if (key?.endsWith(";flow")) flows.add(key);
  }
  assert.equal(flows.size, FLOWS);
});

hostileTest("names in packets are names in the table, and in what explain says", async (file) => {
  const table = await printed("replay", file, NETWORK, "--no-redis");
  const rows = table.split("\n").filter((line) => line.includes(CLIENT));
  assert.equal(rows.length, FLOWS, table);
  const explained = await printed(
    ...["explain", CLIENT, "50000", "192.0.2.1", "443", NETWORK, "--from", file],
  );
  assert.ok(explained.includes("\\01010\\.1\\.0\\.1\\059192"), explained);
  assert.doesNotMatch(explained, /^\s*10\.1\.0\.1;192\.0\.2\.9;/m);
});

hostileTest(
  "names in packets are names in reports and exports of a store",
  async (file, directory) => {
    const store = join(directory, "flows.db");
    await printed("replay", file, NETWORK, "--no-redis", "--store", store);
    await printed("report", store);
    JSON.parse(await printed("report", store, "--json"));
    for (const by of ["client", "server", "name"]) await printed("report", store, "--by", by);
    for (
      const csv of [
        await printed("report", store, "--csv"),
        await printed("report", store, "--by", "name", "--csv"),
        await printed("export", store, "--csv", "--table", "name"),
        await printed("export", store, "--csv", "--table", "service_use"),
      ]
    ) {
      const [first, ...rows] = csv.trimEnd().split("\n").map(cellsOf);
      assert.ok(rows.length >= LABELS.length, csv);
      for (const row of rows) {
        assert.equal(row.length, first.length, csv);
        // What a spreadsheet would calculate.
        for (const cell of row) assert.doesNotMatch(cell, /^[=+@\t\r]|^-(?!\d+$)/, csv);
      }
      assert.ok(csv.includes("\\061cmd|'/c"), csv);
    }
    for (
      const line of (await printed("export", store, "--json", "--table", "name")).trimEnd().split(
        "\n",
      )
    ) {
      JSON.parse(line);
    }
  },
);

/** The cells of a line of CSV, RFC 4180. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,"]*))/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}
