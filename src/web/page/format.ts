import { printable } from "../../printable.ts";

/** Bytes as people say them: powers of ten, as bit rates are. */
export function bytesText(bytes: number): string {
  return scaled(bytes, 1_000, ["B", "kB", "MB", "GB", "TB", "PB"]);
}

/** A rate, in bits a second. */
export function rateText(bits: number): string {
  return scaled(bits, 1_000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]);
}

/** A count, shortened from 100,000 on. */
export function countText(count: number): string {
  return count < 100_000 ? count.toLocaleString("en") : scaled(count, 1_000, ["", "k", "M", "G"]);
}

/** A length of time. */
export function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) {
    return `${Math.floor(seconds / 3_600)} h ${Math.floor(seconds / 60) % 60} min`;
  }
  return `${Math.floor(seconds / 86_400)} d ${Math.floor(seconds / 3_600) % 24} h`;
}

/** A time of day; of another day, the date and no seconds. */
export function timeText(time: number, now = Date.now()): string {
  const date = new Date(time);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two);
  const today = new Date(now);
  if (today.toDateString() === date.toDateString()) return clock.join(":");
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return today.getFullYear() === date.getFullYear()
    ? `${day} ${clock.slice(0, 2).join(":")}`
    : `${date.getFullYear()}-${day}`;
}

/** Date and time in full. */
export function fullTimeText(time: number): string {
  return new Date(time).toISOString().replace("T", " ").replace(/\.\d+Z/, " UTC");
}

/** A name out of a packet: what can't be seen, or turns what follows, is written out. */
export function nameText(name: string): string {
  return printable(name);
}

/** Address and port; IPv6 in brackets. */
export function endText(address: string, port: number | string): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** TCP control bits (RFC 9293, section 3.1), as tcpdump abbreviates them. */
export function flagsText(flags: number): string {
  const names = ["F", "S", "R", "P", ".", "U", "E", "W"];
  return names.filter((_, bit) => (flags & (1 << bit)) !== 0).join("") || "none";
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let at = 0;
  let rest = value;
  while (rest >= base && at < units.length - 1) {
    rest /= base;
    at++;
  }
  const digits = rest >= 100 || Number.isInteger(rest) ? 0 : rest >= 10 ? 1 : 2;
  return `${rest.toFixed(digits)} ${units[at]}`.trimEnd();
}
