import { createHash } from "node:crypto";
import { type RedisConnection, RedisReplyError } from "./redis_connection.ts";

/** Errors that say that scripts, or one's keys, are not for this user or this server. */
const NO_SCRIPTS = /^NOPERM|^ERR unknown command|^ERR This instance has no script/i;

/** A script that runs on the server: https://redis.io/docs/latest/develop/programmability/eval-intro. */
export class RedisScript {
  readonly #text: string;
  readonly #hash: string;

  /** @param text Lua. */
  constructor(text: string) {
    this.#text = text;
    this.#hash = createHash("sha1").update(text).digest("hex");
  }

  /**
   * Runs it.
   *
   * @throws {RedisReplyError} when it can't be run, or ended with an error.
   * @throws {Error} when there is no answer. It may have run then.
   */
  async run(
    connection: RedisConnection,
    keys: readonly string[],
    values: readonly string[],
  ): Promise<unknown> {
    const command = ["EVALSHA", this.#hash, String(keys.length)].concat(keys, values);
    try {
      return await connection.call(command);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      // EVAL leaves the script in the server's cache, for the next EVALSHA.
      command[0] = "EVAL";
      command[1] = this.#text;
      return await connection.call(command);
    }
  }

  /**
   * Runs it more than once, all in one go. A node of a cluster runs it for keys of one slot alone.
   *
   * @returns For each call its reply, or the error.
   * @throws {Error} when there is no answer for too long.
   */
  async runEach(connection: RedisConnection, calls: readonly ScriptCall[]): Promise<unknown[]> {
    const replies = await this.#pipeline(connection, calls, ["EVALSHA", this.#hash]);
    const unknown = replies.flatMap((reply, i) => isUnknown(reply) ? [i] : []);
    if (unknown.length === 0) return replies;
    const missing = unknown.map((i) => calls[i]);
    const again = await this.#pipeline(connection, missing, ["EVAL", this.#text]);
    unknown.forEach((i, at) => replies[i] = again[at]);
    return replies;
  }

  /** @param first How the first of them is run: EVAL leaves the script there for the others. */
  async #pipeline(
    connection: RedisConnection,
    calls: readonly ScriptCall[],
    first: readonly string[],
  ): Promise<unknown[]> {
    const commands: string[][] = [];
    const places = calls.map(({ keys, values, isAsking }, i) => {
      if (isAsking) commands.push(["ASKING"]);
      const run = i === 0 ? first : ["EVALSHA", this.#hash];
      return commands.push([...run, String(keys.length), ...keys, ...values]) - 1;
    });
    const replies = await connection.pipeline(commands);
    return places.map((place) => replies[place]);
  }
}

/** One of many calls of a script. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly values: readonly string[];
  /** Whether a node of a cluster is asked for keys of a slot that is being moved to it. */
  readonly isAsking: boolean;
}

/** Whether a server says that it does not know the script. */
function isUnknown(reply: unknown): boolean {
  return reply instanceof RedisReplyError && reply.message.startsWith("NOSCRIPT");
}

/** Whether an error says that no script can be run here. */
export function forbidsScripts(error: unknown): error is RedisReplyError {
  return error instanceof RedisReplyError && NO_SCRIPTS.test(error.message);
}
