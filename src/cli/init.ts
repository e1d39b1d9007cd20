import { join, normalize } from "node:path";
import { cidrText } from "../config/cidr.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import { CONFIG_FILE, starterFiles, TYPES_FILE } from "../config/starter_files.ts";
import type { Log } from "../log.ts";
import { permissionAdvice } from "../permission_advice.ts";
import { parseRedisUrl } from "../sink/redis_url.ts";
import { printableLines } from "../printable.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";

/** Options of the command `init`. */
export interface InitOptions {
  /** The Redis that the configuration names: a URL, `false` for none; otherwise that on this host. */
  redis?: string | false;
  /** Whether files that are there are replaced. */
  force?: boolean;
  /** Whether only what editors need is written, beside a configuration that is there. */
  types?: boolean;
  /** Print this file, or config.ts, and write nothing. */
  print?: string | true;
}

/** What to put into a file that is there and stays, so that it does what ours would. */
const TO_ADD: ReadonlyMap<string, string> = new Map([
  ["deno.json", `"flosensor/config": "./${TYPES_FILE}" to its "imports"`],
  ["tsconfig.json", `"flosensor/config": ["./${TYPES_FILE}"] to "paths" of its "compilerOptions"`],
]);
const IMPORT = '"flosensor/config"';
/** Deno takes either; where there is one, another would hide it. */
const DENO_CONFIGS = ["deno.json", "deno.jsonc"];

/** A configuration may hold a password, which is nobody else's business. */
const PRIVATE = 0o600;
const PUBLIC = 0o644;

/**
 * Writes the files that a configuration begins with into a folder: config.ts, its types, and what
 * makes editors find these. A file that is there stays as it is, unless it is to be replaced.
 *
 * @param parameters The folder, if it is not the current one, and own networks for the configuration.
 * @param print Takes lines of text. By default, they go to standard output.
 * @returns The exit status, 0.
 * @throws {UserError} when there is a configuration, or a file can't be written.
 */
export async function init(
  parameters: readonly string[],
  options: InitOptions,
  log: Log,
  print: (text: string) => void = (text) => console.log(printableLines(text)),
): Promise<number> {
  const { names, networks } = partNamesAndNetworks(parameters);
  if (names.length > 1) {
    throw new UserError(
      `${names.join(", ")}: a configuration goes into one folder: name one`,
      WRONG_USAGE,
    );
  }
  const { redis } = options;
  const program = Deno.build.standalone ? "flosensor" : "deno task flosensor";
  const ourNets = parseOwnNetworks(networks, log).map(cidrText);
  const files = await starterFiles({ redis, ourNets, program });
  if (options.print !== undefined) {
    print(fileToPrint(files, options.print).trimEnd());
    return 0;
  }
  const folder = normalize(names[0] ?? ".");
  const hasPassword = typeof redis === "string" &&
    parseRedisUrl(redis, "--redis").password !== undefined;
  const wanted = options.types ? [...files].filter(([name]) => name !== CONFIG_FILE) : [...files];
  const writer = new FolderWriter(folder, options.force ?? false, print);
  await writer.open();
  if (!options.types) await writer.requireNoConfig();
  for (const [name, text] of wanted) {
    await writer.write(name, text, name === CONFIG_FILE && hasPassword ? PRIVATE : PUBLIC);
  }
  if (options.types) return 0;
  // What is in the current folder is found without being named.
  const config = join(folder, CONFIG_FILE);
  const named = folder === "." ? "" : ` --config ${shellWord(config)}`;
  print(
    `Now change ${config}, and look at what it does:\n` +
      `  ${program} check${named}`,
  );
  return 0;
}

function fileToPrint(files: ReadonlyMap<string, string>, name: string | true): string {
  const text = files.get(name === true ? CONFIG_FILE : name);
  if (text !== undefined) return text;
  throw new UserError(
    `--print ${name}: there is no such file: name one of ${[...files.keys()].join(", ")}`,
    WRONG_USAGE,
  );
}

/** Writes files into a folder, and says of each what became of it. */
class FolderWriter {
  readonly #folder: string;
  readonly #isForced: boolean;
  readonly #print: (text: string) => void;

  constructor(folder: string, isForced: boolean, print: (text: string) => void) {
    this.#folder = folder;
    this.#isForced = isForced;
    this.#print = print;
  }

  /** Makes the folder, if it is not there. */
  async open(): Promise<void> {
    try {
      if ((await Deno.stat(this.#folder)).isDirectory) return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw this.#failed(this.#folder, error);
      return await Deno.mkdir(this.#folder, { recursive: true })
        .catch((error) => {
          throw this.#failed(this.#folder, error);
        });
    }
    throw new UserError(`${this.#folder}: this is a file: name a folder`);
  }

  /** @throws {UserError} when there is a configuration, which is not to be replaced. */
  async requireNoConfig(): Promise<void> {
    if (this.#isForced || await this.#textOf(CONFIG_FILE) === null) return;
    throw new UserError(
      `${join(this.#folder, CONFIG_FILE)} is there and stays as it is: name another folder, ` +
        "--force to replace it, or --types for what editors need beside it",
    );
  }

  async write(name: string, text: string, mode: number): Promise<void> {
    const path = join(this.#folder, name);
    const [other, present] = await this.#present(name);
    if (present === null || this.#isForced || isOfOurs(name, present, text)) {
      if (present !== text) await this.#put(path, text, mode, present === null);
      const what = present === null ? "written" : present === text ? "as it should be" : "replaced";
      this.#print(
        `${path} is ${what}${mode === PRIVATE ? ", for you alone: it has a password" : ""}`,
      );
      return;
    }
    const toAdd = present.includes(IMPORT) ? undefined : TO_ADD.get(name);
    const advice = toAdd === undefined ? "" : `: add ${toAdd}`;
    this.#print(`${join(this.#folder, other)} is there and stays as it is${advice}`);
  }

  /** The file of this name, or of another that takes its place, and what it holds. */
  async #present(name: string): Promise<[name: string, text: string | null]> {
    for (const other of DENO_CONFIGS.includes(name) ? DENO_CONFIGS : [name]) {
      const text = await this.#textOf(other);
      if (text !== null && (other === name || !this.#isForced)) return [other, text];
    }
    return [name, null];
  }

  async #textOf(name: string): Promise<string | null> {
    const path = join(this.#folder, name);
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw this.#failed(path, error);
    }
  }

  async #put(path: string, text: string, mode: number, isNew: boolean): Promise<void> {
    try {
      await Deno.writeTextFile(path, text, { mode, createNew: isNew });
      // The mode above is for a file that was not there.
      if (mode === PRIVATE) await Deno.chmod(path, mode);
    } catch (error) {
      throw this.#failed(path, error);
    }
  }

  #failed(path: string, error: unknown): Error {
    if (error instanceof Deno.errors.NotCapable) {
      return new UserError(
        `${path}: flosensor may not write there: ${
          permissionAdvice(`--allow-write=${this.#folder}`)
        }, or take the text from: init --print`,
        1,
        { cause: error },
      );
    }
    const remedy = error instanceof Deno.errors.PermissionDenied
      ? "name a folder that you may write to, or take the text from: init --print"
      : "name another folder";
    // Of "No such file or directory (os error 2): open '...'" the first words are the reason.
    const reason = /^[^(:]*/.exec(error instanceof Error ? error.message : String(error))![0];
    return new UserError(`${path}: ${reason.trim()}: ${remedy}`, 1, { cause: error });
  }
}

/** A text as a word of a command for the shell. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Whether a file was made by flosensor, and so can be made again: that of an older release. */
function isOfOurs(name: string, present: string, text: string): boolean {
  const [heading] = text.split("\n\n");
  return present === text || (name === TYPES_FILE && present.startsWith(heading));
}
