import type { Cidr } from "./cidr.ts";
import { maskWords } from "./prefix_mask.ts";

/** Words of an address. */
const WORDS = 4;

/**
 * Prefixes in order, each with a number, asked without allocating: the number of the first prefix
 * that holds an address.
 */
export class PrefixTable {
  readonly #ipv4Values: Int32Array;
  readonly #ipv4Masks: Int32Array;
  readonly #ipv4Numbers: Int32Array;
  readonly #ipv6Values: Int32Array;
  readonly #ipv6Masks: Int32Array;
  readonly #ipv6Numbers: Int32Array;

  /** @param entries The prefixes, each with the number to find it by, 0 or more. */
  constructor(entries: readonly (readonly [prefix: Cidr, number: number])[]) {
    const ipv4 = entries.filter(([prefix]) => prefix.family === 4);
    const ipv6 = entries.filter(([prefix]) => prefix.family === 6);
    this.#ipv4Values = Int32Array.from(ipv4, ([prefix]) => prefix.words[3]);
    this.#ipv4Masks = Int32Array.from(ipv4, ([{ prefixLength }]) => maskWords(4, prefixLength)[3]);
    this.#ipv4Numbers = Int32Array.from(ipv4, ([, number]) => number);
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
    const values = this.#ipv4Values;
    const masks = this.#ipv4Masks;
    for (let i = 0; i < values.length; i++) {
      if (((address ^ values[i]) & masks[i]) === 0) return this.#ipv4Numbers[i];
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
