import type { UndecodedCounts } from "../packet/undecoded_counts.ts";

/*
 * What a sieve sends on, as words, one thing after the other. Each begins with five, and the first one,
 * `about`, says what it is: the bits of a packet in a `PacketList`, and those below. Where they are
 * announced, ports and addresses follow, or all bytes of the packet.
 */
export const SIGHTING_ABOUT = 0;
/** The number of its conversation; 0 where it is none. With {@linkcode IS_TIME} the second. */
export const SIGHTING_NUMBER = 1;
/**
 * What its payload says (`payloadSays`), if it was looked at: as the first one of its conversation,
 * and from {@linkcode SAYS_LATER_SHIFT} on as a later one. A payload that says nothing is sent on only
 * where its packet is for another reason; so from {@linkcode LOOKS_SHIFT} on there is how many were
 * looked at, of the low end and then of the high one, with this one. SYN has these numbers too, as they
 * were before it, and makes them 0. Otherwise 0.
 */
export const SIGHTING_SAYS = 2;
export const SAYS_LATER_SHIFT = 4;
export const SAYS_MASK = 15;
export const WAS_LOOKED_AT = 1 << 8;
export const LOOKS_SHIFT = 16;
export const LOOKS_BITS = 4;
/** With {@linkcode IS_OTHER}: where the packet is. */
export const SIGHTING_OFFSET = 2;
/** With {@linkcode IS_OTHER}: how many bytes of it there are. */
export const SIGHTING_CAPTURED = 3;
/** With SYN: for how many seconds its conversation had been silent. */
export const SIGHTING_IDLE = 3;
/** With {@linkcode IS_OTHER}. */
export const SIGHTING_LINK_TYPE = 4;
export const SIGHTING_WORDS = 5;
/** With {@linkcode HAS_ENDS}: ports as in a `PacketList`, then the low end's address, the high end's. */
export const SIGHTING_PORTS = 5;
export const SIGHTING_ADDRESSES = 6;

/** A packet of IPv6. */
export const IS_IPV6 = 1 << 10;
/** The number is that of a new conversation, whatever it stood for before. */
export const IS_ADDED = 1 << 11;
/** Ports and addresses follow. */
export const HAS_ENDS = 1 << 12;
/** A packet that is wanted as a whole, be it of a conversation or not. */
export const IS_OTHER = 1 << 13;
/** No packet, but the time of those that follow. */
export const IS_TIME = 1 << 14;
/** No packet: conversations are forgotten for want of room, and their numbers may be used again. */
export const IS_FORGETTING = 1 << 15;

/** The most words that a packet may lead to, besides its bytes. */
export const MOST_SIGHTING_WORDS = 4 * SIGHTING_WORDS + 9;

/** Those of many packets that may change something for a `FlowMeter`, and what it has to know. */
export interface SightingBatch {
  /** Where the packets' bytes are. */
  readonly view: DataView<ArrayBufferLike>;
  /** The words, among others. */
  readonly words: Int32Array;
  /** Index of the first word. */
  readonly from: number;
  /** Index after the last word. */
  readonly end: number;
  /** All packets by what became of them, in the order of `DECODED_NAMES`. */
  readonly decoded: Int32Array;
  /** What was not decoded up to now, or a little later. */
  readonly undecoded: Pick<UndecodedCounts, "list">;
  /** When the sieve has seen a conversation last, by what it has read up to now. */
  readonly lastSeen: (isIpv6: boolean, number: number) => number;
  /** Conversations that the sieve remembers. */
  readonly conversations: number;
  /** Conversations that it has forgotten to make room. */
  readonly forgotten: number;
  /** DNS queries, of which it sends on nothing but their conversations. */
  readonly queries: number;
}
