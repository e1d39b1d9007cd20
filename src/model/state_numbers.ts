import type { u32 } from "./wasm_types.ts";

/* What a conversation has come to: `conversation_states.ts` has the names of these numbers. */
export const OPEN: u32 = 0;
export const ESTABLISHED: u32 = 1;
export const CLOSED: u32 = 2;
export const RESET: u32 = 3;
export const REFUSED: u32 = 4;
export const UNREACHABLE: u32 = 5;
export const UNANSWERED: u32 = 6;
