import { CounterWriter } from "./counter_writer.ts";
import { NameWriter } from "./name_writer.ts";
import type { RedisConnection } from "./redis_connection.ts";
import type { RedisTarget } from "./redis_target.ts";
import { Replication } from "./replication.ts";
import type { Writers } from "./write_batches.ts";
import type { WriteOutcome } from "./write_outcome.ts";

/** Says that a server has become a replica. */
const REPLICA = /^READONLY\b/;

/** One server, which has all keys. */
export class RedisServerTarget implements RedisTarget {
  readonly writers: Writers;
  readonly servers: readonly RedisConnection[];
  readonly isPartlyUsable = false;
  readonly #connection: RedisConnection;

  /**
   * @param isMaster Asks whether it is the server to write to, where a replica may take its place: then
   * what was written is there when one of these has it too. `null` where it is on its own.
   */
  constructor(
    connection: RedisConnection,
    isMaster: (() => Promise<boolean>) | null,
    onNoScripts: (reason: string) => void,
  ) {
    this.#connection = connection;
    this.servers = [connection];
    const counters = new CounterWriter(connection, onNoScripts);
    const names = new NameWriter(connection, onNoScripts);
    if (isMaster === null) {
      this.writers = { counters, names };
      return;
    }
    const replication = new Replication(connection, isMaster);
    const confirmed = async (writing: Promise<WriteOutcome>): Promise<WriteOutcome> => {
      const outcome = await writing.catch((error) => {
        throw asReplaced(error);
      });
      await replication.confirm();
      return { ...outcome, fault: outcome.fault && asReplaced(outcome.fault) };
    };
    this.writers = {
      counters: { write: (...given) => confirmed(counters.write(...given)) },
      names: { write: (...given) => confirmed(names.write(...given)) },
    };
  }

  call(command: string[]): Promise<unknown> {
    return this.#connection.call(command);
  }

  async values(
    server: RedisConnection,
    keys: readonly string[],
  ): Promise<(string | null)[]> {
    return await server.call(["MGET", ...keys]) as (string | null)[];
  }

  mend(): Promise<boolean> {
    return Promise.resolve(true);
  }

  set onClosed(listener: (error: Error) => void) {
    this.#connection.onClosed = listener;
  }

  set onPartLost(_: (error: Error, where: string) => void) {}

  destroy(): void {
    this.#connection.destroy();
  }
}

/** One that became a replica does not refuse us for good: another server is the master now. */
function asReplaced(error: Error): Error {
  return REPLICA.test(error.message)
    ? new Error("another server has taken its place", { cause: error })
    : error;
}
