import { createHash } from "node:crypto";
import { COUNTER_SCRIPT } from "./counter_script.ts";
import { type RedisConnection, RedisReplyError } from "./redis_connection.ts";

/** What became of a batch of counters. */
export interface CounterOutcome {
  /** How many of them, from the first on, were written or refused. The rest may be tried again. */
  readonly done: number;
  /** Indexes of those that were refused because of what they hold or are called. */
  readonly refused: readonly number[];
  /** Why the first of them was. */
  readonly reason: string;
  /** The error that ended the batch, or `null`. It concerns all keys. */
  readonly fault: RedisReplyError | null;
}

const SCRIPT_HASH = createHash("sha1").update(COUNTER_SCRIPT).digest("hex");

/** Errors that concern one key. The script has the same list. */
const KEY_FAULT = /WRONGTYPE|not an integer|overflow|access one of the keys|access a key/;

/** Errors that say that scripts, or this one's keys, are not for this user or this server. */
const NO_SCRIPTS = /^NOPERM|^ERR unknown command|^ERR This instance has no script/i;

/**
 * Writes batches of counters over one connection: by a script, or where scripts are not permitted
 * by single commands.
 */
export class CounterWriter {
  readonly #connection: RedisConnection;
  readonly #onNoScripts: (reason: string) => void;
  #usesScripts = true;

  /** @param onNoScripts Is told once why scripts can't be used. */
  constructor(connection: RedisConnection, onNoScripts: (reason: string) => void) {
    this.#connection = connection;
    this.#onNoScripts = onNoScripts;
  }

  /**
   * Raises each key and sets its time to live.
   *
   * @param counts By how much each is raised, or `null` for 1.
   * @param ttl In seconds.
   * @throws {RedisReplyError} when the server refuses all of them.
   * @throws {Error} when there is no answer. All, some or none of the keys were written then.
   */
  async write(keys: string[], counts: string[] | null, ttl: string): Promise<CounterOutcome> {
    if (!this.#usesScripts) return await this.#writeSingly(keys, counts, ttl);
    try {
      return outcomeOf(await this.#runScript(keys, counts, ttl), keys.length);
    } catch (error) {
      if (!(error instanceof RedisReplyError && NO_SCRIPTS.test(error.message))) throw error;
      if (this.#usesScripts) this.#onNoScripts(error.message);
      this.#usesScripts = false;
      return await this.#writeSingly(keys, counts, ttl);
    }
  }

  async #runScript(keys: string[], counts: string[] | null, ttl: string): Promise<unknown> {
    const command = ["EVALSHA", SCRIPT_HASH, String(keys.length)].concat(keys, ttl, counts ?? []);
    try {
      return await this.#connection.call(command);
    } catch (error) {
      if (!(error instanceof RedisReplyError && error.message.startsWith("NOSCRIPT"))) throw error;
      // EVAL leaves the script in the server's cache, for the next EVALSHA.
      command[0] = "EVAL";
      command[1] = COUNTER_SCRIPT;
      return await this.#connection.call(command);
    }
  }

  async #writeSingly(
    keys: string[],
    counts: string[] | null,
    ttl: string,
  ): Promise<CounterOutcome> {
    const commands: string[][] = [];
    for (let i = 0; i < keys.length; i++) {
      commands.push(["INCRBY", keys[i], counts?.[i] ?? "1"], ["EXPIRE", keys[i], ttl]);
    }
    const replies = await this.#connection.pipeline(commands);
    const refused: number[] = [];
    let reason = "";
    for (let i = 0; i < keys.length; i++) {
      const error = [replies[2 * i], replies[2 * i + 1]].find((it) => it instanceof Error);
      if (error === undefined) continue;
      if (!(error instanceof RedisReplyError)) throw error;
      if (!KEY_FAULT.test(error.message)) return { done: i, refused, reason, fault: error };
      if (refused.length === 0) reason = error.message;
      refused.push(i);
    }
    return { done: keys.length, refused, reason, fault: null };
  }
}

function outcomeOf(reply: unknown, keys: number): CounterOutcome {
  if (reply === 0) return { done: keys, refused: [], reason: "", fault: null };
  const [done, fault, reason, positions] = reply as [number, string, string, number[]];
  return {
    done,
    refused: positions.map((position) => position - 1),
    reason,
    fault: fault === "" ? null : new RedisReplyError(fault),
  };
}
