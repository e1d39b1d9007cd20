/*
 * node:sqlite says what is wrong in SQLite's own words alone, those of sqlite3_errstr(). They are in
 * SQLite's source since 2004 and are in English everywhere.
 */

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGE = /database disk image is malformed|file is not a database|malformed database schema/;
/** SQLITE_FULL. */
const FULL = /database or disk is full/;

/** SQLITE_IOERR, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_NOMEM. */
const PASSING =
  /disk I\/O error|database (table )?is locked|unable to open database|readonly database|access permission denied|out of memory/;

/** Whether another try may go well, when somebody has mended something or another process is ready. */
export function isPassing(error: unknown): boolean {
  return FULL.test(String(error)) || PASSING.test(String(error));
}

/** Whether SQLite found that a file is no database, or a damaged one. */
export function isDamage(error: unknown): boolean {
  return DAMAGE.test(String(error));
}

/** What SQLite says is wrong, in the words of those who run the program. */
export function sqliteReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return FULL.test(message) ? "the disk is full" : message;
}
