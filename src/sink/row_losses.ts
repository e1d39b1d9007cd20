import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { rowCount, type RowCounts } from "./row_counts.ts";

/** How often losses are said at most, in milliseconds. */
const PAUSE = 60_000;

/** What a place for rows gave up, by kind, and what is said of it. */
export class RowLosses {
  /** What gave them up, to begin lines with. */
  readonly #place: string;
  readonly #log: Log;
  readonly #counts = { records: 0, observations: 0, names: 0 };
  #said = 0;
  #saidAt = -Infinity;

  constructor(place: string, log: Log) {
    this.#place = place;
    this.#log = log;
  }

  get counts(): RowCounts {
    return { ...this.#counts };
  }

  get total(): number {
    return rowCount(this.#counts);
  }

  /** Counts some more. */
  add({ records = 0, observations = 0, names = 0 }: Partial<RowCounts>): void {
    this.#counts.records += records;
    this.#counts.observations += observations;
    this.#counts.names += names;
  }

  /** Says that there are new ones, once a minute at most. @param reason Why they are lost. */
  say(reason: string): void {
    const now = performance.now();
    if (this.total === this.#said || now < this.#saidAt + PAUSE) return;
    this.#said = this.total;
    this.#saidAt = now;
    this.#log.warn(`${this.#place}: ${this.#text()} were lost up to now, as ${reason}`);
  }

  /**
   * Says that the place is written again.
   *
   * @param awaySince When it was not any more, by `performance.now()`.
   * @param before How many were lost by then.
   */
  sayBack(awaySince: number, before: number): void {
    const seconds = Math.round((performance.now() - awaySince) / 1000);
    const lost = this.total - before;
    this.#log.info(
      `${this.#place} is written again after ${seconds} s; ` +
        (lost === 0 ? "nothing was lost" : `${lost} were lost: ${this.#text()} in all`),
    );
    this.#said = this.total;
  }

  /** All of them as an error; `null` if there were none. */
  error(reason: string): UserError | null {
    return this.total === 0
      ? null
      : new UserError(`${this.#place}: ${this.#text()} were lost (${reason})`);
  }

  #text(): string {
    const { records, observations, names } = this.#counts;
    return [[records, "conversations"], [observations, "observations"], [names, "names"]]
      .filter(([count]) => count !== 0).map(([count, what]) => `${count} ${what}`).join(", ");
  }
}
