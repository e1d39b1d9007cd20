import assert from "node:assert/strict";
import fc from "fast-check";
import { PasswordFile } from "../../src/sink/password_file.ts";
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

Deno.test("parseRedisUrl() reads the nodes of a cluster, and Sentinels with what they watch", () => {
  const one = { host: "a", port: 6379 };
  assert.deepEqual(parsed("redis-cluster://a,b:7000,[2001:db8::1]"), {
    ...one,
    tls: false,
    database: 0,
    nodes: [one, { host: "b", port: 7000 }, { host: "2001:db8::1", port: 6379 }],
  });
  assert.deepEqual(parsed("rediss-cluster://user:p%2C%40w@a:6379?cacert=ca.pem"), {
    ...one,
    tls: true,
    database: 0,
    username: "user",
    password: "p,@w",
    caFile: "ca.pem",
    nodes: [one],
  });
  const sentinel = { host: "s1", port: 26379 };
  assert.deepEqual(parsed("redis-sentinel://:pw@s1,s2:5000/my-flows.1/3"), {
    ...sentinel,
    tls: false,
    database: 3,
    password: "pw",
    sentinels: [sentinel, { host: "s2", port: 5000 }],
    master: "my-flows.1",
  });
  assert.equal(
    parseRedisUrl("redis-sentinel://u:secret@s1,s2:5000/flows", "--redis").text,
    "redis-sentinel://u:***@s1,s2:5000/flows",
  );
  assert.ok(
    refusal("redis://a,b").includes("redis://a,b names more than one host: write redis-cluster://"),
  );
  assert.ok(
    refusal("redis-sentinel://s1,s2").includes(
      "redis-sentinel://s1,s2 does not say what its Sentinels call",
    ),
  );
  assert.ok(refusal("redis-cluster://a,,b").includes("has an empty or wrong host"));
  assert.ok(refusal("redis-cluster://u:secret@a,b:x").includes("has an empty or wrong host"));
});

Deno.test("parseRedisUrl() keeps the password out of the text for logs", () => {
  const text = (url: string) => parseRedisUrl(url, "--redis").text;
  assert.equal(text("redis://me:s%40cret@h:1/2"), "redis://me:***@h:1/2");
  assert.equal(text("redis://:secret@h"), "redis://:***@h");
  assert.equal(text("redis://me:secret:with@colons@h"), "redis://***@h");
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
  assert.match(refusal("redis://h:port"), /the URL can't be read/);
  assert.match(refusal("redis://h:66000"), /can't be read/);
  assert.match(refusal("redis://h:0"), /has port 0/);
  assert.match(refusal("redis://h/one"), /has "one" where a database number goes/);
  assert.match(refusal("redis://h/1/2"), /has "1\/2" where a database number goes/);
  assert.match(refusal("redis://h?db=-1"), /has "-1" where a database number goes/);
  assert.match(refusal("redis://h?database=1"), /has an unknown setting database \(known are db, /);
  assert.match(refusal("redis://:%zz@h"), /has a percent sign that begins no encoded byte/);
  for (const url of ["rediss://h?cert=FILE", "rediss://h?ssl_keyfile=FILE"]) {
    assert.match(
      refusal(url),
      /names one of cert and key: name both, cert=FILE&key=FILE, or none$/,
    );
  }
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

/** Passwords that are not encoded as they should be, in URLs that work and in URLs that don't. */
const UNUSUAL = [
  "redis://:correct:horse:battery@h",
  "redis://me:correct:horse:battery@h",
  "redis://:correct@horse@h",
  "redis://:@correct:horse@h",
  "redis://correct@horse@h",
  "redis://:correct/horse@h",
  "redis://:12/horse@h",
  "redis://me:12/correct/horse@h",
  "redis://me:12?horse@h",
  "redis://me:12?horse=battery@h",
  "redis://me?horse",
  "redis://me:12#horse@h",
  "redis://:correct horse@h",
  "redis://:correct\thorse@h",
  "redis://:%zzhorse@h",
  "redis://me:horse",
  "REDIS://:horse@h",
  "Redis://:horse:@h/x",
  "me:horse@h",
  "me:correct:horse@h:6379",
  ":horse@h",
  "horse@h",
  "horse",
  "//:horse@h",
  "redis:me:horse@h",
  "redis:/me:horse@h",
  "redis:///:horse@h",
  "http://me:horse@h",
  "unix://me:horse@/run/s",
  "unix://me:correct/horse@/run/s",
  "unix://:correct:horse@/run/s?db=x",
  "unix:///run/s?password=horse&db=x",
  "unix:///run/s?db=x&p%61ssword=horse",
  "redis://h?password=horse",
  "redis://h?password=a@horse&db=x",
  "redis://h?PASSWORD=horse",
  "redis://h?pass=horse",
  "redis://h?password=%zzhorse",
  "redis://h/horse@h2",
  "rediss://h?key=-----BEGIN PRIVATE KEY-----horse",
];

Deno.test("parseRedisUrl() shows no piece of a password, however unusual the URL is", () => {
  for (const url of UNUSUAL) {
    let shown: string;
    try {
      shown = parseRedisUrl(url, "--redis").text;
    } catch (error) {
      assert.ok(error instanceof UserError);
      shown = error.message.replaceAll("password", "");
    }
    assert.doesNotMatch(shown, /horse|correct|battery/, url);
  }
});

Deno.test("parseRedisUrl() shows nothing of random passwords that are written as they are", () => {
  const password = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 12 })
    .map((text) => `~${text}~`);
  const forms = fc.constantFrom(
    "redis://:P@h:1/2",
    "redis://me:P@h",
    "rediss://P@h",
    "P@h",
    "me:P@h",
  );
  fc.assert(
    fc.property(password, forms, (secret, form) => {
      // A colon in a lone word would end the user.
      fc.pre(form !== "rediss://P@h" || !secret.includes(":"));
      const url = form.replace("P", () => secret);
      let shown: string;
      try {
        shown = parseRedisUrl(url, "--redis").text;
      } catch (error) {
        shown = (error as Error).message;
      }
      assert.ok(!shown.includes("~"), `${url}: ${shown}`);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseRedisUrl() takes a password from a file, or from the URL, and not from both", () => {
  const file = new PasswordFile("/run/secret", "config.ts:4");
  const parse = (url: string) => parseRedisUrl(url, "config.ts:3", file);
  for (const url of ["redis://me@h", "redis://h?username=me"]) {
    const { username, password, passwordFile } = parse(url);
    assert.deepEqual([username, password, passwordFile], ["me", undefined, file]);
  }
  for (const url of ["redis://me:pw@h", "redis://:pw@h", "redis://h?password=pw"]) {
    assert.throws(() => parse(url), {
      message: /has a password, and config\.ts:4 names a file with one: leave one of them out$/,
    });
  }
});
