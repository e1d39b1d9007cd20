/** Runs the commands of all pages as they stand there. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { flosensor } from "../cli/program.ts";
import { withFiles } from "../config/temporary_files.ts";
import { CAN_COPY_SYSTEM, inCopiedSystem, WITHOUT_COPY } from "../deploy/copied_system.ts";
import { compileOnce } from "../deploy/compiled.ts";
import { isProgram } from "../installed.ts";
import { run } from "../namespaces.ts";
import { type CommandBlock, commandBlocks, isAsShown } from "./command_blocks.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MACHINE = fileURLToPath(new URL("./machine.sh", import.meta.url));
const PAGES = ["README.md", ...pagesIn("docs")];
/** What a reader has: programs that the pages take for granted. */
const TAKEN_FOR_GRANTED = [
  ["git", "--version"],
  ["npx", "--version"],
  ["sudo", "--version"],
  ["redis-server", "--version"],
  ["tcpreplay", "--version"],
  ["tcpdump", "--version"],
  ["promtool", "--version"],
].filter(([program, ...args]) => !isProgram(program, ...args)).map(([program]) => program);
const CAN_RUN = CAN_COPY_SYSTEM && TAKEN_FOR_GRANTED.length === 0;
const WITHOUT = WITHOUT_COPY ||
  (CAN_RUN ? "" : ` (skipped: ${TAKEN_FOR_GRANTED.join(", ")} is not installed)`);
const COMPILED = await compileOnce();

function pagesIn(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? pagesIn(`${folder}/${name}`) : name.endsWith(".md") ? [`${folder}/${name}`] : []
  ).sort();
}

/** How the commands of a block ended. */
interface Ending {
  readonly status: number;
  readonly said: string;
}

/** Has npm fetch the Deno that commands name: the machine on which they run has no registry. */
async function fetchDeno(blocks: readonly CommandBlock[]): Promise<void> {
  const names = blocks.flatMap(({ commands }) => commands.match(/(?<= )deno@[\d.]+/g) ?? []);
  for (const name of new Set(names)) {
    const { code, stderr } = await run("npx", "-y", "--prefer-offline", name, "--version");
    assert.equal(code, 0, stderr);
  }
}

/** Runs blocks, in order, in a new clone on a machine of their own. */
async function runBlocks(blocks: readonly CommandBlock[]): Promise<Ending[]> {
  await fetchDeno(blocks);
  const files = await Deno.makeTempDir({ prefix: "flosensor-pages-" });
  try {
    await clone(join(files, "clone"));
    await Deno.copyFile(MACHINE, join(files, "machine.sh"));
    if (COMPILED.isMissing) {
      await Deno.symlink("clone/flosensor", join(files, "flosensor"));
    } else {
      await Deno.copyFile(COMPILED.file, join(files, "flosensor"));
      await run("cp", "-r", COMPILED.dist, join(files, "clone/dist"));
    }
    await Deno.mkdir(join(files, "blocks"));
    for (const [i, { commands }] of blocks.entries()) {
      await Deno.writeTextFile(join(files, "blocks", nameOf(i)), `${commands}\n`);
    }
    const caches = {
      DENO_DIR: Deno.env.get("DENO_DIR") ?? join(homedir(), ".cache/deno"),
      npm_config_cache: Deno.env.get("npm_config_cache") ?? join(homedir(), ".npm"),
    };
    const said = await inCopiedSystem("exec bash /mnt/machine.sh", files, {
      hasOwnNetwork: true,
      shared: Object.values(caches),
      environment: {
        ...caches,
        PATH: Deno.env.get("PATH") ?? "",
        HOME: homedir(),
        TZ: "UTC",
        NO_COLOR: "1",
        // The network of the copy leads nowhere.
        npm_config_prefer_offline: "true",
      },
    });
    const endings = said.split(/^@@ /m).slice(1).map((text) => {
      const [, status, output] = /^\d+ (\d+)\n([^]*)$/.exec(text)!;
      return { status: Number(status), said: output.trim() };
    });
    assert.equal(endings.length, blocks.length, said);
    return endings;
  } finally {
    await Deno.remove(files, { recursive: true });
  }
}

/** What git would clone if all was committed, and a capture as a reader may have one. */
async function clone(folder: string): Promise<void> {
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { stdout, stderr } = await run("git", "-C", ROOT, ...list);
  const files = stdout.split("\0").filter((file) => file !== "" && existsSync(join(ROOT, file)));
  assert.ok(files.length > 0, stderr);
  for (const file of files) {
    await Deno.mkdir(dirname(join(folder, file)), { recursive: true });
    await Deno.copyFile(join(ROOT, file), join(folder, file));
  }
  const { stdout: capture } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", join(ROOT, "tests/demo_capture.ts")],
  }).output();
  await Deno.writeFile(join(folder, "capture.pcap"), capture);
}

/** In the order of the shell. */
function nameOf(block: number): string {
  return String(block).padStart(3, "0");
}

for (const page of PAGES) {
  const blocks = commandBlocks(page, await Deno.readTextFile(ROOT + page));
  for (const { place, commands, notRun } of blocks.filter(({ notRun }) => notRun !== "")) {
    const [first] = commands.split("\n");
    Deno.test({ name: `${place}: ${first} (skipped: ${notRun})`, ignore: true, fn: () => {} });
  }
  const runnable = blocks.filter(({ notRun }) => notRun === "");
  if (runnable.length === 0) continue;
  Deno.test({
    name: `the commands of ${page} work as they stand there, in a new clone${WITHOUT}`,
    ignore: !CAN_RUN,
    fn: async () => {
      const wrong: string[] = [];
      for (const [i, { status, said }] of (await runBlocks(runnable)).entries()) {
        const { place, commands, output } = runnable[i];
        if (status !== 0) wrong.push(`${place}: status ${status}\n${commands}\n${said}`);
        else if (output !== "" && !isAsShown(said, output)) {
          wrong.push(`${place}: prints something else than is shown\n${commands}\n${said}`);
        }
      }
      assert.equal(wrong.join("\n\n"), "");
    },
  });
}

const CONFIGURATION = /^```ts\n(import [^]*?export default defineConfig[^]*?)^```$/gm;

Deno.test("the configurations that pages show are taken as they are", async () => {
  let count = 0;
  for (const page of PAGES) {
    for (const [, config] of (await Deno.readTextFile(ROOT + page)).matchAll(CONFIGURATION)) {
      await withFiles({ "config.ts": config }, async (folder) => {
        const args = ["check", "--config", join(folder, "config.ts"), "192.168.1.0/24"];
        const { status, stdout, stderr } = await flosensor(args);
        assert.equal(status, 0, `${page}: ${stderr}`);
        assert.match(stdout, /^Nothing suspicious\.$/m, page);
      });
      count++;
    }
  }
  assert.ok(count > 0);
});

Deno.test("README.md is read in a few minutes: it has 120 lines at most", async () => {
  const lines = (await Deno.readTextFile(`${ROOT}README.md`)).trimEnd().split("\n");
  assert.ok(lines.length <= 120, `${lines.length}`);
});

Deno.test("pages link to what is there", async () => {
  for (const page of PAGES) {
    const text = await Deno.readTextFile(ROOT + page);
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(ROOT, dirname(page), target)), `${page}: ${target}`);
    }
  }
});

Deno.test("pages, ./flosensor and .ci/run name one version of Deno", async () => {
  const versions = new Set<string>();
  for (const file of [...PAGES, "flosensor", ".ci/run", "tools/demo_next.txt"]) {
    const text = await Deno.readTextFile(ROOT + file);
    for (const [version] of text.matchAll(/(?<=deno@|^version=)\d+\.\d+\.\d+/gm)) {
      versions.add(version);
    }
  }
  assert.equal(versions.size, 1, [...versions].join(", "));
});
