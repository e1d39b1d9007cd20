import { type Address, parseAddress } from "../model/address.ts";
import { parseCidr } from "../config/cidr.ts";
import { PREFIX4_WORDS, PREFIX6_WORDS } from "../config/mapping_layout.ts";
import { PrefixTable } from "../config/prefix_table.ts";
import { IdCache } from "./id_cache.ts";

/** Addresses come again and again. */
const REMEMBERED = 16_384;

/** Knows which addresses are in the own networks. */
export class LocalAddresses {
  readonly #prefixes: PrefixTable;
  readonly #known = new IdCache(REMEMBERED);

  /** @param networks The own networks, as `cidrText` writes them. */
  constructor(networks: readonly string[]) {
    this.#prefixes = new PrefixTable(networks.map((text) => [parseCidr(text), 1] as const));
  }

  has(address: string): boolean {
    const known = this.#known.get(address);
    if (known !== undefined) return known === 1;
    const parsed = parseAddress(address);
    const isLocal = parsed !== null &&
      isIn(this.#prefixes, parsed);
    this.#known.set(address, isLocal ? 1 : 0);
    return isLocal;
  }
}

function isIn({ ipv4, ipv6 }: PrefixTable, { family, words }: Address): boolean {
  if (family === 4) {
    for (let i = 0; i < ipv4.length; i += PREFIX4_WORDS) {
      if ((words[3] & ipv4[i + 1]) === ipv4[i]) return true;
    }
    return false;
  }
  for (let i = 0; i < ipv6.length; i += PREFIX6_WORDS) {
    if (words.every((word, at) => (word & ipv6[i + 4 + at]) === ipv6[i + at])) return true;
  }
  return false;
}
