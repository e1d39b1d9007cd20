import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { encodeDnstap } from "../../src/dns/dnstap.ts";
import { address, nameError, response } from "../dns/dns_messages.ts";
import { control, frame, START, stream } from "../dns/frame_writer.ts";
import { taskPermissions } from "../dns/task_permissions.ts";
import { type Bytes, bytes } from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { RunningProgram } from "./program.ts";

const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ ignoreDns: ["ignored.example"], flushInterval: 0.1 });
`;
const IPV6_CLIENT = bytes([0x20, 0x01, 0x0d, 0xb8], new Uint8Array(11), 7);

/** A payload of a message to a client, or of another type. */
function payload(
  message: Uint8Array,
  { type = 6, client = bytes(10, 0, 0, 7), socketFamily }: {
    type?: number;
    client?: Bytes;
    socketFamily?: number;
  } = {},
): Uint8Array {
  return encodeDnstap({
    identity: bytes("ns1"),
    version: bytes("test 1.0"),
    message: {
      type,
      socketFamily: socketFamily ?? (client.length === 4 ? 1 : 2),
      socketProtocol: 1,
      queryAddress: client,
      queryPort: 5353,
      responseTimeSec: 1_790_000_000,
      responseTimeNsec: 5,
      responseMessage: message,
    },
  });
}

const STREAM = stream(
  payload(response("www.example", [address("www.example", "192.0.2.1")])),
  payload(nameError("nothing.example"), { client: IPV6_CLIENT }),
  payload(nameError("x.ignored.example")),
  payload(response("other.example", [address("other.example", "192.0.2.2")]), { type: 4 }),
);
const KEYS = [
  '{"key":"10.0.0.7;192.0.2.1;dns","name":"www.example."}',
  '{"key":"2001:db8::7;nothing.example.;nx","count":1}',
  '{"key":"client;10.0.0.7","count":1}',
  '{"key":"client;2001:db8::7","count":1}',
];

/** What lines of JSON write, sorted. */
function writesOf(lines: string): string[] {
  return lines.trim().split("\n").map((line) => {
    const { key, name, count } = JSON.parse(line);
    return JSON.stringify({ key, name, count });
  }).sort();
}

interface Setting {
  directory: string;
  socket: string;
  config: string;
}

async function withSetting(test: (setting: Setting) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-dnstap-" });
  const config = join(directory, "config.ts");
  try {
    await Deno.writeTextFile(config, CONFIG);
    await test({ directory, socket: join(directory, "socket"), config });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function start(
  places: string[],
  config: string,
  ...options: string[]
): Promise<RunningProgram> {
  const program = new RunningProgram(["dnstap", ...places, "-c", config, ...options], {
    permissions: taskPermissions("dnstap", dirname(config)),
  });
  await program.says("listening on", places.length);
  return program;
}

async function send(to: Deno.ConnectOptions | Deno.UnixConnectOptions, sent: Bytes): Promise<void> {
  const connection = "path" in to ? await Deno.connect(to) : await Deno.connect(to);
  for (let done = 0; done < sent.length;) done += await connection.write(sent.subarray(done));
  connection.close();
}

Deno.test("dnstap writes keys as lines where there is no Redis, from all its places", async () => {
  await withSetting(async ({ socket, config }) => {
    const tcp = await unusedPort();
    const udp = await unusedPort();
    const places = [`unix:${socket}`, `tcp:127.0.0.1:${tcp}`, `udp:127.0.0.1:${udp}`];
    await using program = await start(places, config);
    await send({ transport: "unix", path: socket }, STREAM);
    await program.prints("nothing.example");
    await send(
      { hostname: "127.0.0.1", port: tcp },
      bytes(
        control(START),
        frame(payload(response("tcp.example", [address("tcp.example", "192.0.2.3")]))),
      ),
    );
    await program.prints("tcp.example.");
    const datagram = { client: "10.0.0.9", status: "NXDOMAIN", chain: ["udp.example."], id: 1 };
    const from = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    await from.send(new TextEncoder().encode(JSON.stringify(datagram)), {
      transport: "udp",
      hostname: "127.0.0.1",
      port: udp,
    });
    from.close();
    await program.prints("udp.example.;nx");
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0);
    assert.deepEqual(
      writesOf(stdout),
      [
        ...KEYS,
        '{"key":"10.0.0.7;192.0.2.3;dns","name":"tcp.example."}',
        '{"key":"10.0.0.9;udp.example.;nx","count":1}',
        '{"key":"client;10.0.0.9","count":1}',
      ].sort(),
    );
    assert.match(stderr, /frames: 5, 1 RESOLVER_RESPONSE, 4 CLIENT_RESPONSE, 0 no dnstap/);
    assert.match(stderr, /datagrams: 1, 0 lines that are no lookup/);
    assert.match(stderr, /DNS: 5 messages, .*\(not used: 1 of ignored names\)/);
  });
});

Deno.test("dnstap takes IPv4-mapped clients for the IPv4 clients that they are", async () => {
  await withSetting(async ({ socket, config }) => {
    const udp = await unusedPort();
    await using program = await start([`unix:${socket}`, `udp:127.0.0.1:${udp}`], config);
    const client = bytes(new Uint8Array(10), 0xff, 0xff, 10, 0, 0, 7);
    const message = response("www.example", [address("www.example", "192.0.2.1")]);
    // Older CoreDNS says INET, whatever it has for the address; others say INET6.
    for (const socketFamily of [1, 2]) {
      await send(
        { transport: "unix", path: socket },
        stream(payload(message, { client, socketFamily })),
      );
    }
    await program.prints("www.example");
    const datagram = { client: "::ffff:10.0.0.7", status: "NXDOMAIN", chain: ["udp.example."] };
    const from = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    await from.send(new TextEncoder().encode(JSON.stringify(datagram)), {
      transport: "udp",
      hostname: "127.0.0.1",
      port: udp,
    });
    from.close();
    await program.prints("udp.example.;nx");
    program.signal("SIGTERM");
    const { stdout } = await program.ended;
    assert.deepEqual(writesOf(stdout), [
      '{"key":"10.0.0.7;192.0.2.1;dns","name":"www.example."}',
      '{"key":"10.0.0.7;udp.example.;nx","count":1}',
      '{"key":"client;10.0.0.7","count":1}',
    ]);
  });
});

Deno.test("dnstap --json prints payloads in the words of the schema", async () => {
  await withSetting(async ({ socket, config }) => {
    await using program = await start([`unix:${socket}`], config, "--json");
    await send({ transport: "unix", path: socket }, STREAM);
    await program.prints("RESOLVER_RESPONSE");
    program.signal("SIGINT");
    const lines = (await program.ended).stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, 4);
    const [{ identity, version, message }, missing] = lines;
    assert.deepEqual([identity, version], ["ns1", "test 1.0"]);
    assert.equal(message.type, "CLIENT_RESPONSE");
    assert.equal(message.socket_protocol, "UDP");
    assert.equal(message.query_address, "10.0.0.7");
    assert.equal(message.response_time, "2026-09-21T14:13:20.000000005Z");
    assert.equal(message.response_message.rcode, "NOERROR");
    assert.equal(message.response_message.answers[0].data, "192.0.2.1");
    assert.equal(missing.message.query_address, "2001:db8::7");
    assert.equal(missing.message.response_message.rcode, "NXDOMAIN");
  });
});

Deno.test({
  name: `dnstap writes to Redis, and to nothing else${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    await withSetting(async ({ socket, config }) => {
      await using program = await start([`unix:${socket}`], config, "--redis", server.url);
      await send({ transport: "unix", path: socket }, STREAM);
      while (await server.cli("EXISTS", "client;2001:db8::7") === "0") {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      program.signal("SIGTERM");
      assert.equal((await program.ended).stdout, "");
      assert.deepEqual(
        await server.dump(),
        new Map([
          ["10.0.0.7;192.0.2.1;dns", ";www.example.;"],
          ["2001:db8::7;nothing.example.;nx", "1"],
          ["client;10.0.0.7", "1"],
          ["client;2001:db8::7", "1"],
        ]),
      );
    });
  },
});

Deno.test("dnstap loads ignoreDns again at SIGHUP, and stays with what works", async () => {
  await withSetting(async ({ socket, config }) => {
    await using program = await start([`unix:${socket}`], config);
    await Deno.writeTextFile(config, CONFIG.replace("ignored.example", "www.example"));
    program.signal("SIGHUP");
    await program.says("configuration:", 2);
    await send({ transport: "unix", path: socket }, STREAM);
    await program.prints("x.ignored.example.;nx");
    await Deno.writeTextFile(config, "export default 7;");
    program.signal("SIGHUP");
    await program.says("the configuration that was loaded before stays in place");
    program.signal("SIGTERM");
    const { stdout } = await program.ended;
    assert.ok(!stdout.includes("www.example."));
  });
});

Deno.test("dnstap says which datagrams did not arrive, and how many", async () => {
  await withSetting(async ({ config }) => {
    const udp = await unusedPort();
    await using program = await start([`udp:127.0.0.1:${udp}`], config);
    const from = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = from.addr as Deno.NetAddr;
    for (const id of [1, 2, 5, 6]) {
      const lookup = { client: "10.0.0.9", status: "NXDOMAIN", chain: [`n${id}.example.`], id };
      const to = { transport: "udp", hostname: "127.0.0.1", port: udp } as const;
      await from.send(new TextEncoder().encode(JSON.stringify(lookup)), to);
    }
    from.close();
    await program.prints("n6.example.");
    program.signal("SIGTERM");
    const { stderr } = await program.ended;
    const told = `2 datagrams from udp:127.0.0.1:${port} did not arrive before the one with id 5`;
    assert.ok(stderr.includes(told), stderr);
    assert.match(stderr, /datagrams: 4, 0 lines that are no lookup, 2 that did not arrive/);
  });
});

Deno.test("dnstap refuses to send to where it listens", async () => {
  await withSetting(async ({ config }) => {
    const place = `udp:127.0.0.1:${await unusedPort()}`;
    await using program = new RunningProgram(["dnstap", place, "--send", place, "-c", config], {
      permissions: taskPermissions("dnstap", dirname(config)),
    });
    const { status, stderr } = await program.ended;
    assert.equal(status, 2);
    assert.match(stderr, /--send udp:127.*: it is where to listen, too: leave out one/);
  });
});

Deno.test("dnstap says what is wrong with where to listen", async () => {
  await withSetting(async ({ config, directory }) => {
    const cases: [string, number, RegExp][] = [
      ["somewhere", 2, /"somewhere" is not where to listen: write unix:\/path, tcp:/],
      [`unix:${directory}/none/socket`, 1, /there is no such directory: make it first/],
      ["udp:192.0.2.1:3053", 1, /udp:192.0.2.1:3053: this machine has no such address/],
    ];
    for (const [place, status, message] of cases) {
      await using program = new RunningProgram(["dnstap", place, "-c", config], {
        permissions: taskPermissions("dnstap", directory),
      });
      const ended = await program.ended;
      assert.equal(ended.status, status, place);
      assert.match(ended.stderr, message);
    }
    await using unpermitted = new RunningProgram(
      ["dnstap", `unix:${directory}/socket`, "-c", config],
      { permissions: ["--no-prompt", "--ignore-env", "--allow-read"] },
    );
    const { status, stderr } = await unpermitted.ended;
    assert.equal(status, 1);
    assert.match(stderr, /no permission, run with --allow-read=.* --allow-write=.* --allow-net/);
    await using scoped = new RunningProgram(
      ["dnstap", `unix:${directory}/socket`, "-c", config],
      { permissions: taskPermissions("dnstap") },
    );
    const ended = await scoped.ended;
    assert.equal(ended.status, 1);
    assert.match(
      ended.stderr,
      /socket: no permission, choose a name in \/run\/flosensor, or run with --allow-read=.*\n$/,
    );
  });
});
