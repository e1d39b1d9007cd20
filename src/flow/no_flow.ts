/**
 * What became of conversations: a flow, or why none. The index of a name is its number in
 * `assembly/no_flow.ts`, and in {@linkcode FlowMeterStatistics.became}: append, never reorder.
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

export const GAVE_FLOW = 0;
/** No rule matches. */
export const NO_RULE = 1;
/** A rule drops it. */
export const DROPPED = 2;
/** One of its ends is in `ignoreFlows`: it gave other keys, but no flow key. */
export const IGNORED = 3;
/** One of its addresses is in no network. */
export const NO_NETWORK_IPV4 = 4;
export const NO_NETWORK_IPV6 = 5;
/** Both of its addresses are in the own networks, and those are left out. */
export const SUPPRESSED = 6;
/** It is one of the sensor's own. */
export const OWN_CONNECTION = 7;
/** A TCP connection of which packets with SYN, FIN or RST were seen, and no others. */
export const ONLY_OPENED = 8;
