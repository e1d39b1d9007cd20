import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { flosensor } from "./program.ts";
import { OWN_NETWORKS, SAMPLE_CAPTURE, SAMPLE_KEYS } from "./sample_capture.ts";

const PASSWORD = "correct:horse@battery/staple?#";

function config(settings: string): string {
  return `import { defineConfig } from "flosensor/config";
export default defineConfig({ ${settings} });
`;
}

/** A test with a redis-server that asks for the password, and files. */
function redisTest(
  name: string,
  test: (server: RedisServer, directory: string) => Promise<void>,
  serverArguments = ["--requirepass", PASSWORD],
): void {
  Deno.test({
    name: name + NO_REDIS_SERVER,
    ignore: !HAS_REDIS_SERVER,
    fn: async () => {
      await using server = await RedisServer.start(serverArguments);
      await withFiles({ password: `${PASSWORD}\n` }, async (directory) => {
        await Deno.chmod(join(directory, "password"), 0o600);
        await test(server, directory);
      });
    },
  });
}

async function keysOf(server: RedisServer): Promise<string[]> {
  return [...(await server.dump("--no-auth-warning", "-a", PASSWORD)).keys()].sort();
}

redisTest("--redis-password-file logs in with the file's first line", async (server, directory) => {
  const args = ["replay", "-", ...OWN_NETWORKS, "--redis", server.url];
  const file = join(directory, "password");
  const { status, stderr } = await flosensor([...args, "--redis-password-file", file], {
    stdin: SAMPLE_CAPTURE,
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(await keysOf(server), SAMPLE_KEYS);
  await Deno.chmod(file, 0o644);
  const refused = await flosensor([...args, "--redis-password-file", file]);
  assert.equal(refused.status, 1);
  assert.equal(
    refused.stderr,
    `flosensor: error: --redis-password-file: ${file}: all users may read this password: ` +
      `chmod o-r ${file}\n`,
  );
});

redisTest(
  "redisPasswordFile logs in, and is for the Redis of the configuration alone",
  async (server, directory) => {
    const file = join(directory, "password");
    const path = join(directory, "config.ts");
    const settings = `redis: "${server.url}", redisPasswordFile: ${JSON.stringify(file)}`;
    await Deno.writeTextFile(path, config(settings));
    const args = ["replay", "-", ...OWN_NETWORKS, "-c", path];
    const { status, stderr } = await flosensor(args, { stdin: SAMPLE_CAPTURE });
    assert.equal(status, 0, stderr);
    assert.deepEqual(await keysOf(server), SAMPLE_KEYS);
    const named = await flosensor([...args, "--redis", server.url], { stdin: SAMPLE_CAPTURE });
    assert.equal(named.status, 1);
    assert.match(named.stderr, /refuses us \(NOAUTH /);
    const { stdout } = await flosensor(["check", "-c", path]);
    assert.match(stdout, new RegExp(`^Its password: +the first line of ${file}$`, "m"));
  },
);

redisTest(
  "a server that repeats what it was given to log in is not repeated",
  async (server, directory) => {
    const file = join(directory, "password");
    const args = ["replay", "-", "--redis", server.url, "--redis-password-file", file];
    const { status, stderr } = await flosensor([...args, "--log-level", "debug"]);
    assert.equal(status, 1);
    assert.match(stderr, /unknown command 'AUTH', with args beginning with: \*\*\*/);
    assert.doesNotMatch(stderr, /horse|battery/);
  },
  ["--rename-command", "AUTH", ""],
);

Deno.test("explain goes on without names where it may not read the password", async () => {
  const files = {
    "config.ts": config('redis: "redis://127.0.0.1:1", redisPasswordFile: "/nonexistent/password"'),
  };
  await withFiles(files, async (directory) => {
    const { status, stderr } = await flosensor(
      ["explain", "10.0.0.1", "1", "10.0.0.2", "2", "-c", join(directory, "config.ts")],
    );
    assert.equal(status, 0);
    assert.match(stderr, /names are not shown, since .* \/nonexistent\/password: there is no such/);
  });
});

Deno.test("what is wrong with a password's file is one line", async () => {
  const files = {
    "relative.ts": config('redis: "redis://h", redisPasswordFile: "password"'),
    "alone.ts": config('redisPasswordFile: "/run/password"'),
    "both.ts": config('redis: "redis://:correct@h", redisPasswordFile: "/run/password"'),
    "none.ts": config('redis: "redis://h", redisPasswordFile: "/nonexistent/password"'),
  };
  await withFiles(files, async (directory) => {
    const cases: [string, RegExp][] = [
      [
        "relative.ts",
        /relative\.ts:2: this is not the whole path of a file \(redisPasswordFile\): /,
      ],
      ["alone.ts", /alone\.ts:2: there is no redis whose password this could be /],
      ["both.ts", /both\.ts:2: redis:\/\/:\*\*\*@h has a password, and .*both\.ts:2 names a file/],
      ["none.ts", /none\.ts:2: \/nonexistent\/password: there is no such file: check the name\n/],
    ];
    for (const [file, message] of cases) {
      const { status, stderr } = await flosensor(["replay", "-", "-c", join(directory, file)]);
      assert.equal(status, 1);
      assert.match(stderr.split("\n").at(-2) + "\n", message);
    }
    const { status, stderr } = await flosensor(
      ["replay", "-", "--no-redis", "--redis-password-file", "/nonexistent/password"],
    );
    assert.equal(status, 1);
    assert.match(stderr, /--redis-password-file: \/nonexistent\/password: there is no such file/);
  });
});

Deno.test("no command shows a piece of a password, wherever the URL was written", async () => {
  const urls = [
    "redis://:correct:horse:battery@127.0.0.1:1",
    "redis://me:correct@horse@127.0.0.1:1",
    "me:correct@horse",
    "redis://127.0.0.1:1?password=horse",
    "redis://127.0.0.1:1/x?password=horse",
    "redis://:correct horse@127.0.0.1:1",
    "redis://:12#horse@127.0.0.1:1",
    "unix://me:horse@/nonexistent/socket",
    "http://me:horse@127.0.0.1",
  ];
  const texts = [
    ...urls.map((url) => config(`redis: ${JSON.stringify(url)}`)),
    config('redis: new URL("redis://me:horse@127.0.0.1:1") as never'),
    config('redis: { url: "redis://me:horse@127.0.0.1:1" } as never'),
    config('redis: ["redis://me:horse@127.0.0.1:1"] as never'),
    config('redis: new URL("redis://me:horse@127.0.0.1:port").href'),
    config('redis: "redis://me:horse@127.0.0.1:1", ttl: await import("./none.ts")'),
    config('redis: "redis://me:horse@127.0.0.1:1", ttl: (await import("npm" + ":")).x'),
  ];
  const files = Object.fromEntries(texts.map((text, i) => [`config${i}.ts`, text]));
  await withFiles(files, async (directory) => {
    const debug = ["--log-level", "debug"];
    const flow = ["10.0.0.1", "1", "10.0.0.2", "2"];
    const commands = [
      ...Object.keys(files).flatMap((file) => [
        ["check", "-c", join(directory, file), ...debug],
        ["replay", "-", "-c", join(directory, file), ...debug],
      ]),
      ...urls.flatMap((url) => [
        ["replay", "-", "--redis", url, ...debug],
        ["replay", "-", `--redi=${url}`, ...debug],
      ]),
      ["explain", ...flow, "--redis", urls[0], ...debug],
      ["dnstap", "tcp:127.0.0.1:1", "--redis", urls[2], ...debug],
      ["replay", urls[0], "--no-redis", ...debug],
      ["capture", urls[1], "--no-redis", ...debug],
      ["dnstap", urls[1], ...debug],
      [urls[1]],
    ];
    for (const command of commands) {
      const { stdout, stderr } = await flosensor(command);
      // A stack trace of Node's has the words of its module.
      assert.doesNotMatch(stdout + stderr, /correct|horse|battery/, command.join(" "));
    }
  });
});
