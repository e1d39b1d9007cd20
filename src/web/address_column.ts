import { parseAddress } from "../model/address.ts";
import { addressesWithin } from "./addresses_within.ts";
import { grown } from "./grown.ts";
import { ranksOf } from "./ranks_of.ts";

const WORDS = 4;
/** What a text and its place in a map take besides its characters; about. */
const TEXT_BYTES = 80;

/** Different addresses, each with a number, as texts and as words. */
export class AddressColumn {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  #words = new Uint32Array();
  /** 4, 6, or 0 for what is no address. */
  #families = new Uint8Array();
  #ranks: Uint32Array | null = null;

  /** Memory in bytes; about. */
  get bytes(): number {
    return this.texts.length * (TEXT_BYTES + WORDS * 4);
  }

  /** The number of an address, which is a new one for one that is not known. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.texts.push(text) - 1;
    this.#numbers.set(text, number);
    this.#ranks = null;
    this.#families = grown(this.#families, number + 1);
    this.#words = grown(this.#words, (number + 1) * WORDS);
    const address = parseAddress(text);
    this.#families[number] = address?.family ?? 0;
    if (address !== null) this.#words.set(address.words, number * WORDS);
    return number;
  }

  /** For each address whether it is within a prefix, or the one that a filter names. */
  within(prefix: string): Uint8Array {
    const addresses = addressesWithin(prefix);
    const isWithin = new Uint8Array(this.texts.length);
    for (let i = 0; i < isWithin.length; i++) {
      const family = this.#families[i];
      if (family !== 0 && addresses.hasAt(family === 6, this.#words, i * WORDS)) isWithin[i] = 1;
    }
    return isWithin;
  }

  /** For each address whether a text is a part of it. */
  having(part: string): Uint8Array {
    const hasIt = new Uint8Array(this.texts.length);
    for (let i = 0; i < hasIt.length; i++) if (this.texts[i].includes(part)) hasIt[i] = 1;
    return hasIt;
  }

  /** For each address its place among all: as numbers, IPv4 first; what is no address comes last. */
  ranks(): Uint32Array {
    return this.#ranks ??= ranksOf(this.texts.length, (a, b) => this.#compare(a, b));
  }

  #compare(a: number, b: number): number {
    const families = (this.#families[a] || 7) - (this.#families[b] || 7);
    if (families !== 0) return families;
    if (this.#families[a] === 0) return this.texts[a] < this.texts[b] ? -1 : 1;
    for (let i = 0; i < WORDS; i++) {
      const difference = this.#words[a * WORDS + i] - this.#words[b * WORDS + i];
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
