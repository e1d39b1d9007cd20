import { DatabaseSync } from "node:sqlite";
import { UserError } from "../user_error.ts";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";
import { isDamage, sqliteReason } from "./sqlite_error.ts";

/** What a file of SQLite begins with (https://sqlite.org/fileformat2.html, "The Database Header"). */
const MAGIC = "SQLite format 3\0";
/** What saved captures begin with: pcap in both orders of bytes and resolutions, pcapng; gzip, zstd. */
const CAPTURES = ["d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "0a0d0d0a", "1f8b08", "28b52ffd"];
/** How long, in milliseconds, another writer may keep the file locked. */
const BUSY_PATIENCE = 5_000;
/** Memory for pages, in KiB, and how much of `FILE-wal` is kept for use again, in bytes. */
const CACHE_KIBIBYTES = 8_192;
const WAL_BYTES = 16 * 1024 * 1024;
const TABLES = ["run", "service", "usage", "slice", "name", "alias", "refusal", "volume"];

/** A store that is open for writing. */
export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** Where a damaged file was put; `null` where there was none. */
  readonly damaged: string | null;
}

/**
 * Opens a store for writing; makes the file if it is not there, and brings it to the present schema. A
 * damaged file is put aside, and a new one made.
 *
 * @throws {UserError} when the file is something else, or of a newer flosensor.
 * @throws {Error} SQLite's, when the file can't be opened or written to.
 */
export function openDatabase(path: string): OpenedDatabase {
  refuseOther(path);
  try {
    return { database: openWhole(path), damaged: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  const damaged = putAside(path);
  return { database: openWhole(path), damaged };
}

/**
 * Renames a damaged file and what belongs to it.
 *
 * @returns Its new name.
 */
export function putAside(path: string): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  let aside = `${path}.damaged-${time}`;
  for (let number = 2; exists(aside); number++) aside = `${path}.damaged-${time}-${number}`;
  Deno.renameSync(path, aside);
  // What is in the log belongs to the damaged file, and would make the new one another of its kind.
  if (exists(`${path}-wal`)) Deno.renameSync(`${path}-wal`, `${aside}-wal`);
  if (exists(`${path}-shm`)) Deno.removeSync(`${path}-shm`);
  return aside;
}

/**
 * Has a file that was removed or renamed be whole, and leaves nothing that would be taken for a part of
 * the next one of its name. It is to be closed then.
 */
export function leaveMoved(database: DatabaseSync, path: string): void {
  try {
    // The log keeps its name, and may be read by others still: it is empty then.
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // There is no room for it, say; it belongs to nothing now.
  }
  if (exists(path)) return;
  for (const end of ["-wal", "-shm"]) if (exists(path + end)) Deno.removeSync(path + end);
}

function openWhole(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_PATIENCE}`);
    refuseForeign(database, path);
    // They can't be changed later: the first is of the file's layout.
    database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = ` +
        `-${CACHE_KIBIBYTES}; PRAGMA journal_size_limit = ${WAL_BYTES}; PRAGMA temp_store = MEMORY`,
    );
    migrate(database);
    // Damage that is only found later is dealt with later. This finds that of the tables' roots.
    for (const table of TABLES) database.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
    database.prepare("SELECT max(id) FROM slice").get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** @throws {UserError} when the file is of another program, or of a newer flosensor. */
function refuseForeign(database: DatabaseSync, path: string): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (isEmpty && id === 0) return;
  if (id !== APPLICATION_ID) {
    throw new UserError(`${path} is a SQLite database of another program: name another file`);
  }
  if (version > SCHEMA_VERSION) {
    throw new UserError(
      `${path} is of a newer flosensor (schema ${version}, this one has ${SCHEMA_VERSION}): ` +
        "name another file, or update",
    );
  }
}

function migrate(database: DatabaseSync): void {
  if (pragma(database, "user_version") === SCHEMA_VERSION) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have done it while this one waited.
    for (let at = pragma(database, "user_version"); at < SCHEMA_VERSION; at++) {
      database.exec(MIGRATIONS[at]);
      database.exec(`PRAGMA user_version = ${at + 1}`);
    }
    database.exec("COMMIT");
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** Ends a transaction that failed, of which SQLite may have made an end itself. */
export function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch (error) {
    if (!sqliteReason(error).includes("no transaction is active")) throw error;
  }
}

/** The value of one of SQLite's settings that is a number. */
export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/** @throws {UserError} when the file is no database, and not a damaged one either. */
function refuseOther(path: string): void {
  const head = headOf(path);
  if (head === null || head.length === 0) return;
  if (new TextDecoder("latin1").decode(head.subarray(0, MAGIC.length)) === MAGIC) return;
  const hex = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (CAPTURES.some((magic) => hex.startsWith(magic))) {
    throw new UserError(`${path} is a saved capture, and no store: name another file`);
  }
  // No damage makes that: somebody named config.ts, or what --json wrote.
  if (isText(head)) throw new UserError(`${path} is a text, and no store: name another file`);
}

/** Whether what a file begins with is UTF-8 of which nothing controls a terminal but ends of lines and tabs. */
function isText(head: Uint8Array): boolean {
  if (head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) {
    return false;
  }
  try {
    // The last character may be cut off.
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function headOf(path: string): Uint8Array | null {
  try {
    if (Deno.statSync(path).isDirectory) {
      throw new UserError(`${path} is a folder: name a file in it`);
    }
    using file = Deno.openSync(path);
    const head = new Uint8Array(MAGIC.length);
    return head.subarray(0, file.readSync(head) ?? 0);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return null;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
