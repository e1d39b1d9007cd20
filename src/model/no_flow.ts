export * from "./no_flow_numbers.ts";

/**
 * What became of conversations: a flow, or why none. The index of a name is its number in
 * `no_flow_numbers.ts`, and in `EngineStatistics.became`: append, never reorder.
 */
export const BECAME_NAMES = [
  "flow",
  "no rule matches",
  "a rule drops",
  "ignored flow",
  "IPv4 in no network",
  "IPv6 in no network",
  "within own networks",
  "own connection",
  "only SYN, FIN or RST",
] as const;
