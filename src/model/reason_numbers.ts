import type { u32 } from "./wasm_types.ts";

/* What decided a flow's attribution: `reason.ts` has the names of these numbers. */
export const BY_LOWER_PORT: u32 = 1;
export const BY_PORT_MATCH: u32 = 2;
export const BY_ASSIGN: u32 = 3;
export const BY_FUNCTION: u32 = 4;
export const BY_SYN: u32 = 5;
export const BY_SYN_ACK: u32 = 6;
export const BY_QR: u32 = 7;
export const BY_FIRST_PACKET: u32 = 8;
export const BY_PAYLOAD: u32 = 9;
export const BY_LISTENING: u32 = 10;
export const BY_LEARNED: u32 = 11;
export const BY_FAN_IN: u32 = 12;
export const BY_REGISTERED: u32 = 13;
export const BY_EPHEMERAL: u32 = 14;
export const BY_MULTICAST: u32 = 15;
export const BY_ANNOUNCED: u32 = 16;

/** Nothing is stronger. */
export const STRONGEST: u32 = 5;
