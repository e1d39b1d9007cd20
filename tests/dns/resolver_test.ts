import assert from "node:assert/strict";
import { join } from "node:path";
import { RunningProgram } from "../cli/program.ts";
import { CAN_MAKE_NAMESPACES, withNamespaces, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { taskPermissions } from "./task_permissions.ts";
import { unusedPort } from "../redis_server.ts";
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

/** Of what is sent on, an alias is known with the address that it leads to, and types with none are not. */
const SENT_ON = EXPECTED.filter((write) => !write.includes("missing.example.test."));

for (const group of [false, true]) {
  Deno.test({
    name: `what a real name server says is sent on to ${group ? "a group" : "one address"}` +
      ", with all its names" + (WITHOUT_NAMESPACES || WITHOUT_NAME_SERVER),
    ignore: !CAN_MAKE_NAMESPACES || !HAS_NAME_SERVER,
    fn: () =>
      withNamespaces(async (pair) => {
        const directory = await Deno.makeTempDir({ prefix: "flosensor-dns-" });
        try {
          const config = join(directory, "config.ts");
          const socket = join(directory, "dnstap.sock");
          await Deno.writeTextFile(config, CONFIG);
          await pair.addSenderAddress("10.99.0.2/24");
          const to = `udp:${group ? "239.192.1.53" : "10.99.0.2"}:${await unusedPort()}`;
          const permissions = taskPermissions("dnstap", directory);
          const at = (address: string) => group ? ["--multicast-interface", address] : [];
          await using receiver = new RunningProgram(
            ["dnstap", to, "--no-redis", "-c", config, ...at("10.99.0.2")],
            {
              permissions,
              command: (name, args, options) =>
                new Deno.Command("ip", {
                  ...options,
                  args: ["netns", "exec", pair.sender, name, ...args],
                }),
            },
          );
          await receiver.says("listening on");
          await using sender = new RunningProgram(
            [
              ...["dnstap", `unix:${socket}`, "--no-redis", "-c", config],
              ...["--send", to, ...at("10.99.0.1")],
            ],
            { permissions, command: (name, args, options) => pair.command(name, args, options) },
          );
          await sender.says("listening on");
          await using server = await NameServer.start(pair, directory, socket);
          for (const question of QUESTIONS) await server.dig(...question);
          await server.dig("last.example.test", "A");
          await receiver.prints("last.example.test");
          sender.signal("SIGTERM");
          receiver.signal("SIGTERM");
          const [sent, received] = await Promise.all([sender.ended, receiver.ended]);
          assert.equal(received.status, 0, received.stderr);
          const last = "127.0.0.1;last.example.test.;nx";
          assert.deepEqual(namesIn(received.stdout), [...SENT_ON, last].sort());
          assert.match(sent.stderr, /sent on: 7\d, \d+ repeated within a second and left out;/);
          assert.doesNotMatch(received.stderr, /did not arrive/);
        } finally {
          await Deno.remove(directory, { recursive: true });
        }
      }),
  });
}
