import type { u32 } from "../model/wasm_types.ts";

/*
 * What lies where in the memory of the program that makes lines of JSON (`assembly/json_lines.ts`). It is
 * set up by `JsonLines`, which also puts observations and records there.
 */

/** A text of ours: its length in the first byte, then up to 31 bytes. */
export const TEXT_SHIFT: u32 = 5;
export const LONGEST_TEXT: u32 = 31;

/** Texts that lines are made of, by these numbers. */
export const TEXTS: u32 = 0;
/** How a line begins, by the kind of observation; that of the end of a conversation has no kind. */
export const START: u32 = 0;
export const START_END: u32 = 0;
/** What is between values. */
export const KEY: u32 = 8;
export const CLIENT_KEY: u32 = 9;
export const CLIENT_COUNT: u32 = 10;
export const FLOW_KEY: u32 = 11;
export const PEER_KEY: u32 = 12;
export const RST_KEY: u32 = 13;
export const ICMP_KEY: u32 = 14;
export const END_KEY: u32 = 15;
export const BY: u32 = 16;
export const CLIENT: u32 = 17;
export const CLIENT_PORT: u32 = 18;
export const SERVER: u32 = 19;
export const PORT: u32 = 20;
export const PROTOCOL: u32 = 21;
export const PEER: u32 = 22;
export const CODE: u32 = 23;
export const ID: u32 = 24;
export const STATE: u32 = 25;
export const PACKETS: u32 = 26;
export const BYTES: u32 = 27;
export const FIRST: u32 = 28;
export const LAST: u32 = 29;
export const VLAN: u32 = 30;
export const FLAGS: u32 = 31;
export const TUNNEL: u32 = 32;
export const QUOTE: u32 = 33;
export const TCP: u32 = 34;
export const UDP: u32 = 35;
export const COMMUNITY_ID: u32 = 36;
/** Names of reasons, states and tunnels, by their numbers. */
export const REASONS: u32 = 64;
export const STATES: u32 = 128;
export const TUNNELS: u32 = 160;
export const TEXTS_END: u32 = 192 << TEXT_SHIFT;

/** Seconds as text up to their fraction, by their lower bits: the second, the text's length, the text. */
export const SECONDS: u32 = TEXTS_END;
export const SECONDS_COUNT: u32 = 256;
export const SECOND_SHIFT: u32 = 6;
export const SECOND_LENGTH: u32 = 4;
export const SECOND_TEXT: u32 = 8;
export const LONGEST_SECOND: u32 = (1 << SECOND_SHIFT) - SECOND_TEXT;

/** Addresses of IPv6 as text, by their hash: the address, the text's length, the text. */
export const ADDRESSES: u32 = SECONDS + (SECONDS_COUNT << SECOND_SHIFT);
export const ADDRESSES_COUNT: u32 = 2048;
export const ADDRESS_SHIFT: u32 = 6;
export const ADDRESS_LENGTH: u32 = 16;
export const ADDRESS_TEXT: u32 = 20;
export const LONGEST_ADDRESS: u32 = (1 << ADDRESS_SHIFT) - ADDRESS_TEXT;

/** What a Community ID is made in. */
export const SCRATCH: u32 = ADDRESSES + (ADDRESSES_COUNT << ADDRESS_SHIFT);
export const SCRATCH_SIZE: u32 = 64;

/** Observations and records of conversations that are made lines of. */
export const AT_ONCE: u32 = 256;
export const OBSERVATIONS: u32 = SCRATCH + SCRATCH_SIZE;
export const RECORDS: u32 = OBSERVATIONS + AT_ONCE * 13 * 4;
/** The lines. */
export const LINES: u32 = RECORDS + AT_ONCE * 32 * 4;
export const LINES_SIZE: u32 = 1 << 17;
/** What the program writes of a line is no longer, with what it writes too much of. */
export const LONGEST_PART: u32 = 1024;
export const MEMORY_SIZE: u32 = LINES + LINES_SIZE;
