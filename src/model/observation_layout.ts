import type { u32 } from "./wasm_types.ts";

/** What an observation says, as the kinds of key in the Redis contract. */
export const KIND_CLIENT: u32 = 1;
/** A client used a service: addresses are client and server, `ports` the service's port. */
export const KIND_FLOW: u32 = 2;
/** Two addresses exchanged packets: `a` talked with `b`. */
export const KIND_PEER: u32 = 3;
/** A connection was refused: `a` is the packet's destination, `ports` are `dport << 16 | sport`. */
export const KIND_RST: u32 = 4;
/** Something was unreachable: `a` is the packet's destination, `ports` are `sport << 16 | dport`. */
export const KIND_ICMP: u32 = 5;

/** 32-bit words of one observation. */
export const OBSERVATION_WORDS: u32 = 13;
/** Words of an observation that say which key it is; the others are about it. */
export const IDENTITY_WORDS: u32 = 10;

/** Word 0: kind in bits 0 to 7, 1 in bit 8 for IPv6, the ICMP code in bits 16 to 23. */
export const WORD_KIND: u32 = 0;
/** Words 1 to 4: the first address, in network order; IPv4 in the last of them, the others 0. */
export const WORD_A: u32 = 1;
/** Words 5 to 8: the second address. A client observation has none: 0. */
export const WORD_B: u32 = 5;
/** Word 9: the port or ports. */
export const WORD_PORTS: u32 = 9;
/**
 * Word 10: a flow's reason (`reason_numbers.ts`) in bits 0 to 7, its IP protocol in bits 8 to 15, the kind
 * of tunnel that it is in (`tunnel_numbers.ts`) in bits 16 to 23.
 */
export const WORD_ABOUT: u32 = 10;
/** Word 11: when, in seconds since 1970-01-01 UTC. */
export const WORD_SECONDS: u32 = 11;
/** Word 12: what tells a flow's tunnel from others of its kind, or 0. Keys do not have it. */
export const WORD_TUNNEL: u32 = 12;
/** Where the kind of tunnel is in word 10. */
export const TUNNEL_KIND_SHIFT: u32 = 16;

/** Bit of word 0 that says the addresses are IPv6. */
export const IPV6_BIT: u32 = 1 << 8;
