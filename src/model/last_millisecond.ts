import type { u32 } from "./wasm_types.ts";

/**
 * The last millisecond of a second: what a packet has of which a damaged record says that it came a second
 * or more after the second it came in.
 */
export const LAST_MILLISECOND: u32 = 999;
