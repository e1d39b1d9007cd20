import type { u32 } from "./wasm_types.ts";

/* The bits of an outcome: see `outcome.ts`. */

/** The action has no opinion: the next rule is asked. */
export const NO_MATCH: u32 = 0;
/** The conversation makes no flow, and no further rule is asked. */
export const DROP: u32 = 1;
/** The verdict of an outcome that names client, server and port. */
export const FLOW: u32 = 2;
export const VERDICT_MASK: u32 = 3;
export const CLIENT_IS_DESTINATION: u32 = 4;
/** Where the reason is, a number of 8 bits. */
export const REASON_SHIFT: u32 = 8;
/** Where the port of interest is, of 16 bits. */
export const PORT_SHIFT: u32 = 16;
