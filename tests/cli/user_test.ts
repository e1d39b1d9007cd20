import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isProgram } from "../installed.ts";
import { run } from "../namespaces.ts";
import { captureTest, redisTest, type Setting, startCapture } from "./capture_setting.ts";
import { assertNothingLeft } from "./nothing_left.ts";
import { type ProgramOptions, RunningProgram } from "./program.ts";
import { OWN_NETWORKS, SAMPLE_KEYS } from "./sample_capture.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What the program is made of. */
const PARTS = ["src", "ffi", "mod.ts", "deno.json", "deno.lock"];

/** A copy of the program, with packages and all, where nobody but root may look. */
async function copyForRoot(directory: string): Promise<{ program: string; cache: string }> {
  const closed = join(directory, "closed");
  const [program, cache] = [join(closed, "program"), join(closed, "cache")];
  await Deno.mkdir(program, { recursive: true });
  await Deno.mkdir(cache);
  await Deno.chmod(closed, 0o700);
  await Deno.chmod(directory, 0o755);
  for (const part of PARTS) {
    assert.equal((await run("cp", "-r", join(ROOT, part), program)).code, 0);
  }
  const { stdout } = await run(Deno.execPath(), "info", "--json");
  const { npmCache } = JSON.parse(stdout);
  // Links take no time, where they can be made.
  const linked = await run("cp", "-rl", npmCache, cache);
  if (linked.code !== 0) assert.equal((await run("cp", "-rf", npmCache, cache)).code, 0);
  return { program, cache };
}

/** Starts a capture with that copy, and waits until it captures. */
async function startClosed(
  { pair, directory }: Setting,
  args: string[],
  before: string[] = [],
): Promise<RunningProgram> {
  const { program, cache } = await copyForRoot(directory);
  const command: ProgramOptions["command"] = (name, parameters, { env, ...options }) => {
    const own = parameters.map((it) => it.replace(ROOT, `${program}/`));
    const [first, ...others] = [...before, name, ...own];
    return pair.command(first, others, { ...options, env: { ...env, DENO_DIR: cache } });
  };
  const running = new RunningProgram(
    ["capture", pair.veth, ...OWN_NETWORKS, "--user", "nobody", ...args],
    { command },
  );
  await running.says("capturing on");
  return running;
}

for (const workers of ["1", "2"]) {
  redisTest(
    `--user works where program and packages are root's alone, with ${workers} threads`,
    async (setting, redis) => {
      const { pair, file, directory } = setting;
      await Deno.chmod(join(directory, "config.ts"), 0o644);
      const args = ["--redis", redis.url, "-c", setting.config, "--workers", workers];
      await using program = await startClosed(setting, [...args, "--log-level", "debug"]);
      assertNothingLeft(program);
      await pair.replay(file);
      await redis.has(...SAMPLE_KEYS);
      program.signal("SIGHUP");
      await program.says("configuration:", 2);
      program.signal("SIGTERM");
      const { status, stderr } = await program.ended;
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /defect|error:|warning:/);
    },
  );
}

for (const source of ["libpcap", "af_packet"]) {
  captureTest(
    `after --user an interface that was removed is taken from again, by its filter: ${source}`,
    async (setting) => {
      const { pair, file, config, directory } = setting;
      await Deno.chmod(directory, 0o755);
      await Deno.chmod(config, 0o644);
      await using program = await startCapture(setting, [
        ...["veth0", ...OWN_NETWORKS, "--json", "--no-redis", "--source", source],
        ...["--user", "nobody", "--filter", "tcp port 443"],
      ]);
      assertNothingLeft(program);
      await pair.removeVeth();
      await program.says("veth0 has vanished: capture waits for it to come back");
      await pair.addVeth();
      await program.says("veth0 is up: capture goes on");
      await pair.replay(file);
      await program.prints('"10.1.0.1;198.51.100.80;443;flow"');
      program.signal("SIGTERM");
      const { status, stdout, stderr } = await program.ended;
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stdout, /;22;flow/);
    },
  );
}

captureTest(
  "after --user an interface that workers shared can't be opened again, and that is said",
  async (setting) => {
    const { pair, config, directory } = setting;
    await Deno.chmod(directory, 0o755);
    await Deno.chmod(config, 0o644);
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--no-redis", "--user", "nobody", "--workers", "2"],
    ]);
    await pair.removeVeth();
    await program.says("veth0 has vanished: capture waits for it to come back");
    await pair.addVeth();
    const { status, stderr } = await program.ended;
    assert.equal(status, 1, stderr);
    assert.match(
      stderr,
      /^flosensor: error: veth0: .*: --user nobody has given up what this needs: start again$/m,
    );
  },
);

redisTest(
  "--user reads a configuration that only root may read, and says what it can't",
  async (setting, redis) => {
    const { pair, file, config } = setting;
    await Deno.chmod(config, 0o600);
    const args = ["--redis", redis.url, "-c", config, "--workers", "2"];
    await using program = await startClosed(setting, args);
    await program.says(
      `warning: --user nobody: that user may not read ${config}: SIGHUP can't load the ` +
        "configuration again\n",
    );
    program.signal("SIGHUP");
    await program.says(
      `error: ${config}: permission denied: make it readable for the user that runs flosensor; ` +
        "the configuration that was loaded before stays in place\n",
    );
    await pair.replay(file);
    await redis.has(...SAMPLE_KEYS);
  },
);

redisTest(
  "--user logs in with a password file that only root may read, also again",
  async (setting, redis) => {
    const path = join(setting.directory, "password");
    await Deno.writeTextFile(path, "secret\n", { mode: 0o600 });
    await Deno.chmod(setting.config, 0o644);
    await redis.cli("CONFIG", "SET", "requirepass", "secret");
    const args = ["--redis", redis.url, "-c", setting.config, "--redis-password-file", path];
    await using program = await startClosed(setting, args);
    const login = ["--no-auth-warning", "-a", "secret"];
    await redis.cli(...login, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await program.says("is back after");
  },
);

/** What is imported when it is first needed, but for what no capture needs. */
const NOT_OF_CAPTURE = [
  "cli/commands.ts",
  "cli/dnstap.ts",
  "cli/looked_up_names.ts",
  "cli/main.ts",
  "cli/program.ts",
  "cli/store_commands.ts",
  "config/load_mapping.ts",
  "cli/export.ts",
  "report/open_source.ts",
  "capture/filtered.ts",
  "capture/unpacking_reader.ts",
];

Deno.test("--user loads all modules beforehand that a capture may need later", async () => {
  const { stdout } = await run(
    ...["grep", "-rEo", "--include=*.ts", 'import\\("[^"]+"\\)', join(ROOT, "src")] as const,
  );
  const found = stdout.trim().split("\n").map((line) => {
    const [, file, specifier] = /src\/([^:]+):import\("(.+)"\)$/.exec(line)!;
    return { file, module: join("src", dirname(file), specifier) };
  });
  const modules = (of: (file: string) => boolean) =>
    new Set(found.filter(({ file }) => of(file)).map(({ module }) => module));
  const loaded = modules((file) =>
    file === "workers/load_modules.ts" || file === "cli/load_capture_modules.ts"
  );
  const needed = modules((file) => !NOT_OF_CAPTURE.includes(file));
  assert.ok(loaded.size > 0);
  assert.deepEqual([...needed].sort(), [...loaded].sort());
});

const HAS_SETPRIV = isProgram("setpriv", "--version");

captureTest(
  "--user says that the bounding set stays where it can't be emptied",
  async (setting) => {
    await Deno.chmod(setting.config, 0o644);
    await using program = await startClosed(
      setting,
      ["--json", "--no-redis", "-c", setting.config],
      ["setpriv", "--bounding-set=-setpcap"],
    );
    assertNothingLeft(program, { isBounded: false });
    assert.equal(
      program.stderr.split("\n")[0],
      "flosensor: warning: --user nobody: the bounding set of capabilities stays as it was, " +
        "for want of CAP_SETPCAP",
    );
  },
  HAS_SETPRIV ? {} : { ignore: true, reason: " (skipped: setpriv is not installed)" },
);
