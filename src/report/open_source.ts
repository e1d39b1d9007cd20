import type { PasswordSource } from "../sink/password_source.ts";
import { UserError } from "../user_error.ts";
import { openStoreFile } from "./open_store_file.ts";
import type { ReportSource } from "./report_source.ts";

/** What a file of SQLite begins with. */
const MAGIC = "SQLite format 3\0";
const CLICKHOUSE_FORM = /^https?:/;
const URL_FORM = /^(rediss?(-cluster|-sentinel)?|unix|redis\+unix|redis\+socket|redis-socket):/;

/** What the user named, and where. */
export interface NamedSource {
  readonly name: string;
  readonly place: string;
  /** Where the name is the URL of a Redis, or of a ClickHouse. */
  readonly passwordFile?: PasswordSource;
}

/**
 * What of a ClickHouse is read: what was seen since a time, or in so many milliseconds up to the last
 * thing that was seen.
 */
export type ReadPeriod = { readonly since: number } | { readonly latest: number };

/**
 * Opens what a report is made from: a Redis or a ClickHouse by its URL, a store, or lines of JSON, by what the file
 * begins with.
 *
 * @param localNetworks Own networks, for what does not know which they are.
 * @param period What of a ClickHouse is read; `null` for all.
 * @throws {UserError} when it can't be read.
 */
export async function openSource(
  { name, place, passwordFile }: NamedSource,
  localNetworks: readonly string[],
  period: ReadPeriod | null = null,
): Promise<ReportSource> {
  if (CLICKHOUSE_FORM.test(name)) {
    const { readClickHouse } = await import("./clickhouse_source.ts");
    return await readClickHouse(name, place, passwordFile, localNetworks, period);
  }
  if (URL_FORM.test(name)) {
    const { readRedis } = await import("./redis_source.ts");
    return await readRedis(name, place, passwordFile, localNetworks);
  }
  if (name === "-" || isText(name)) {
    const { readJsonLines } = await import("./json_lines_source.ts");
    return await readJsonLines(name, localNetworks);
  }
  return openStoreFile(name);
}

/** Whether a file is there, has something in it, and is no database. */
function isText(path: string): boolean {
  try {
    if (!Deno.statSync(path).isFile) return false;
    using file = Deno.openSync(path);
    const head = new Uint8Array(MAGIC.length);
    const length = file.readSync(head) ?? 0;
    const text = new TextDecoder("latin1").decode(head.subarray(0, length));
    return length > 0 && text !== MAGIC;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new UserError(`${path} can't be read: ${(error as Error).message}`, 1, { cause: error });
  }
}
