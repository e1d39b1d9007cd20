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
      if (!(error instanceof RedisReplyError && error.message.startsWith("NOSCRIPT"))) throw error;
      // EVAL leaves the script in the server's cache, for the next EVALSHA.
      command[0] = "EVAL";
      command[1] = this.#text;
      return await connection.call(command);
    }
  }
}

/** Whether an error says that no script can be run here. */
export function forbidsScripts(error: unknown): error is RedisReplyError {
  return error instanceof RedisReplyError && NO_SCRIPTS.test(error.message);
}
