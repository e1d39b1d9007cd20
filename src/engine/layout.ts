import { OBSERVATION_WORDS } from "../model/observation_layout.ts";
import type { f64, u32, u64, u8, usize } from "../model/wasm_types.ts";

/*
 * What lies where in the memory of an engine, and how its parts look: constants for TypeScript and for the
 * program in WebAssembly, which both import them. Addresses and sizes are in bytes. docs/design.md has a
 * picture.
 *
 * What has the same size in each engine comes first, each part at a multiple of a cache line. After it
 * come the set of suppressed keys and the tables, whose sizes are given when an engine is made.
 */

export const CACHE_LINE: usize = 64;
export const WORD: usize = 4;
export const PAGE: usize = 65_536;

// What is known of one direction of a conversation, for whoever is asked about it.

export const FACTS: usize = 64;
export const FACTS_IS_IPV6: usize = FACTS;
export const FACTS_PROTOCOL: usize = FACTS + 4;
/** Four words in network order, IPv4 in the last of them. */
export const FACTS_SOURCE: usize = FACTS + 16;
export const FACTS_DESTINATION: usize = FACTS + 32;
export const FACTS_SOURCE_PORT: usize = FACTS + 48;
export const FACTS_DESTINATION_PORT: usize = FACTS + 52;
export const FACTS_SOURCE_NETWORK: usize = FACTS + 56;
export const FACTS_DESTINATION_NETWORK: usize = FACTS + 60;
/** Evidence, as `Evidence` of src/model has it. */
export const FACTS_OPENER: usize = FACTS + 64;
export const FACTS_OPENER_BY: usize = FACTS + 68;
export const FACTS_PAYLOAD_SERVER: usize = FACTS + 72;
export const FACTS_FIRST_SENDER: usize = FACTS + 76;
/** What is known of the ends: {@linkcode FAN_IN_SHIFT} and the bits after it. */
export const FACTS_SOURCE_END: usize = FACTS + 80;
export const FACTS_DESTINATION_END: usize = FACTS + 84;
/** The tunnel that the conversation is in (src/model/tunnel_numbers.ts), and what tells it apart. */
export const FACTS_TUNNEL: usize = FACTS + 120;
export const FACTS_TUNNEL_ID: usize = FACTS + 124;
/** What each evidence of `Service()` weighed when it was asked last, for the source. */
export const WEIGHTS: usize = FACTS + 128;
export const WEIGHTS_SIZE: usize = 64;

/** How many far ports an end has had, and what it was seen to be. */
export const FAN_IN_SHIFT: u32 = 16;
export const FAN_IN_MASK: u32 = 0xff;
export const SERVED: u32 = 1 << 25;
export const OPENED: u32 = 1 << 26;
export const LISTENS: u32 = 1 << 27;
export const ANNOUNCED: u32 = 1 << 28;

// The tables of conversations, one for each address family.

export const TABLES: usize = WEIGHTS + WEIGHTS_SIZE;
export const TABLE_SIZE: usize = 64;
export const TABLE4: usize = TABLES;
export const TABLE6: usize = TABLES + TABLE_SIZE;
/** The words of a table that are set when an engine is made: where its parts are, and its limit. */
export const TABLE_CELLS: usize = 0;
export const TABLE_COLD: usize = 4;
export const TABLE_INDEX: usize = 8;
export const TABLE_LIMIT: usize = 12;
/** Those that change: conversations now, and those that made room for others. */
export const TABLE_COUNT: usize = 16;
export const TABLE_FORGOTTEN: usize = 20;
export const TABLE_MASK: usize = 24;
export const TABLE_UNUSED: usize = 28;
export const TABLE_FREE: usize = 32;
export const TABLE_OLDEST: usize = 36;
export const TABLE_NEWEST: usize = 40;
/** The same of those that are not open, and how many of {@linkcode TABLE_COUNT} these are. */
export const TABLE_UNOPENED_OLDEST: usize = 44;
export const TABLE_UNOPENED_NEWEST: usize = 48;
export const TABLE_UNOPENED_COUNT: usize = 52;
/** Where the tunnels of conversations are, and the numbers of their names, set when an engine is made. */
export const TABLE_TUNNELS: usize = 56;
export const TABLE_NAMES: usize = 60;

/**
 * A slot of the index has the conversation's number, from 1, in these bits; above them a bit that says whether
 * it is elsewhere than it should be, and a part of its hash.
 */
export const NUMBER_MASK: u32 = 0x00ff_ffff;
export const FIRST_INDEX: u32 = 16_384;

/*
 * A conversation has a number, two ends, the low and the high one by address and port, and two
 * directions: direction 0 is from the low end to the high one. What is kept for both directions, or both
 * ends, has direction 1, or the high end, after that of direction 0, or the low end.
 *
 * Its cell is what each packet needs: a cache line for IPv4, two for IPv6.
 */
export const CELL4_SHIFT: usize = 6;
export const CELL6_SHIFT: usize = 7;
/** The window of time from which on a packet of each direction has it classified again. */
export const CELL_UNTIL: usize = 0;
/** When the last packet came: seconds since 1970-01-01 UTC, as their lower 32 bits, and milliseconds. */
export const CELL_SECONDS: usize = 8;
export const CELL_MILLISECONDS: usize = 12;
/** All TCP control bits that were seen, a byte for each direction. */
export const CELL_FLAGS: usize = 14;
/** The low end's port in the upper half, the high end's in the lower one. */
export const CELL_PORTS: usize = 16;
export const CELL_STATE: usize = 20;
/**
 * Bytes in each direction, IP header and payload (IPFIX, octetTotalCount), 56 bits; above them, the upper
 * 8 of the 40 bits of the number of packets.
 */
export const CELL_OCTETS: usize = 24;
export const OCTETS_BITS: u64 = 56;
/** The lower 32 bits of the number of packets in each direction. */
export const CELL_PACKETS: usize = 40;
/** Neighbours in the list by age; the latter in that of free cells, too. */
export const CELL_OLDER: usize = 48;
export const CELL_NEWER: usize = 52;
/** The low end's address, then the high end's. */
export const CELL_ADDRESSES: usize = 56;

/** In a state: the IANA protocol number. */
export const PROTOCOL_MASK: u32 = 0xff;
/** The conversation, or its present generation, has had no packet that counts as a sign of life. */
export const STATE_NEW: u32 = 1 << 8;
/** What its next packets carry is to be inspected. */
export const STATE_WANTS_PAYLOAD: u32 = 1 << 9;
/**
 * The end that direction 0 goes to has not been told of the other one: see `addPeersOfPending` of
 * `assembly/evidence.ts`. One bit further up for direction 1.
 */
export const STATE_HAS_NEW_PEER: u32 = 1 << 10;
export const STATE_HAS_NEW_PEERS: u32 = 3 << 10;
/**
 * Nothing but TCP packets with SYN, FIN or RST was seen of it. It is counted, and no conversation to
 * anybody else. It makes room before all that are.
 */
export const STATE_UNOPENED: u32 = 1 << 15;
/** It is in a tunnel: {@linkcode TUNNEL_SHIFT}. In `about` of a packet, too. */
export const IN_TUNNEL: u32 = 1 << 12;
/**
 * It is what packets in packets are in, between the ends of a tunnel: it has no protocol and no ports. In
 * `about` of a packet, too.
 */
export const IS_OUTER: u32 = 1 << 13;
/** It is a control connection, whose payloads may announce others. */
export const STATE_ANNOUNCES: u32 = 1 << 14;
/** How many payloads were inspected, of each direction. */
export const INSPECTED_SHIFT: u32 = 16;
export const INSPECTED_BITS: u32 = 3;
/** Its next payloads may carry the name of its server; they are read, as one has begun to. */
export const STATE_WANTS_NAME: u32 = 1 << 22;
export const STATE_READS_NAME: u32 = 1 << 23;
/** The last bits of its second when it was moved to the end of the list by age. */
export const TOUCHED_SHIFT: u32 = 24;

/** What else is kept of a conversation, elsewhere. */
export const COLD_SHIFT: usize = 5;
/** What the mapping says of each direction (src/model/outcome.ts), or {@linkcode UNCLASSIFIED}. */
export const COLD_OUTCOME: usize = 0;
/** What was seen of it, in bits that `assembly/gathering.ts` gives a meaning. */
export const COLD_EVIDENCE: usize = 8;
/** In which round of classification the mapping was asked last, if what it said was taken; else 0. */
export const COLD_ROUND: usize = 12;
/** When its first packet came. */
export const COLD_FIRST_SECONDS: usize = 16;
export const COLD_FIRST_MILLISECONDS: usize = 20;
/** The VLAN and the number of the interface of its first packet; 0 for none. */
export const COLD_VLAN: usize = 22;
export const COLD_INTERFACE: usize = 24;
/**
 * When a record of it was emitted last, or it began: the lower 15 bits of the second; above them
 * {@linkcode WAS_UNREACHABLE}.
 */
export const COLD_RECORDED: usize = 26;
export const RECORDED_MASK: u32 = 0x7fff;
/** ICMP said that its server, or the server's port, can't be reached. */
export const WAS_UNREACHABLE: u32 = 0x8000;
/** The lower 32 bits of the number that its records have; 0 if there were none. */
export const COLD_RECORD_ID: usize = 28;
/*
 * Of one in a tunnel, in a place of its own, which takes memory only where there are tunnels: which kind,
 * what tells it apart in either direction, and what told it apart in its first packet. In a tunnel of
 * `IDENTIFIED_BY_DIRECTION`, 0 is what is not known yet.
 */
export const TUNNEL_SHIFT: usize = 4;
export const TUNNEL_KIND: usize = 0;
export const TUNNEL_IDS: usize = 4;
export const TUNNEL_FIRST_ID: usize = 12;
/**
 * So many conversations at most have the same ends and nothing but their tunnels to tell them apart, if
 * these are of `IDENTIFIED_BY_DIRECTION`: nobody can make lists that are long to search.
 */
export const MOST_ALIKE: u32 = 16;
/** In {@linkcode COLD_OUTCOME}: the mapping was not yet asked. */
export const UNCLASSIFIED: u32 = 0xffff_ffff;

// The packets of a group: they were seen in one second, and are looked up together.

export const GROUP: u32 = 256;
/*
 * A packet of the list of its address family: where its payload is and how long, its VLAN, hash, the
 * bytes of the IP packet with milliseconds above them, ports and addresses of the low end and the high
 * one.
 */
export const PACKET_PAYLOAD: usize = 0;
export const PACKET_PAYLOAD_SIZE: usize = 4;
export const PACKET_VLAN: usize = 6;
export const PACKET_HASH: usize = 8;
export const PACKET_OCTETS: usize = 12;
export const PACKET_PORTS: usize = 16;
export const PACKET_ABOUT: usize = 20;
export const PACKET_ADDRESSES: usize = 24;
export const PACKET4_SHIFT: usize = 5;
export const PACKET6_SHIFT: usize = 6;
export const OCTETS_MASK: u32 = 0x000f_ffff;
export const MILLISECONDS_SHIFT: u32 = 20;
/** In `about`, whose lowest 8 bits are the protocol: the direction, a payload, TCP control bits. */
export const DIRECTION_SHIFT: u32 = 8;
export const HAS_PAYLOAD: u32 = 1 << 9;
export const FLAGS_SHIFT: u32 = 16;
/**
 * Payloads that are inspected in each direction of a conversation: requests come early, or again and
 * again.
 */
export const MOST_INSPECTED: u32 = 4;

export const SECRETS: usize = TABLES + 2 * TABLE_SIZE;
/** What hashes are made with: five numbers of 8 bytes, and eight for the words of IPv6 addresses. */
export const SECRETS_SIZE: usize = 13 * 8;
/** And fingerprints, in two halves: see `assembly/fingerprint.ts`. */
export const FINGERPRINT_SECRETS: usize = SECRETS + 128;
export const FINGERPRINT_SECRETS_SIZE: usize = 192;
export const LIST4: usize = FINGERPRINT_SECRETS + FINGERPRINT_SECRETS_SIZE;
export const LIST6: usize = LIST4 + 256 * 32;
/** The numbers that the packets of a group seem to have, of each list. */
export const FOUND4: usize = LIST6 + 256 * 64;
export const FOUND6: usize = FOUND4 + 256 * 4;
/** Where the packets are that are read as a whole: its place, its bytes, its link type. */
export const WHOLE: usize = FOUND6 + 256 * 4;
export const WHOLE_SHIFT: usize = 4;
export const WHOLE_CAPTURED: usize = 4;
export const WHOLE_LINK_TYPE: usize = 8;
/** In which of the three lists the packets are, in their order; one that is read may be in another one too. */
export const ORDER: usize = WHOLE + 256 * 16;
export const ORDER_SIZE: usize = 512;
export const IN_LIST4: u8 = 0;
export const IN_LIST6: u8 = 1;
export const IN_WHOLE: u8 = 2;

/** The tunnel of each packet of a list that is in one: which kind, and what tells it apart. */
export const TUNNELS4: usize = ORDER + ORDER_SIZE;
export const TUNNELS6: usize = TUNNELS4 + 256 * 8;
export const PACKET_TUNNEL_SHIFT: usize = 3;

// What is read of packets besides their headers.

/** A byte for each of the 65,536 ports: see `PayloadReader`. */
export const READ_PORTS: usize = TUNNELS6 + 256 * 8;
export const READ_PORTS_SIZE: usize = 65_536;
/** A bit for each port that packets in packets go to, if those are to be read. */
export const TUNNEL_PORT_BITS: usize = READ_PORTS + READ_PORTS_SIZE;
export const TUNNEL_PORT_BITS_SIZE: usize = 8_192;
export const SIGN_FILTER: usize = TUNNEL_PORT_BITS + TUNNEL_PORT_BITS_SIZE;
export const SIGN_FILTER_SIZE: usize = 65_536;

/** Packets by what became of them, in the order of `DECODED_NAMES`, numbers of 8 bytes. */
export const DECODED: usize = SIGN_FILTER + SIGN_FILTER_SIZE;
export const DECODED_SIZE: usize = 256;

// Evidence.

/** Half-open connections that are remembered, and ends. Bigger tables are slow. */
export const MOST_REMEMBERED: u32 = 65_536;
/** Each is such a table: `assembly/aged_table.ts`. */
export const AGED_TABLE_SIZE: usize = 128 + 65_536 * 36;
export const HALF_OPEN: usize = DECODED + DECODED_SIZE;
export const ENDS: usize = HALF_OPEN + AGED_TABLE_SIZE;
/** Ends that wait for memory together, and what each needs. */
export const ENDS_AT_ONCE: u32 = 256;
export const STAGED_END: usize = 12;
export const STAGED_ENDS: usize = ENDS + AGED_TABLE_SIZE;
/** How strong a decision is, by its reason. */
/** Ends that asked a moment ago, so that what comes to them is an answer: fewer, as seconds count. */
export const MOST_ASKED: u32 = 16_384;
export const ASKED_TABLE_SIZE: usize = 128 + 16_384 * 36;
export const ASKERS: usize = STAGED_ENDS + 256 * STAGED_END;
/** An end's address and the one that it asked, of 16 bytes each, while they are looked for. */
export const ASKER: usize = ASKERS + ASKED_TABLE_SIZE;
/** Ports that were announced, and an address that is. */
export const MOST_ANNOUNCED: u32 = 16_384;
export const ANNOUNCED_ENDS: usize = ASKER + 32;
export const ANNOUNCED_ADDRESS: usize = ANNOUNCED_ENDS + ASKED_TABLE_SIZE;
/** Directions that are postponed: see `assembly/postponing.ts`. */
export const MOST_POSTPONED: u32 = 65_536;
export const POSTPONED: usize = ANNOUNCED_ADDRESS + 32;
export const STRENGTHS: usize = POSTPONED + 65_536 * WORD;
export const REASONS: usize = 256;

// Classification.

/** Directions that may be pending; then all are classified at once. */
export const MOST_PENDING: u32 = 65_536;
/** There is room for the other direction of each besides, which may be corrected meanwhile. */
export const PENDING_ROOM: u32 = 131_072;
export const PENDING: usize = STRENGTHS + REASONS;
/** Flows that are asked about at once. */
export const FLOWS_AT_ONCE: u32 = 128;
export const READINGS: usize = PENDING + 131_072 * WORD;
export const STAGED_PENDING: usize = READINGS + 2 * 128 * WORD;
export const PORT_WEIGHTS: usize = STAGED_PENDING + 128 * WORD;
export const MAPPING: usize = PORT_WEIGHTS + 196_608;

// Keys and observations.

export const STAGED_FLOW: usize = 64;
export const STAGED_FLOWS: usize = MAPPING + 64 * 1024 * 1024;
/** Fingerprints of three keys, of two words each. */
export const FINGERPRINTS: usize = STAGED_FLOWS + 128 * STAGED_FLOW;
/** An observation that is asked about by itself. */
export const IDENTITY: usize = FINGERPRINTS + 128 * 24;
/** The addresses of the key that somebody writes. */
export const KEY_ADDRESS: usize = IDENTITY + CACHE_LINE;
export const OTHER_KEY_ADDRESS: usize = KEY_ADDRESS + 16;
/** Flows that were observed, by their reason, numbers of 8 bytes. */
export const FLOWS_BY: usize = KEY_ADDRESS + CACHE_LINE;
/** Observations that are emitted at once. */
export const OBSERVATIONS_AT_ONCE: u32 = 4096;
export const OBSERVATIONS: usize = FLOWS_BY + REASONS * 8;
/** Refusals that were seen again while their keys are suppressed. */
export const SEEN: usize = OBSERVATIONS + 4096 * OBSERVATION_WORDS * WORD;
/** What became of conversations, numbers of 8 bytes, and the facts of the first of each kind. */
export const BECAME: usize = SEEN + 4096 * OBSERVATION_WORDS * WORD;
export const EXAMPLES: usize = BECAME + 128;
export const EXAMPLE: usize = 64;
/** Suppressed keys by the window in which they were written. */
export const AGES: usize = EXAMPLES + 16 * EXAMPLE;
/** The places of so many conversations in the index are asked for together, by their hashes; a power of two. */
export const FETCHED: u32 = 32;
export const FETCHED_HASHES: usize = AGES + CACHE_LINE;

/** Records of conversations that are emitted at once. */
export const RECORDS_AT_ONCE: u32 = 1024;
export const RECORDS: usize = FETCHED_HASHES + 32 * WORD;
/** The same of the conversations of observations, each at the place of its observation. */
export const FLOW_RECORDS: usize = RECORDS + 1024 * 128;
/** A packet that somebody looks for. */
export const WANTED_PACKET: usize = FLOW_RECORDS + 4096 * 128;

/** The number of the names that a conversation carries, while its payload is read. */
export const CARRIED_NAME: usize = WANTED_PACKET + CACHE_LINE;

// Packets, as they come.

/** The index of a batch of packets. */
export const BATCH_PACKETS: u32 = 4096;
export const INDEX_OFFSET: usize = CARRIED_NAME + CACHE_LINE;
export const INDEX_CAPTURED: usize = INDEX_OFFSET + 4096 * 4;
export const INDEX_LENGTH: usize = INDEX_CAPTURED + 4096 * 4;
export const INDEX_SECONDS: usize = INDEX_LENGTH + 4096 * 4;
export const INDEX_MILLISECONDS: usize = INDEX_SECONDS + 4096 * 4;
export const INDEX_LINK_TYPE: usize = INDEX_MILLISECONDS + 4096 * 2;
export const INDEX_INTERFACE: usize = INDEX_LINK_TYPE + 4096 * 2;
/** Where sources put bytes: a piece of a file, what `pcap_dump` writes, a block of the kernel's ring. */
export const INPUT: usize = INDEX_INTERFACE + 4096 * 2;
export const INPUT_SIZE: usize = 64 * 1024 * 1024;
/** What is read or written beyond the end of the input, in pieces of 16 bytes, does no harm. */
export const INPUT_SLACK: usize = CACHE_LINE;

/** Where the parts begin whose sizes are given when an engine is made. */
export const VARIABLE: usize = INPUT + INPUT_SIZE + INPUT_SLACK;

// The set of suppressed keys. A slot is 32 bits of a fingerprint, then 24 more of them and the window.

export const SUPPRESSED_SLOT: usize = 8;
export const FIRST_SUPPRESSED: u32 = 1024;
/** How full the set may be after it was swept. */
export const FULL_AFTERWARDS: f64 = 0.45;
