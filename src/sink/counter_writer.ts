import { COUNTER_SCRIPT } from "./counter_script.ts";
import { type RedisConnection, RedisReplyError } from "./redis_connection.ts";
import { forbidsScripts, RedisScript } from "./redis_script.ts";
import { indexesFrom, KEY_FAULT, outcomeOfScript, type WriteOutcome } from "./write_outcome.ts";

const SCRIPT = new RedisScript(COUNTER_SCRIPT);

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
  async write(keys: string[], counts: string[] | null, ttl: string): Promise<WriteOutcome> {
    if (!this.#usesScripts) return await this.#writeSingly(keys, counts, ttl);
    try {
      const reply = await SCRIPT.run(this.#connection, keys, [ttl].concat(counts ?? []));
      return outcomeOfScript(reply, keys.length);
    } catch (error) {
      if (!forbidsScripts(error)) throw error;
      if (this.#usesScripts) this.#onNoScripts(error.message);
      this.#usesScripts = false;
      return await this.#writeSingly(keys, counts, ttl);
    }
  }

  async #writeSingly(
    keys: string[],
    counts: string[] | null,
    ttl: string,
  ): Promise<WriteOutcome> {
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
      if (!KEY_FAULT.test(error.message)) {
        return { undone: indexesFrom(i, keys.length), refused, reason, fault: error };
      }
      if (refused.length === 0) reason = error.message;
      refused.push(i);
    }
    return { undone: [], refused, reason, fault: null };
  }
}
