/** The greatest time that a `Date` takes, in milliseconds before and after 1970-01-01 UTC. */
const MOST_MILLISECONDS = 8.64e15;

/**
 * A time as ISO 8601 has it, `2026-11-27T05:14:27.123Z`. The times of a capture can be anything: what
 * is beyond the year 275,760 is that year.
 *
 * @param time Milliseconds since 1970-01-01 UTC.
 */
export function isoTime(time: number): string {
  const clamped = Math.min(Math.max(time, -MOST_MILLISECONDS), MOST_MILLISECONDS);
  return new Date(clamped).toISOString();
}
