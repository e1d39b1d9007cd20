/** Every exit status that is documented, from the program itself. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_STATUSES } from "../../src/cli/exit_statuses.ts";
import { withSample } from "./sample_capture.ts";
import { unusedPort } from "../redis_server.ts";
import { flosensor, RunningProgram } from "./program.ts";
import { HAS_SCRIPT, PseudoTerminal } from "./pseudo_terminal.ts";

const found = new Map<number, string>();

/** Notes how the program has ended. */
function ended(status: number, how: string, stderr = ""): void {
  found.set(status, how);
  assert.doesNotMatch(stderr, / {4}at |defect/, how);
}

/** Starts a command that goes on until a signal, and gives the status with which that ends it. */
async function signalled(
  args: string[],
  says: string,
  signals: readonly Deno.Signal[],
): Promise<number> {
  await using program = new RunningProgram(args);
  await program.says(says);
  for (const [i, signal] of signals.entries()) {
    // Those within a second are one.
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, 1_200));
    program.signal(signal);
  }
  const { status, stderr } = await program.ended;
  ended(status, `${args[0]} ${signals.join(" ")}`, stderr);
  return status;
}

Deno.test("exit statuses are those that --help and the manual say", () =>
  withSample(async ({ file, config, directory }) => {
    const run = async (...args: string[]) => {
      const { status, stderr } = await flosensor(args);
      ended(status, args.join(" "), stderr);
      return status;
    };
    const replay = ["replay", "-", "-c", config, "--no-redis", "--json"];
    assert.equal(await run("replay", file, "-c", config, "--no-redis", "--json"), 0);
    assert.equal(await run("check", "-c", config), 0);
    assert.equal(await run("--help"), 0);
    assert.equal(await run("--version"), 0);
    assert.equal(await run("replay", join(directory, "none.pcap"), "--no-redis"), 1);
    assert.equal(await run("check", "-c", join(directory, "none.ts")), 1);
    await Deno.truncate(file, 1000);
    assert.equal(await run("replay", file, "-c", config, "--no-redis", "--json"), 1);
    assert.equal(await run("bogus"), 2);
    assert.equal(await run("replay", "--bogus"), 2);
    const waits = "no own network is named";
    assert.equal(await signalled(replay, waits, ["SIGINT"]), 130);
    assert.equal(await signalled(replay, waits, ["SIGTERM"]), 143);
    assert.equal(await signalled(replay, waits, ["SIGQUIT"]), 131);
    const dnstap = ["dnstap", `tcp:127.0.0.1:${await unusedPort()}`, "-c", config];
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      assert.equal(await signalled(dnstap, "listening on", [signal]), 0);
      const serve = ["serve", join(directory, "lines.json"), "-c", config, "--listen"];
      await Deno.writeTextFile(serve[1], '{"key":"client;10.0.0.1","count":1}\n');
      assert.equal(
        await signalled([...serve, `127.0.0.1:${await unusedPort()}`], "page: ", [signal]),
        0,
      );
    }
    assert.equal(await signalled(dnstap, "listening on", ["SIGHUP", "SIGTERM"]), 0);
    const documented = EXIT_STATUSES.flatMap(([statuses]) => statuses.split(", ").map(Number));
    for (const [status, how] of found) assert.ok(documented.includes(status), `${status}: ${how}`);
    // SIGHUP ends a replay on a terminal alone: see below.
    assert.deepEqual(documented.filter((it) => !found.has(it)), [129]);
  }));

Deno.test({
  name: "SIGHUP ends a replay on a terminal, exit status 129" +
    (HAS_SCRIPT ? "" : " (skipped: script is not installed)"),
  ignore: !HAS_SCRIPT,
  fn: () =>
    withSample(async ({ config, directory }) => {
      const pipe = join(directory, "pipe");
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      const words = [Deno.execPath(), "run", "--quiet", "--allow-all", "src/cli/program.ts"];
      await using terminal = new PseudoTerminal(
        `cd ${new URL("../../", import.meta.url).pathname}; ${words.join(" ")} replay ${pipe} ` +
          `-c ${config} --no-redis --json & echo "PID $!."; wait $!`,
        (program, args, options) => new Deno.Command(program, { ...options, args }),
      );
      await terminal.shows("no own network is named");
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      const [, pid] = /PID (\d+)\./.exec(terminal.text)!;
      Deno.kill(Number(pid), "SIGHUP");
      assert.equal(await terminal.ended, 129);
    }),
});
