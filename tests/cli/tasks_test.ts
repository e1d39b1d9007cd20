import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { compiledPermissions } from "../../deploy/permissions.ts";
import { FFI_PATHS, LIBPCAP_VARIABLE } from "../../ffi/library.ts";
import { EVERYWHERE } from "../../src/cli/write_everywhere.ts";
import { DEMO_FLOWS, LAPTOP_V6, WEB_V6 } from "../demo_capture.ts";
import { SOCKET_FOLDER } from "../../src/dns/socket_folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));

Deno.test("the task flosensor may load the C library and libpcap, and nothing else", () => {
  const [, paths] = /--allow-ffi=(\S+)/.exec(tasks.flosensor)!;
  assert.deepEqual(paths.split(","), FFI_PATHS);
});

Deno.test("the task flosensor reads two environment variables, asks for nothing and runs nothing", () => {
  const flags = tasks.flosensor.split(" ").filter((it: string) => it.startsWith("--"));
  assert.deepEqual(
    flags.filter((it: string) =>
      /^--(allow-(env|run|sys|all|import|hrtime)|ignore|no-prompt)/.test(it)
    ),
    ["--no-prompt", "--ignore-env", `--allow-env=${LIBPCAP_VARIABLE},SUDO_UID`],
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

Deno.test("the task flosensor may write for init, and keeps Redis's sockets when it gives that up", () => {
  const [, paths] = /--allow-write=(\S+)/.exec(tasks.flosensor)!;
  assert.deepEqual(paths.split(","), [EVERYWHERE, "/run/redis", "/run/valkey"]);
});

Deno.test("no task but those of tests and benches has all permissions", () => {
  for (const [name, task] of Object.entries<string>(tasks)) {
    // Deno lets nothing less read what proc(5) says about the programs that are measured.
    if (name === "bench") continue;
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

  // A refused connection carried nothing, which is no flow; an unreachable datagram was sent.
  const expected = new Map(
    DEMO_FLOWS.filter(({ failure }) => failure !== "refused")
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

Deno.test("the module of the task flosensor may not read its own modules: one line", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read=/nowhere",
      tasks.flosensor.split(" ").at(-1),
      "check",
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 1);
  assert.equal(new TextDecoder().decode(stdout), "");
  assert.match(
    new TextDecoder().decode(stderr),
    /^flosensor: error: no permission to read its own modules: .*\n$/,
  );
});
