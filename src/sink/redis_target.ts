import type { RedisConnection } from "./redis_connection.ts";
import type { Writers } from "./write_batches.ts";

/** What keys are written to and read from: one server, or the nodes of a cluster. */
export interface RedisTarget {
  readonly writers: Writers;
  /** Connections to all servers that hold keys. */
  readonly servers: readonly RedisConnection[];
  /** Whether some keys can be written while others can't. */
  readonly isPartlyUsable: boolean;

  /**
   * Sends a command about one key, `command[1]`, to where that is.
   *
   * @throws {RedisReplyError} when the answer is an error.
   * @throws {Error} when there is no answer.
   */
  call(command: string[]): Promise<unknown>;

  /**
   * The values of keys that a server of {@linkcode RedisTarget.servers} holds; `null` for those that are
   * gone, and for what is no string.
   */
  values(server: RedisConnection, keys: readonly string[]): Promise<(string | null)[]>;

  /**
   * Looks for what can't be used.
   *
   * @returns Whether there is something for each key.
   * @throws {Error} when nothing can be used any more.
   */
  mend(): Promise<boolean>;

  /** Says once when nothing can be used any more, other than by {@linkcode RedisTarget.destroy}. */
  set onClosed(listener: (error: Error) => void);

  /** Says each time when a part can't be used any more. */
  set onPartLost(listener: (error: Error, where: string) => void);

  /** Ends all connections at once. */
  destroy(): void;
}
