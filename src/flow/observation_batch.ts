/** What an observation says, as the kinds of key in the Redis contract. */
export const KIND_CLIENT = 1;
/** A client used a service: addresses are client and server, `ports` the service's port. */
export const KIND_FLOW = 2;
/** Two addresses exchanged packets: `a` talked with `b`. */
export const KIND_PEER = 3;
/** A connection was refused: `a` is the packet's destination, `ports` are `dport << 16 | sport`. */
export const KIND_RST = 4;
/** Something was unreachable: `a` is the packet's destination, `ports` are `sport << 16 | dport`. */
export const KIND_ICMP = 5;

/** 32-bit words of one observation. */
export const OBSERVATION_WORDS = 12;
/** Words of an observation that say which key it is; the others are about it. */
export const IDENTITY_WORDS = 10;

/** Word 0: kind in bits 0 to 7, 1 in bit 8 for IPv6, the ICMP code in bits 16 to 23. */
export const WORD_KIND = 0;
/** Words 1 to 4: the first address, in network order; IPv4 in the last of them, the others 0. */
export const WORD_A = 1;
/** Words 5 to 8: the second address. A client observation has none: 0. */
export const WORD_B = 5;
/** Word 9: the port or ports. */
export const WORD_PORTS = 9;
/** Word 10: a flow's `by` (src/flow/by.ts) in bits 0 to 7, its IP protocol in bits 8 to 15. */
export const WORD_ABOUT = 10;
/** Word 11: when, in seconds since 1970-01-01 UTC. */
export const WORD_SECONDS = 11;

/** Bit of word 0 that says the addresses are IPv6. */
export const IPV6_BIT = 1 << 8;

/**
 * Observations on their way to the sinks: each is one sighting of one key, made of numbers only.
 * Text is made from them by `src/sink/keys.ts`, where it is needed.
 */
export class ObservationBatch {
  /** The observations, one after the other. */
  readonly words: Uint32Array;
  /** How many observations there are. */
  count = 0;

  /**
   * Makes a batch without observations.
   *
   * @param capacity How many there is room for.
   * @param words Where to put them, if they are to be somewhere.
   */
  constructor(
    readonly capacity: number,
    words: Uint32Array = new Uint32Array(capacity * OBSERVATION_WORDS),
  ) {
    this.words = words;
  }

  /** Whether there is no room for another one. */
  get isFull(): boolean {
    return this.count === this.capacity;
  }

  /** Forgets them all. */
  clear(): void {
    this.count = 0;
  }
}
