import { join } from "node:path";
import { denoEnvironment } from "./deno_environment.ts";
import { run } from "./run.ts";

/**
 * Puts npm packages into `node_modules` of a folder, at the versions and with the checksums that a lock
 * file has.
 *
 * @param imports Specifiers such as `npm:acorn@^8.0.0`, by name.
 * @throws {ProgramError} when one can't be had, or is another one than the lock file says.
 */
export async function installPackages(
  directory: string,
  imports: Readonly<Record<string, string>>,
  lockFile: string,
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(
    join(directory, "deno.json"),
    JSON.stringify({
      nodeModulesDir: "auto",
      // Else it would have to be a member of the project's.
      workspace: [],
      imports,
    }),
  );
  await Deno.copyFile(lockFile, join(directory, "deno.lock"));
  await run(Deno.execPath(), ["install", "--quiet"], { cwd: directory, env: denoEnvironment() });
}
