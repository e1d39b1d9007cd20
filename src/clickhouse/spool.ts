import { join } from "node:path";
import { UserError } from "../user_error.ts";
import { decodeBatch, encodeBatch, type RowBatch } from "./row_batch.ts";

const ENDING = ".rows";
/** What is being written. */
const UNFINISHED = ".part";
/** A file that is not there yet, and no link to one. Names of clients and servers are nobody else's. */
const NEW = { createNew: true, mode: 0o600 };
/** Others than the owner and the group may write, inode(7). */
const S_IWOTH = 0o002;

/** Batches on disk that wait for a ClickHouse, a file each, up to so many bytes. */
export class Spool {
  readonly folder: string;
  readonly mostBytes: number;
  /** Names of batches with the sizes of their files, the oldest first. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  /**
   * Opens a folder, and makes it if it is not there. What a run before has left there is there again.
   *
   * @throws {UserError} when it can't be used.
   */
  constructor(folder: string, mostBytes: number, place: string) {
    this.folder = folder;
    this.mostBytes = mostBytes;
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      // Whoever may write there has rows of theirs inserted, and can put links in the way.
      if ((Deno.statSync(folder).mode! & S_IWOTH) !== 0) {
        throw new UserError(`${place}: ${folder}: all users may write there: chmod o-w ${folder}`);
      }
      const files = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile);
      for (const name of files.map(({ name }) => name).sort()) {
        const path = join(folder, name);
        if (name.endsWith(UNFINISHED)) Deno.removeSync(path);
        if (!name.endsWith(ENDING)) continue;
        this.#set(name.slice(0, -ENDING.length), Deno.statSync(path).size);
      }
      const trial = join(folder, `trial${UNFINISHED}`);
      Deno.writeFileSync(trial, new Uint8Array(), NEW);
      Deno.removeSync(trial);
    } catch (error) {
      if (error instanceof UserError) throw error;
      const reason = error instanceof Deno.errors.NotCapable
        ? "no permission to write there: name a folder in /var/lib/flosensor, or run with " +
          `--allow-write=${folder}`
        : `${(error as Error).message.split(":")[0]}: may this user write there?`;
      throw new UserError(`${place}: ${folder}: ${reason}`, 1, { cause: error });
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#sizes.size === 0;
  }

  /** Whether a batch is in it. */
  has(name: string): boolean {
    return this.#sizes.has(name);
  }

  /** @returns Whether there was room for it: within the bound, and on the disk. */
  put(batch: RowBatch): boolean {
    const bytes = encodeBatch(batch);
    if (this.#bytes + bytes.length > this.mostBytes) return false;
    const unfinished = join(this.folder, batch.name + UNFINISHED);
    try {
      Deno.writeFileSync(unfinished, bytes, NEW);
      Deno.renameSync(unfinished, this.#path(batch.name));
    } catch {
      try {
        Deno.removeSync(unfinished);
      } catch {
        // It is not there.
      }
      return false;
    }
    this.#set(batch.name, bytes.length);
    return true;
  }

  /** The oldest batch; one that can't be read is removed, and passed over. */
  oldest(): RowBatch | null {
    for (const name of [...this.#sizes.keys()]) {
      try {
        const batch = decodeBatch(name, Deno.readFileSync(this.#path(name)));
        if (batch !== null) return batch;
      } catch {
        // Somebody took it away.
      }
      this.remove(name);
    }
    return null;
  }

  remove(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
    try {
      Deno.removeSync(this.#path(name));
    } catch {
      // Somebody took it away.
    }
  }

  #set(name: string, size: number): void {
    this.#sizes.set(name, size);
    this.#bytes += size;
  }

  #path(name: string): string {
    return join(this.folder, name + ENDING);
  }
}
