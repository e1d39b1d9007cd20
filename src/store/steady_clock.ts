/** A clock is believed at once that went on by no more than that beside what has passed, in milliseconds. */
const LEAP = 3_600_000;
/** One that leapt further is believed when it has stayed there so long, in milliseconds. */
const TRUSTED_AFTER = 86_400_000;

/**
 * The machine's clock for what drops data for its age: were it set years on by mistake, all would be too
 * old at once, and putting it right would bring nothing back. A machine that was suspended, or whose
 * clock was set right at last, is believed a day later.
 */
export class SteadyClock {
  readonly #clock: () => number;
  readonly #elapsed: () => number;
  #believed: number;
  #believedAt: number;

  /**
   * @param clock Milliseconds since 1970-01-01 UTC.
   * @param elapsed Milliseconds on a clock that is never set.
   */
  constructor(clock = () => Date.now(), elapsed = () => performance.now()) {
    this.#clock = clock;
    this.#elapsed = elapsed;
    this.#believed = clock();
    this.#believedAt = elapsed();
  }

  /** Milliseconds since 1970-01-01 UTC. To be asked from time to time. */
  now(): number {
    const [now, at] = [this.#clock(), this.#elapsed()];
    const passed = at - this.#believedAt;
    if (now > this.#believed + passed + LEAP && passed < TRUSTED_AFTER) {
      return this.#believed + passed;
    }
    this.#believed = now;
    this.#believedAt = at;
    return now;
  }
}
