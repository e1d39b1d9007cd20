import type { i32, u32, usize } from "../model/wasm_types.ts";

/*
 * How `compiled_mapping.ts` lays a mapping out, and the engine's program reads it. Places are words from
 * the beginning.
 */

/** Bytes that the largest mapping may have. */
export const MAPPING_ROOM: usize = 64 * 1024 * 1024;

/** Whether a rule's answer depends on what is seen of a conversation. */
export const USES_EVIDENCE: usize = 0;
export const SUPPRESSES_LOCAL: usize = 1;
export const RULES: usize = 2;
/** How many rules come before the first that is a function. */
export const RULES_BEFORE_FUNCTION: usize = 3;
export const RULES_AT: usize = 4;
/** Of each table of prefixes where those of IPv4 are, how many, and the same for IPv6. */
export const NETWORKS: usize = 5;
export const LOCAL_NETWORKS: usize = 9;
export const IGNORED: usize = 13;
/** Where it says for each number of `IGNORED` where the list of its ports is, their count first. */
export const IGNORED_PORTS: usize = 17;
export const HEAD: usize = 18;
/** In a table: the place and number of the prefixes of IPv6, after those of IPv4. */
export const TABLE_OF_IPV6: usize = 2;

/** Of a prefix of IPv4: value, mask, number. */
export const PREFIX4_WORDS: usize = 3;
/** Of a prefix of IPv6: four words of value, four of mask, number. */
export const PREFIX6_WORDS: usize = 9;
/** In place of a network's number: in none; for a rule: any. */
export const NOWHERE: i32 = -1;

/** The words of a rule: source, destination, kind, flags, and where its set of ports is; 0 for none. */
export const RULE_WORDS: usize = 5;
export const RULE_SOURCE: usize = 0;
export const RULE_DESTINATION: usize = 1;
export const RULE_KIND: usize = 2;
export const RULE_FLAGS: usize = 3;
export const RULE_PORTS: usize = 4;

/** What an action is. */
export const KIND_FUNCTION: u32 = 0;
export const KIND_LOWER_PORT: u32 = 1;
export const KIND_PORT_MATCH: u32 = 2;
export const KIND_ASSIGN: u32 = 3;
export const KIND_INITIATOR: u32 = 4;
export const KIND_SERVICE: u32 = 5;

/** The source is tried first, or serves on a tie. */
export const FLAG_SOURCE_FIRST: u32 = 1;
/** A flow that matches is dropped. */
export const FLAG_DROP: u32 = 2;
export const FLAG_CLIENT_IS_DESTINATION: u32 = 4;
export const FLAG_PORT_IS_SOURCE: u32 = 8;

/** By less than this, `Service()` does not decide. */
export const MARGIN: i32 = 10;
/**
 * When payload, announcements and ports weigh so much for the sender of a UDP conversation's first packet as
 * the server, `Initiator()` does not take it for the client: what its packet answers was not seen. It is what
 * a port below 512 weighs against any that is not a system's.
 */
export const AGAINST_FIRST_PACKET: i32 = 35;
/**
 * Older systems give clients ports up to this one. Such a port weighs little, as servers listen there too; over
 * TCP it weighs more against a port beyond that no system gives to clients. It was right 171 times and wrong 19
 * times, which is 32; but where that it is registered says otherwise, the two are a close call.
 */
export const LAST_OLD_CLIENT_PORT: u32 = 5000;
export const OLD_CLIENT_PORT: i32 = 3;
export const OLD_CLIENT_PORT_OVER_TCP: i32 = 17;
/** What ports weigh, of 65,536 each: that they are registered for TCP, for UDP, are ephemeral. */
export const WEIGHTS_TCP: usize = 0;
export const WEIGHTS_UDP: usize = 65_536;
export const WEIGHTS_EPHEMERAL: usize = 131_072;
export const PORT_WEIGHTS_SIZE: usize = 196_608;
