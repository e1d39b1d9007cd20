import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";
import { UserError } from "../user_error.ts";
import { readKey, type ReadKeys } from "./key_reader.ts";
import { KEYS_AT_A_TIME, MemorySource } from "./memory_source.ts";

/** What a line may say. */
interface Line {
  readonly key: string;
  readonly count?: unknown;
  readonly by?: unknown;
  readonly name?: unknown;
  readonly names?: unknown;
}

/**
 * Reads what `--json` writes.
 *
 * @param path A file, or "-" for standard input.
 * @throws {UserError} for a file that can't be read, or has no such line.
 */
export async function readJsonLines(
  path: string,
  localNetworks: readonly string[],
): Promise<MemorySource> {
  const name = path === "-" ? "standard input" : path;
  const source = new MemorySource(name, localNetworks);
  try {
    const input = path === "-" ? process.stdin : createReadStream(path);
    const lines = createInterface({ input, crlfDelay: Infinity });
    let keys = none();
    let count = 0;
    for await (const text of lines) {
      count++;
      if (text.trim() === "") continue;
      const line = parsed(text);
      // The last line of what is still written, or was cut, may be a part of one.
      if (line === null && count === 1) {
        throw new UserError(
          `${name}:1: this is neither a store nor a line of JSON as --json writes it`,
        );
      }
      if (line === null) continue;
      const { by, name: said, names } = line;
      const origin = Array.isArray(names) ? names[0]?.from : undefined;
      readKey(line.key, {
        count: typeof line.count === "number" ? line.count : 1,
        names: typeof said === "string" ? [said] : [],
        by: typeof by === "string" ? by : "",
        name: typeof said === "string" ? said : null,
        nameOrigin: typeof origin === "string" ? origin : undefined,
      }, keys);
      if (keys.observations.length + keys.names.length + keys.refusals.length < KEYS_AT_A_TIME) {
        continue;
      }
      source.write(keys);
      keys = none();
    }
    source.write(keys);
    return source;
  } catch (error) {
    source[Symbol.dispose]();
    if (error instanceof UserError || !("code" in (error as Error))) throw error;
    throw new UserError(`${name} can't be read: ${(error as Error).message}`, 1, { cause: error });
  }
}

function none(): ReadKeys {
  return { observations: [], refusals: [], names: [] };
}

function parsed(text: string): Line | null {
  try {
    const line = JSON.parse(text);
    return typeof line?.key === "string" ? line : null;
  } catch {
    return null;
  }
}
