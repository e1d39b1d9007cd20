import { join, relative } from "node:path";
import { effectiveUser, ROOT } from "../../ffi/effective_user.ts";
import { permittedVariable } from "../permitted_variable.ts";
import { UserError } from "../user_error.ts";
import { isPrivateGroup, userText } from "./private_group.ts";

/** Names who called sudo(8). */
const CALLER = "SUDO_UID";
/** Bits of a mode, chmod(2). */
const GROUP_MAY_WRITE = 0o020;
const OTHERS_MAY_WRITE = 0o002;
/** In a folder that has it, each user removes what is its own only. */
const STICKY = 0o1000;
/** As many as Linux follows, path_resolution(7). */
const MOST_LINKS = 40;

/** The folder that this program's own modules are in, unless they are compiled into one file. */
const PROGRAM = Deno.build.standalone || import.meta.dirname === undefined
  ? null
  : join(import.meta.dirname, "../..");

/**
 * Keeps root from running another user's code because it stands in the current folder: as sudo and ssh
 * do, it looks at the owner of each file and of the folders that hold it, and at who may write them.
 *
 * Good owners are root and who called sudo; in the folder of the program's own modules also their
 * owner, who could change them as well.
 */
export class RootGuard {
  /** What the user has to name. */
  readonly #config: string;
  readonly #owners = new Set([ROOT]);

  private constructor(config: string) {
    this.#config = config;
    const caller = permittedVariable(CALLER) ?? "";
    if (/^\d+$/.test(caller)) this.#owners.add(Number(caller));
  }

  /** @param config The file that was found. @returns `null` where the process is not root's. */
  static for(config: string): RootGuard | null {
    return effectiveUser() === ROOT ? new RootGuard(config) : null;
  }

  /**
   * Looks at a file that was opened.
   *
   * @param path Its absolute path.
   * @param file What the user calls it.
   * @param opened What the system says of what was opened, which a name that is given away can't change.
   * @throws {UserError} when others may have written it, or may put another in its place.
   */
  require(path: string, file: string, opened: Deno.FileInfo): void {
    this.#requireOwn(path, file, opened);
    try {
      this.#walk(path, file, opened);
    } catch (error) {
      if (error instanceof UserError) throw error;
      // Without permission to look, or it went away meanwhile.
      throw this.#refusal(
        `${file} or a folder that holds it can't be looked at`,
        "run with --allow-read",
      );
    }
  }

  /** From the root, as the system finds the file: all that is on the way decides where that is. */
  #walk(path: string, file: string, opened: Deno.FileInfo): void {
    let at = "/";
    let rest = partsOf(path);
    this.#requireFolder(at, Deno.lstatSync(at));
    for (let links = 0; rest.length > 0;) {
      const [name, ...others] = rest;
      rest = others;
      const next = join(at, name);
      const information = Deno.lstatSync(next);
      if (information.isSymlink) {
        if (++links > MOST_LINKS) throw new Error("too many links");
        this.#requireOwner(next, next, information);
        const target = Deno.readLinkSync(next);
        rest = [...partsOf(target), ...rest];
        if (target.startsWith("/")) at = "/";
      } else if (rest.length > 0 || name === "..") {
        this.#requireFolder(next, information);
        at = next;
      } else if (information.ino !== opened.ino || information.dev !== opened.dev) {
        throw this.#refusal(`${file} was replaced while it was read`, "look who did that");
      }
    }
  }

  #requireFolder(path: string, information: Deno.FileInfo): void {
    // The program itself came by this way.
    if (PROGRAM !== null && isWithin(PROGRAM, path)) return;
    this.#requireOwner(path, path, information);
    if (((information.mode ?? 0) & STICKY) === 0) this.#requireMode(path, information);
  }

  #requireOwn(path: string, file: string, information: Deno.FileInfo): void {
    this.#requireOwner(path, file, information);
    this.#requireMode(file, information);
  }

  #requireOwner(path: string, shown: string, { uid }: Deno.FileInfo): void {
    if (uid === null || this.#owners.has(uid)) return;
    if (PROGRAM !== null && isWithin(path, PROGRAM) && uid === Deno.statSync(PROGRAM).uid) return;
    throw this.#refusal(`${shown} belongs to ${userText(uid)}`, `chown root ${shown}`);
  }

  #requireMode(shown: string, { mode, uid, gid }: Deno.FileInfo): void {
    const may = mode ?? 0;
    if ((may & OTHERS_MAY_WRITE) !== 0) {
      throw this.#refusal(`all users may write ${shown}`, `chmod o-w ${shown}`);
    }
    if ((may & GROUP_MAY_WRITE) !== 0 && !isPrivateGroup(gid ?? ROOT, uid ?? ROOT)) {
      throw this.#refusal(`a group may write ${shown}`, `chmod g-w ${shown}`);
    }
  }

  #refusal(reason: string, remedy: string): UserError {
    const config = this.#config;
    return new UserError(
      `${config}: not taken, since this runs as root, and ${reason}: ${remedy}, ` +
        `or name the file: --config ${config}`,
    );
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Whether a path is a folder or below it. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith("../"));
}
