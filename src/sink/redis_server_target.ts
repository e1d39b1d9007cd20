import { CounterWriter } from "./counter_writer.ts";
import { NameWriter } from "./name_writer.ts";
import type { RedisConnection } from "./redis_connection.ts";
import type { RedisTarget } from "./redis_target.ts";
import { Replication } from "./replication.ts";
import type { Writers } from "./write_batches.ts";

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
    const confirmed = async <Outcome>(writing: Promise<Outcome>): Promise<Outcome> => {
      const outcome = await writing;
      await replication.confirm();
      return outcome;
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
