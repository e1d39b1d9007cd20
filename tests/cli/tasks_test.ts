import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { compiledPermissions } from "../../deploy/permissions.ts";
import { FFI_PATHS, LIBPCAP_VARIABLE } from "../../ffi/library.ts";
import { EVERYWHERE } from "../../src/cli/write_everywhere.ts";
import { DEMO_FLOWS, LAPTOP_V6, WEB_V6 } from "../demo_capture.ts";
import { SOCKET_FOLDER } from "../../src/dns/socket_folder.ts";
import { until } from "../namespaces.ts";
import { PERMISSIONS } from "./program.ts";
import { keysOfLines, OWN_NETWORKS, SAMPLE_CAPTURE, SAMPLE_KEYS } from "./sample_capture.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { imports, tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));

Deno.test("flosensor may load the C library and libpcap, and nothing else", () => {
  const [, paths] = /^--allow-ffi=(.+)$/m.exec(PERMISSIONS.join("\n"))!;
  assert.deepEqual(paths.split(","), FFI_PATHS);
});

Deno.test("flosensor reads four environment variables, asks for nothing and runs nothing", () => {
  assert.deepEqual(
    PERMISSIONS.filter((it) =>
      /^--(allow-(env|run|sys|all|import|hrtime)|ignore|no-prompt)/.test(it)
    ),
    ["--no-prompt", "--ignore-env", `--allow-env=${LIBPCAP_VARIABLE},REDISCLI_AUTH,SUDO_UID,TERM`],
  );
});

Deno.test("the task dnstap writes where its sockets are and Redis's, as the compiled program may", () => {
  const [, written] = /--allow-write=(\S+)/.exec(tasks.dnstap)!;
  assert.deepEqual(written.split(","), [SOCKET_FOLDER, "/run/redis", "/run/valkey"]);
  assert.ok(
    compiledPermissions().some((it) =>
      it.startsWith("--allow-write=") && it.split(/[=,]/).includes(SOCKET_FOLDER)
    ),
  );
});

Deno.test("the task flosensor and ./flosensor run it with these permissions and no others", () => {
  const launcher = Deno.readTextFileSync(`${ROOT}flosensor`);
  for (const text of [tasks.flosensor, launcher]) {
    const words = text.replaceAll(/"|\$here\//g, "");
    assert.match(
      words,
      /run --quiet [^]*\$\(cat src\/cli\/permissions\.txt src\/cli\/v8_options\.txt\)/,
    );
    assert.doesNotMatch(text, /--allow-|--deny-|(^|\s)-A(\s|$)/);
  }
});

/** A folder with this Deno and nothing else but what sh(1) scripts need. */
async function withPath(
  programs: Record<string, string>,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempDir({ prefix: "flosensor-path-" });
  try {
    for (const [name, file] of Object.entries(programs)) {
      await Deno.symlink(file, `${path}/${name}`);
    }
    await use(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

const TOOLS = { dirname: "/usr/bin/dirname", readlink: "/usr/bin/readlink", cat: "/bin/cat" };

Deno.test("./flosensor runs from any folder and by a link, and is one process", () =>
  withPath({ ...TOOLS, deno: Deno.execPath(), linked: `${ROOT}flosensor` }, async (PATH) => {
    await Deno.writeFile(`${PATH}/sample.pcap`, SAMPLE_CAPTURE);
    const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", 'linked replay sample.pcap "$@" --json --no-redis', "sh", ...OWN_NETWORKS],
      cwd: PATH,
      env: { PATH, NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.deepEqual(keysOfLines(new TextDecoder().decode(stdout)), SAMPLE_KEYS);

    const child = new Deno.Command(`${PATH}/linked`, {
      args: ["replay", "-", "--no-redis"],
      env: { PATH },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    // It has become the program, and so gets signals itself.
    await until(() => Deno.readTextFileSync(`/proc/${child.pid}/cmdline`).includes("program.ts"));
    child.kill("SIGKILL");
    await Promise.all([child.status, child.stdin.close()]);
  }));

Deno.test("./flosensor says in one line that there is neither Deno nor npx", () =>
  withPath(TOOLS, async (PATH) => {
    const { code, stderr } = await new Deno.Command(`${ROOT}flosensor`, { env: { PATH } }).output();
    assert.equal(code, 1);
    assert.equal(
      new TextDecoder().decode(stderr),
      "flosensor: error: neither Deno (2.6 or later) nor npx is installed: install Deno or Node\n",
    );
  }));

/** Where nothing is cached, Deno tells on standard error what it downloads, unless it is `--quiet`. */
Deno.test("tasks and tests run programs with --quiet", () => {
  for (const [name, task] of Object.entries<string>(tasks)) {
    assert.doesNotMatch(task, /deno (run|cache) (?!--quiet)/, name);
  }
  const loud = new RegExp('"run"' + ',(?!\\s*"--quiet")');
  for (const path of typescriptIn("tests")) {
    assert.doesNotMatch(Deno.readTextFileSync(ROOT + path), loud, path);
  }
});

function typescriptIn(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? typescriptIn(path) : name.endsWith(".ts") ? [path] : [];
  });
}

/** Running must not fetch compilers: `deno task` and `deno run` fetch all that the lock has. */
Deno.test("deno.lock has what the import map names, and tools/deno.lock what tests need", () => {
  const namesOf = (specifiers: readonly string[]) =>
    [
      ...new Set(specifiers.map((it) => /^npm:\/?(@?[^@]+)/.exec(it)?.[1]).filter((it) => it)),
    ].sort();
  const namesIn = (file: string) =>
    namesOf(Object.keys(JSON.parse(Deno.readTextFileSync(ROOT + file)).specifiers));
  const running = namesOf(Object.values<string>(imports));
  assert.deepEqual(
    namesIn("deno.lock"),
    running,
    "git checkout deno.lock: tests and tools are run with --lock=tools/deno.lock",
  );
  const others = typescriptIn("tools/packages")
    .flatMap((path) => namesOf(Deno.readTextFileSync(ROOT + path).match(/npm:[^"]+/g)!));
  // A package may be there in parts.
  assert.deepEqual(namesIn("tools/deno.lock"), [...new Set([...running, ...others])].sort());
});

Deno.test("flosensor may write where it is told, and keeps where sockets and stores are when it gives that up", () => {
  const [, paths] = /^--allow-write=(.+)$/m.exec(PERMISSIONS.join("\n"))!;
  assert.deepEqual(paths.split(","), [
    ...[EVERYWHERE, "/run/redis", "/run/valkey", "/run/flosensor", "/var/lib/flosensor"],
  ]);
});

Deno.test("no task but those of tests and benches has all permissions", () => {
  for (const [name, task] of Object.entries<string>(tasks)) {
    // Deno lets nothing less read what proc(5) says: of programs that are measured, for Playwright of
    // the system.
    if (["bench", "failovers", "faults", "pictures", "soak"].includes(name)) continue;
    const isOpen = /--allow-all|(^| )-A( |$)/.test(task);
    assert.ok(!isOpen || /\bdeno test\b/.test(task), `${name}: ${task}`);
  }
});

/** The rows of a table of the demo as client, server, port. */
function rowsOf(table: string): string[] {
  const [, ...rows] = table.trim().split("\n").slice(1);
  return rows.map((row) => row.split(/ +/).slice(0, 3).join(" ")).sort();
}

Deno.test("the task demo names client, server and port of each of its flows right, and what to do next", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stderr: "null",
  }).output();
  assert.equal(code, 0);
  const text = new TextDecoder().decode(stdout);
  const [flows, failed, next] = text.split("\n\n");

  // What was refused or unreachable has a table of its own.
  const expected = new Map(
    DEMO_FLOWS.filter(({ failure }) => failure === undefined)
      .map(({ client, server, port, protocol }) => [`${client} ${server} ${port}`, protocol]),
  );
  // A key has no protocol: over TCP and UDP it is the same one, shown with the one seen first.
  expected.set(`${LAPTOP_V6} ${WEB_V6} 443`, "tcp");
  assert.deepEqual(
    rowsOf(flows),
    [...expected].map(([flow, protocol]) => `${flow}/${protocol}`).sort(),
    text,
  );
  const failures = DEMO_FLOWS.filter(({ failure }) => failure !== undefined);
  assert.deepEqual(
    rowsOf(failed),
    failures.map(({ client, server, port }) => `${client} ${server} ${port}`).sort(),
    text,
  );
  for (const { client, server, port, failure } of failures) {
    const row = new RegExp(`^${client} +${server} +${port} +${failure} `, "m");
    assert.match(failed, row);
  }
  assert.match(next, /What to do next:/);
});
