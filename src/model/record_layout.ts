import type { u32 } from "./wasm_types.ts";

/*
 * A record of an attributed conversation as numbers, on its way from an engine to whoever shows or keeps
 * it. What there is of the client and of the server has the client's first. Numbers of 8 bytes begin
 * with their lower word.
 */

/** 32-bit words of one record. */
export const RECORD_WORDS: u32 = 32;

/**
 * Word 0: the state (`state_numbers.ts`) in bits 0 to 7, bit 8 for IPv6 as in an observation, bit 9
 * where it is over, bit 10 where it is no flow, bit 11 where it was announced; the IP protocol in bits 16 to 23, what decided in bits
 * 24 to 31.
 */
export const RECORD_HEAD: u32 = 0;
export const IS_OVER: u32 = 1 << 9;
/** A TCP connection that had nothing but SYN, FIN and RST. */
export const IS_UNOPENED: u32 = 1 << 10;
/** An end of it was announced, in a control connection or for a call. */
export const IS_ANNOUNCED: u32 = 1 << 11;
export const RECORD_PROTOCOL_SHIFT: u32 = 16;
export const RECORD_REASON_SHIFT: u32 = 24;
/** Words 1 to 4 and 5 to 8: addresses of client and server, as in an observation. */
export const RECORD_CLIENT: u32 = 1;
export const RECORD_SERVER: u32 = 5;
/** Word 9: the client's port in the upper half, the service's in the lower one. */
export const RECORD_PORTS: u32 = 9;
/** Word 10: the VLAN in the lower half, the number of the interface in the upper one; 0 for none. */
export const RECORD_LINK: u32 = 10;
/** Word 11: all TCP control bits of the client in bits 0 to 7, of the server in bits 8 to 15. */
export const RECORD_FLAGS: u32 = 11;
/** Words 12 and 13: which conversation it is; 0 where there is no record. */
export const RECORD_ID: u32 = 12;
/** Words 14 and 15: when its first packet and its last one came, seconds since 1970-01-01 UTC. */
export const RECORD_FIRST: u32 = 14;
export const RECORD_LAST: u32 = 15;
/** Word 16: the milliseconds of the first in the lower half, of the last in the upper one. */
export const RECORD_MILLISECONDS: u32 = 16;
/** Words 17 and 18: the innermost tunnel that it is in (`tunnel_numbers.ts`), and what tells that apart. */
export const RECORD_TUNNEL: u32 = 17;
export const RECORD_TUNNEL_ID: u32 = 18;
/** Word 19: the number of the names that it carries (TLS, QUIC, HTTP); 0 for none. */
export const RECORD_NAME: u32 = 19;
/** Words 20 to 23: packets. */
export const RECORD_PACKETS: u32 = 20;
/** Words 24 to 27: bytes, IP header and payload. */
export const RECORD_OCTETS: u32 = 24;
