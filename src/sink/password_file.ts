import { UserError } from "../user_error.ts";
import type { PasswordSource } from "./password_source.ts";

/** Permission of all other users to read, chmod(1). */
const OTHERS_MAY_READ = 0o004;
/** More than any password has: the file is another one, then. */
const MOST_BYTES = 4096;

/** A file whose first line is the password of a Redis. */
export class PasswordFile implements PasswordSource {
  readonly place: string;
  readonly path: string;
  readonly isFallback = false;
  #last: string | null = null;

  /** Reads nothing yet. */
  constructor(path: string, place: string) {
    this.path = path;
    this.place = place;
  }

  /**
   * What it has now. Where it can't be read any more, such as after `--user`, what it had last.
   *
   * @throws {UserError} when it can't be read, when others may read it too, or when it has no password.
   */
  read(): string {
    try {
      this.#last = passwordIn(this.path, this.place);
    } catch (error) {
      if (this.#last === null || !(error instanceof UserError)) throw error;
    }
    return this.#last;
  }
}

function passwordIn(path: string, place: string): string {
  const fail = (what: string, remedy: string): never => {
    throw new UserError(`${place}: ${path}: ${what}: ${remedy}`);
  };
  const noFile = ["this is no file", "name one whose first line is the password"] as const;
  let file: Deno.FsFile;
  try {
    // To open a pipe that nobody writes to would wait for ever, and a capture with it.
    if (!Deno.statSync(path).isFile) return fail(...noFile);
    file = Deno.openSync(path, { read: true });
  } catch (error) {
    if (error instanceof UserError) throw error;
    return fail(...whyNotOpened(error, path));
  }
  try {
    // Of what was opened, whatever the name stands for by now.
    const { isFile, mode } = file.statSync();
    if (!isFile) return fail(...noFile);
    if (((mode ?? 0) & OTHERS_MAY_READ) !== 0) {
      return fail("all users may read this password", `chmod o-r ${path}`);
    }
    const bytes = new Uint8Array(MOST_BYTES);
    let length = 0;
    for (let count; (count = file.readSync(bytes.subarray(length))) !== null && count > 0;) {
      length += count;
    }
    const [line, ...others] = new TextDecoder().decode(bytes.subarray(0, length)).split("\n");
    if (others.length === 0 && length === MOST_BYTES) {
      return fail("its first line is no password, so long is it", "check the name");
    }
    const password = line.replace(/\r$/, "");
    return password === "" ? fail("its first line is empty", "write the password there") : password;
  } finally {
    file.close();
  }
}

function whyNotOpened(error: unknown, path: string): [what: string, remedy: string] {
  if (error instanceof Deno.errors.NotFound) return ["there is no such file", "check the name"];
  if (error instanceof Deno.errors.NotCapable) {
    return ["flosensor may not read it", `run it with --allow-read=${path}`];
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return ["permission denied", "make it readable for the user that runs flosensor"];
  }
  return [(error as Error).message.split("\n")[0], "the file can't be read"];
}
