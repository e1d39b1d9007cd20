import type { u32 } from "./wasm_types.ts";

/** Of an end of a packet: nothing is known, or both ends are equal in it. */
export const NEITHER: u32 = 0;
/** The packet's source. */
export const SOURCE_END: u32 = 1;
/** The packet's destination. */
export const DESTINATION_END: u32 = 2;
