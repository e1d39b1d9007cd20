import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";
import { UserError } from "../user_error.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import { deviceOfLine, type LineObject, recordOfLine, timeOf } from "./line_records.ts";
import { readKey, type ReadKeys } from "./key_reader.ts";
import { KEYS_AT_A_TIME, MemorySource } from "./memory_source.ts";

/** A line of JSON with a key. */
interface Line extends LineObject {
  readonly key: string;
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
  const reading = new Reading(name, localNetworks);
  try {
    const input = path === "-" ? process.stdin : createReadStream(path);
    const lines = createInterface({ input, crlfDelay: Infinity });
    let count = 0;
    for await (const text of lines) {
      count++;
      if (text.trim() === "") continue;
      const line = parsed(text);
      // The last line of what is still written, or was cut, may be a part of one.
      if (line === null && count === 1) {
        if (path === "-" && text.startsWith("SQLite format 3\0")) {
          throw new UserError("a store can't be read from standard input: name its file");
        }
        throw new UserError(
          `${name}:1: this is neither a store nor a line of JSON as --json writes it`,
        );
      }
      if (line !== null) reading.take(line);
    }
    return reading.finish();
  } catch (error) {
    reading.abandon();
    if (error instanceof UserError || !("code" in (error as Error))) throw error;
    throw new UserError(`${name} can't be read: ${(error as Error).message}`, 1, { cause: error });
  }
}

/** Lines on their way into a store in memory. */
class Reading {
  readonly #name: string;
  readonly #localNetworks: readonly string[];
  #source: MemorySource | null = null;
  #keys: ReadKeys = none();
  #records: ConversationRecord[] = [];
  #devices: DeviceRecord[] = [];
  #recordCount = 0;

  constructor(name: string, localNetworks: readonly string[]) {
    this.#name = name;
    this.#localNetworks = localNetworks;
  }

  take(line: Line): void {
    if (line.type === "end") {
      const record = recordOfLine(line, this.#recordCount + 1);
      if (record !== null) {
        this.#records.push(record);
        this.#recordCount++;
      }
    } else if (line.type === "device") {
      const device = deviceOfLine(line);
      if (device !== null) this.#devices.push(device);
    } else this.#takeKey(line);
    const { observations, names, refusals } = this.#keys;
    const pending = [observations, names, refusals, this.#records, this.#devices];
    if (pending.reduce((sum, { length }) => sum + length, 0) >= KEYS_AT_A_TIME) this.#write();
  }

  finish(): MemorySource {
    this.#write();
    return this.#source!;
  }

  abandon(): void {
    this.#source?.[Symbol.dispose]();
  }

  #takeKey(line: Line): void {
    const { count, by, name, names, protocol } = line;
    const origin = Array.isArray(names) ? names[0]?.from : undefined;
    readKey(line.key, {
      count: typeof count === "number" ? count : 1,
      names: typeof name === "string" ? [name] : [],
      by: typeof by === "string" ? by : "",
      name: typeof name === "string" ? name : null,
      nameOrigin: typeof origin === "string" ? origin : undefined,
      time: timeOf(line.time) ?? undefined,
      protocol: protocol === "tcp" || protocol === "udp" ? protocol : undefined,
    }, this.#keys);
  }

  #write(): void {
    this.#source ??= new MemorySource(this.#name, this.#localNetworks);
    this.#source.write(this.#keys, { records: this.#records, devices: this.#devices });
    this.#keys = none();
    this.#records = [];
    this.#devices = [];
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
