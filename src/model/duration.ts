/** Units of time, in milliseconds, as systemd.time(7) names them. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** How times are written, for messages. */
export const DURATION_FORM = 'a number with s, min, h, d or w, such as "90min" or "30d"';

/**
 * Reads a length of time such as `30d`.
 *
 * @returns Milliseconds; `null` when it is none.
 */
export function parseDuration(text: string): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)$/.exec(text) ?? [];
  const milliseconds = unit === undefined ? 0 : Math.round(Number(number) * UNITS[unit]);
  return milliseconds > 0 && Number.isSafeInteger(milliseconds) ? milliseconds : null;
}
