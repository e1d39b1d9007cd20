/**
 * Redis servers that end, hang or change at each stage of a connection. An error of a socket that is
 * nobody's ends the process, and so fails the test that runs then.
 */
import assert from "node:assert/strict";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { makeCertificates } from "../certificates.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { refusal, until } from "./redis_sink_waits.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };
const REPLAY: RedisSinkOptions = { ttl: 900, mode: "replay" };

/** Milliseconds after the beginning of something at which the server is ended. */
const MOMENTS = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30];

/** A server, and where it is reached over a transport. */
interface Reached {
  readonly server: RedisServer;
  readonly url: string;
}

const TRANSPORTS = ["TCP", "TLS", "a Unix socket"];

/** A test for each transport, with a server of its own. */
function forEachTransport(name: string, test: (reached: Reached) => Promise<void>): void {
  for (const transport of TRANSPORTS) {
    Deno.test({
      name: `${name}, over ${transport}${NO_REDIS_SERVER}`,
      ignore: !HAS_REDIS_SERVER,
      // Deno closes the socket under a TLS connection some time after that was refused.
      sanitizeResources: transport !== "TLS",
      fn: () => transport === "TLS" ? withTls(test) : withPlain(transport, test),
    });
  }
}

async function withPlain(
  transport: string,
  test: (reached: Reached) => Promise<void>,
): Promise<void> {
  await using server = await RedisServer.start(["--unixsocket", "DIRECTORY/redis.sock"]);
  await test({
    server,
    url: transport === "TCP" ? server.url : `unix://${server.directory}/redis.sock`,
  });
}

async function withTls(test: (reached: Reached) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "flosensor-tls-" });
  await makeCertificates(folder);
  const port = await unusedPort();
  await using server = await RedisServer.start([
    ...["--tls-port", String(port), "--tls-ca-cert-file", `${folder}/ca.pem`],
    ...["--tls-cert-file", `${folder}/server.pem`, "--tls-key-file", `${folder}/server.key`],
    ...["--tls-auth-clients", "no"],
  ]);
  await test({ server, url: `rediss://localhost:${port}?cacert=${folder}/ca.pem` });
  await Deno.remove(folder, { recursive: true });
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

forEachTransport("RedisSink bears the end of a server while it connects", async (reached) => {
  const { server, url } = reached;
  for (const moment of MOMENTS) {
    const connecting = RedisSink.connect(url, CAPTURE, new MemoryLog());
    await wait(moment);
    await server.halt();
    const sink = await connecting;
    sink.write(clients(3));
    await sink.flush();
    await server.run();
    await until(() => !sink.isAway && sink.pending === 0);
    assert.equal(sink.written, 3);
    await sink.close();
  }
});

forEachTransport(
  "RedisSink bears the end of a server that has not answered yet",
  async (reached) => {
    const { server, url } = reached;
    server.freeze();
    const said = refusal(RedisSink.connect(url, REPLAY, new MemoryLog()));
    await wait(100);
    await server.halt();
    assert.match(
      await said,
      /can't be used \((it closed the connection|connection re(set|fused))\)/,
    );
    await server.run();
  },
);

forEachTransport("RedisSink bears the end of a server while it writes", async (reached) => {
  const { server, url } = reached;
  const sink = await RedisSink.connect(url, CAPTURE, new MemoryLog());
  let written = 0;
  for (const [i, moment] of MOMENTS.entries()) {
    sink.write(clients(20_000, 20_000 * i));
    written += 20_000;
    const flush = sink.flush();
    await wait(moment);
    await server.halt();
    await flush;
    assert.equal(sink.written + sink.pending + sink.lost, written);
    await server.run();
    await until(() => !sink.isAway && sink.pending === 0);
    assert.equal(sink.written, written);
  }
  await sink.close();
  assert.equal(sink.lost, 0);
});

forEachTransport("RedisSink bears that a server ends its connection", async (reached) => {
  const { server, url } = reached;
  const log = new MemoryLog();
  const sink = await RedisSink.connect(url, CAPTURE, log);
  for (let i = 0; i < 5; i++) {
    sink.write(clients(5000));
    const flush = sink.flush();
    await server.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await flush;
    await until(() => !sink.isAway && sink.pending === 0);
  }
  assert.equal(sink.written, 25_000);
  await sink.close();
});

Deno.test({
  name: "RedisSink bears that a TLS server begins to ask for certificates, and says so" +
    NO_REDIS_SERVER,
  ignore: !HAS_REDIS_SERVER,
  sanitizeResources: false,
  fn: () =>
    withTls(async ({ server, url }) => {
      const log = new MemoryLog();
      const sink = await RedisSink.connect(url, CAPTURE, log);
      sink.write(clients(1500));
      await sink.flush();
      for (let i = 0; i < 3; i++) {
        await server.cli("CONFIG", "SET", "tls-auth-clients", "yes");
        await server.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        await until(() => sink.isAway);
        sink.write(clients(1500, 1500 * (i + 1)));
        const asked = "is away (it asks for our certificate (";
        await until(() => log.lines.filter((line) => line.includes(asked)).length > i);
        assert.match(
          await refusal(RedisSink.connect(url, REPLAY, new MemoryLog())),
          /: it asks for our certificate \(.*\): name it with \?cert=FILE&key=FILE$/,
        );
        await server.cli("CONFIG", "SET", "tls-auth-clients", "no");
        await until(() => !sink.isAway && sink.pending === 0);
        // One that goes away before that is said is away all the time, in what is said.
        await until(() => log.lines.filter((line) => line.includes("is back after")).length > i);
      }
      await sink.close();
      assert.equal(sink.written, 6000);
      assert.equal(await server.cli("DBSIZE"), "6000");
    }),
});
