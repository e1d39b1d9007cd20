import { parseAddress } from "../model/address.ts";
import { parseCidr } from "../config/cidr.ts";
import { PrefixTable } from "../config/prefix_table.ts";
import { LatestValues } from "../model/latest_values.ts";
import type { LocalNetworks } from "../model/local_networks.ts";

/** Addresses come again and again. */
const REMEMBERED = 16_384;

/** Knows which addresses are in the own networks. */
export class LocalAddresses implements LocalNetworks {
  readonly #prefixes: PrefixTable;
  readonly #known = new LatestValues<number>(REMEMBERED);

  /** @param networks The own networks, as `cidrText` writes them. */
  constructor(networks: readonly string[]) {
    this.#prefixes = new PrefixTable(networks.map((text) => [parseCidr(text), 1] as const));
  }

  has(address: string): boolean {
    const known = this.#known.get(address);
    if (known !== undefined) return known === 1;
    const parsed = parseAddress(address);
    const isLocal = parsed !== null && this.hasAt(parsed.family === 6, parsed.words, 0);
    this.#known.set(address, isLocal ? 1 : 0);
    return isLocal;
  }

  hasAt(isIpv6: boolean, words: Uint32Array, at: number): boolean {
    return this.#prefixes.find(isIpv6, words, at) !== -1;
  }
}
