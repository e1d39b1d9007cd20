/** The days that the rows are of, unless that is today. */
export function daysOf(rows: readonly { first: number; last: number }[]): string {
  if (rows.length === 0) return "";
  const first = dateText(rows.reduce((least, row) => Math.min(least, row.first), Infinity));
  const last = dateText(rows.reduce((most, row) => Math.max(most, row.last), -Infinity));
  if (first !== last) return `${first} to ${last}`;
  return first === dateText(Date.now() / 1000) ? "" : first;
}

function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
}

/** The time of day, of seconds since 1970-01-01 UTC: `14:13:38`. */
export function timeOfDay(seconds: number): string {
  const date = new Date(seconds * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** How times of rows of such days are written. */
export function timeTextOf(days: string): (seconds: number) => string {
  return remembered(days.includes(" to ") ? dayAndTime : timeOfDay);
}

/** The year is in the line of totals. */
function dayAndTime(seconds: number): string {
  return `${dateText(seconds).replace(/^-?\d+-/, "")} ${timeOfDay(seconds)}`;
}

/** Most rows have their times from others, and a time's text takes longer than all else of a row. */
function remembered(text: (seconds: number) => string): (seconds: number) => string {
  const texts = new Map<number, string>();
  return (seconds) => {
    let known = texts.get(seconds);
    if (known === undefined) texts.set(seconds, known = text(seconds));
    return known;
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
