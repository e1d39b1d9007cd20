import type { u32 } from "./wasm_types.ts";

/** What became of a payload that was read for the name of a server: more payloads are needed to know. */
export const READ_MORE: u32 = 1;
/** No name may follow in the conversation, and it is looked for in the next payloads. */
export const LOOK_AGAIN: u32 = 2;
/** It has a name that it had not before. */
export const IS_NAMED: u32 = 4;
