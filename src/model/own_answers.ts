import type { u32 } from "./wasm_types.ts";

/* What is said of two ends: see `own_connections.ts`. */
export const NOT_OURS: u32 = 0;
export const OURS: u32 = 1;
export const MAYBE_OURS: u32 = 2;
