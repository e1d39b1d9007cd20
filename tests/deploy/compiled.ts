import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../namespaces.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Prints the path of a base runtime that fits the Deno named here. */
const BASE_RUNTIME_SCRIPT = join(ROOT, "../shared/denort.sh");
const FITTING_DENO = "2.6.8";

/** A compiled file, or why there is none. */
export interface Compiled {
  /** The file, alone in its folder. Empty if there is none. */
  readonly file: string;
  /** The folder that `deno task compile` wrote to. */
  readonly dist: string;
  /** Whether tests that need it are skipped. */
  readonly isMissing: boolean;
  /** What to add to their names then. */
  readonly reason: string;
}

/**
 * Compiles the program as it is now, once for the tests of a file, and removes what was made when
 * they are over. Another Deno than the one that runs the tests does it, where a base runtime is
 * there only for that.
 */
export async function compileOnce(): Promise<Compiled> {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-compiled-" });
  // Users other than root run it too.
  await Deno.chmod(directory, 0o755);
  await Deno.mkdir(join(ROOT, "build"), { recursive: true });
  const dist = await Deno.makeTempDir({ dir: join(ROOT, "build"), prefix: "dist-" });
  addEventListener("unload", () => {
    for (const folder of [directory, dist]) Deno.removeSync(folder, { recursive: true });
  });
  const { deno, environment } = await compiler();
  const { success, stdout, stderr } = await new Deno.Command(deno, {
    args: ["task", "--quiet", "compile", "--output", dist],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...environment },
  }).output();
  const said = new TextDecoder().decode(stderr).trim();
  if (!success) {
    if (!said.includes("the base runtime can't be downloaded")) throw new Error(said);
    return { file: "", dist, isMissing: true, reason: " (skipped: no base runtime can be had)" };
  }
  const made = new TextDecoder().decode(stdout).split(":")[0];
  const file = join(directory, "flosensor");
  await Deno.copyFile(made, file);
  return { file, dist, isMissing: false, reason: "" };
}

/** Makes tests of what was compiled, which are skipped where there is none. */
export function testsOf(compiled: Compiled) {
  return (
    name: string,
    test: () => Promise<void>,
    { ignore = false, reason = "" } = {},
  ): void =>
    Deno.test({
      name: name + (compiled.isMissing ? compiled.reason : reason),
      ignore: compiled.isMissing || ignore,
      fn: test,
    });
}

async function compiler(): Promise<{ deno: string; environment: Record<string, string> }> {
  const own = { deno: Deno.execPath(), environment: {} };
  if (Deno.env.get("DENORT_BIN") || !existsSync(BASE_RUNTIME_SCRIPT)) return own;
  const { code, stdout } = await run(BASE_RUNTIME_SCRIPT);
  if (code !== 0) return own;
  const environment = { DENORT_BIN: stdout.trim() };
  const isFitting = Deno.version.deno.split(".", 2).join() === FITTING_DENO.split(".", 2).join();
  if (isFitting) return { deno: Deno.execPath(), environment };
  const fitting = await run(
    ...["npx", "-y", `deno@${FITTING_DENO}`, "eval", "console.log(Deno.execPath())"] as const,
  );
  return fitting.code === 0 ? { deno: fitting.stdout.trim(), environment } : own;
}
