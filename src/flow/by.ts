/**
 * What decided a flow's attribution, as `--json`, `--stats` and the table name it.
 * The index of a name is its number in observations and outcomes: append, never reorder.
 */
export const BY_NAMES = [
  "none",
  "lower-port",
  "port-match",
  "assign",
  "function",
] as const;

/** One of {@linkcode BY_NAMES}. */
export type ByName = typeof BY_NAMES[number];

export const BY_LOWER_PORT = 1;
export const BY_PORT_MATCH = 2;
export const BY_ASSIGN = 3;
export const BY_FUNCTION = 4;
