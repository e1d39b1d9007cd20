import { AgeList } from "../flow/age_list.ts";
import { hash4, hash6 } from "../flow/conversation_hash.ts";
import { IPV6_BIT, WORD_A, WORD_KIND } from "../flow/observation_batch.ts";

/** Words of an address in an observation, where the second one follows the first. */
const ADDRESS_WORDS = 4;

/*
 * The words of a row, which is a cache line: first both addresses as an observation has them. `about`
 * is the protocol, and above it what was remembered last. After `older` comes the other link of an `AgeList`.
 */
const ROW_SHIFT = 4;
const ROW_WHAT = 8;
const ROW_ABOUT = 9;
const ROW_SIGHTINGS = 10;
const ROW_FIRST = 11;
const ROW_LAST = 12;
const ROW_OLDER = 13;
const ROW_HASH = 15;
const NOTE_SHIFT = 8;
const PROTOCOL_MASK = 0xff;

/** Chains for each row, at least: so few rows meet in one. */
const CHAINS_PER_ROW = 4;

/** What was sighted: two addresses, and a number that tells what of them. */
export interface Sighting {
  readonly isIpv6: boolean;
  /** Has the two addresses, each four words as in an observation, and those of other sightings. */
  readonly addresses: Uint32Array;
  /** Where the first of the eight words is. */
  readonly at: number;
  /** The number that tells what of the two addresses. */
  readonly what: number;
  /** The protocol, or whatever else was given for it: 0 to 255. */
  readonly protocol: number;
  readonly sightings: number;
  /** Seconds since 1970-01-01 UTC. */
  readonly first: number;
  readonly last: number;
  /** What was remembered last. */
  readonly note: number;
  readonly name: string | undefined;
}

/**
 * Counts sightings of pairs of addresses, in typed arrays, as a scan makes millions of them. Bounded
 * for each address family: what was not sighted for longest makes room.
 */
export class SightingTable {
  readonly #ipv4: FamilyTable;
  readonly #ipv6: FamilyTable;

  /** @param maxRows How many of each address family are kept. */
  constructor(maxRows: number) {
    this.#ipv4 = new FamilyTable(false, maxRows);
    this.#ipv6 = new FamilyTable(true, maxRows);
  }

  /** How many had to make room. One that came back is counted each time it went. */
  get leftOut(): number {
    return this.#ipv4.leftOut + this.#ipv6.leftOut;
  }

  /**
   * Takes one sighting.
   *
   * @param words Holds an observation, whose two addresses are counted.
   * @param offset Where it begins.
   * @param what Tells what of the two addresses.
   * @param protocol 0 to 255, told apart as well.
   * @param note Remembered beside it.
   */
  add(
    words: Uint32Array,
    offset: number,
    what: number,
    protocol: number,
    seconds: number,
    note: number,
    name?: string,
  ): void {
    const isIpv6 = (words[offset + WORD_KIND] & IPV6_BIT) !== 0;
    const table = isIpv6 ? this.#ipv6 : this.#ipv4;
    table.add(words, offset, what, protocol, seconds, note, name);
  }

  /** All that there are, what was sighted last at the end. */
  list(): Sighting[] {
    return [...this.#ipv4.list(), ...this.#ipv6.list()].sort((one, other) => one.last - other.last);
  }
}

/**
 * Rows are numbered from 1. They are in a list by age, and found by an index with open addressing. A
 * row's place may be that of another one later.
 */
class FamilyTable {
  readonly #isIpv6: boolean;
  readonly #maxRows: number;
  readonly #rows: Int32Array;
  /** By the last bits of the hash the first row of a chain, and the next one of each row. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #ages: AgeList;
  /** Unknown to whoever sends us packets, so that they can't be made to fall into one slot. */
  readonly #seed = crypto.getRandomValues(new Int32Array(1))[0];
  readonly #names: (string | undefined)[] = [];
  readonly #key = new Int32Array(2 * ADDRESS_WORDS);
  #size = 0;
  leftOut = 0;

  constructor(isIpv6: boolean, maxRows: number) {
    this.#isIpv6 = isIpv6;
    this.#maxRows = maxRows;
    this.#rows = new Int32Array((maxRows + 1) << ROW_SHIFT);
    this.#ages = new AgeList(this.#rows, ROW_SHIFT, ROW_OLDER);
    let chains = CHAINS_PER_ROW;
    while (chains < maxRows * CHAINS_PER_ROW) chains *= 2;
    this.#heads = new Int32Array(chains);
    this.#next = new Int32Array(maxRows + 1);
  }

  add(
    words: Uint32Array,
    offset: number,
    what: number,
    protocol: number,
    seconds: number,
    note: number,
    name: string | undefined,
  ): void {
    const at = offset + WORD_A;
    let hash: number;
    if (this.#isIpv6) {
      const key = this.#key;
      for (let word = 0; word < ROW_WHAT; word++) key[word] = words[at + word];
      hash = hash6(this.#seed, key, 0, what, protocol);
    } else hash = hash4(this.#seed, words[at + 3] | 0, words[at + 7] | 0, what, protocol);
    const rows = this.#rows;
    const about = protocol | (note << NOTE_SHIFT);
    const number = this.#find(hash, words, at, what, protocol);
    if (number === 0) {
      this.#append(hash, words, at, what, about, seconds, name);
      return;
    }
    this.#ages.renew(number);
    const row = number << ROW_SHIFT;
    rows[row + ROW_ABOUT] = about;
    rows[row + ROW_SIGHTINGS]++;
    if (seconds < rows[row + ROW_FIRST] >>> 0) rows[row + ROW_FIRST] = seconds;
    if (seconds > rows[row + ROW_LAST] >>> 0) rows[row + ROW_LAST] = seconds;
    if (name !== undefined) this.#names[number] = name;
  }

  list(): Sighting[] {
    const all: Sighting[] = [];
    const words = new Uint32Array(this.#rows.buffer);
    for (let number = this.#ages.oldest; number !== 0; number = this.#ages.newerThan(number)) {
      const at = number << ROW_SHIFT;
      const about = words[at + ROW_ABOUT];
      all.push({
        isIpv6: this.#isIpv6,
        addresses: words,
        at,
        what: words[at + ROW_WHAT],
        protocol: about & PROTOCOL_MASK,
        sightings: words[at + ROW_SIGHTINGS],
        first: words[at + ROW_FIRST],
        last: words[at + ROW_LAST],
        note: about >>> NOTE_SHIFT,
        name: this.#names[number],
      });
    }
    return all;
  }

  /** The number of the row, or 0. */
  #find(hash: number, words: Uint32Array, at: number, what: number, protocol: number): number {
    const rows = this.#rows;
    const heads = this.#heads;
    const next = this.#next;
    let number = heads[hash & (heads.length - 1)];
    for (; number !== 0; number = next[number]) {
      const row = number << ROW_SHIFT;
      if (
        rows[row + ROW_HASH] === hash && rows[row + ROW_WHAT] === what &&
        (rows[row + ROW_ABOUT] & PROTOCOL_MASK) === protocol && this.#hasAddresses(row, words, at)
      ) break;
    }
    return number;
  }

  #hasAddresses(row: number, words: Uint32Array, at: number): boolean {
    const rows = this.#rows;
    for (let word = 0; word < ROW_WHAT; word++) {
      if (rows[row + word] !== (words[at + word] | 0)) return false;
    }
    return true;
  }

  /** Makes a row of what has none. */
  #append(
    hash: number,
    words: Uint32Array,
    at: number,
    what: number,
    about: number,
    seconds: number,
    name: string | undefined,
  ): void {
    const isFull = this.#size === this.#maxRows;
    const number = isFull ? this.#ages.oldest : ++this.#size;
    if (isFull) this.#leaveOut(number);
    const rows = this.#rows;
    const row = number << ROW_SHIFT;
    for (let word = 0; word < ROW_WHAT; word++) rows[row + word] = words[at + word];
    rows[row + ROW_WHAT] = what;
    rows[row + ROW_ABOUT] = about;
    rows[row + ROW_SIGHTINGS] = 1;
    rows[row + ROW_FIRST] = seconds;
    rows[row + ROW_LAST] = seconds;
    rows[row + ROW_HASH] = hash;
    // Where there are no names, the array stays empty.
    if (name !== undefined || this.#names.length > 0) this.#names[number] = name;
    this.#ages.add(number);
    const heads = this.#heads;
    const slot = hash & (heads.length - 1);
    this.#next[number] = heads[slot];
    heads[slot] = number;
  }

  /** Takes the oldest row out of list and index. */
  #leaveOut(number: number): void {
    this.#ages.remove(number);
    this.#removeFromIndex(number);
    this.leftOut++;
  }

  #removeFromIndex(number: number): void {
    const heads = this.#heads;
    const next = this.#next;
    const slot = this.#rows[(number << ROW_SHIFT) + ROW_HASH] & (heads.length - 1);
    if (heads[slot] === number) {
      heads[slot] = next[number];
      return;
    }
    let before = heads[slot];
    while (next[before] !== number) before = next[before];
    next[before] = next[number];
  }
}
