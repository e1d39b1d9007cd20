import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { compiledPermissions } from "../../deploy/permissions.ts";
import { FFI_PATHS, LIBPCAP_VARIABLE } from "../../ffi/library.ts";
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

Deno.test("no task but those of tests and benches has all permissions", () => {
  for (const [name, task] of Object.entries<string>(tasks)) {
    // Deno lets nothing less read what proc(5) says about the programs that are measured.
    if (name === "bench") continue;
    const isOpen = /--allow-all|(^| )-A( |$)/.test(task);
    assert.ok(!isOpen || /\bdeno test\b/.test(task), `${name}: ${task}`);
  }
});

Deno.test("the task demo prints the flows, what failed, and what to do next", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stderr: "null",
  }).output();
  assert.equal(code, 0);
  const text = new TextDecoder().decode(stdout);
  const rows = text.split("\n").map((line) => line.split(/ +/).slice(0, 3).join(" "));
  for (
    const row of [
      "192.168.1.23 198.51.100.80 443/tcp",
      "192.168.1.23 203.0.113.53 53/udp",
      "192.168.1.23 192.168.1.5 445/tcp",
      "203.0.113.200 192.168.1.5 22/tcp",
      "2001:db8:1::23 2001:db8:80::1 443/tcp",
      "192.168.1.23 198.51.100.80 8080",
      "2001:db8:1::23 2001:db8:80::1 161",
    ]
  ) assert.ok(rows.includes(row), `${row} in ${text}`);
  assert.match(text, /What to do next:/);
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
