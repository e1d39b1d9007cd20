import { ConfigError } from "./config_error.ts";
import { shown } from "./shown.ts";

/** The packet's source, where an action asks which end is meant. */
export const SRC = "src";

/** The packet's destination, where an action asks which end is meant. */
export const DST = "dst";

/** One of the two ends of a packet: {@linkcode SRC} or {@linkcode DST}. */
export type End = typeof SRC | typeof DST;

/** How an end is written in config.ts. */
export function endName(end: End): "SRC" | "DST" {
  return end === SRC ? "SRC" : "DST";
}

/** How an end is called in sentences. */
export function endWord(end: End): "source" | "destination" {
  return end === SRC ? "source" : "destination";
}

/**
 * Checks an argument that names an end.
 *
 * @param argument What it is, as in `tie of LowerPort`.
 * @throws {ConfigError} when it is neither.
 */
export function requireEnd(value: unknown, argument: string): End {
  if (value === SRC || value === DST) return value;
  throw new ConfigError(`${argument} is ${shown(value)}`, "give SRC or DST");
}
