export * from "./reason_numbers.ts";

/**
 * What decided a flow's attribution, as `--json`, `--stats` and the table name it.
 * The index of a name is its number in observations and outcomes: append, never reorder.
 */
export const REASON_NAMES = [
  "none",
  "lower-port",
  "port-match",
  "assign",
  "function",
  "syn",
  "syn-ack",
  "qr",
  "first-packet",
  "payload",
  "listening",
  "learned",
  "fan-in",
  "registered",
  "ephemeral",
  "multicast",
  "announced",
] as const;

/** One of {@linkcode REASON_NAMES}. */
export type ReasonName = typeof REASON_NAMES[number];

/**
 * How strong a decision is, by its number. Only a stronger one takes the place of one that was made
 * before, so that a conversation's attribution can't go back and forth.
 */
export const STRENGTHS: readonly number[] = [
  0, // none
  1, // lower-port
  1, // port-match
  1, // assign
  1, // function
  5, // syn
  5, // syn-ack
  5, // qr
  3, // first-packet
  4, // payload
  3, // listening
  3, // learned
  2, // fan-in
  2, // registered
  2, // ephemeral
  3, // multicast
  3, // announced
];

/** How strong a decision by this number is: more is stronger. */
export function strengthOf(by: number): number {
  return STRENGTHS[by];
}
