import type { u32 } from "./wasm_types.ts";

/** A port of a `PayloadReader` from which all TCP and UDP packets are to be read. */
export const READ_ALL: u32 = 1;
/** One from which DNS queries over UDP need not be read, if they are counted. */
export const READ_RESPONSES: u32 = 2;
