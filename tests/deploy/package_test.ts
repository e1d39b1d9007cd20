import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../src/version.ts";
import { keysOfLines, OWN_NETWORKS, SAMPLE_CAPTURE, SAMPLE_KEYS } from "../cli/sample_capture.ts";
import { withFiles } from "../config/temporary_files.ts";
import { isProgram } from "../installed.ts";
import { type Result, run } from "../namespaces.ts";
import { compileOnce, testsOf } from "./compiled.ts";
import { CAN_COPY_SYSTEM, inCopiedSystem, WITHOUT_COPY } from "./copied_system.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COMPILED = await compileOnce();
const compiledTest = testsOf(COMPILED);
const { dist: DIST } = COMPILED;

const HAS_SYSTEMD = isProgram("systemd-analyze", "--version");
const HAS_DPKG = isProgram("dpkg-deb", "--version");
const HAS_LINTIAN = isProgram("lintian", "--version");
const missing = (is: boolean, what: string) => is ? "" : ` (skipped: ${what} is not installed)`;

/** Files that an installation has, but for the configuration. */
const INSTALLED = [
  "etc/systemd/system/flosensor-dnstap.service",
  "etc/systemd/system/flosensor@.service",
  "usr/local/bin/flosensor",
  "usr/local/share/bash-completion/completions/flosensor",
  "usr/local/share/fish/vendor_completions.d/flosensor.fish",
  "usr/local/share/man/man8/flosensor.8",
  "usr/local/share/zsh/site-functions/_flosensor",
];
const CONFIGURATION = "etc/flosensor/config.ts";
/** The configuration, and what editors need beside it. */
const CONFIGURATION_FILES = [
  CONFIGURATION,
  ...["deno.json", "flosensor.d.ts", "tsconfig.json"].map((name) => `etc/flosensor/${name}`),
];

function task(...args: string[]): Promise<Result> {
  return taskWith({}, ...args);
}

async function taskWith(env: Record<string, string>, ...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function sha256(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

/** All files in a folder, sorted. */
function filesIn(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(join(folder, prefix))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(folder, join(prefix, name)) : [join(prefix, name)]
  ).sort();
}

compiledTest("compile writes checksums of all that it made", async () => {
  const sums = await Deno.readTextFile(join(DIST, "SHA256SUMS"));
  const made = sums.trimEnd().split("\n").map((line) => line.split("  "));
  assert.deepEqual(
    made.map(([, name]) => name),
    filesIn(DIST).filter((name) => !name.endsWith(".deb") && name !== "SHA256SUMS"),
  );
  for (const [sum, name] of made) {
    assert.equal(await sha256(join(DIST, name)), sum);
  }
});

Deno.test("compile says in one line that the named base runtime is not there", async () => {
  const { code, stderr } = await run("env", ...[
    ...["-C", ROOT, "DENORT_BIN=/nonexistent/denort", "NO_COLOR=1", Deno.execPath()],
    ...["task", "--quiet", "compile", "--output", "build/never"],
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /^compile: error: DENORT_BIN=\/nonexistent\/denort: can't be read .*\n$/);
  await Deno.remove(join(ROOT, "build/never"), { recursive: true });
});

Deno.test("compile takes no socket that is not an absolute path", async () => {
  const { code, stderr } = await task("compile", "--socket", "redis.sock");
  assert.equal(code, 2);
  assert.equal(
    stderr,
    "compile: error: --socket redis.sock: write an absolute path without commas\n",
  );
});

Deno.test("install names the task that makes what it installs", async () => {
  await withFiles({}, async (root) => {
    const { code, stderr } = await task("install", "--root", root, "--dist", root);
    assert.equal(code, 1);
    assert.match(stderr, /^install: error: .* is not there: make it with: deno task compile\n$/);
    assert.deepEqual(filesIn(root), []);
  });
});

compiledTest("install puts all in place, and leaves a configuration as it is", async () => {
  await withFiles({}, async (root) => {
    const first = await task("install", "--root", root, "--dist", DIST);
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(filesIn(root), [...CONFIGURATION_FILES, ...INSTALLED]);
    for (const file of filesIn(root)) {
      assert.ok(first.stdout.includes(`${join(root, file)} is in place`), first.stdout);
    }
    const executable = join(root, "usr/local/bin/flosensor");
    assert.equal(Deno.statSync(executable).mode! & 0o777, 0o755);
    assert.equal((await run(executable, "--version")).stdout, `${VERSION}\n`);
    for (const [unit, command] of [["@", "capture %i"], ["-dnstap", "dnstap unix:"]]) {
      const file = join(root, `etc/systemd/system/flosensor${unit}.service`);
      const text = await Deno.readTextFile(file);
      assert.ok(text.includes(`\nExecStart=/usr/local/bin/flosensor ${command}`), text);
      assert.match(text, /^ExecStart=.* \$FLOSENSOR_OPTIONS$/m);
    }
    const checked = await run(executable, "check", "-c", join(root, CONFIGURATION));
    assert.equal(checked.code, 0, checked.stderr);

    const [, deno, types, typescript] = CONFIGURATION_FILES.map((file) => join(root, file));
    const made = await Deno.readTextFile(types);
    const mine = [join(root, CONFIGURATION), deno, typescript];
    for (const file of [...mine, types]) await Deno.writeTextFile(file, "// mine\n");
    assert.equal((await task("install", "--root", root, "--dist", DIST)).code, 0);
    for (const file of mine) assert.equal(await Deno.readTextFile(file), "// mine\n");
    // Types are those of the executable.
    assert.equal(await Deno.readTextFile(types), made);
  });
});

compiledTest("install --uninstall takes all away but the configuration", async () => {
  await withFiles({}, async (root) => {
    await task("install", "--root", root, "--dist", DIST);
    const { code, stdout, stderr } = await task("install", "--uninstall", "--root", root);
    assert.equal(code, 0, stderr);
    assert.deepEqual(filesIn(root), CONFIGURATION_FILES);
    for (const file of INSTALLED) {
      assert.ok(stdout.includes(`${join(root, file)} is removed\n`), stdout);
    }
    assert.ok(
      stdout.includes(`${join(root, CONFIGURATION)} stays, with what is beside it\n`),
      stdout,
    );
  });
});

compiledTest("systemd finds nothing wrong with the units that are installed", async () => {
  await withFiles({}, async (root) => {
    await task("install", "--root", root, "--dist", DIST);
    for (const name of ["flosensor@eth0.service", "flosensor-dnstap.service"]) {
      const verdict = await inCopiedSystem(
        `cp -a /mnt/usr /mnt/etc / && systemd-analyze verify ${name} 2>&1 && ` +
          `systemd-analyze security --offline=yes ${name}`,
        root,
      );
      const [wrong] = verdict.split("  NAME");
      assert.equal(wrong, "");
      const exposure = Number(/exposure level for .*service: ([\d.]+)/.exec(verdict)![1]);
      // Packets and their addresses are what is left of the exposure: below 2.5 is what is called OK.
      assert.ok(exposure < 2.5, verdict);
    }
  });
}, {
  ignore: !CAN_COPY_SYSTEM || !HAS_SYSTEMD,
  reason: WITHOUT_COPY + missing(HAS_SYSTEMD, "systemd"),
});

let made: Promise<string> | undefined;

/** The path of the package, which is made at the first call. */
function packageFile(): Promise<string> {
  made ??= task("deb", "--dist", DIST).then(({ code, stdout, stderr }) => {
    assert.equal(code, 0, stderr);
    return stdout.trim();
  });
  return made;
}

const DPKG = { ignore: !HAS_DPKG, reason: missing(HAS_DPKG, "dpkg") };

compiledTest("the Debian package is installed, runs, is removed and purged", async () => {
  const file = await packageFile();
  await withFiles({}, async (folder) => {
    await Deno.copyFile(file, join(folder, basename(file)));
    await Deno.writeFile(join(folder, "sample.pcap"), SAMPLE_CAPTURE);
    const replay = `flosensor replay /mnt/sample.pcap ${OWN_NETWORKS.join(" ")} --json --no-redis`;
    const lines = await inCopiedSystem(
      `
      dpkg --install /mnt/${basename(file)} >/dev/null
      test "$(dpkg-query --show --showformat='\${Status}' flosensor)" = "install ok installed"
      test "$(flosensor --version)" = ${VERSION}
      test "$(command -v flosensor)" = /usr/bin/flosensor
      flosensor completion bash | cmp - /usr/share/bash-completion/completions/flosensor
      flosensor completion zsh | cmp - /usr/share/zsh/vendor-completions/_flosensor
      flosensor completion fish | cmp - /usr/share/fish/vendor_completions.d/flosensor.fish
      grep -q '^ExecStart=/usr/bin/flosensor ' /usr/lib/systemd/system/flosensor@.service
      grep -q '^ExecStart=/usr/bin/flosensor ' /usr/lib/systemd/system/flosensor-dnstap.service
      cd / && flosensor check >/dev/null
      for file in ${CONFIGURATION_FILES.join(" ")}; do test -s /$file; done
      flosensor check --config /usr/share/doc/flosensor/examples/home-router.ts >/dev/null
      test -s /usr/share/doc/flosensor/examples/flosensor.rules.yml
      grep -q '"bomFormat": "CycloneDX"' /usr/share/doc/flosensor/flosensor.cdx.json
      echo 'import { defineConfig } from "flosensor/config"; export default defineConfig({});' \
        > /etc/flosensor/config.ts
      ${replay}
      dpkg --remove flosensor >/dev/null
      test ! -e /usr/bin/flosensor
      test ! -e /usr/lib/systemd/system/flosensor@.service
      grep -q defineConfig /etc/flosensor/config.ts
      dpkg --purge flosensor >/dev/null
      test ! -e /etc/flosensor
      `,
      folder,
    );
    assert.deepEqual(keysOfLines(lines), SAMPLE_KEYS);
  });
}, {
  ignore: DPKG.ignore || !CAN_COPY_SYSTEM,
  reason: DPKG.reason + WITHOUT_COPY,
});

compiledTest("the same sources make the same compiled file and the same package", async () => {
  const again = await compileOnce();
  assert.equal(await sha256(again.file), await sha256(COMPILED.file));
  const packages: string[] = [];
  for (const { dist } of [COMPILED, again]) {
    const env = { SOURCE_DATE_EPOCH: "1795000000" };
    const { code, stdout, stderr } = await taskWith(env, "deb", "--dist", dist);
    assert.equal(code, 0, stderr);
    packages.push(await sha256(stdout.trim()));
  }
  assert.equal(packages[0], packages[1]);
}, DPKG);

compiledTest("a date that is none makes no package", async () => {
  const env = { SOURCE_DATE_EPOCH: "yesterday" };
  const { code, stderr } = await taskWith(env, "deb", "--dist", DIST);
  assert.equal(code, 1);
  assert.equal(
    stderr,
    "deb: error: SOURCE_DATE_EPOCH=yesterday: give seconds since 1970-01-01 UTC\n",
  );
}, DPKG);

compiledTest("lintian finds nothing in the package that is not explained in it", async () => {
  const file = await packageFile();
  const { stdout, stderr } = await run("lintian", "--allow-root", "--tag-display-limit=0", file);
  assert.equal(stdout + stderr, "");
}, {
  ignore: DPKG.ignore || !HAS_LINTIAN,
  reason: DPKG.reason + missing(HAS_LINTIAN, "lintian"),
});
