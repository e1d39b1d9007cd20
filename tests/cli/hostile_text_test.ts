import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { encodeDnstap } from "../../src/dns/dnstap.ts";
import { control, START, stream } from "../dns/frame_writer.ts";
import { taskPermissions } from "../dns/task_permissions.ts";
import { assertPrintable } from "../hostile_text.ts";
import { bytes } from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { flosensor, RunningProgram } from "./program.ts";

/** Clears a terminal, colours it, in C0 and C1, and turns the direction of writing. */
const EVIL = "\x1b[2J\x9b31m\u202e";
const SHOWN = "\\u001b[2J\\u009b31m\\u202e";

/** Runs the program, whose output has to be printable and to show the escapes. */
async function assertShown(
  args: string[],
  where: "stdout" | "stderr",
  shown = SHOWN,
): Promise<void> {
  const ending = await flosensor(args);
  assertPrintable(ending.stdout);
  assertPrintable(ending.stderr);
  assert.ok(ending[where].includes(shown), `${args.join(" ")}: ${ending.stderr}${ending.stdout}`);
}

Deno.test("names of files, interfaces, places and options are printable in messages", async () => {
  await withFiles({ [`${EVIL}.pcap`]: "no capture" }, async (directory) => {
    await assertShown(["replay", join(directory, `${EVIL}.pcap`), "--no-redis"], "stderr");
    await assertShown(["replay", join(directory, `${EVIL}none.pcap`), "--no-redis"], "stderr");
    await assertShown(["capture", `if${EVIL}`, "--no-redis"], "stderr");
    await assertShown(["check", "-c", join(directory, EVIL)], "stderr");
    await assertShown(["check", `10.0.0.0/${EVIL}`], "stderr");
    await assertShown(["dnstap", `unix:${directory}/${EVIL}/socket`], "stderr");
    await assertShown(["replay", "-", `--${EVIL}`], "stderr");
    await assertShown([EVIL], "stderr");
    await assertShown(["explain", EVIL, "1", "10.0.0.1", "2"], "stderr");
    await assertShown(["replay", "-", "--redis", "redis://h?db=" + EVIL], "stderr");
    await assertShown(["replay", "-", "--log-level", EVIL], "stderr");
  });
});

Deno.test("what a configuration throws, and names in it, is printable", async () => {
  const files = {
    "throws.ts": `throw new Error(${JSON.stringify(EVIL)});`,
    "network.ts": `import { defineConfig } from "flosensor/config";
export default defineConfig({ networks: [[${JSON.stringify(EVIL)}, "0.0.0.0/0"]] });`,
    "value.ts": `import { defineConfig } from "flosensor/config";
export default defineConfig({ ttl: ${JSON.stringify(EVIL)} });`,
    "rule.ts": `import { defineConfig } from "flosensor/config";
export default defineConfig({ flows: [[null, null, () => { throw new Error(${
      JSON.stringify(EVIL)
    }); }]] });`,
    "import.ts": `import "./${EVIL}.ts";`,
  };
  await withFiles(files, async (directory) => {
    // Deno has colours in such messages, which are taken out with all like them.
    await assertShown(["check", "-c", join(directory, "throws.ts")], "stderr", "\\u202e");
    for (const file of ["value.ts", "import.ts"]) {
      await assertShown(["check", "-c", join(directory, file)], "stderr");
    }
    await assertShown(["check", "-c", join(directory, "network.ts")], "stdout");
    const explain = ["explain", "10.0.0.1", "1", "10.0.0.2", "2"];
    await assertShown([...explain, "-c", join(directory, "network.ts")], "stdout");
    await assertShown([...explain, "-c", join(directory, "rule.ts")], "stdout");
    await assertShown(
      ["check", "-c", join(directory, "throws.ts"), "--log-level", "debug"],
      "stderr",
      "\\u202e",
    );
  });
});

Deno.test("content types and payloads of dnstap are printable", async () => {
  await withFiles({
    "config.ts":
      'import { defineConfig } from "flosensor/config";\nexport default defineConfig({});\n',
  }, async (directory) => {
    const port = await unusedPort();
    await using program = new RunningProgram(
      ["dnstap", `tcp:127.0.0.1:${port}`, "--json", "-c", join(directory, "config.ts")],
      { permissions: taskPermissions("dnstap") },
    );
    await program.says("listening on");
    const send = async (sent: Uint8Array<ArrayBuffer>) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(sent);
      connection.close();
    };
    await send(control(START, "\x1b[31m"));
    await program.says("content type");
    await send(stream(encodeDnstap({
      identity: new TextEncoder().encode(EVIL),
      message: { type: 6, responseMessage: bytes(1, 2, 3) },
    })));
    await program.prints("CLIENT_RESPONSE");
    program.signal("SIGTERM");
    const { stdout, stderr } = await program.ended;
    assertPrintable(stdout);
    assertPrintable(stderr);
    assert.ok(stderr.includes("\\u001b[31m"), stderr);
    assert.equal(JSON.parse(stdout).identity, EVIL);
  });
});

Deno.test({
  name: `names that Redis has are printable${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    await server.cli("SET", "10.0.0.1;10.0.0.2;dns", `;${EVIL}\nKeys written:;`);
    const { stdout, stderr } = await flosensor(
      ["explain", "10.0.0.1", "1", "10.0.0.2", "2", "--redis", server.url],
    );
    assertPrintable(stdout);
    assertPrintable(stderr);
    assert.ok(
      stdout.includes(`10.0.0.1 looked up ${SHOWN}\\u000aKeys written: -> 10.0.0.2\n`),
      stdout,
    );
  },
});

Deno.test("errors that a Redis answers are printable", async () => {
  // A server of no good will, which no redis-server is.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      (async () => {
        const buffer = new Uint8Array(4096);
        while (await connection.read(buffer).catch(() => null) !== null) {
          await connection.write(new TextEncoder().encode(`-ERR ${EVIL}\r\n`.repeat(4)));
        }
        connection.close();
      })().catch(() => {});
    }
  })().catch(() => {});
  const { port } = listener.addr as Deno.NetAddr;
  await assertShown(["replay", "-", "--redis", `redis://127.0.0.1:${port}/1`], "stderr");
  listener.close();
  await serving;
});
