import { printable } from "../printable.ts";

/** A value as a line of JSON, with nothing in it that a terminal obeys. */
export function jsonLine(value: unknown): string {
  return printable(JSON.stringify(value)) + "\n";
}
