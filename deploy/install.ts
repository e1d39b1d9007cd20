/**
 * Puts the compiled file, the units and a configuration in place: `deno task install [--uninstall]`.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CONFIG_FILE, TYPES_FILE } from "../src/config/starter_files.ts";
import { UserError } from "../src/user_error.ts";
import { completions } from "./completions.ts";
import { DIST, executableOf } from "./dist.ts";
import { program } from "./program.ts";
import { run } from "./run.ts";
import { ownTarget } from "./target.ts";
import { configurationFiles, manualPage, unit, UNITS } from "./templates.ts";

const FOLDER = "/usr/local/bin";
const EXECUTABLE = `${FOLDER}/flosensor`;
const SHARE = "/usr/local/share";
const MANUAL_PAGE = `${SHARE}/man/man8/flosensor.8`;
const UNIT_FOLDER = "/etc/systemd/system";
const UNIT_FILES = UNITS.map((name) => `${UNIT_FOLDER}/${name}`);
const COMPLETIONS = completions("site-functions")
  .map(([path, text]) => [`${SHARE}/${path}`, text] as const);
const CONFIGURATION_FOLDER = "/etc/flosensor";
const CONFIGURATION = `${CONFIGURATION_FOLDER}/${CONFIG_FILE}`;
/** Present while systemd runs the system, sd_booted(3). */
const SYSTEMD_IS_RUNNING = "/run/systemd/system";
const INSTANCE = /^flosensor(@.+|-dnstap)\.service$/;

const HELP = `Usage: deno task install [options]

Puts ${EXECUTABLE}, its manual page, completion for bash, zsh and fish,
${UNIT_FILES.join(" and\n")}
in place, and ${CONFIGURATION} unless there is one, with its types beside it.

Options:
  --uninstall      take them away again; the configuration stays
  --dist <folder>  where the compiled file is, in the place of dist
  --root <folder>  in this folder in the place of /
`;

/** An installation, in `/` or in a folder that stands for it. */
class Installation {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** @param dist The folder of the compiled file. */
  async install(dist: string): Promise<void> {
    const executable = executableOf(ownTarget(), dist);
    try {
      await Deno.stat(executable);
    } catch {
      throw new UserError(`${executable} is not there: make it with: deno task compile`);
    }
    await this.#put(EXECUTABLE, 0o755, (path) => Deno.copyFile(executable, path));
    await this.#putText(MANUAL_PAGE, await manualPage(FOLDER));
    for (const [path, text] of COMPLETIONS) await this.#putText(path, text);
    for (const name of UNITS) {
      await this.#putText(`${UNIT_FOLDER}/${name}`, await unit(name, FOLDER));
    }
    for (const [name, text] of await configurationFiles()) {
      const path = `${CONFIGURATION_FOLDER}/${name}`;
      // The types are those of the executable, and nobody's to change.
      if (name !== TYPES_FILE && await isThere(this.#path(path))) {
        console.log(`${this.#path(path)} is there and stays as it is`);
      } else {
        await this.#putText(path, text);
      }
    }
    if (this.#isRunning) await run("systemctl", ["daemon-reload"]);
    console.log(
      `Now change ${CONFIGURATION}, look at it with "flosensor check", and start the sensor:\n` +
        "  systemctl enable --now flosensor@INTERFACE",
    );
  }

  async uninstall(): Promise<void> {
    await this.#disableInstances();
    const completionFiles = COMPLETIONS.map(([path]) => path);
    for (const path of [EXECUTABLE, MANUAL_PAGE, ...completionFiles, ...UNIT_FILES]) {
      await this.#remove(path);
    }
    if (this.#isRunning) await run("systemctl", ["daemon-reload"]);
    if (await isThere(this.#path(CONFIGURATION))) {
      console.log(`${this.#path(CONFIGURATION)} stays, with what is beside it`);
    }
  }

  get #isRunning(): boolean {
    if (this.#root !== "/") return false;
    try {
      return Deno.statSync(SYSTEMD_IS_RUNNING).isDirectory;
    } catch {
      return false;
    }
  }

  /** A unit that is enabled would be looked for at each start. */
  async #disableInstances(): Promise<void> {
    if (!this.#isRunning) return;
    const enabled = new Set<string>();
    for (const { name } of Deno.readDirSync(UNIT_FOLDER)) {
      if (!name.endsWith(".wants")) continue;
      for (const { name: wanted } of Deno.readDirSync(join(UNIT_FOLDER, name))) {
        if (INSTANCE.test(wanted)) enabled.add(wanted);
      }
    }
    if (enabled.size > 0) await run("systemctl", ["disable", ...enabled]);
    await run("systemctl", ["stop", "flosensor@*.service", "flosensor-dnstap.service"]);
    for (const name of enabled) console.log(`${name} is disabled`);
  }

  #path(path: string): string {
    return join(this.#root, path);
  }

  async #putText(path: string, text: string): Promise<void> {
    await this.#put(path, 0o644, (temporary) => Deno.writeTextFile(temporary, text));
  }

  /** Under its name a file is there whole or not at all: one that runs can't be written to. */
  async #put(path: string, mode: number, write: (path: string) => Promise<void>): Promise<void> {
    const target = this.#path(path);
    const temporary = `${target}.new`;
    try {
      await Deno.mkdir(dirname(target), { recursive: true });
      await write(temporary);
      await Deno.chmod(temporary, mode);
      await Deno.rename(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      throw new UserError(`${target}: permission denied: run as root`);
    }
    console.log(`${target} is in place`);
  }

  async #remove(path: string): Promise<void> {
    const target = this.#path(path);
    try {
      await Deno.remove(target);
      console.log(`${target} is removed`);
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) {
        throw new UserError(`${target}: permission denied: run as root`);
      }
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.log(`${target} is not there`);
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  await program("install", async () => {
    const { values } = parseArgs({
      options: {
        uninstall: { type: "boolean", default: false },
        root: { type: "string", default: "/" },
        dist: { type: "string", default: DIST },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const installation = new Installation(resolve(values.root));
    if (values.help) console.log(HELP.trimEnd());
    else if (values.uninstall) await installation.uninstall();
    else await installation.install(values.dist);
  });
}
