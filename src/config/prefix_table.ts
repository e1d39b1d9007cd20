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

  /** How many prefixes of IPv4 there are. */
  get ipv4Count(): number {
    return this.ipv4.length / PREFIX4_WORDS;
  }

  /** How many of IPv6. */
  get ipv6Count(): number {
    return this.ipv6.length / PREFIX6_WORDS;
  }
}
