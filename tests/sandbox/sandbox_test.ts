/** What the process can still do once it captures, tried from within, and that it captures. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { RunningProgram } from "../cli/program.ts";
import { makeCertificates } from "../certificates.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { withFiles } from "../config/temporary_files.ts";
import { captureTest, type Setting, startCapture } from "../cli/capture_setting.ts";
import { OWN_NETWORKS, SAMPLE_KEYS } from "../cli/sample_capture.ts";
import { until } from "../namespaces.ts";
import { threadStatuses } from "../process_status.ts";
import { CHANGE_FILES, LOOKED_AT, NEVER_CALLED } from "../../src/sandbox/system_calls.ts";
import { attemptingConfig, OUTCOMES } from "./attempts.ts";

const EPERM = 1;
const EAFNOSUPPORT = 97;

type Outcomes = Record<string, number | string>;

/** What became of the attempts, each time that the configuration was loaded. */
function outcomesOf({ stderr }: RunningProgram): Outcomes[] {
  return stderr.split("\n").filter((it) => it.startsWith(OUTCOMES))
    .map((it) => JSON.parse(it.slice(OUTCOMES.length)));
}

/** Captures with that configuration, has it loaded again while it captures, and ends it. */
async function attempt(
  setting: Setting,
  args: string[],
): Promise<
  { first: Outcomes; second: Outcomes; stderr: string; status: ReadonlyMap<string, string>[] }
> {
  const { config, directory, pair, file } = setting;
  await Deno.writeTextFile(config, attemptingConfig(join(directory, "made")));
  await Deno.chmod(config, 0o644);
  await Deno.chmod(directory, 0o755);
  await using program = await startCapture(setting, [
    ...["veth0", ...OWN_NETWORKS, "--json", "--no-redis", "--log-level", "debug"],
    ...args,
  ]);
  program.signal("SIGHUP");
  await program.says(OUTCOMES, 2);
  await until(async () => {
    await pair.replay(file);
    return SAMPLE_KEYS.every((key) => program.stdout.includes(`"${key}"`));
  });
  const status = threadStatuses(program.pid);
  program.signal("SIGTERM");
  const { status: exitStatus, stderr } = await program.ended;
  assert.equal(exitStatus, 0, stderr);
  assert.doesNotMatch(stderr, /warning: sandbox/);
  const all = outcomesOf(program);
  return { first: all[0], second: all.at(-1)!, stderr, status };
}

/** By their numbers in linux/capability.h: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, NET_BIND_SERVICE. */
const KEPT_FOR_FILES = 1n << 0n | 1n << 1n | 1n << 2n | 1n << 10n;
const NET_RAW = 1n << 13n;

/** What is refused whoever runs the sensor. */
const REFUSED = {
  "run a program": EPERM,
  "run a program in another thread": EPERM,
  "become a program": EPERM,
  "look into a process": EPERM,
  "mount": EPERM,
  "enter a namespace": EPERM,
  "make a namespace": EPERM,
  "signal another process": EPERM,
  "become another user": EPERM,
  "set capabilities": EPERM,
  "type on the terminal": EPERM,
  "set up an interface": EPERM,
  "send packets as they are": EPERM,
  "talk to audit": EAFNOSUPPORT,
};
/** What is needed. */
const DONE = {
  "signal itself": 0,
  "ask for addresses": 0,
  "open a connection": 0,
  "read a file": 0,
};
const FILES_REFUSED = {
  "remove a file": EPERM,
  "change a file's mode": EPERM,
  "rename a file": EPERM,
  "make a file": EPERM,
};

function assertHas(outcomes: Outcomes, expected: Outcomes): void {
  const found = Object.fromEntries(Object.keys(expected).map((it) => [it, outcomes[it]]));
  assert.deepEqual(found, expected);
}

for (const workers of ["1", "2"]) {
  captureTest(
    `the sandbox refuses what no sensor needs, in all threads, and it captures: --workers ${workers}`,
    async (setting) => {
      const { first, second, stderr, status } = await attempt(setting, ["--workers", workers]);
      assertHas(first, { ...REFUSED, ...DONE });
      assertHas(second, { ...REFUSED, ...DONE, ...FILES_REFUSED });
      // Threads that share packets may have to open an interface again; they print, too.
      if (workers === "1") assertHas(second, { "capture": EPERM });
      assert.equal(stderr.match(/debug: sandbox: /g)!.length, 2, stderr);
      assert.ok(status.length > 4);
      for (const thread of status) {
        // Threads that were there before JavaScript have it, and may not use it.
        const kept = thread.get("Pid") === thread.get("Tgid")
          ? KEPT_FOR_FILES
          : KEPT_FOR_FILES | NET_RAW;
        for (const set of ["CapEff", "CapPrm"]) {
          const more = BigInt(`0x${thread.get(set)}`) & ~kept;
          assert.equal(more, 0n, `${thread.get("Name")} ${set}`);
        }
        assert.match(thread.get("CapBnd")!, /^0+$/, thread.get("Name"));
        assert.equal(thread.get("Seccomp"), "2", thread.get("Name"));
        assert.equal(thread.get("NoNewPrivs"), "1", thread.get("Name"));
      }
    },
  );
}

captureTest("after --user nothing is captured again, whoever asks for it", async (setting) => {
  const { second } = await attempt(setting, ["--user", "nobody"]);
  assertHas(second, { ...REFUSED, ...DONE, ...FILES_REFUSED, "capture": EPERM });
});

captureTest("the sandbox has a store written, and nothing else done", async (setting) => {
  const store = join(setting.directory, "flows.db");
  const { second } = await attempt(setting, ["--store", store]);
  assertHas(second, { ...REFUSED, ...DONE, "make a file": 0 });
  assert.ok((await Deno.stat(store)).size > 0);
  // By the ways that JavaScript has, Deno refuses that.
  assert.equal(second["make a folder's file through Deno"], "NotCapable");
});

captureTest("--no-sandbox leaves all of that to who runs it", async (setting) => {
  const { second, stderr } = await attempt(setting, ["--no-sandbox"]);
  for (const [name, outcome] of Object.entries(second)) {
    if (name in REFUSED || name in FILES_REFUSED) assert.notEqual(outcome, EPERM, name);
  }
  assert.equal(second["run a program"], 0);
  assert.equal(second["make a file"], 0);
  assert.match(stderr, /debug: sandbox: none, by --no-sandbox\n/);
});

Deno.test({
  name: `in the sandbox a Redis is reached by name and with TLS, and again${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: () =>
    withFiles({}, async (folder) => {
      await makeCertificates(folder);
      const config = join(folder, "config.ts");
      await Deno.writeTextFile(config, attemptingConfig(join(folder, "made")));
      const port = await unusedPort();
      await using server = await RedisServer.start([
        ...["--tls-port", String(port), "--tls-ca-cert-file", `${folder}/ca.pem`],
        ...["--tls-cert-file", `${folder}/server.pem`, "--tls-key-file", `${folder}/server.key`],
      ]);
      const files = `cacert=${folder}/ca.pem&cert=${folder}/client.pem&key=${folder}/client.key`;
      await using program = new RunningProgram([
        ...["dnstap", `tcp:127.0.0.1:${await unusedPort()}`, "-c", config, "--log-level", "debug"],
        ...["--redis", `rediss://localhost:${port}?${files}`],
      ]);
      await program.says("listening on");
      for (let times = 1; times <= 2; times++) {
        await server.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        await program.says("is back after", times);
      }
      program.signal("SIGHUP");
      await program.says(OUTCOMES, 2);
      program.signal("SIGTERM");
      assert.equal((await program.ended).status, 0);
      const expected = { ...REFUSED, ...DONE, ...FILES_REFUSED, "capture": EPERM };
      assertHas(outcomesOf(program).at(-1)!, expected);
    }),
});

/** Runs a piece of a program in a process of its own, and gives what it prints. */
async function inProcess(text: string, permissions: string[]): Promise<string> {
  const program = `
    import { Sandbox } from "${import.meta.resolve("../../src/sandbox/sandbox.ts")}";
    import { LineLog } from "${import.meta.resolve("../../src/log.ts")}";
    import { filterSystemCalls } from "${import.meta.resolve("../../ffi/seccomp.ts")}";
    const sandbox = new Sandbox(true, new LineLog("debug", (line) => console.log(line.trim())));
    const close = () => sandbox.close({ opensInterfaces: false });
    ${text}`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-check", "--no-config"]
      .concat(permissions, `data:text/typescript,${encodeURIComponent(program)}`),
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

Deno.test("without permission to use the C library there is no sandbox, said at debug", async () => {
  assert.equal(
    await inProcess("close(); sandbox.closeFiles();", []),
    "flosensor: debug: sandbox: none, without permission to use the C library\n",
  );
});

Deno.test({
  name: "a kernel that gives no sandbox is told of once",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    // As if the kernel had none: seccomp(2) itself fails from here on.
    const number = { x86_64: 317, aarch64: 277 }[Deno.build.arch];
    const program = [
      { code: 0x20, jt: 0, jf: 0, k: 0 },
      { code: 0x15, jt: 0, jf: 1, k: number },
      { code: 0x06, jt: 0, jf: 0, k: 0x00050000 | 38 },
      { code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 },
    ];
    assert.equal(
      await inProcess(
        `filterSystemCalls(${JSON.stringify(program)}); close(); sandbox.closeFiles();`,
        ["--allow-ffi"],
      ),
      "flosensor: warning: sandbox: the kernel gives none (Function not implemented): flosensor " +
        "goes on without\n",
    );
  },
});

/** Where the kernel's headers are, for each kind of machine. */
const HEADERS = [
  ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", 0],
  ["/usr/include/asm-generic/unistd.h", 1],
] as const;

for (const [path, machine] of HEADERS) {
  const hasHeader = existsSync(path);
  Deno.test({
    name: `numbers of system calls are those of ${path}` +
      (hasHeader ? "" : " (skipped: linux-libc-dev is not installed)"),
    ignore: !hasHeader,
    fn: () => {
      const text = Deno.readTextFileSync(path);
      const numbers = new Map(
        [...text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm)]
          .map(([, name, number]) => [name, Number(number)]),
      );
      for (const calls of [NEVER_CALLED, CHANGE_FILES, LOOKED_AT]) {
        for (const [name, both] of Object.entries(calls)) {
          // Calls that are newer than the headers.
          if (both[machine] !== null && !numbers.has(name) && both[machine] > 450) continue;
          assert.equal(both[machine] ?? undefined, numbers.get(name), name);
        }
      }
    },
  });
}
