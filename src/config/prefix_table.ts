import type { Cidr } from "./cidr.ts";
import { maskWords } from "./prefix_mask.ts";

/** Words of a prefix. */
const IPV4_WORDS = 3;
const IPV6_WORDS = 9;
const MASK = 4;
const NUMBER = 8;

/**
 * Prefixes in order, each with a number, asked without allocating: the number of the first prefix
 * that holds an address.
 */
export class PrefixTable {
  /** Of each prefix of IPv4 a value, a mask, and the number. */
  readonly ipv4: Int32Array;
  /** The same of those of IPv6, four words each but for the number. */
  readonly ipv6: Int32Array;

  /** @param entries The prefixes, each with the number to find it by, 0 or more. */
  constructor(entries: readonly (readonly [prefix: Cidr, number: number])[]) {
    const ipv4 = entries.filter(([prefix]) => prefix.family === 4);
    const ipv6 = entries.filter(([prefix]) => prefix.family === 6);
    this.ipv4 = Int32Array.from(ipv4.flatMap(([{ words, prefixLength }, number]) => [
      words[3],
      maskWords(4, prefixLength)[3],
      number,
    ]));
    this.ipv6 = Int32Array.from(ipv6.flatMap(([{ words, prefixLength }, number]) => [
      ...words,
      ...maskWords(6, prefixLength),
      number,
    ]));
  }

  /** How many prefixes of IPv4 there are. */
  get ipv4Count(): number {
    return this.ipv4.length / IPV4_WORDS;
  }

  /** How many of IPv6. */
  get ipv6Count(): number {
    return this.ipv6.length / IPV6_WORDS;
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
    const prefixes = this.ipv4;
    for (let i = 0; i < prefixes.length; i += IPV4_WORDS) {
      if (((address ^ prefixes[i]) & prefixes[i + 1]) === 0) return prefixes[i + 2];
    }
    return -1;
  }

  #findIpv6(words: Uint32Array, offset: number): number {
    const prefixes = this.ipv6;
    for (let i = 0; i < prefixes.length; i += IPV6_WORDS) {
      if (
        ((words[offset] ^ prefixes[i]) & prefixes[i + MASK]) === 0 &&
        ((words[offset + 1] ^ prefixes[i + 1]) & prefixes[i + MASK + 1]) === 0 &&
        ((words[offset + 2] ^ prefixes[i + 2]) & prefixes[i + MASK + 2]) === 0 &&
        ((words[offset + 3] ^ prefixes[i + 3]) & prefixes[i + MASK + 3]) === 0
      ) return prefixes[i + NUMBER];
    }
    return -1;
  }
}
