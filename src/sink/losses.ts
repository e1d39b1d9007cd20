import type { Log } from "../log.ts";

/** How soon after the first loss that is said, in milliseconds: few come alone. */
const FIRST_PAUSE = 1_000;
/** How often losses are said at most, in milliseconds. */
const PAUSE = 60_000;

interface Loss {
  count: number;
  /** What is known more of why, when it happened last. */
  detail: string;
}

/**
 * What a sink gave up: counted by reason, and said when it happens, in a line a minute at most, as
 * what is only said at the end comes too late for whoever could mend it.
 */
export class Losses {
  readonly #place: string;
  readonly #things: string;
  readonly #log: Log | null;
  readonly #all = new Map<string, Loss>();
  /** What was not said yet. */
  readonly #unsaid = new Map<string, Loss>();
  #total = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saidAt = -Infinity;

  /**
   * @param place What gave them up, to begin lines with: `standard output`.
   * @param things What they are, in the plural: `lines`.
   * @param log Where they are said; `null` for nowhere before the end.
   */
  constructor(place: string, things: string, log: Log | null) {
    this.#place = place;
    this.#things = things;
    this.#log = log;
  }

  /** How many there were. */
  get total(): number {
    return this.#total;
  }

  /**
   * Counts some.
   *
   * @param reason Why they were lost; one of few.
   * @param detail What is known more of that, such as the words of a server.
   */
  add(count: number, reason: string, detail = ""): void {
    if (count === 0) return;
    this.#total += count;
    for (const losses of [this.#all, this.#unsaid]) {
      const loss = losses.get(reason);
      if (loss === undefined) losses.set(reason, { count, detail });
      else {
        loss.count += count;
        loss.detail = detail;
      }
    }
    if (this.#log === null || this.#timer !== undefined) return;
    const pause = Math.max(FIRST_PAUSE, this.#saidAt + PAUSE - performance.now());
    this.#timer = setTimeout(() => this.#say(), pause);
    Deno.unrefTimer(this.#timer);
  }

  /** All of them and why, as a sentence; `null` if there were none. */
  text(): string | null {
    return this.#total === 0
      ? null
      : `${this.#place}: ${this.#total} ${this.#things} were lost (${reasonsText(this.#all)})`;
  }

  /** Notes that those for this reason were said otherwise, such as with an example. */
  noteSaid(reason: string): void {
    this.#unsaid.delete(reason);
    this.#saidAt = performance.now();
    if (this.#unsaid.size === 0) this.close();
  }

  /** Says no more by itself. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #say(): void {
    const count = [...this.#unsaid.values()].reduce((sum, loss) => sum + loss.count, 0);
    const [more, inAll] = count === this.#total ? ["", ""] : [" more", `; ${this.#total} in all`];
    this.#log?.warn(
      `${this.#place}: ${count}${more} ${this.#things} were lost ` +
        `(${reasonsText(this.#unsaid)})${inAll}`,
    );
    this.#unsaid.clear();
    this.#saidAt = performance.now();
    this.close();
  }
}

function reasonsText(losses: ReadonlyMap<string, Loss>): string {
  return [...losses].map(([reason, { count, detail }]) =>
    `${count}: ${reason}${detail === "" ? "" : `: ${detail}`}`
  ).join("; ");
}
