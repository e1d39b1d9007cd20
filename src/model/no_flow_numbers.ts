import type { u32 } from "./wasm_types.ts";

/* What became of conversations: `no_flow.ts` has the names of these numbers. */

/** It gave a flow. */
export const GAVE_FLOW: u32 = 0;
/** No rule matches. */
export const NO_RULE: u32 = 1;
/** A rule drops it. */
export const DROPPED: u32 = 2;
/** One of its ends is in `ignoreFlows`: it gave other keys, but no flow key. */
export const IGNORED: u32 = 3;
/** One of its addresses is in no network. */
export const NO_NETWORK_IPV4: u32 = 4;
export const NO_NETWORK_IPV6: u32 = 5;
/** Both of its addresses are in the own networks, and those are left out. */
export const SUPPRESSED: u32 = 6;
/** It is one of the sensor's own. */
export const OWN_CONNECTION: u32 = 7;
/** A TCP connection of which packets with SYN, FIN or RST were seen, and no others. */
export const ONLY_OPENED: u32 = 8;
