import { DatabaseSync } from "node:sqlite";
import { pragma } from "../store/open_database.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "../store/schema.ts";
import { isDamage, sqliteReason } from "../store/sqlite_error.ts";
import { UserError } from "../user_error.ts";
import type { ReportSource } from "./report_source.ts";

/** How long, in milliseconds, a writer may keep the file locked: only when it is made or closed. */
const BUSY_PATIENCE = 5_000;
/** Memory for pages, in KiB. */
const CACHE_KIBIBYTES = 32_768;

/**
 * Opens a store for reading. A sensor may write it at the same time.
 *
 * @throws {UserError} when it can't be read, or is none.
 */
export function openStoreFile(path: string): ReportSource {
  try {
    if (!Deno.statSync(path).isFile) throw new UserError(`${path} is no file`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`${path}: there is no such file; flosensor capture --store makes it`);
    }
    throw new UserError(`${path} can't be read: ${(error as Error).message}`, 1, { cause: error });
  }
  return explained(path, () => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.exec(
        `PRAGMA busy_timeout = ${BUSY_PATIENCE}; PRAGMA cache_size = -${CACHE_KIBIBYTES}; ` +
          "PRAGMA temp_store = MEMORY",
      );
      requireStore(database, path);
      return {
        database,
        name: path,
        hasFigures: true,
        isCopy: false,
        [Symbol.dispose]: () => database.close(),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/**
 * Reads something of a store.
 *
 * @throws {UserError} when SQLite can't.
 */
export function explained<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    // Everything else that is thrown is a defect.
    if ((error as { code?: unknown }).code !== "ERR_SQLITE_ERROR") throw error;
    const advice = isDamage(error)
      ? `it is damaged; "sqlite3 ${path} .recover" gets out what can be, and capture --store begins a new one`
      : `${sqliteReason(error)}; who reads it must be permitted to write in its folder, unless ` +
        "a sensor has it open or has closed it";
    throw new UserError(`${path} can't be read: ${advice}`, 1, { cause: error });
  }
}

function requireStore(database: DatabaseSync, path: string): void {
  if (pragma(database, "application_id") !== APPLICATION_ID) {
    throw new UserError(`${path} is no store of flosensor`);
  }
  const version = pragma(database, "user_version");
  if (version === SCHEMA_VERSION) return;
  throw new UserError(
    version < SCHEMA_VERSION
      ? `${path} is of an older flosensor; capture or replay --store ${path} brings it up to date`
      : `${path} is of a newer flosensor: update this one`,
  );
}
