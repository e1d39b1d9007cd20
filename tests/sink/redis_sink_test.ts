import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { RedisSink, type RedisSinkOptions } from "../../src/sink/redis_sink.ts";
import { makeCertificates } from "../certificates.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients, observations } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { refusal, until } from "./redis_sink_waits.ts";

const CAPTURE: RedisSinkOptions = { ttl: 900, mode: "capture" };
const REPLAY: RedisSinkOptions = { ttl: 900, mode: "replay" };

function redisTest(name: string, fn: () => Promise<void>): void {
  // Deno closes the socket under a TLS connection some time after that was refused.
  const sanitizeResources = !name.includes("TLS");
  Deno.test({ name: name + NO_REDIS_SERVER, ignore: !HAS_REDIS_SERVER, sanitizeResources, fn });
}

redisTest("RedisSink raises each key once an observation and sets its time to live", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, { ...REPLAY, ttl: 77 }, new MemoryLog());
  const [a, b] = ["10.0.0.1", "2001:db8::1"];
  sink.write(observations({ kind: "client", a }, { kind: "client", a: b }, { kind: "client", a }));
  assert.equal(sink.pending, 3);
  assert.equal(sink.pendingKeys, 2);
  await sink.flush();
  assert.equal(sink.pending, 0);
  assert.equal(sink.writtenKeys, 2);
  assert.deepEqual(
    await server.dump(),
    new Map([[`client;${a}`, "2"], [`client;${b}`, "1"]]),
  );
  assert.ok([76, 77].includes(Number(await server.cli("TTL", `client;${a}`))));
  sink.ttl = 5000;
  sink.write(observations({ kind: "client", a }));
  await sink.close();
  assert.equal(await server.cli("GET", `client;${a}`), "3");
  assert.ok(Number(await server.cli("TTL", `client;${a}`)) > 4990);
  assert.ok(Number(await server.cli("TTL", `client;${b}`)) <= 77);
});

redisTest("RedisSink writes many more keys than go into one call", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, REPLAY, new MemoryLog());
  for (let first = 0; first < 12_345; first += 500) {
    sink.write(clients(Math.min(500, 12_345 - first), first));
  }
  sink.write(clients(100));
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "12345");
  assert.equal(await server.cli("GET", "client;10.0.0.99"), "2");
  assert.equal(await server.cli("GET", "client;10.0.0.100"), "1");
  assert.equal(sink.lost, 0);
});

redisTest(
  "RedisSink keeps what is pending while Redis restarts, and says away and back once",
  async () => {
    await using server = await RedisServer.start();
    const log = new MemoryLog();
    const sink = await RedisSink.connect(server.url, CAPTURE, log);
    sink.write(clients(10));
    await sink.flush();
    await server.halt();
    sink.write(clients(1500));
    await sink.flush();
    await until(() => sink.isAway);
    sink.write(clients(1500));
    await sink.flush();
    assert.equal(sink.pending, 3000);
    assert.equal(sink.pendingKeys, 1500);
    // Several attempts fail in the meantime, without a word.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.run();
    await until(() => sink.pending === 0);
    await sink.close();
    assert.equal((await server.dump()).size, 1500);
    assert.equal(await server.cli("GET", "client;10.0.0.7"), "2");
    assert.equal(log.lines.length, 2, log.lines.join("\n"));
    assert.match(
      log.lines[0],
      /^warn: Redis at redis:\S+ is away \(.+\): keys are kept until it is /,
    );
    assert.match(
      log.lines[1],
      /^info: Redis at redis:\S+ is back after \d+ s: writing the 1500 keys /,
    );
  },
);

redisTest("RedisSink writes again what was on its way when Redis went down", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, REPLAY, new MemoryLog());
  sink.write(clients(3000));
  server.freeze();
  const flush = sink.flush();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(sink.pending, 3000);
  await server.halt();
  await server.run();
  await flush;
  assert.equal(sink.pending, 0);
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "3000");
});

redisTest("RedisSink starts a capture without Redis, and writes when it is there", async () => {
  await using server = await RedisServer.start();
  await server.halt();
  const log = new MemoryLog();
  const sink = await RedisSink.connect(server.url, CAPTURE, log);
  assert.ok(sink.isAway);
  sink.write(clients(5));
  await sink.flush();
  await server.run();
  await until(() => !sink.isAway && sink.pending === 0);
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "5");
  assert.deepEqual(log.lines.map((line) => line.replace(/redis:\S+|\d+ s/g, "…")), [
    "warn: Redis at … is away (connection refused): keys are kept until it is back, 0 are waiting",
    "info: Redis at … is back after …: writing the 5 keys that waited",
  ]);
});

Deno.test("RedisSink fails at once for a replay into a Redis that does not answer", async () => {
  const port = await unusedPort();
  assert.equal(
    await refusal(
      RedisSink.connect(`redis://:secret@127.0.0.1:${port}/1`, REPLAY, new MemoryLog()),
    ),
    `Redis at redis://:***@127.0.0.1:${port}/1 can't be used (connection refused): start it, ` +
      "name another one with --redis URL, or leave it out with --no-redis",
  );
  assert.match(
    await refusal(RedisSink.connect("redis://no-such-host.invalid", REPLAY, new MemoryLog())),
    /^Redis at redis:\/\/no-such-host\.invalid can't be used \((host name not found|no answer about)/,
  );
  assert.match(
    await refusal(RedisSink.connect("unix:///no/such.sock", REPLAY, new MemoryLog())),
    /^Redis at unix:\/\/\/no\/such\.sock can't be used \(no such socket\): /,
  );
});

redisTest(
  "RedisSink fails at the start when Redis refuses the password, or has no such database",
  async () => {
    await using server = await RedisServer.start(["--requirepass", "right"]);
    const log = new MemoryLog();
    const place = "config.ts:3";
    for (const options of [{ ...CAPTURE, place }, { ...REPLAY, place }]) {
      const url = (login: string, path = "") => `redis://${login}127.0.0.1:${server.port}${path}`;
      const wrong = await refusal(RedisSink.connect(url(":wrong@"), options, log));
      assert.match(
        wrong,
        /^Redis at redis:\/\/:\*\*\*@\S+ refuses us \(WRONGPASS .*\): mend user, /,
      );
      assert.match(wrong, / in config\.ts:3$/);
      assert.match(
        await refusal(RedisSink.connect(url(""), options, log)),
        /refuses us \(NOAUTH /,
      );
      assert.match(
        await refusal(RedisSink.connect(url(":right@", "/16"), options, log)),
        /refuses us \(ERR DB index is out of range\)/,
      );
    }
    assert.deepEqual(log.lines, []);
  },
);

redisTest("RedisSink logs in with user, password and database", async () => {
  await using server = await RedisServer.start();
  await server.cli("ACL", "SETUSER", "sensor", "on", ">p%40ss/w@rd", "~*", "+@all");
  const password = encodeURIComponent("p%40ss/w@rd");
  const url = `redis://sensor:${password}@127.0.0.1:${server.port}/5`;
  const sink = await RedisSink.connect(url, REPLAY, new MemoryLog());
  sink.write(clients(1));
  await sink.flush();
  assert.match(await server.cli("CLIENT", "LIST"), /name=flosensor .*db=5 .*user=sensor /);
  await sink.close();
  assert.equal(await server.cli("-n", "5", "DBSIZE"), "1");
  assert.equal(await server.cli("DBSIZE"), "0");
});

redisTest(
  "RedisSink writes by single commands where scripts are not permitted, and says so once",
  async () => {
    await using server = await RedisServer.start();
    await server.cli("ACL", "SETUSER", "sensor", "on", ">pw", "~*", "+incrby", "+expire");
    const log = new MemoryLog();
    const url = `redis://sensor:pw@127.0.0.1:${server.port}`;
    const sink = await RedisSink.connect(url, REPLAY, log);
    for (let i = 0; i < 2; i++) {
      sink.write(clients(2500));
      sink.write(clients(1));
      await sink.flush();
    }
    await sink.close();
    assert.equal((await server.dump()).size, 2500);
    assert.equal(await server.cli("GET", "client;10.0.0.0"), "4");
    assert.equal(await server.cli("GET", "client;10.0.0.1"), "2");
    assert.ok(Number(await server.cli("TTL", "client;10.0.0.1")) > 890);
    assert.equal(log.lines.length, 1, log.lines.join("\n"));
    assert.match(
      log.lines[0],
      /^info: .* does not let us use scripts \(NOPERM .*\): keys are written by /,
    );
  },
);

for (const scripts of ["by script", "by single commands"]) {
  redisTest(`RedisSink writes all keys but one that holds something else, ${scripts}`, async () => {
    await using server = await RedisServer.start();
    if (scripts !== "by script") await server.cli("ACL", "SETUSER", "default", "-@scripting");
    await server.cli("LPUSH", "client;10.0.0.3", "a");
    await server.cli("SET", "client;10.0.0.5", "text");
    await server.cli("SET", "client;10.0.0.6", "9223372036854775807");
    const log = new MemoryLog();
    const sink = await RedisSink.connect(server.url, CAPTURE, log);
    for (let i = 0; i < 2; i++) {
      sink.write(clients(1200));
      await sink.flush();
    }
    assert.ok(!sink.isAway);
    assert.equal(sink.writtenKeys, 2 * 1197);
    assert.equal(sink.lost, 6);
    assert.equal(await server.cli("DBSIZE"), "1200");
    assert.equal(await server.cli("GET", "client;10.0.4.175"), "2");
    const warnings = log.lines.filter((line) => line.startsWith("warn"));
    assert.equal(warnings.length, 1, log.lines.join("\n"));
    assert.match(
      warnings[0],
      /refuses the key client;10\.0\.0\.3 \(WRONGTYPE .*\): it is left out/,
    );
    assert.match(
      await refusal(sink.close()),
      /: 6 observations were lost \(6: it refused their keys: WRONGTYPE [^)]*\)$/,
    );
  });
}

redisTest("RedisSink leaves out keys that its user may not write", async () => {
  await using server = await RedisServer.start();
  await server.cli("ACL", "SETUSER", "sensor", "on", ">pw", "~client;10.0.0.*", "+@all");
  const log = new MemoryLog();
  const url = `redis://sensor:pw@127.0.0.1:${server.port}`;
  const sink = await RedisSink.connect(url, CAPTURE, log);
  sink.write(clients(300));
  await sink.flush();
  assert.equal(sink.writtenKeys, 256);
  assert.equal(sink.lost, 44);
  assert.match(log.lines.join("\n"), /refuses the key client;10\.0\.1\.0 \(NOPERM /);
  await refusal(sink.close());
  assert.equal(await server.cli("DBSIZE"), "256");
});

redisTest(
  "RedisSink waits while Redis is out of memory, and goes on when it has some",
  async () => {
    await using server = await RedisServer.start();
    const log = new MemoryLog();
    const sink = await RedisSink.connect(server.url, CAPTURE, log);
    await server.cli("CONFIG", "SET", "maxmemory", "1");
    sink.write(clients(2000));
    await sink.flush();
    await until(() => sink.isAway);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(sink.pending, 2000);
    await server.cli("CONFIG", "SET", "maxmemory", "0");
    await until(() => sink.pending === 0);
    await sink.close();
    assert.equal(await server.cli("DBSIZE"), "2000");
    assert.equal(log.lines.length, 2, log.lines.join("\n"));
    assert.match(
      log.lines[0],
      /refuses to be written to \(OOM command not allowed .*2000 are waiting$/,
    );
    assert.match(log.lines[1], /is back/);
  },
);

redisTest("RedisSink ends a replay when Redis is a read-only replica", async () => {
  await using server = await RedisServer.start();
  await server.cli("REPLICAOF", "127.0.0.1", String(await unusedPort()));
  const sink = await RedisSink.connect(server.url, REPLAY, new MemoryLog());
  sink.write(clients(3));
  assert.match(
    await refusal(sink.flush()),
    /can't be written to \(READONLY .*\): 3 observations were not written$/,
  );
  assert.match(await refusal(sink.close()), /: 3 observations were lost \(3: READONLY /);
});

redisTest("RedisSink loads its script again when the server has forgotten it", async () => {
  await using server = await RedisServer.start();
  const log = new MemoryLog();
  const sink = await RedisSink.connect(server.url, REPLAY, log);
  for (let i = 0; i < 3; i++) {
    sink.write(clients(2500));
    await sink.flush();
    await server.cli("SCRIPT", "FLUSH");
  }
  await sink.close();
  assert.equal(await server.cli("GET", "client;10.0.9.195"), "3");
  assert.deepEqual(log.lines, []);
});

redisTest(
  "RedisSink drops the oldest keys beyond its bound, and says how many on exit",
  async () => {
    await using server = await RedisServer.start();
    const sink = await RedisSink.connect(
      server.url,
      { ...CAPTURE, maxPendingKeys: 1000 },
      new MemoryLog(),
    );
    await server.halt();
    await until(() => sink.isAway);
    for (let i = 0; i < 3; i++) sink.write(clients(500, 500 * i));
    assert.equal(sink.pending, 1000);
    assert.equal(sink.lost, 500);
    await server.run();
    assert.match(
      await refusal(sink.close()),
      /: 500 observations were lost \(500: too many were waiting while it was away: [^)]+\)$/,
    );
    const keys = [...(await server.dump()).keys()].sort();
    assert.equal(keys.length, 1000);
    assert.ok(keys.includes("client;10.0.1.244") && !keys.includes("client;10.0.1.243"));
  },
);

redisTest(
  "RedisSink says soon that the traffic brings more than Redis takes, and counts what was written",
  async () => {
    await using server = await RedisServer.start();
    const log = new MemoryLog();
    const sink = await RedisSink.connect(server.url, { ...CAPTURE, maxPendingKeys: 50_000 }, log);
    let taken = 0;
    for (let i = 0; i < 40; i++) {
      for (let first = 0; first < 10_000; first += 1000) {
        sink.write(clients(1000, 10_000 * i + first));
      }
      taken += 10_000;
      const { written, pending, lost } = sink;
      assert.equal(written + pending + lost, taken);
      // Answers are heard now and then.
      if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.ok(sink.lost > 100_000 && sink.pending > 0 && !sink.isAway);
    await until(() => log.lines.length > 0);
    const line = `Redis at ${server.url}: ${sink.lost} observations were lost (${sink.lost}: it ` +
      "takes fewer than the traffic brings)";
    assert.deepEqual(log.lines, [`warn: ${line}`]);
    assert.equal(await refusal(sink.close()), line);
    assert.equal(sink.pending, 0);
    assert.equal(String(sink.written), await server.cli("DBSIZE"));
  },
);

redisTest("RedisSink writes many keys without being asked to flush", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, CAPTURE, new MemoryLog());
  for (let first = 0; first < 30_000; first += 1000) sink.write(clients(1000, first));
  await until(() => sink.pending < 10_000);
  assert.ok(sink.written >= 20_000);
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "30000");
});

redisTest("RedisSink.hurry() ends a replay's wait for a server that hangs", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, REPLAY, new MemoryLog());
  sink.write(clients(7));
  server.freeze();
  const flush = sink.flush();
  sink.hurry();
  await flush;
  assert.equal(sink.pending, 7);
  assert.match(
    await refusal(sink.close()),
    /: 7 observations were lost \(7: no answer in time\)$/,
  );
});

redisTest("RedisSink.abandon() gives up at once, and says what is lost", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, REPLAY, new MemoryLog());
  sink.write(clients(5));
  await sink.flush();
  sink.write(clients(7));
  const closing = refusal(sink.close());
  server.freeze();
  const error = sink.abandon("ended at once");
  assert.equal(
    error?.message,
    `Redis at ${server.url}: 7 observations were lost (7: ended at once)`,
  );
  assert.equal(await closing, error?.message);
  assert.deepEqual([sink.written, sink.pending, sink.lost], [5, 0, 7]);
});

redisTest(
  "RedisSink.close() says how many observations were lost when Redis stays away",
  async () => {
    await using server = await RedisServer.start();
    const log = new MemoryLog();
    const sink = await RedisSink.connect(server.url, CAPTURE, log);
    await server.halt();
    sink.write(clients(20));
    sink.write(clients(3));
    assert.equal(
      await refusal(sink.close()),
      `Redis at ${server.url}: 23 observations were lost (23: connection refused)`,
    );
    assert.equal(sink.lost, 23);
  },
);

redisTest("RedisSink.close() does not wait for a Redis that hangs", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, CAPTURE, new MemoryLog());
  sink.write(clients(7));
  server.freeze();
  assert.match(
    await refusal(sink.close()),
    /: 7 observations were lost \(7: no answer in time\)$/,
  );
});

redisTest("RedisSink.close() does nothing more when it is called again", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, CAPTURE, new MemoryLog());
  await Promise.all([sink.close(), sink.close()]);
  await sink.close();
});

redisTest("RedisSink writes over a Unix socket", async () => {
  await using server = await RedisServer.start(["--unixsocket", "DIRECTORY/redis.sock"]);
  const url = `unix://${server.directory}/redis.sock?db=2`;
  const sink = await RedisSink.connect(url, REPLAY, new MemoryLog());
  sink.write(clients(3));
  await sink.flush();
  assert.deepEqual(sink.sockets.endpoints(), []);
  assert.ok(!sink.sockets.isSettling);
  await sink.close();
  assert.equal(await server.cli("-n", "2", "DBSIZE"), "3");
});

redisTest("RedisSink writes over IPv6", async () => {
  await using server = await RedisServer.start();
  await server.cli("CONFIG", "SET", "bind", "127.0.0.1 ::1");
  const sink = await RedisSink.connect(`redis://[::1]:${server.port}`, REPLAY, new MemoryLog());
  sink.write(clients(3));
  await sink.flush();
  assert.equal(sink.sockets.endpoints()[0].remoteAddress, "::1");
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "3");
});

redisTest(
  "RedisSink writes over TLS to a server whose authority it trusts, and to no other",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "flosensor-tls-" });
    await makeCertificates(folder);
    const port = await unusedPort();
    await using server = await RedisServer.start([
      ...["--tls-port", String(port), "--tls-ca-cert-file", `${folder}/ca.pem`],
      ...["--tls-cert-file", `${folder}/server.pem`, "--tls-key-file", `${folder}/server.key`],
      ...["--tls-auth-clients", "no"],
    ]);
    for (const host of ["localhost", "127.0.0.1"]) {
      const url = `rediss://${host}:${port}`;
      const sink = await RedisSink.connect(
        `${url}?cacert=${folder}/ca.pem`,
        REPLAY,
        new MemoryLog(),
      );
      sink.write(clients(1500));
      await sink.flush();
      const [{ localPort }] = sink.sockets.endpoints();
      assert.match(
        await server.cli("CLIENT", "LIST"),
        new RegExp(`:${localPort} .*name=flosensor`),
      );
      await sink.close();
      for (const options of [CAPTURE, REPLAY]) {
        assert.match(
          await refusal(RedisSink.connect(url, options, new MemoryLog())),
          /: its certificate is not trusted \(.*\): name its authority's file with \?cacert=FILE$/,
        );
      }
    }
    assert.equal(await server.cli("DBSIZE"), "1500");
    const missing = `rediss://localhost:${port}?cacert=${folder}/none.pem`;
    assert.match(
      await refusal(RedisSink.connect(missing, CAPTURE, new MemoryLog())),
      /none\.pem: can't be read \(.*no such file/i,
    );
    await Deno.remove(folder, { recursive: true });
  },
);

redisTest("RedisSink knows the ends of its own connection, and names it", async () => {
  await using server = await RedisServer.start();
  const sink = await RedisSink.connect(server.url, CAPTURE, new MemoryLog());
  const endpoints = sink.sockets.endpoints();
  const list = (await server.cli("CLIENT", "LIST")).split("\n");
  const ours = list.filter((line) => line.includes(" name=flosensor "));
  assert.deepEqual(
    endpoints.map((it) =>
      `addr=${it.localAddress}:${it.localPort} laddr=${it.remoteAddress}:${it.remotePort}`
    ),
    ours.map((line) => /addr=\S+ laddr=\S+/.exec(line)![0]),
  );
  assert.equal(endpoints.length, 1);
  assert.deepEqual(sink.sockets.remotes(), [{ address: "127.0.0.1", port: server.port }]);
  assert.ok(!sink.sockets.isSettling);
  await sink.close();
  await until(() => sink.sockets.endpoints().length === 0);
});

redisTest("RedisSink needs permission only for the server's address", async () => {
  await using server = await RedisServer.start();
  const program = `
    import { RedisSink } from "${import.meta.resolve("../../src/sink/redis_sink.ts")}";
    import { LineLog } from "${import.meta.resolve("../../src/log.ts")}";
    try {
      const sink = await RedisSink.connect("${server.url}", ${JSON.stringify(REPLAY)},
        new LineLog("info"));
      await sink.close();
      console.log("done");
    } catch (error) {
      console.log(error.name, error.message);
    }`;
  const run = async (...permissions: string[]) => {
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-check", "--config", config]
        .concat(permissions, `data:text/typescript,${encodeURIComponent(program)}`),
    });
    const { stdout, stderr } = await child.output();
    assert.equal(Buffer.from(stderr).toString(), "");
    return Buffer.from(stdout).toString().trim();
  };
  const host = `127.0.0.1:${server.port}`;
  assert.equal(await run(`--allow-net=${host}`, "--ignore-env"), "done");
  assert.equal(
    await run("--allow-net=127.0.0.1:1", "--ignore-env"),
    `UserError Redis at ${server.url}: no permission, run with --allow-net=${host}`,
  );
});
