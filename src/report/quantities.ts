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
