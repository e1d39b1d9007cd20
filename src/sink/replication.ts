import { type RedisConnection, RedisReplyError } from "./redis_connection.ts";

/** How long, in milliseconds, a replica may take, until it is looked whether there is still one. */
const PATIENCE = 1_000;
/**
 * For how long, in milliseconds, there has been no replica when that is taken for so: one that takes the
 * master's place is none any more, and a moment later everybody knows.
 */
const SETTLED = 3_000;
/** How often, in milliseconds, is asked whether there are replicas. */
const ASK_EVERY = 10_000;
/** Errors that say that this user, or this server, does not wait for replicas. */
const FORBIDDEN = /^NOPERM|^ERR unknown command/i;

/**
 * Whether replicas have what was written to a master. Redis answers before they do, and what they do not
 * have is gone when one of them takes the master's place
 * (https://redis.io/docs/latest/commands/wait/).
 */
export class Replication {
  readonly #connection: RedisConnection;
  readonly #isMaster: () => Promise<boolean>;
  #hasReplicas = false;
  /** Since when there seems to be none. */
  #lackedSince = 0;
  #askAt = 0;

  /** @param isMaster Asks whether the server is still the one to write to, where others know that. */
  constructor(
    connection: RedisConnection,
    isMaster: () => Promise<boolean> = () => Promise.resolve(true),
  ) {
    this.#connection = connection;
    this.#isMaster = isMaster;
  }

  /**
   * Returns when one replica has what was written over the connection up to now, or when there is none
   * that keeps up, or when we may not ask.
   *
   * @throws {Error} when nobody knows whether what was written will stay.
   */
  async confirm(): Promise<void> {
    try {
      if (performance.now() >= this.#askAt) await this.#ask();
      while (this.#hasReplicas) {
        const count = await this.#connection.call(["WAIT", "1", String(PATIENCE)]);
        if (Number(count) > 0) {
          this.#lackedSince = 0;
          return;
        }
        await this.#ask();
        const now = performance.now();
        this.#lackedSince ||= now;
        if (now - this.#lackedSince >= SETTLED) this.#hasReplicas = false;
      }
    } catch (error) {
      if (!(error instanceof RedisReplyError)) throw error;
      // Such as that it has become a replica: it is not the server that refuses us.
      if (!FORBIDDEN.test(error.message)) throw new Error(error.message, { cause: error });
      this.#hasReplicas = false;
      this.#askAt = Infinity;
    }
  }

  async #ask(): Promise<void> {
    this.#askAt = performance.now() + ASK_EVERY;
    const [role, , replicas] = await this.#connection.call(["ROLE"]) as [string, number, unknown[]];
    if (role !== "master" || !await this.#isMaster()) {
      throw new Error("another server has taken its place");
    }
    if (replicas.length > 0) {
      this.#hasReplicas = true;
      this.#lackedSince = 0;
    }
  }
}
