import assert from "node:assert/strict";
import { join } from "node:path";
import { PasswordFile } from "../../src/sink/password_file.ts";
import { RedisSink } from "../../src/sink/redis_sink.ts";
import { UserError } from "../../src/user_error.ts";
import { withFiles } from "../config/temporary_files.ts";
import { MemoryLog } from "../memory_log.ts";
import { until } from "../namespaces.ts";
import { clients } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";

async function withPassword(
  text: string,
  mode: number,
  test: (path: string) => void | Promise<void>,
): Promise<void> {
  await withFiles({ password: text }, async (directory) => {
    const path = join(directory, "password");
    await Deno.chmod(path, mode);
    await test(path);
  });
}

function refusal(path: string): string {
  let message = "";
  assert.throws(() => new PasswordFile(path, "config.ts:3").read(), (error) => {
    message = (error as Error).message.replaceAll(path, "FILE");
    return error instanceof UserError;
  });
  return message;
}

Deno.test("PasswordFile reads the first line, without its end", async () => {
  const cases = [
    "secret",
    "secret\n",
    "secret\r\n",
    "secret\nmore\n",
    `secret\n${"x".repeat(9999)}`,
  ];
  for (const text of cases) {
    await withPassword(text, 0o600, (path) => {
      assert.equal(new PasswordFile(path, "").read(), "secret");
    });
  }
  await withPassword(" p: @\u00fc# \n", 0o640, (path) => {
    assert.equal(new PasswordFile(path, "").read(), " p: @\u00fc# ");
  });
});

Deno.test("PasswordFile refuses what others may read, what is empty, and what is no file", async () => {
  await withPassword("secret\n", 0o604, (path) => {
    assert.equal(
      refusal(path),
      "config.ts:3: FILE: all users may read this password: chmod o-r FILE",
    );
  });
  for (const text of ["", "\n", "\r\nsecret"]) {
    await withPassword(text, 0o600, (path) => {
      assert.match(refusal(path), /^config\.ts:3: FILE: its first line is empty: /);
    });
  }
  await withPassword("x".repeat(9999), 0o600, (path) => {
    assert.match(refusal(path), /so long is it: check the name/);
  });
  await withFiles({}, async (directory) => {
    assert.match(refusal(directory), /this is no file: /);
    // It is not waited for that somebody writes there.
    await new Deno.Command("mkfifo", { args: ["-m", "600", join(directory, "pipe")] }).output();
    assert.match(refusal(join(directory, "pipe")), /this is no file: /);
    assert.match(refusal(join(directory, "none")), /there is no such file: check the name$/);
  });
});

Deno.test("PasswordFile gives a new password, and the last one where there is none any more", async () => {
  await withPassword("one\n", 0o600, async (path) => {
    const file = new PasswordFile(path, "");
    assert.equal(file.read(), "one");
    await Deno.writeTextFile(path, "two\n");
    assert.equal(file.read(), "two");
    await Deno.remove(path);
    assert.equal(file.read(), "two");
  });
});

Deno.test({
  name: `RedisSink reads the password's file again when it connects again${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    const path = join(server.directory, "password");
    const login = (password: string) => ["--no-auth-warning", "-a", password];
    await server.cli("CONFIG", "SET", "requirepass", "one");
    await Deno.writeTextFile(path, "one\n", { mode: 0o600 });
    const passwordFile = new PasswordFile(path, "--redis-password-file");
    const log = new MemoryLog();
    const sink = await RedisSink.connect(
      server.url,
      { ttl: 900, mode: "capture", passwordFile },
      log,
    );
    await Deno.writeTextFile(path, "two\n");
    await server.cli(...login("one"), "CONFIG", "SET", "requirepass", "two");
    await server.cli(...login("two"), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await until(() => log.lines.some((line) => line.includes("is away")));
    await until(() => log.lines.some((line) => line.includes("is back")));
    sink.write(clients(3));
    await sink.close();
    assert.equal((await server.dump(...login("two"))).size, 3);
  },
});
