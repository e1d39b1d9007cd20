import {
  ConversationTable,
  HOT_ADDRESSES,
  HOT_PORTS,
  HOT_STATE,
} from "../flow/conversation_table.ts";
import { IPV6_BIT, WORD_A, WORD_B, WORD_KIND } from "../flow/observation_batch.ts";

/** Words of an address in an observation. */
const ADDRESS_WORDS = 4;

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
    this.#ipv4 = new FamilyTable(1, maxRows);
    this.#ipv6 = new FamilyTable(ADDRESS_WORDS, maxRows);
  }

  /** How many had to make room. One that came back is counted each time it went. */
  get leftOut(): number {
    return this.#ipv4.leftOut + this.#ipv6.leftOut;
  }

  /** How many there are. */
  get size(): number {
    return this.#ipv4.size + this.#ipv6.size;
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

class FamilyTable {
  readonly #table: ConversationTable;
  readonly #addressWords: 1 | 4;
  readonly #key: Int32Array;
  readonly #sightings: Uint32Array;
  readonly #first: Uint32Array;
  readonly #last: Uint32Array;
  readonly #notes: Uint32Array;
  readonly #names: (string | undefined)[] = [];

  constructor(addressWords: 1 | 4, maxRows: number) {
    this.#table = new ConversationTable(addressWords, maxRows);
    this.#addressWords = addressWords;
    this.#key = new Int32Array(2 * addressWords);
    this.#sightings = new Uint32Array(maxRows + 1);
    this.#first = new Uint32Array(maxRows + 1);
    this.#last = new Uint32Array(maxRows + 1);
    this.#notes = new Uint32Array(maxRows + 1);
  }

  get leftOut(): number {
    return this.#table.forgotten;
  }

  get size(): number {
    return this.#table.count;
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
    const number = this.#find(words, offset, what, protocol, seconds);
    this.#sightings[number]++;
    if (seconds < this.#first[number]) this.#first[number] = seconds;
    if (seconds > this.#last[number]) this.#last[number] = seconds;
    this.#notes[number] = note;
    if (name !== undefined) this.#names[number] = name;
  }

  #find(
    words: Uint32Array,
    offset: number,
    what: number,
    protocol: number,
    seconds: number,
  ): number {
    const table = this.#table;
    const key = this.#key;
    const size = this.#addressWords;
    for (let word = 0; word < size; word++) {
      key[word] = words[offset + WORD_A + ADDRESS_WORDS - size + word];
      key[size + word] = words[offset + WORD_B + ADDRESS_WORDS - size + word];
    }
    const isIpv4 = size === 1;
    const hash = isIpv4
      ? table.hash4(key[0], key[1], what, protocol)
      : table.hash6(key, 0, what, protocol);
    const known = isIpv4
      ? table.find4(hash, key[0], key[1], what, protocol)
      : table.find6(hash, key, 0, what, protocol);
    if (known !== 0) {
      table.touch(known);
      return known;
    }
    const added = isIpv4
      ? table.add4(hash, key[0], key[1], what, protocol)
      : table.add6(hash, key, 0, what, protocol);
    this.#sightings[added] = 0;
    this.#first[added] = seconds;
    this.#last[added] = seconds;
    this.#names[added] = undefined;
    return added;
  }

  list(): Sighting[] {
    const all: Sighting[] = [];
    // An array for each would take most of the time.
    const addresses = new Uint32Array(2 * ADDRESS_WORDS * this.size);
    this.#table.forEach((number) =>
      all.push(this.#read(number, addresses, 2 * ADDRESS_WORDS * all.length))
    );
    return all;
  }

  #read(number: number, addresses: Uint32Array, at: number): Sighting {
    const { hot, hotShift } = this.#table;
    const size = this.#addressWords;
    const cell = number << hotShift;
    for (let word = 0; word < size; word++) {
      const from = cell + HOT_ADDRESSES + word;
      addresses[at + ADDRESS_WORDS - size + word] = hot[from];
      addresses[at + 2 * ADDRESS_WORDS - size + word] = hot[from + size];
    }
    return {
      isIpv6: size === ADDRESS_WORDS,
      addresses,
      at,
      what: hot[cell + HOT_PORTS],
      protocol: hot[cell + HOT_STATE] & 0xff,
      sightings: this.#sightings[number],
      first: this.#first[number],
      last: this.#last[number],
      note: this.#notes[number],
      name: this.#names[number],
    };
  }
}
