import { aligned } from "./aligned.ts";

/** What the program's exit statuses mean. */
export const EXIT_STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ["0", "all is done; for capture, dnstap and serve, also after SIGINT and SIGTERM"],
  ["1", "an error, which standard error names; a capture file that is cut off too"],
  ["2", "wrong usage: what was typed can't be meant"],
  ["129, 130, 143", "SIGHUP, SIGINT or SIGTERM ended replay, came a second time, or at the start"],
  ["131", "SIGQUIT ended it at once"],
];

/** The same as lines. */
export function exitStatusLines(indent: string): string[] {
  return aligned(EXIT_STATUSES, indent);
}
