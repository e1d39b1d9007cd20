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

/** A local time to the minute, `2026-11-27 05:02`; `-` where it is not known. */
export function timeText(milliseconds: number): string {
  if (milliseconds === 0) return "-";
  const date = new Date(milliseconds);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A number with its thing, `1 client`, `2 clients`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
