import type { Log } from "../log.ts";
import {
  type Heartbeat,
  HEARTBEAT_INTERVAL,
  HEARTBEAT_KEPT,
  HEARTBEAT_PREFIX,
} from "./heartbeat.ts";
import { RedisReplyError } from "./redis_connection.ts";
import type { RedisTarget } from "./redis_target.ts";

/** Writes heartbeats to Redis, as long as one is there. */
export class HeartbeatWriter {
  readonly #key: string;
  readonly #name: string;
  readonly #make: (isOver: boolean) => Heartbeat;
  readonly #target: () => RedisTarget | null;
  readonly #log: Log;
  readonly #timer: ReturnType<typeof setInterval>;
  /** The one that was written last; `null` where it is not known whether it was. */
  #last: string | null = null;
  #beating: Promise<void> | null = null;
  #hasSaid = false;

  /**
   * @param name The sensor's.
   * @param target What is written to; `null` while there is nothing.
   */
  constructor(
    name: string,
    make: (isOver: boolean) => Heartbeat,
    target: () => RedisTarget | null,
    log: Log,
  ) {
    this.#key = HEARTBEAT_PREFIX + name;
    this.#name = name;
    this.#make = make;
    this.#target = target;
    this.#log = log;
    this.#timer = setInterval(() => this.beat(), HEARTBEAT_INTERVAL);
    this.beat();
  }

  /** Writes one now, unless one is being written. It does not throw. */
  beat(): Promise<void> {
    return this.#beating ??= this.#beat(false).finally(() => this.#beating = null);
  }

  /** Writes the last one, which says that the sensor was ended. It does not throw. */
  async end(): Promise<void> {
    this.close();
    await this.#beating;
    await this.#beat(true);
  }

  /** Writes no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #beat(isOver: boolean): Promise<void> {
    const target = this.#target();
    if (target === null) return;
    const before = this.#last;
    this.#last = null;
    try {
      const text = JSON.stringify(this.#make(isOver));
      const found = await target.call(["GET", this.#key]);
      if (before !== null && found !== null && found !== before) {
        this.#say(
          "warn",
          `another sensor of the name ${this.#name} writes to this Redis: name each with sensor in ` +
            "its config.ts",
        );
      }
      await target.call(["SET", this.#key, text, "PX", String(HEARTBEAT_KEPT)]);
      this.#last = text;
    } catch (error) {
      // That Redis is away is said where keys are written.
      if (!(error instanceof RedisReplyError && /^NOPERM/.test(error.message))) return;
      this.#say(
        "info",
        `Redis does not let us write ${this.#key}: "flosensor sensors" will not list us`,
      );
    }
  }

  #say(level: "warn" | "info", message: string): void {
    if (this.#hasSaid) return;
    this.#hasSaid = true;
    this.#log[level](message);
  }
}
