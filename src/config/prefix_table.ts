import type { Cidr } from "./cidr.ts";
import { maskWords } from "./prefix_mask.ts";

/** Words of an address. */
const WORDS = 4;
/** Words of an IPv4 prefix. */
const IPV4_WORDS = 3;

/**
 * Prefixes in order, each with a number, asked without allocating: the number of the first prefix
 * that holds an address.
 */
export class PrefixTable {
  /** Of each a value, a mask, and the number. */
  readonly #ipv4: Int32Array;
  readonly #ipv6Values: Int32Array;
  readonly #ipv6Masks: Int32Array;
  readonly #ipv6Numbers: Int32Array;

  /** @param entries The prefixes, each with the number to find it by, 0 or more. */
  constructor(entries: readonly (readonly [prefix: Cidr, number: number])[]) {
    const ipv4 = entries.filter(([prefix]) => prefix.family === 4);
    const ipv6 = entries.filter(([prefix]) => prefix.family === 6);
    this.#ipv4 = Int32Array.from(ipv4.flatMap(([{ words, prefixLength }, number]) => [
      words[3],
      maskWords(4, prefixLength)[3],
      number,
    ]));
    this.#ipv6Values = Int32Array.from(ipv6.flatMap(([prefix]) => [...prefix.words]));
    this.#ipv6Masks = Int32Array.from(
      ipv6.flatMap(([{ prefixLength }]) => [...maskWords(6, prefixLength)]),
    );
    this.#ipv6Numbers = Int32Array.from(ipv6, ([, number]) => number);
  }

  /**
   * The number of the first prefix that holds the address, or -1.
   *
   * @param words Where the address is: four words in network order, IPv4 in the last of them.
   * @param offset Index of its first word.
   * @param isIpv6 Whether it is an IPv6 address.
   */
  find(words: Uint32Array, offset: number, isIpv6: boolean): number {
    return isIpv6 ? this.#findIpv6(words, offset) : this.#findIpv4(words[offset + 3]);
  }

  #findIpv4(address: number): number {
    const prefixes = this.#ipv4;
    for (let i = 0; i < prefixes.length; i += IPV4_WORDS) {
      if (((address ^ prefixes[i]) & prefixes[i + 1]) === 0) return prefixes[i + 2];
    }
    return -1;
  }

  #findIpv6(words: Uint32Array, offset: number): number {
    const values = this.#ipv6Values;
    const masks = this.#ipv6Masks;
    for (let i = 0; i < values.length; i += WORDS) {
      if (
        ((words[offset] ^ values[i]) & masks[i]) === 0 &&
        ((words[offset + 1] ^ values[i + 1]) & masks[i + 1]) === 0 &&
        ((words[offset + 2] ^ values[i + 2]) & masks[i + 2]) === 0 &&
        ((words[offset + 3] ^ values[i + 3]) & masks[i + 3]) === 0
      ) return this.#ipv6Numbers[i / WORDS];
    }
    return -1;
  }
}
