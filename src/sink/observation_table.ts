import { IPV6_BIT, OBSERVATION_WORDS, WORD_A, WORD_KIND } from "../model/observation_batch.ts";
import { RECORD_WORDS } from "../model/record_batch.ts";
import { wideNumber } from "../model/wide_number.ts";
import { startProgram } from "../wasm_program.ts";
import {
  FAMILY,
  FAMILY_CHAIN_MASK,
  FAMILY_HEADS,
  FAMILY_LEFT_OUT,
  FAMILY_MAX_ROWS,
  FAMILY_NEXT,
  FAMILY_OLDEST,
  FAMILY_ROWS,
  IS_NEW,
  KIND_SHIFT,
  NOTE_SHIFT,
  PROTOCOL_MASK,
  ROW_ABOUT,
  ROW_FIGURES,
  ROW_FIRST,
  ROW_LAST,
  ROW_MILLISECONDS,
  ROW_NEWER,
  ROW_SHIFT,
  ROW_TUNNEL,
  ROW_WHAT,
  SECRETS,
  WHAT_MASK,
} from "./row_layout.ts";
import { PROGRAM } from "./observation_program.ts";

/** What `assembly/observations.ts` exports. */
interface ObservationProgram {
  setUp(families: number, secrets: number): void;
  add(
    isIpv6: boolean,
    addresses: number,
    what: number,
    protocol: number,
    tunnel: number,
    seconds: number,
    note: number,
  ): number;
  addFlows(observations: number, count: number, rows: number): void;
  see(
    isIpv6: boolean,
    addresses: number,
    what: number,
    protocol: number,
    tunnel: number,
    seconds: number,
  ): void;
  addFigures(records: number, count: number, hashes: number): void;
}

const PAGE = 64 * 1024;
const WORD = 4;
const ROW = 2 ** ROW_SHIFT;
/** Observations that the program takes at once. */
const AT_ONCE = 4096;
/** Records of conversations that it takes at once, so that they need no more room. */
const RECORDS_AT_ONCE = AT_ONCE * OBSERVATION_WORDS / RECORD_WORDS;
/** Words of an address in an observation, where the second one follows the first. */
const ADDRESS_WORDS = 4;

/** Chains for each row, at least: so few rows meet in one. */
const CHAINS_PER_ROW = 4;

/** What was sighted: two addresses, and a number that tells what of them. */
export interface Observation {
  readonly isIpv6: boolean;
  /** Has the two addresses, each four words as in an observation, and those of other observations. */
  readonly addresses: Uint32Array;
  /** Where the first of the eight words is. */
  readonly at: number;
  /** The number that tells what of the two addresses. */
  readonly what: number;
  /** The protocol, or whatever else was given for it: 0 to 255. */
  readonly protocol: number;
  /** The kind of tunnel that it was in (src/model/tunnel_numbers.ts), and what tells that apart. */
  readonly tunnel: number;
  readonly tunnelId: number;
  /** Seconds since 1970-01-01 UTC. */
  readonly first: number;
  readonly last: number;
  /** The milliseconds of both. */
  readonly firstMillisecond: number;
  readonly lastMillisecond: number;
  /** Packets from the client, from the server. */
  readonly packets: readonly [number, number];
  /** Bytes of these. */
  readonly bytes: readonly [number, number];
  /** What was remembered last. */
  readonly note: number;
  readonly name: string | undefined;
}

/**
 * Keeps observations of pairs of addresses, in WebAssembly, as a scan makes millions of them. Bounded for
 * each address family: what was not sighted for longest makes room.
 *
 * Rows of each family are numbered from 1. They are in a list by age, and found by their hash. A row's
 * place may be that of another one later.
 */
export class ObservationTable {
  readonly #program: ObservationProgram;
  readonly #words: Uint32Array;
  /** Words of each family. */
  readonly #families: readonly [number, number];
  /** Words of the observations, and of the numbers of their rows. */
  readonly #observations: number;
  readonly #numbers: number;
  readonly #names: readonly [(string | undefined)[], (string | undefined)[]] = [[], []];
  #end = FAMILY;

  /** @param maxRows How many of each address family are kept. */
  constructor(maxRows: number) {
    let chains = CHAINS_PER_ROW;
    while (chains < maxRows * CHAINS_PER_ROW) chains *= 2;
    const families = this.#take(2 * FAMILY);
    const secrets = this.#take(SECRETS);
    const places = [0, 1].map(() => ({
      rows: this.#take((maxRows + 1) * ROW),
      heads: this.#take(chains * WORD),
      next: this.#take((maxRows + 1) * WORD),
    }));
    this.#observations = this.#take(AT_ONCE * OBSERVATION_WORDS * WORD) / WORD;
    this.#numbers = this.#take(AT_ONCE * WORD) / WORD;
    const pages = Math.ceil(this.#end / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const words = new Uint32Array(memory.buffer);
    this.#words = words;
    this.#families = [families / WORD, (families + FAMILY) / WORD];
    places.forEach(({ rows, heads, next }, i) => {
      const family = this.#families[i];
      words[family + FAMILY_ROWS / WORD] = rows;
      words[family + FAMILY_HEADS / WORD] = heads;
      words[family + FAMILY_NEXT / WORD] = next;
      words[family + FAMILY_CHAIN_MASK / WORD] = chains - 1;
      words[family + FAMILY_MAX_ROWS / WORD] = maxRows;
    });
    this.#program = startProgram<ObservationProgram>(PROGRAM, memory);
    // Unknown to whoever sends us packets, so that they can't be made to fall into one chain.
    words.set(crypto.getRandomValues(new Uint32Array(SECRETS / WORD)), secrets / WORD);
    this.#program.setUp(families, secrets);
  }

  /** How many had to make room. One that came back is counted each time it went. */
  get leftOut(): number {
    const [ipv4, ipv6] = this.#families;
    return this.#words[ipv4 + FAMILY_LEFT_OUT / WORD] + this.#words[ipv6 + FAMILY_LEFT_OUT / WORD];
  }

  /**
   * Takes one observation.
   *
   * @param words Holds an observation, whose two addresses are kept.
   * @param offset Where it begins.
   * @param what Tells what of the two addresses.
   * @param protocol 0 to 255, told apart as well.
   * @param note Remembered beside it.
   */
  add(
    isIpv6: boolean,
    words: Uint32Array,
    offset: number,
    what: number,
    protocol: number,
    seconds: number,
    note: number,
    name?: string,
  ): void {
    const at = this.#observations;
    const from = offset + WORD_A;
    for (let i = 0; i < 2 * ADDRESS_WORDS; i++) this.#words[at + i] = words[from + i];
    const row = this.#program.add(isIpv6, at * WORD, what, protocol, 0, seconds, note);
    this.#setName(isIpv6, row, name);
  }

  /**
   * Takes the flows among observations: what tells them apart besides is the port and the tunnel, and what decided is
   * remembered.
   *
   * @param nameOf Gives the name that an observation has, by where it begins; `null` if none has any.
   */
  addFlows(
    words: Uint32Array,
    count: number,
    nameOf: ((isIpv6: boolean, offset: number) => string | undefined) | null,
  ): void {
    for (let done = 0; done < count; done += AT_ONCE) {
      const now = Math.min(AT_ONCE, count - done);
      const from = done * OBSERVATION_WORDS;
      const to = this.#observations;
      this.#words.set(words.subarray(from, from + now * OBSERVATION_WORDS), to);
      this.#program.addFlows(to * WORD, now, this.#numbers * WORD);
      if (nameOf === null && this.#names.every((names) => names.length === 0)) continue;
      for (let i = 0; i < now; i++) {
        const row = this.#words[this.#numbers + i] | 0;
        if (row === 0) continue;
        const offset = from + i * OBSERVATION_WORDS;
        const isIpv6 = (words[offset + WORD_KIND] & IPV6_BIT) !== 0;
        this.#setName(isIpv6, row, nameOf?.(isIpv6, offset));
      }
    }
  }

  /** Takes when one was seen last, if it is there. Parameters are as of {@linkcode ObservationTable.add}. */
  see(
    isIpv6: boolean,
    words: Uint32Array,
    offset: number,
    what: number,
    protocol: number,
    seconds: number,
  ): void {
    const at = this.#observations;
    const from = offset + WORD_A;
    for (let i = 0; i < 2 * ADDRESS_WORDS; i++) this.#words[at + i] = words[from + i];
    this.#program.see(isIpv6, at * WORD, what, protocol, 0, seconds);
  }

  /** Adds the figures of records (`record_layout.ts`) to the flows that are there. */
  addFigures(words: Uint32Array, count: number): void {
    for (let done = 0; done < count; done += RECORDS_AT_ONCE) {
      const now = Math.min(RECORDS_AT_ONCE, count - done);
      const from = done * RECORD_WORDS;
      const to = this.#observations;
      this.#words.set(words.subarray(from, from + now * RECORD_WORDS), to);
      this.#program.addFigures(to * WORD, now, this.#numbers * WORD);
    }
  }

  /** All that there are, what was sighted last at the end. */
  list(): Observation[] {
    return [...this.#list(false), ...this.#list(true)].sort((one, other) => one.last - other.last);
  }

  #setName(isIpv6: boolean, row: number, name: string | undefined): void {
    const names = this.#names[isIpv6 ? 1 : 0];
    const isNew = (row & IS_NEW) !== 0;
    // Where there are no names, the array stays empty.
    if (name !== undefined || (isNew && names.length > 0)) names[row & ~IS_NEW] = name;
  }

  #list(isIpv6: boolean): Observation[] {
    const all: Observation[] = [];
    const words = this.#words;
    const family = this.#families[isIpv6 ? 1 : 0];
    const names = this.#names[isIpv6 ? 1 : 0];
    const rows = words[family + FAMILY_ROWS / WORD] / WORD;
    const figure = (at: number, which: number) =>
      wideNumber(words, at + ROW_FIGURES / WORD + which * 2);
    for (let number = words[family + FAMILY_OLDEST / WORD]; number !== 0;) {
      const at = rows + number * (ROW / WORD);
      const about = words[at + ROW_ABOUT / WORD];
      all.push({
        isIpv6,
        addresses: words,
        at,
        what: words[at + ROW_WHAT / WORD],
        protocol: about & PROTOCOL_MASK,
        tunnel: (about & WHAT_MASK) >>> KIND_SHIFT,
        tunnelId: words[at + ROW_TUNNEL / WORD],
        first: words[at + ROW_FIRST / WORD],
        last: words[at + ROW_LAST / WORD],
        firstMillisecond: words[at + ROW_MILLISECONDS / WORD] & 0xffff,
        lastMillisecond: words[at + ROW_MILLISECONDS / WORD] >>> 16,
        packets: [figure(at, 0), figure(at, 1)],
        bytes: [figure(at, 2), figure(at, 3)],
        note: about >>> NOTE_SHIFT,
        name: names[number],
      });
      number = words[at + ROW_NEWER / WORD];
    }
    return all;
  }

  #take(size: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + size) / ROW) * ROW;
    return at;
  }
}
