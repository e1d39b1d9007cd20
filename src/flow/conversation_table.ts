import { AgeList } from "./age_list.ts";
import { residentWords } from "./resident_words.ts";

/*
 * A conversation has a number, two ends, the low and the high one by address and port, and two
 * directions: direction 0 is from the low end to the high one. What is kept for both directions has
 * direction 1 in the word after that of direction 0.
 *
 * What each packet needs is in `hot`, at the number shifted by `hotShift`: as few words as can be,
 * aligned, so that a packet costs one miss of the processor's cache. These are its words.
 */
/** The window of time from which on a packet of each direction has it judged again. */
export const HOT_UNTIL = 0;
/** When the last packet came, in seconds since 1970-01-01 UTC, as their lower 32 bits. */
export const HOT_LAST_SEEN = 2;
/** IANA protocol number in bits 0 to 7, the `STATE_` flags, counters from bit 16. */
export const HOT_STATE = 3;
/** The conversation has just been added, and nothing else was done about it. */
export const STATE_NEW = 1 << 8;
/** What its next packets carry should be looked at. */
export const STATE_WANTS_PAYLOAD = 1 << 9;
/** Its ends have not met: see `meetDue` of `assembly/evidence.ts`. */
export const STATE_UNMET = 1 << 10;
/** The low end's port in the upper half, the high end's in the lower one. */
export const HOT_PORTS = 4;
/** The low end's address, then the high end's: one word each for IPv4, four for IPv6. */
export const HOT_ADDRESSES = 5;

/** What a meter remembers besides is in `cold`, at the number shifted by this. */
export const COLD_SHIFT = 2;
/** What the mapping says of each direction (`src/config/outcome.ts`), or {@linkcode UNJUDGED}. */
export const COLD_OUTCOME = 0;
/** What was seen of the conversation, in bits that `assembly/gathering.ts` gives a meaning; 0 at first. */
export const COLD_EVIDENCE = 2;
/** In which round of judgements the mapping was asked last, if what it said was taken; else 0. */
export const COLD_JUDGEMENT = 3;

/** What the table itself needs is at the number shifted by this. */
const LINK_SHIFT = 2;
const LINK_OLDER = 0;
const LINK_NEWER = 1;
const LINK_HASH = 2;
/** `HOT_LAST_SEEN` at the time of the last touch. */
const LINK_TOUCHED = 3;

/** In {@linkcode COLD_OUTCOME}: the mapping was not yet asked. */
export const UNJUDGED = -1;

/** An index word has the conversation's number, from 1, in these bits and a part of its hash above. */
const NUMBER_MASK = 0x00ff_ffff;
const TAG_MASK = ~NUMBER_MASK;
/** The most conversations that an index word can number. */
export const MOST_CONVERSATIONS = NUMBER_MASK;

/** Lookups that may wait for memory together. */
export const PREFETCHED_AT_ONCE = 256;

const FIRST_INDEX_SIZE = 1 << 14;
/** When the table is full, so many of its conversations are forgotten at once. */
const FORGOTTEN_AT_ONCE = 1 / 64;
/** For each that is forgotten, so many busy ones may be passed over: it must not take long. */
const MOST_SPARED = 16;

/** Words of a hot cell, as a power of two: IPv4 8, which is half a cache line, and IPv6 16. */
export const IPV4_HOT_SHIFT = 3;
export const IPV6_HOT_SHIFT = 4;

/** Where the cells of a table's conversations are; all are 0 at first. */
export interface ConversationCells {
  readonly hot: Int32Array;
  readonly cold: Int32Array;
}

/**
 * The conversations of one address family: a hash table with open addressing over typed arrays.
 *
 * A conversation is addresses, ports and protocol, whichever end sent a packet. Its cells stay where
 * they are for as long as the table remembers it. They have their full size from the start, which
 * costs address space only: the system gives memory when a cell is first written. So the table grows
 * without ever copying cells; only its index, 4 bytes for a slot, is made anew, twice the size, from
 * time to time.
 */
export class ConversationTable {
  readonly hot: Int32Array;
  readonly cold: Int32Array;
  readonly #links: Int32Array;
  readonly #ages: AgeList;
  readonly hotShift: number;
  /** How many conversations there are. */
  count = 0;
  /** How many were forgotten to make room for others. */
  forgotten = 0;
  /** Called with the number of each conversation that is forgotten, while its cells are still there. */
  onForget: ((number: number) => void) | null = null;
  readonly #limit: number;
  readonly #beforeForgetting: () => void;
  #index: Int32Array;
  #mask: number;
  readonly #words = new Int32Array(PREFETCHED_AT_ONCE);
  /** Number of the next cell that was never used. */
  #unused = 1;
  /** Number of the first in a list of free cells that is linked by `LINK_NEWER`; 0 is none. */
  #free = 0;

  /**
   * @param addressWords Words of an address: 1 for IPv4, 4 for IPv6.
   * @param limit How many conversations are remembered at most.
   * @param beforeForgetting Called before conversations are forgotten, so that what is pending about
   * them can be brought to an end.
   * @param cells Where they are, if they are to be somewhere, with one more than the limit.
   */
  constructor(
    addressWords: 1 | 4,
    limit: number,
    beforeForgetting: () => void = () => {},
    cells?: ConversationCells,
  ) {
    if (limit < 1 || limit > MOST_CONVERSATIONS) throw new RangeError(`limit ${limit}`);
    this.hotShift = addressWords === 1 ? IPV4_HOT_SHIFT : IPV6_HOT_SHIFT;
    this.#limit = limit;
    this.#beforeForgetting = beforeForgetting;
    this.hot = cells?.hot ?? new Int32Array((limit + 1) << this.hotShift);
    this.cold = cells?.cold ?? new Int32Array((limit + 1) << COLD_SHIFT);
    this.#links = new Int32Array((limit + 1) << LINK_SHIFT);
    this.#ages = new AgeList(this.#links, LINK_SHIFT, LINK_OLDER);
    this.#index = new Int32Array(FIRST_INDEX_SIZE);
    this.#mask = FIRST_INDEX_SIZE - 1;
  }

  /**
   * Has the processor fetch what lookups of these hashes will need. Such loads do not depend on each
   * other, so they all wait for memory at the same time, and not one after the other.
   *
   * @param from Index of the first hash.
   * @param end Index after the last: at most {@linkcode PREFETCHED_AT_ONCE} more.
   * @returns A number without a meaning, to be used somewhere, or the loads are optimized away.
   */
  prefetch(hashes: Int32Array, from: number, end: number): number {
    const index = this.#index;
    const mask = this.#mask;
    const words = this.#words;
    const { hot, hotShift } = this;
    const count = end - from;
    for (let i = 0; i < count; i++) words[i] = index[hashes[from + i] & mask];
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= hot[((words[i] & NUMBER_MASK) << hotShift) + HOT_PORTS];
    return sum;
  }

  /**
   * The number of an IPv4 conversation, or 0 if it is not remembered. IPv6 has a method of its own:
   * every packet comes here, and with one size of addresses the comparison is three words.
   */
  find4(hash: number, low: number, high: number, ports: number, protocol: number): number {
    const index = this.#index;
    const mask = this.#mask;
    const { hot } = this;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const word = index[slot];
      if (word === 0) break;
      if (((word ^ hash) & TAG_MASK) !== 0) continue;
      const number = word & NUMBER_MASK;
      const cell = number << IPV4_HOT_SHIFT;
      if (
        hot[cell + HOT_PORTS] === ports && hot[cell + HOT_ADDRESSES] === low &&
        hot[cell + HOT_ADDRESSES + 1] === high && (hot[cell + HOT_STATE] & 0xff) === protocol
      ) return number;
    }
    return 0;
  }

  /** Adds an IPv4 conversation that is not remembered. @returns Its number. */
  add4(hash: number, low: number, high: number, ports: number, protocol: number): number {
    const number = this.#add(hash, ports, protocol);
    this.hot[(number << IPV4_HOT_SHIFT) + HOT_ADDRESSES] = low;
    this.hot[(number << IPV4_HOT_SHIFT) + HOT_ADDRESSES + 1] = high;
    return number;
  }

  /**
   * The same for IPv6.
   *
   * @param addresses Has the low end's address, then the high end's, from `at`.
   */
  find6(
    hash: number,
    addresses: Int32Array,
    at: number,
    ports: number,
    protocol: number,
  ): number {
    const index = this.#index;
    const mask = this.#mask;
    const { hot } = this;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const word = index[slot];
      if (word === 0) break;
      if (((word ^ hash) & TAG_MASK) !== 0) continue;
      const number = word & NUMBER_MASK;
      const cell = number << IPV6_HOT_SHIFT;
      if (
        hot[cell + HOT_PORTS] === ports && (hot[cell + HOT_STATE] & 0xff) === protocol &&
        this.#hasAddresses(cell + HOT_ADDRESSES, addresses, at)
      ) return number;
    }
    return 0;
  }

  /** Adds an IPv6 conversation that is not remembered. @returns Its number. */
  add6(hash: number, addresses: Int32Array, at: number, ports: number, protocol: number): number {
    const number = this.#add(hash, ports, protocol);
    const cell = (number << IPV6_HOT_SHIFT) + HOT_ADDRESSES;
    for (let word = 0; word < 8; word++) this.hot[cell + word] = addresses[at + word];
    return number;
  }

  /**
   * Makes the cells of 0, which is no conversation's number, those of one that is not remembered.
   *
   * @param addresses Has the low end's address, then the high end's, from `at`.
   */
  fillNobody(addresses: Int32Array, at: number, ports: number, protocol: number): void {
    this.#begin(0, ports, protocol);
    const words = 2 * this.addressWords;
    for (let word = 0; word < words; word++) this.hot[HOT_ADDRESSES + word] = addresses[at + word];
  }

  /** Words of an address: 1 for IPv4, 4 for IPv6. */
  get addressWords(): number {
    return this.hotShift === IPV4_HOT_SHIFT ? 1 : 4;
  }

  /** The number after the last that a conversation has had. */
  get end(): number {
    return this.#unused;
  }

  /** The low end's port in the upper half, the high end's in the lower one. */
  portsOf(number: number): number {
    return this.hot[(number << this.hotShift) + HOT_PORTS];
  }

  /** The port of the low end (0) or the high one (1). */
  portOf(number: number, end: number): number {
    const ports = this.portsOf(number);
    return end === 0 ? ports >>> 16 : ports & 0xffff;
  }

  /** Says that a conversation is alive: of those that are not, the longest idle are forgotten first. */
  touch(number: number): void {
    this.#links[(number << LINK_SHIFT) + LINK_TOUCHED] = this.#lastSeen(number);
    this.#ages.renew(number);
  }

  /** Calls `visit` with each conversation's number, the longest idle first. It must not add any. */
  forEach(visit: (number: number) => void): void {
    for (let number = this.#ages.oldest; number !== 0;) {
      const next = this.#ages.newerThan(number);
      visit(number);
      number = next;
    }
  }

  /**
   * Has what the mapping said of any conversation forgotten, so that it is asked again.
   *
   * @param end The number after the last one that somebody else has given.
   */
  judgeAnew(end = 0): void {
    const last = Math.max(this.#unused, end);
    for (let number = 1; number < last; number++) this.#unjudge(number);
  }

  #unjudge(number: number): void {
    const until = (number << this.hotShift) + HOT_UNTIL;
    this.hot[until] = this.hot[until + 1] = 0;
    const outcome = (number << COLD_SHIFT) + COLD_OUTCOME;
    this.cold[outcome] = this.cold[outcome + 1] = UNJUDGED;
  }

  /** The words are signed: times are so from 2038 on as well. */
  #lastSeen(number: number): number {
    return this.hot[(number << this.hotShift) + HOT_LAST_SEEN] >>> 0;
  }

  #hasAddresses(cell: number, addresses: Int32Array, at: number): boolean {
    const { hot } = this;
    // What tells hosts apart stands at the end of their addresses.
    for (let word = 7; word >= 0; word--) {
      if (hot[cell + word] !== addresses[at + word]) return false;
    }
    return true;
  }

  #add(hash: number, ports: number, protocol: number): number {
    if (this.count === this.#limit) this.#forget();
    if ((this.count + 1) * 2 > this.#mask) this.#growIndex();
    let number = this.#free;
    if (number === 0) number = this.#unused++;
    else this.#free = this.#links[(number << LINK_SHIFT) + LINK_NEWER];
    const link = number << LINK_SHIFT;
    this.#links[link + LINK_HASH] = hash;
    this.#links[link + LINK_TOUCHED] = 0;
    this.#begin(number, ports, protocol);
    this.#ages.add(number);
    this.#insert(number, hash);
    this.count++;
    return number;
  }

  /** Makes the cells of a number those of a new conversation. */
  #begin(number: number, ports: number, protocol: number): void {
    const { hot, cold } = this;
    this.#unjudge(number);
    const cell = number << this.hotShift;
    hot[cell + HOT_LAST_SEEN] = 0;
    hot[cell + HOT_STATE] = protocol | STATE_NEW | STATE_UNMET;
    hot[cell + HOT_PORTS] = ports;
    const coldCell = number << COLD_SHIFT;
    cold[coldCell + COLD_EVIDENCE] = 0;
    cold[coldCell + COLD_JUDGEMENT] = 0;
  }

  #insert(number: number, hash: number): void {
    const index = this.#index;
    const mask = this.#mask;
    let slot = hash & mask;
    while (index[slot] !== 0) slot = (slot + 1) & mask;
    index[slot] = (hash & TAG_MASK) | number;
  }

  #growIndex(): void {
    const old = this.#index;
    this.#index = residentWords(old.length * 2);
    this.#mask = this.#index.length - 1;
    for (let slot = 0; slot < old.length; slot++) {
      const number = old[slot] & NUMBER_MASK;
      if (number !== 0) this.#insert(number, this.#hashOf(number));
    }
  }

  #hashOf(number: number): number {
    return this.#links[(number << LINK_SHIFT) + LINK_HASH];
  }

  #forget(): void {
    this.#beforeForgetting();
    const wanted = Math.max(1, Math.floor(this.#limit * FORGOTTEN_AT_ONCE));
    let spared = 0;
    for (let done = 0; done < wanted && this.#ages.oldest !== 0;) {
      const number = this.#ages.oldest;
      // A conversation is touched when it is judged, which may be long ago though it is busy.
      const wasTouched = this.#links[(number << LINK_SHIFT) + LINK_TOUCHED] >>> 0;
      if (this.#lastSeen(number) > wasTouched && spared++ < wanted * MOST_SPARED) {
        this.touch(number);
        continue;
      }
      done++;
      this.onForget?.(number);
      this.#ages.remove(number);
      this.#removeFromIndex(number);
      this.#links[(number << LINK_SHIFT) + LINK_NEWER] = this.#free;
      this.#free = number;
      this.count--;
      this.forgotten++;
    }
  }

  /** Takes a number out of the index and moves up those that were put after it for want of room. */
  #removeFromIndex(number: number): void {
    const index = this.#index;
    const mask = this.#mask;
    let slot = this.#hashOf(number) & mask;
    while ((index[slot] & NUMBER_MASK) !== number) slot = (slot + 1) & mask;
    for (let next = (slot + 1) & mask; index[next] !== 0; next = (next + 1) & mask) {
      const home = this.#hashOf(index[next] & NUMBER_MASK) & mask;
      // May it stand in the free slot, that is, is its home not between that slot and itself?
      if (((next - home) & mask) >= ((next - slot) & mask)) {
        index[slot] = index[next];
        slot = next;
      }
    }
    index[slot] = 0;
  }
}
