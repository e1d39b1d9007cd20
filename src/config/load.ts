import { UserError } from "../user_error.ts";
import { ConfigError, type ConfigPath } from "./config_error.ts";
import { defineConfig } from "./configuration.ts";
import { RootGuard } from "./root_guard.ts";
import type { ValidConfig } from "./valid_config.ts";
import { validate } from "./validate.ts";

/** Where a configuration is looked for when the command line names none, in this order. */
const CONFIG_FILES: readonly string[] = ["config.ts", "/etc/flosensor/config.ts"];

/** A configuration that was loaded. */
export interface LoadedConfig {
  readonly config: ValidConfig;
  /** The file it came from, as the user calls it, or `null` for the built-in default. */
  readonly file: string | null;
  /** Which configuration this is, for the log. */
  readonly description: string;
  /** Paths of all files that it was made of. */
  readonly files: readonly string[];
}

/**
 * Loads the configuration: the file named, else the first of {@linkcode CONFIG_FILES} that is there,
 * else the built-in default, which goes by what was seen of a conversation, else by the lower port.
 *
 * Each call reads all files again, those that the configuration imports included.
 *
 * A file that was only found is not taken as root where others could have written it: see
 * {@linkcode RootGuard}.
 *
 * @param file The file that the command line names.
 * @param before What was loaded before: where it may not be read any more, no other file is taken.
 * @throws {UserError} for the first thing that is wrong, as `file:line: what (entry): how to mend`.
 */
export async function loadConfig(file?: string, before?: LoadedConfig): Promise<LoadedConfig> {
  return await (await readConfig(file, before))();
}

/**
 * The first step of {@linkcode loadConfig}, with the same parameters: all files are read, and nothing in
 * them is run.
 *
 * @returns Does the rest.
 */
export async function readConfig(
  file?: string,
  before?: LoadedConfig,
): Promise<() => Promise<LoadedConfig>> {
  if (file !== undefined) return await readFile(file, null);
  const unseen: string[] = [];
  for (const candidate of CONFIG_FILES) {
    const presence = await presenceOf(candidate);
    if (presence === "there" || (presence === "unknown" && candidate === before?.file)) {
      return await readFile(candidate, RootGuard.for(candidate));
    }
    if (presence === "unknown") unseen.push(candidate);
  }
  const reason = unseen.length === 0 ? "" : `, for want of permission to read ${unseen.join(", ")}`;
  return () =>
    Promise.resolve({
      config: validate(defineConfig({})),
      file: null,
      description: `the built-in default${reason}`,
      files: [],
    });
}

async function presenceOf(file: string): Promise<"there" | "absent" | "unknown"> {
  try {
    await Deno.stat(file);
    return "there";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "absent";
    // Neither may the program, nor, in a folder that is another user's, may the process.
    const isForbidden = error instanceof Deno.errors.NotCapable ||
      error instanceof Deno.errors.PermissionDenied;
    if (isForbidden) return "unknown";
    // Whatever else is wrong with it, reading it will say so.
    return "there";
  }
}

async function readFile(
  file: string,
  guard: RootGuard | null,
): Promise<() => Promise<LoadedConfig>> {
  // Whoever has no configuration file does not pay for loading what reads TypeScript.
  const { ModuleLoader } = await import("./module_loader.ts");
  const { lineOfEntry, lineWithoutExport } = await import("./syntax_tree.ts");
  const run = await new ModuleLoader(guard).read(file);
  return async () => {
    const { namespace, program, files } = await run();
    const placeOf = (path: ConfigPath) => `${file}:${lineOfEntry(program, path)}`;
    if (!("default" in namespace)) {
      throw new UserError(
        `${file}:${lineWithoutExport(program)}: there is no default export: ` +
          "write export default defineConfig({ ... })",
      );
    }
    const config = checked(namespace.default, placeOf);
    return { config, file, description: file, files };
  };
}

function checked(exported: unknown, placeOf: ValidConfig["placeOf"]): ValidConfig {
  try {
    return validate(exported, placeOf);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new UserError(`${placeOf(error.path)}: ${error.message}`, 1, { cause: error });
  }
}
