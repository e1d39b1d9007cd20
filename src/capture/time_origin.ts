/** Seconds of a day; origins are multiples of it, so that windows of time begin where they do anyhow. */
const DAY = 86_400;
/** The greatest number of seconds after the origin. */
const MOST_SECONDS = 0xffff_ffff;
/** Captures that begin closer to the end of what there is room for get another origin. */
const LEAST_ROOM = 366 * DAY;
/** What a Date can say, in seconds from 1970 on and back: ECMA-262, section 21.4.1.1. */
const MOST_OF_DATE = 8.64e12;

/**
 * From when on seconds are counted, in 32 bits, as packets and all that comes of them have their times.
 * Mostly that is 1970-01-01 UTC, and lasts until 2106. For captures that begin before or after that, it
 * is the day before their first packet, and the origin is added where a time is shown.
 */
export class TimeOrigin {
  /** In seconds since 1970-01-01 UTC. */
  seconds = 0;
  /** Packets whose times are further away than seconds can be counted: they have the nearest. */
  untold = 0;
  #isSettled = false;

  /** One that is known already. */
  static of(seconds: number): TimeOrigin {
    const origin = new TimeOrigin();
    origin.seconds = seconds;
    origin.#isSettled = true;
    return origin;
  }

  /**
   * Chooses the origin by when captures begin, in seconds since 1970-01-01 UTC. What was chosen stays.
   */
  settle(...times: readonly number[]): void {
    if (this.#isSettled || times.length === 0) return;
    this.#isSettled = true;
    const least = Math.min(...times);
    if (least >= 0 && Math.max(...times) <= MOST_SECONDS - LEAST_ROOM) return;
    const first = Math.min(Math.max(least, 2 * DAY - MOST_OF_DATE), MOST_OF_DATE - MOST_SECONDS);
    this.seconds = (Math.floor(first / DAY) - 1) * DAY;
  }

  /**
   * A time as seconds after the origin. The first that is asked for settles it.
   *
   * @param time In seconds since 1970-01-01 UTC.
   */
  secondsOf(time: number): number {
    if (!this.#isSettled) this.settle(time);
    const seconds = time - this.seconds;
    if (seconds >= 0 && seconds <= MOST_SECONDS) return seconds;
    this.untold++;
    return seconds < 0 ? 0 : MOST_SECONDS;
  }
}
