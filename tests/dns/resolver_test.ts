import assert from "node:assert/strict";
import { join } from "node:path";
import { RunningProgram } from "../cli/program.ts";
import { CAN_MAKE_NAMESPACES, withNamespaces, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { taskPermissions } from "./task_permissions.ts";
import { HAS_NAME_SERVER, MANY_ADDRESSES, NameServer, WITHOUT_NAME_SERVER } from "./name_server.ts";

const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({});
`;

/** What dig asks, over UDP and TCP and both families. */
const QUESTIONS = [
  ["host.example.test", "A"],
  ["host.example.test", "AAAA", "+tcp"],
  ["@::1", "host.example.test", "A"],
  ["@::1", "host.example.test", "AAAA", "+tcp"],
  ["www.example.test", "A"],
  ["www.example.test", "AAAA", "+tcp"],
  ["broken.example.test", "A"],
  ["nothing.example.test", "A"],
  ["nothing.example.test", "AAAA", "+tcp"],
  ["semi\\;colon.example.test", "A"],
  ["MIXEDCASE.Example.TEST", "A"],
  ["many.example.test", "A", "+bufsize=4096"],
  ["many.example.test", "A", "+tcp"],
  ["example.test", "TXT"],
];

const EXPECTED = [
  "127.0.0.1;192.0.2.1;dns host.example.test.",
  "127.0.0.1;192.0.2.2;dns semi\\059colon.example.test.",
  "127.0.0.1;192.0.2.3;dns mixedcase.example.test.",
  "127.0.0.1;2001:db8::1;dns host.example.test.",
  "127.0.0.1;host.example.test.;cname middle.example.test.",
  "127.0.0.1;middle.example.test.;cname www.example.test.",
  "127.0.0.1;missing.example.test.;cname broken.example.test.",
  "127.0.0.1;broken.example.test.;nx",
  "127.0.0.1;nothing.example.test.;nx",
  "::1;192.0.2.1;dns host.example.test.",
  "::1;2001:db8::1;dns host.example.test.",
  ...MANY_ADDRESSES.map((address) => `127.0.0.1;${address};dns many.example.test.`),
];
const OF_THE_START = "127.0.0.1;127.0.0.1;dns ns.example.test.";

/** Writes of keys with names in lines of JSON, sorted. */
function namesIn(lines: string): string[] {
  const writes = lines.trim().split("\n").map((line) => JSON.parse(line));
  return writes.filter(({ key }) => /;(dns|cname|nx)$/.test(key))
    .map(({ key, name }) => name === undefined ? key : `${key} ${name}`)
    .filter((write) => write !== OF_THE_START)
    .sort();
}

for (const source of ["libpcap", "af_packet"]) {
  Deno.test({
    name: `the keys of a real name server's dnstap are those of its packets, taken with ${source}` +
      (WITHOUT_NAMESPACES || WITHOUT_NAME_SERVER),
    ignore: !CAN_MAKE_NAMESPACES || !HAS_NAME_SERVER,
    fn: () =>
      withNamespaces(async (pair) => {
        const directory = await Deno.makeTempDir({ prefix: "flosensor-dns-" });
        try {
          const config = join(directory, "config.ts");
          const socket = join(directory, "dnstap.sock");
          await Deno.writeTextFile(config, CONFIG);
          await using dnstap = new RunningProgram(
            ["dnstap", `unix:${socket}`, "--no-redis", "-c", config],
            { permissions: taskPermissions("dnstap", directory) },
          );
          await dnstap.says("listening on");
          await using server = await NameServer.start(pair, directory, socket);
          await using capture = new RunningProgram(
            ["capture", "lo", "--source", source, "--json", "--no-redis", "-c", config],
            { command: (name, args, options) => pair.command(name, args, options) },
          );
          await capture.says("capturing on");
          for (const question of QUESTIONS) await server.dig(...question);
          const last = "::1;2001:db8::1;dns";
          await Promise.all([dnstap.prints(last), capture.prints(last)]);
          await Promise.all([dnstap.prints("198.51.100.60"), capture.prints("198.51.100.60")]);
          dnstap.signal("SIGTERM");
          capture.signal("SIGTERM");
          const [fromServer, fromWire] = await Promise.all([dnstap.ended, capture.ended]);
          assert.equal(fromServer.status, 0, fromServer.stderr);
          assert.equal(fromWire.status, 0, fromWire.stderr);
          assert.deepEqual(namesIn(fromWire.stdout), [...EXPECTED].sort());
          assert.deepEqual(namesIn(fromServer.stdout), [...EXPECTED].sort());
          assert.match(fromServer.stderr, /\d+ CLIENT_QUERY, \d+ CLIENT_RESPONSE, 0 no dnstap/);
        } finally {
          await Deno.remove(directory, { recursive: true });
        }
      }),
  });
}
