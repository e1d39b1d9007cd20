import type { u32 } from "./wasm_types.ts";

/** The payload does not say who serves. */
export const NOBODY: u32 = 0;
/** Whoever sent it is the client. */
export const FROM_CLIENT: u32 = 1;
/** Whoever sent it is the server. */
export const FROM_SERVER: u32 = 2;
/** Above a role: it is that of the QR bit of DNS. */
export const BY_QR_BIT: u32 = 4;
/** Above a role: the conversation is one in which others are announced. */
export const ANNOUNCES: u32 = 8;

/** Which payload of a conversation is inspected: one of several, */
export const LATER: u32 = 0;
/** the first that was seen, of either end, */
export const FIRST: u32 = 1;
/** the first of its direction, after one of the other. */
export const REPLY: u32 = 2;

/** Bytes of a DNS message's header (RFC 1035, section 4.1.1). */
export const DNS_HEADER: u32 = 12;
/** A DNS message over TCP has its length before it (RFC 1035, section 4.2.2). */
export const DNS_LENGTH_PREFIX: u32 = 2;
/** Opcodes up to 6 are assigned, and NetBIOS uses some up to 9; no other is in use. */
export const DNS_MOST_OPCODE: u32 = 9;
/** More questions than this are in no message that is one. */
export const DNS_MOST_QUESTIONS: u32 = 16;
