import { MOST_VALUE_BYTES, NAME_SCRIPT } from "./name_script.ts";
import type { PendingName } from "./pending_names.ts";
import { type RedisConnection, RedisReplyError } from "./redis_connection.ts";
import { forbidsScripts, RedisScript } from "./redis_script.ts";
import { indexesFrom, KEY_FAULT, outcomeOfScript, type WriteOutcome } from "./write_outcome.ts";

const SCRIPT = new RedisScript(NAME_SCRIPT);
/** How often a transaction is tried into which other writers come: they are few. */
const MOST_ATTEMPTS = 20;

/**
 * Writes batches of keys with names over one connection: by a script, or where scripts are not
 * permitted by transactions that watch the keys.
 */
export class NameWriter {
  readonly #connection: RedisConnection;
  readonly #onNoScripts: (reason: string) => void;
  #usesScripts = true;
  /** The last transaction: what a connection watches ends with any of them. */
  #transaction: Promise<unknown> = Promise.resolve();

  /** @param onNoScripts Is told once why scripts can't be used. */
  constructor(connection: RedisConnection, onNoScripts: (reason: string) => void) {
    this.#connection = connection;
    this.#onNoScripts = onNoScripts;
  }

  /**
   * Appends each name to its key's value unless it is there already, raises counters, and sets the
   * time to live.
   *
   * @param ttl In seconds.
   * @throws {RedisReplyError} when the server refuses all of them.
   * @throws {Error} when there is no answer. All, some or none were written then.
   */
  async write(writes: readonly PendingName[], ttl: string): Promise<WriteOutcome> {
    if (!this.#usesScripts) return await this.#writeInTurn(writes, ttl);
    const keys = writes.map(({ key }) => key);
    const values = writes.map(({ name, count }) => name ?? String(count));
    try {
      const reply = await SCRIPT.run(this.#connection, keys, [ttl, ...values]);
      return outcomeOfScript(reply, writes.length);
    } catch (error) {
      if (!forbidsScripts(error)) throw error;
      if (this.#usesScripts) this.#onNoScripts(error.message);
      this.#usesScripts = false;
      return await this.#writeInTurn(writes, ttl);
    }
  }

  async #writeInTurn(writes: readonly PendingName[], ttl: string): Promise<WriteOutcome> {
    const outcome = this.#transaction.then(() => this.#attempt(writes, ttl));
    this.#transaction = outcome.catch(() => {});
    return await outcome;
  }

  async #attempt(writes: readonly PendingName[], ttl: string): Promise<WriteOutcome> {
    const keys = [...new Set(writes.map(({ key }) => key))];
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const [watched, values] = await this.#connection.pipeline([
        ["WATCH", ...keys],
        ["MGET", ...keys],
      ]);
      for (const reply of [watched, values]) if (reply instanceof Error) throw reply;
      const before = new Map(keys.map((key, i) => [key, (values as (string | null)[])[i] ?? ""]));
      const commands = commandsFor(writes, before, ttl);
      const replies = await this.#connection.pipeline([["MULTI"], ...commands, ["EXEC"]]);
      const results = replies.at(-1);
      if (results instanceof Error) throw replies.find((reply) => reply instanceof Error);
      // Somebody else wrote one of the keys since we looked at it.
      if (results === null) continue;
      return outcomeOf(results as unknown[], writes.length);
    }
    throw new Error("other writers change the same keys all the time");
  }
}

/** Two commands for each write. */
function commandsFor(
  writes: readonly PendingName[],
  values: Map<string, string>,
  ttl: string,
): string[][] {
  return writes.flatMap(({ key, name, count }) => {
    const expire = ["EXPIRE", key, ttl];
    if (name === null) return [["INCRBY", key, String(count)], expire];
    const value = values.get(key)!;
    const entry = `;${name};`;
    const isThere = value.includes(entry) || value.length + entry.length > MOST_VALUE_BYTES;
    if (!isThere) values.set(key, value + entry);
    // An empty text changes nothing, and complains of a key that is no string all the same.
    return [["APPEND", key, isThere ? "" : entry], expire];
  });
}

function outcomeOf(results: readonly unknown[], writes: number): WriteOutcome {
  const refused: number[] = [];
  let reason = "";
  for (let i = 0; i < writes; i++) {
    const error = [results[2 * i], results[2 * i + 1]].find((it) => it instanceof Error);
    if (error === undefined) continue;
    const fault = new RedisReplyError((error as Error).message);
    if (!KEY_FAULT.test(fault.message)) {
      return { undone: indexesFrom(i, writes), refused, reason, fault };
    }
    if (refused.length === 0) reason = fault.message;
    refused.push(i);
  }
  return { undone: [], refused, reason, fault: null };
}
