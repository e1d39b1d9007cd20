/** How the program ends: signals from terminals and others, errors that nobody caught. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { isProgram } from "../installed.ts";
import { type NamespacePair, until } from "../namespaces.ts";
import { type Bytes, ethernet, ip, pcap, tcp } from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { captureTest, IMPORT, redisTest, type Setting, startCapture } from "./capture_setting.ts";
import { HAS_SCRIPT, PseudoTerminal, taskCommand } from "./pseudo_terminal.ts";
import { processStatus, threadStatuses } from "../process_status.ts";
import { RunningProgram } from "./program.ts";
import { OWN_NETWORKS, SAMPLE_KEYS } from "./sample_capture.ts";

const CTRL_C = "\x03";
const CTRL_Z = "\x1a";
const CTRL_BACKSLASH = "\x1c";
/** Two signals further apart are two, in milliseconds. */
const TWO_SIGNALS = 1_200;
/** Nothing is written before the end. */
const LATE = `${IMPORT}export default defineConfig({ flushInterval: 3600 });\n`;
const SOON = `${IMPORT}export default defineConfig({ flushInterval: 0.1 });\n`;
const FLOWS = /^4 flows of 3 clients/m;

function terminalTest(
  name: string,
  test: (setting: Setting) => Promise<void>,
  config: string,
): void {
  captureTest(HAS_SCRIPT ? name : `${name} (skipped: script is not installed)`, test, {
    config,
    ...(HAS_SCRIPT ? {} : { ignore: true }),
  });
}

/** A capture by the task of deno.json, on a terminal in the sensor's namespace. */
async function captureOnTerminal(
  { pair, config }: Setting,
  ...args: string[]
): Promise<PseudoTerminal> {
  // A shell that waits for it would end at the signal as well.
  const command = "exec " + taskCommand("capture", "veth0", ...OWN_NETWORKS, "-c", config, ...args);
  const terminal = new PseudoTerminal(command, commandIn(pair));
  await terminal.shows("capturing on");
  return terminal;
}

function commandIn(pair: NamespacePair) {
  return (program: string, args: string[], options: Deno.CommandOptions) =>
    pair.command(program, args, options);
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

terminalTest("Ctrl-C through deno task is one signal: what is lost is said", async (setting) => {
  const url = `redis://127.0.0.1:${await unusedPort()}`;
  await using terminal = await captureOnTerminal(setting, "--redis", url);
  await setting.pair.replay(setting.file);
  await terminal.type(CTRL_C);
  assert.equal(await terminal.ended, 1);
  const { length } = SAMPLE_KEYS;
  assert.match(
    terminal.text,
    new RegExp(`error: Redis at ${url}: ${length} observations were lost \\(${length}: connection`),
  );
  assert.match(terminal.text, /packets: \d+ received/);
}, LATE);

terminalTest("Ctrl-C a second later ends it at once, and says what is lost", async (setting) => {
  const url = `redis://127.0.0.1:${await unusedPort()}`;
  await using terminal = await captureOnTerminal(setting, "--redis", url);
  await setting.pair.replay(setting.file);
  await terminal.type(CTRL_C);
  await wait(TWO_SIGNALS);
  await terminal.type(CTRL_C);
  assert.equal(await terminal.ended, 130);
  const { length } = SAMPLE_KEYS;
  assert.match(
    terminal.text,
    new RegExp(`: ${length} observations were lost \\(${length}: the program was ended at once`),
  );
}, LATE);

terminalTest("Ctrl-C gives the terminal back and leaves the table on it", async (setting) => {
  await using terminal = await captureOnTerminal(setting);
  await setting.pair.replay(setting.file);
  await terminal.shows("flows 4");
  await terminal.type(CTRL_C);
  assert.equal(await terminal.ended, 0);
  assert.deepEqual(terminal.screens, { entered: 1, left: 1 });
  assert.match(terminal.afterScreen, FLOWS);
}, SOON);

terminalTest(
  "Ctrl-\\ gives the terminal back, and says that there is no table",
  async (setting) => {
    await using terminal = await captureOnTerminal(setting);
    await setting.pair.replay(setting.file);
    await terminal.shows("flows 4");
    await terminal.type(CTRL_BACKSLASH);
    assert.equal(await terminal.ended, 131);
    assert.deepEqual(terminal.screens, { entered: 1, left: 1 });
    assert.match(
      terminal.afterScreen,
      /^flosensor: error: standard output: the table of 4 flows was not written \(the program was/m,
    );
  },
  SOON,
);

terminalTest("Ctrl-Z gives the terminal to the shell, and fg takes it again", async (setting) => {
  const { pair, config } = setting;
  const task = taskCommand("capture", "veth0", ...OWN_NETWORKS, "-c", config);
  await using shell = new PseudoTerminal("bash --norc --noediting -i", commandIn(pair));
  await shell.command(task);
  await shell.shows("capturing on");
  await shell.type(CTRL_Z);
  await shell.shows("Stopped");
  assert.deepEqual(shell.screens, { entered: 1, left: 1 });
  await shell.command("echo the $((20 + 3)) shell");
  await shell.shows("the 23 shell");
  await pair.replay(setting.file);
  await shell.command("fg");
  await shell.shows("flows 4");
  assert.deepEqual(shell.screens, { entered: 2, left: 1 });
  await wait(TWO_SIGNALS);
  await shell.type(CTRL_Z);
  await shell.shows("Stopped", 2);
  await shell.command("fg");
  await until(() => shell.screens.entered === 3);
  await wait(TWO_SIGNALS);
  await shell.type(CTRL_C);
  await shell.shows("packets: ");
  assert.deepEqual(shell.screens, { entered: 3, left: 3 });
  assert.match(shell.afterScreen, FLOWS);
  await shell.command("exit");
  await shell.ended;
}, SOON);

redisTest("a terminal that is closed has all written that was captured", async (setting, redis) => {
  if (!HAS_SCRIPT) return;
  await using terminal = await captureOnTerminal(setting, "--redis", redis.url);
  await setting.pair.replay(setting.file);
  terminal.hangUp();
  await redis.has(...SAMPLE_KEYS);
  await until(async () => !(await redis.cli("CLIENT", "LIST")).includes("name=flosensor"));
}, LATE);

for (
  const [what, code] of [
    ["an error", "throw new Error('no such luck');"],
    ["a rejection", "Promise.reject(new Error('no such luck'));"],
  ]
) {
  const throwing = SOON + `
let calls = 0;
setInterval(() => {
  if (++calls === 30) { ${code} }
}, 100);
`;
  terminalTest(
    `${what} that nobody caught gives the terminal back, and leaves the table on it`,
    async (setting) => {
      await using terminal = await captureOnTerminal(setting);
      await setting.pair.replay(setting.file);
      assert.equal(await terminal.ended, 1);
      assert.deepEqual(terminal.screens, { entered: 1, left: 1 });
      assert.match(terminal.afterScreen, FLOWS);
      assert.match(
        terminal.afterScreen,
        /flosensor: error: \S*config\.ts:\d+: no such luck \(Error that nothing caught\): mend/,
      );
      assert.ok(!terminal.afterScreen.includes("    at "), terminal.afterScreen);
    },
    throwing,
  );
  redisTest(`${what} that nobody caught has all written before`, async (setting, redis) => {
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS],
      ...["--redis", redis.url],
    ]);
    await setting.pair.replay(setting.file);
    const { status, stderr } = await program.ended;
    assert.equal(status, 1);
    assert.equal(stderr.split("error: ").length, 2, stderr);
    assert.deepEqual(await redis.keys(), SAMPLE_KEYS);
  }, throwing.replace("0.1", "3600"));
}

const HAS_NPX = isProgram("npx", "--version");

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  redisTest(
    `${signal} to npx leaves no capture that goes on` +
      (HAS_NPX ? "" : " (skipped: npx is not installed)"),
    async (setting, redis) => {
      if (!HAS_NPX) return;
      const { pair, config, file } = setting;
      const task = taskCommand(
        ...["capture", "veth0", ...OWN_NETWORKS, "-c", config, "--redis", redis.url],
      );
      // With something behind it, the shell stays between npx and the task, as with a package.
      const npx = pair.command("npx", ["--offline", "-c", `${task}; true`], {
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const isThere = async () => (await redis.cli("CLIENT", "LIST")).includes("name=flosensor");
      await until(isThere);
      await pair.replay(file);
      npx.kill(signal);
      await npx.status;
      await until(async () => !await isThere());
      assert.deepEqual(await redis.keys(), SAMPLE_KEYS);
    },
    LATE,
  );
}

redisTest("nohup has a replay go on when its terminal is closed", async (setting, redis) => {
  // From a pipe that is fed when the terminal is gone.
  const { pair, config, file, directory } = setting;
  if (!HAS_SCRIPT) return;
  const pipe = `${directory}/pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const task = taskCommand("replay", pipe, ...OWN_NETWORKS, "-c", config, "--redis", redis.url);
  const terminal = new PseudoTerminal(
    `cd ${directory}; nohup ${task} & wait`,
    commandIn(pair),
  );
  await until(async () => (await redis.cli("CLIENT", "LIST")).includes("name=flosensor"));
  await wait(TWO_SIGNALS);
  terminal.hangUp();
  await terminal.ended;
  await wait(TWO_SIGNALS);
  await Deno.writeFile(pipe, await Deno.readFile(file));
  await redis.has(...SAMPLE_KEYS);
  await terminal[Symbol.asyncDispose]();
});

captureTest(
  "SIGHUP before a capture has begun has it load its configuration again",
  async (setting) => {
    const { pair, config } = setting;
    await using program = new RunningProgram(
      ["capture", "veth0", ...OWN_NETWORKS, "-c", config, "--json"],
      { command: commandIn(pair) },
    );
    await until(() => hearsHangUp(program.pid));
    assert.ok(!program.stderr.includes("capturing on"));
    for (let i = 0; i < 5; i++) program.signal("SIGHUP");
    await program.says("configuration: ", 2);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  },
);

redisTest(
  "a configuration that never finishes loading keeps no later one from being loaded",
  async (setting) => {
    const { config } = setting;
    await using program = await startCapture(setting, ["veth0", "--json"]);
    await Deno.writeTextFile(
      config,
      `${IMPORT}await new Promise(() => {});\nexport default defineConfig({});\n`,
    );
    program.signal("SIGHUP");
    await wait(TWO_SIGNALS);
    await Deno.writeTextFile(config, `${IMPORT}export default defineConfig({ ttl: 77 });\n`);
    program.signal("SIGHUP");
    await program.says(`error: ${config}:2: what is awaited here did not come within 10 s: `);
    await program.says("configuration: ", 2);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  },
);

/** Deno 2.6 opens files in the thread that hears signals. */
const WITHOUT_OPENING_THREAD = Deno.version.deno.startsWith("2.6.")
  ? " (skipped: Deno 2.6 hears no signal while it opens one)"
  : "";

/** More than a replay lets wait for its sinks. */
const MANY = 60_000;

Deno.test({
  name: "a signal ends a replay into a Redis that hangs, and what is lost is said" +
    NO_REDIS_SERVER,
  ignore: !HAS_REDIS_SERVER,
  fn: () =>
    withFiles({ "config.ts": SOON }, async (directory) => {
      await using server = await RedisServer.start();
      await using program = new RunningProgram([
        ...["replay", "-", "-c", join(directory, "config.ts"), "--redis", server.url],
      ]);
      await until(async () => (await server.cli("CLIENT", "LIST")).includes("name=flosensor"));
      await wait(TWO_SIGNALS);
      server.freeze();
      const packets: Bytes[] = [];
      for (let i = 0; i < MANY; i++) {
        packets.push(ethernet(ip(`10.0.${i >> 8}.${i & 255}`, "192.0.2.1", tcp(40_000, 443))));
      }
      // It does not read to the end.
      const fed = program.feed(
        pcap(packets.map((packet, i) => ({ packet, seconds: 1_700_000_000 + i }))),
      );
      await wait(2 * TWO_SIGNALS);
      program.signal("SIGTERM");
      const { status, stderr } = await program.ended;
      await fed;
      assert.equal(status, 1);
      const [, lost] = /observations were lost \((\d+): no answer in time\)/.exec(stderr)!;
      assert.ok(Number(lost) > 0, stderr);
      assert.match(stderr, /packets: \d+ received/);
    }),
});

Deno.test({
  name: "a signal ends a replay of a pipe into which nobody writes" + WITHOUT_OPENING_THREAD,
  ignore: WITHOUT_OPENING_THREAD !== "",
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "flosensor-pipe-" });
    const pipe = `${directory}/pipe`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    await using program = new RunningProgram(["replay", pipe, "--no-redis", "--json"]);
    await program.says("no own network is named");
    await wait(TWO_SIGNALS);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 143);
    await Deno.remove(directory, { recursive: true });
  },
});

/** Whether a process listens for SIGHUP, proc_pid_status(5). */
function hearsHangUp(pid: number): boolean {
  // ip(8) is a program of the same process first, and then ours, until it begins again with less.
  if (!isBounded(pid)) return false;
  const status = processStatus(pid);
  return status.get("Name") === "deno" && (BigInt(`0x${status.get("SigCgt")}`) & 1n) !== 0n;
}

/** Whether no thread of a process has a bounding set. */
function isBounded(pid: number): boolean {
  return threadStatuses(pid).every((thread) => /^0+$/.test(thread.get("CapBnd")!));
}
