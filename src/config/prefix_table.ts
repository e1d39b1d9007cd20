import type { Cidr } from "./cidr.ts";
import { PREFIX4_WORDS, PREFIX6_WORDS } from "./mapping_layout.ts";
import { maskWords } from "./prefix_mask.ts";

/**
 * Prefixes in order, each with a number, as a compiled mapping has them: an address has the number of the
 * first that holds it.
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

  /**
   * The number of the first prefix that holds an address, or -1.
   *
   * @param words Has the address, four words in network order, IPv4 in the last of them, from `at` on.
   */
  find(isIpv6: boolean, words: Uint32Array, at: number): number {
    const { ipv4, ipv6 } = this;
    if (!isIpv6) {
      for (let i = 0; i < ipv4.length; i += PREFIX4_WORDS) {
        if ((words[at + 3] & ipv4[i + 1]) === ipv4[i]) return ipv4[i + 2];
      }
      return -1;
    }
    for (let i = 0; i < ipv6.length; i += PREFIX6_WORDS) {
      let word = 0;
      while (word < 4 && (words[at + word] & ipv6[i + 4 + word]) === ipv6[i + word]) word++;
      if (word === 4) return ipv6[i + 8];
    }
    return -1;
  }

  /** How many prefixes of IPv4 there are. */
  get ipv4Count(): number {
    return this.ipv4.length / PREFIX4_WORDS;
  }

  /** How many of IPv6. */
  get ipv6Count(): number {
    return this.ipv6.length / PREFIX6_WORDS;
  }
}
