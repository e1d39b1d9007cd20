import assert from "node:assert/strict";
import { parseRedisUrl, type RedisAddress } from "../../src/sink/redis_url.ts";
import { UserError } from "../../src/user_error.ts";

function parsed(url: string): Partial<RedisAddress> {
  const { text: _, ...address } = parseRedisUrl(url, "--redis");
  return address;
}

function refusal(url: string, place = "--redis"): string {
  let message = "";
  assert.throws(() => parseRedisUrl(url, place), (error) => {
    message = (error as Error).message;
    return error instanceof UserError;
  });
  return message;
}

const TCP = { host: "localhost", port: 6379, tls: false, database: 0 };
const UNIX = { host: "", port: 0, tls: false, database: 0, socketPath: "/run/redis.sock" };

Deno.test("parseRedisUrl() reads host, port and database, with their defaults", () => {
  assert.deepEqual(parsed("redis://localhost"), TCP);
  assert.deepEqual(parsed("redis://localhost/"), TCP);
  assert.deepEqual(parsed("REDIS://localhost"), TCP);
  assert.deepEqual(parsed("redis:///3"), { ...TCP, database: 3 });
  assert.deepEqual(parsed("redis://10.1.2.3:6380/15"), {
    ...TCP,
    host: "10.1.2.3",
    port: 6380,
    database: 15,
  });
  assert.deepEqual(parsed("redis://localhost?db=2"), { ...TCP, database: 2 });
  assert.deepEqual(parsed("rediss://localhost"), { ...TCP, tls: true });
});

Deno.test("parseRedisUrl() reads IPv6 addresses in brackets", () => {
  assert.deepEqual(parsed("redis://[::1]:6380/1"), {
    ...TCP,
    host: "::1",
    port: 6380,
    database: 1,
  });
});

Deno.test("parseRedisUrl() reads users and passwords, percent-encoded", () => {
  assert.deepEqual(parsed("redis://me:p%40ss%2Fw%3A%25@localhost"), {
    ...TCP,
    username: "me",
    password: "p@ss/w:%",
  });
  assert.deepEqual(parsed("redis://:secret@localhost"), { ...TCP, password: "secret" });
  assert.deepEqual(parsed("redis://localhost?username=me&password=pw"), {
    ...TCP,
    username: "me",
    password: "pw",
  });
});

Deno.test("parseRedisUrl() takes a single word before the @ for the password, as redis-cli does", () => {
  assert.deepEqual(parsed("redis://secret@localhost"), { ...TCP, password: "secret" });
  assert.deepEqual(parsed("unix://me@/run/redis.sock?password=pw"), {
    ...UNIX,
    username: "me",
    password: "pw",
  });
});

Deno.test("parseRedisUrl() reads Unix sockets by all their names", () => {
  for (const scheme of ["unix", "redis+unix", "redis+socket", "redis-socket"]) {
    assert.deepEqual(parsed(`${scheme}:///run/redis.sock`), UNIX);
    assert.deepEqual(parsed(`${scheme}:///run/redis.sock?db=4`), { ...UNIX, database: 4 });
  }
  assert.deepEqual(parsed("unix://me:pw@/run/redis.sock"), {
    ...UNIX,
    username: "me",
    password: "pw",
  });
  assert.equal(parsed("unix:///run/my%20redis.sock").socketPath, "/run/my redis.sock");
});

Deno.test("parseRedisUrl() reads the files of TLS by redis-cli's and redis-py's names", () => {
  const files = { caFile: "/ca.pem", certificateFile: "/c.pem", keyFile: "/k.pem" };
  assert.deepEqual(parsed("rediss://localhost?cacert=/ca.pem&cert=/c.pem&key=/k.pem"), {
    ...TCP,
    ...files,
    tls: true,
  });
  assert.deepEqual(
    parsed("rediss://localhost?ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem"),
    { ...TCP, ...files, tls: true },
  );
});

Deno.test("parseRedisUrl() keeps the password out of the text for logs", () => {
  const text = (url: string) => parseRedisUrl(url, "--redis").text;
  assert.equal(text("redis://me:s%40cret@h:1/2"), "redis://me:***@h:1/2");
  assert.equal(text("redis://:secret@h"), "redis://:***@h");
  assert.equal(text("redis://secret@h"), "redis://***@h");
  assert.equal(text("unix://me@/s?password=secret&db=1"), "unix://***@/s?password=***&db=1");
  assert.equal(text("redis://h:1"), "redis://h:1");
});

Deno.test("parseRedisUrl() refuses other things, names the place and says what to write", () => {
  const forms =
    ": write redis://[[user]:password@]host[:port][/db], rediss://… or unix:///path[?db=n]";
  assert.equal(refusal("localhost:6379"), "--redis: localhost:6379 is no Redis URL" + forms);
  assert.equal(
    refusal("http://localhost", "config.ts:3"),
    "config.ts:3: http://localhost is no Redis URL" + forms,
  );
  assert.match(refusal(""), /^--redis: "" is no Redis URL: write /);
  assert.match(refusal("/run/redis.sock"), /is no Redis URL/);
  assert.match(refusal("redis:localhost"), /is no Redis URL/);
  assert.match(refusal("redis://h:port"), /redis:\/\/h:port can't be read/);
  assert.match(refusal("redis://h:66000"), /can't be read/);
  assert.match(refusal("redis://h:0"), /has port 0/);
  assert.match(refusal("redis://h/one"), /has "one" where a database number goes/);
  assert.match(refusal("redis://h/1/2"), /has "1\/2" where a database number goes/);
  assert.match(refusal("redis://h?db=-1"), /has "-1" where a database number goes/);
  assert.match(refusal("redis://h?database=1"), /has an unknown setting database \(known are db, /);
  assert.match(refusal("redis://:%zz@h"), /has a percent sign that begins no encoded byte/);
  for (const url of ["unix://", "unix:///", "unix:///?db=1", "unix://run/redis.sock"]) {
    assert.match(refusal(url), /names no socket/);
  }
});

Deno.test("parseRedisUrl() keeps the password out of its errors", () => {
  for (
    const url of [
      "redis://me:secret@h:port",
      "redis://:secret@h/x",
      "http://me:secret@h",
      "redis://:se%zzcret@h",
      "redis://me:sec/ret@h",
      "unix:///s?password=secret&x=1",
    ]
  ) assert.doesNotMatch(refusal(url).replace(/\[\[user\]:password@\]/, ""), /se.*c.*ret/, url);
});
