import type { Log } from "../log.ts";

/** A line of one kind is written at most so often, in milliseconds. */
const PAUSE = 60_000;

interface Kind {
  /** On the clock of `performance.now()`. */
  saidAt: number;
  /** How many came since then. */
  unsaid: number;
}

/** Complaints about what others send, of which there may be any number: a line of a kind a minute. */
export class Complaints {
  readonly #log: Log;
  readonly #clock: () => number;
  readonly #kinds = new Map<string, Kind>();

  /** @param clock In milliseconds. */
  constructor(log: Log, clock: () => number = () => performance.now()) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Says it, or counts it where one of its kind was said less than a minute ago.
   *
   * @param kind One of few.
   */
  say(kind: string, message: string): void {
    const now = this.#clock();
    const before = this.#kinds.get(kind);
    if (before !== undefined && now - before.saidAt < PAUSE) {
      before.unsaid++;
      return;
    }
    const more = before === undefined || before.unsaid === 0
      ? ""
      : ` (and ${before.unsaid} more like this since the last such line)`;
    this.#kinds.set(kind, { saidAt: now, unsaid: 0 });
    this.#log.warn(message + more);
  }
}
