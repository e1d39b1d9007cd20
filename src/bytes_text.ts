const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const THOUSAND = 1000;

/** Bytes in at most three digits, `1.2 GB`, with the units of the SI. */
export function bytesText(bytes: number): string {
  let unit = 0;
  let value = bytes;
  // What would be rounded to 1000 is 1 of the next unit.
  while (value >= THOUSAND - 0.5 && unit < UNITS.length - 1) {
    value /= THOUSAND;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
