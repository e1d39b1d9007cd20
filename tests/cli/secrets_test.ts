/** What is secret is nowhere but where it has to be: not in ps(1), messages, keys, files or pages. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { CAN_MAKE_NAMESPACES, until, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer } from "../redis_server.ts";
import { withFiles } from "../config/temporary_files.ts";
import { captureTest, IMPORT, redisTest, startCapture } from "./capture_setting.ts";
import { HealthWatch } from "./health_watch.ts";
import { flosensor, PERMISSIONS, type ProgramOptions } from "./program.ts";
import { OWN_NETWORKS, SAMPLE_CAPTURE, SAMPLE_KEYS } from "./sample_capture.ts";

/** Words that no other test has: the list of processes is looked at. */
const PASSWORD = "violet-otter";
const TOKEN = "amber-walrus";
const SECRETS = /violet|otter|amber|walrus/;
const LOGIN = ["--no-auth-warning", "-a", PASSWORD];

redisTest(
  "a capture keeps password and token to itself, whatever happens to Redis",
  async (setting, redis) => {
    const { pair, directory, config, file } = setting;
    const paths = Object.fromEntries(
      ["password", "token", "flows.db"].map((name) => [name, join(directory, name)]),
    );
    await Deno.writeTextFile(paths.password, `${PASSWORD}\n`, { mode: 0o600 });
    await Deno.writeTextFile(paths.token, `${TOKEN}\n`, { mode: 0o600 });
    await redis.cli("CONFIG", "SET", "requirepass", PASSWORD);
    await Deno.writeTextFile(
      config,
      `${IMPORT}export default defineConfig({ flushInterval: 0.2, redis: "${redis.url}",
  redisPasswordFile: ${JSON.stringify(paths.password)} });\n`,
    );
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--log-level", "debug", "--stats", "0.2"],
      ...["--listen", "127.0.0.1:3047", "--token-file", paths.token, "--store", paths["flows.db"]],
    ]);
    await pair.replay(file);
    await until(async () => {
      const keys = await redis.keys(...LOGIN);
      return SAMPLE_KEYS.every((key) => keys.includes(key));
    });
    const processes = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter(Number);
    const lines = processes.map((pid) => readIfThere(`/proc/${pid}/cmdline`));
    assert.ok(lines.some((line) => line.includes(paths.token)), "the capture is in the list");
    for (const line of lines) assert.doesNotMatch(line, SECRETS);
    const page = async (...headers: string[]) => {
      const args = [...headers.flatMap((it) => ["-H", it]), "http://127.0.0.1:3047/api/overview"];
      const { stdout } = await pair.command("curl", ["-s", "-i", ...args]).output();
      return new TextDecoder().decode(stdout);
    };
    const answer = await page(`Authorization: Bearer ${TOKEN}`);
    assert.match(answer, /^HTTP\/1\.1 200/);
    assert.doesNotMatch(answer, SECRETS);
    assert.doesNotMatch(await page(), SECRETS);
    // Another password, then none, then a server that repeats what it does not understand.
    await redis.cli(...LOGIN, "CONFIG", "SET", "requirepass", "another");
    const again = ["--no-auth-warning", "-a", "another"];
    await redis.cli(...again, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await program.says("WRONGPASS");
    await redis.cli(...again, "CONFIG", "SET", "requirepass", "");
    program.signal("SIGHUP");
    await program.says("configuration: ", 2);
    program.signal("SIGTERM");
    const { stdout, stderr } = await program.ended;
    assert.doesNotMatch(stdout + stderr, SECRETS);
    const store = new TextDecoder("latin1").decode(await Deno.readFile(paths["flows.db"]));
    assert.doesNotMatch(store, SECRETS);
  },
);

captureTest(
  "a capture keeps the password of a ClickHouse to itself, whatever happens to that",
  async (setting) => {
    const { pair, directory, config, file } = setting;
    const [passwordFile, spool] = [join(directory, "password"), join(directory, "spool")];
    await Deno.writeTextFile(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
    await using server = await ClickHouseServer.start({
      at: { namespace: pair.sensor, address: "127.0.0.1" },
      password: PASSWORD,
    });
    await Deno.writeTextFile(
      config,
      `${IMPORT}export default defineConfig({ flushInterval: 0.2,
  clickhouse: "${server.url.replace("//", "//sensor@")}", clickhouseSpool: ${JSON.stringify(spool)},
  clickhousePasswordFile: ${JSON.stringify(passwordFile)} });\n`,
    );
    const place = "127.0.0.1:3048";
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--log-level", "debug", "--stats", "0.2", "--metrics", place],
    ], PERMISSIONS.map((it) => it.replace("--allow-write=/,", `--allow-write=/,${spool},`)));
    await using health = await HealthWatch.start(pair, place);
    await pair.replay(file);
    const metrics = async () => {
      const { stdout } = await pair.command("curl", ["-s", `http://${place}/metrics`]).output();
      return new TextDecoder().decode(stdout);
    };
    await until(async () => /sink_written_total\{sink="clickhouse"\} [1-9]/.test(await metrics()));
    for (const pid of [...Deno.readDirSync("/proc")].map(({ name }) => name).filter(Number)) {
      assert.doesNotMatch(readIfThere(`/proc/${pid}/cmdline`), SECRETS);
    }
    server.setPassword("another");
    await until(async () => {
      await pair.replay(file);
      return health.troubles.length > 0;
    });
    await health.says(
      503,
      /^ClickHouse at http:\/\/sensor@\S+ can't be written \(code \d+: .*\)\n$/,
    );
    const answers = JSON.stringify(health.seen) + await metrics();
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.doesNotMatch(stdout + stderr + answers, SECRETS);
    assert.match(stderr, / rows wait in /);
    assert.equal(status, 0, stderr);
    const waiting = [...Deno.readDirSync(spool)];
    assert.ok(waiting.length > 0);
    for (const { name } of waiting) {
      const bytes = Deno.readFileSync(join(spool, name));
      assert.doesNotMatch(name + new TextDecoder("latin1").decode(bytes), SECRETS);
    }
  },
  {
    ignore: !CAN_MAKE_NAMESPACES || !HAS_CLICKHOUSE,
    reason: WITHOUT_NAMESPACES || NO_CLICKHOUSE,
  },
);

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Runs the program with a password in its environment. */
const withPassword: ProgramOptions["command"] = (name, args, { env, ...options }) =>
  new Deno.Command(name, { ...options, args, env: { ...env, REDISCLI_AUTH: PASSWORD } });

Deno.test({
  name: `REDISCLI_AUTH is the password, as redis-cli takes it${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: () =>
    withFiles({ password: `${PASSWORD}\n`, wrong: "wrong\n" }, async (directory) => {
      await using server = await RedisServer.start(["--requirepass", PASSWORD]);
      const replay = async (url: string, ...more: string[]) => {
        const { status, stdout, stderr } = await flosensor(
          ["replay", "-", ...OWN_NETWORKS, "--redis", url, "--log-level", "debug", ...more],
          { stdin: SAMPLE_CAPTURE, command: withPassword },
        );
        assert.doesNotMatch(stdout + stderr, SECRETS);
        return { status, stderr };
      };
      assert.equal((await replay(server.url)).status, 0);
      assert.deepEqual([...(await server.dump(...LOGIN)).keys()].sort(), SAMPLE_KEYS);
      assert.equal((await replay(server.url.replace("//", "//default@"))).status, 0);
      const report = await flosensor(["report", server.url], { command: withPassword });
      assert.equal(report.status, 0, report.stderr);
      // A password that is nearer to the server goes before it.
      const inUrl = await replay(server.url.replace("//", "//:wrong@"));
      assert.match(inUrl.stderr, /WRONGPASS/);
      // That of the URL is in the list of processes, and it is the only one to be warned of.
      assert.match(
        inUrl.stderr,
        /warning: --redis: all users of this host can see its password in the list of processes: /,
      );
      const file = join(directory, "wrong");
      await Deno.chmod(file, 0o600);
      const { status, stderr } = await replay(server.url, "--redis-password-file", file);
      assert.doesNotMatch(stderr, /list of processes/);
      assert.match(stderr, /WRONGPASS/);
      assert.equal(status, 1);
    }),
});
