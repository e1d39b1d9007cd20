import type { Cidr } from "./cidr.ts";
import { bitsOf } from "./prefix_mask.ts";

/** Bits of a word of an address. */
const WORD_BITS = 32n;

/** Prefixes, of which can be told what they have together, however many there are. */
export class PrefixSet {
  /** By family, length and network; of those that are equal, the first. */
  readonly #prefixes = new Map<string, { readonly prefix: Cidr; readonly order: number }>();
  /** Prefixes that the others cover together, by the same names: halves make their whole one. */
  readonly #covered = new Set<string>();
  /** Lengths that there are, for each family. */
  readonly #lengths = { 4: new Set<number>(), 6: new Set<number>() };
  /** First addresses in ascending order, as far as they were sorted. */
  readonly #firsts: Record<4 | 6, { addresses: bigint[]; areSorted: boolean }> = {
    4: { addresses: [], areSorted: true },
    6: { addresses: [], areSorted: true },
  };

  constructor(prefixes: Iterable<Cidr> = []) {
    for (const prefix of prefixes) this.add(prefix);
  }

  /** Adds a prefix. */
  add(prefix: Cidr): void {
    const { family, prefixLength } = prefix;
    const first = firstAddress(prefix);
    const firsts = this.#firsts[family];
    firsts.addresses.push(first);
    firsts.areSorted = false;
    const name = nameOf(family, first, prefixLength);
    if (this.#prefixes.has(name)) return;
    this.#prefixes.set(name, { prefix, order: this.#prefixes.size });
    this.#lengths[family].add(prefixLength);
    if (this.covers(prefix)) return;
    for (let length = prefixLength;; length--) {
      this.#covered.add(nameOf(family, first, length));
      this.#lengths[family].add(length);
      if (length === 0) break;
      const other = first ^ (1n << BigInt(bitsOf(family) - length));
      if (!this.#covered.has(nameOf(family, other, length))) break;
    }
  }

  /** Whether every address of the prefix is in one of these. */
  covers(prefix: Cidr): boolean {
    const { family, prefixLength } = prefix;
    const first = firstAddress(prefix);
    return this.#lengthsTo(family, prefixLength)
      .some((length) => this.#covered.has(nameOf(family, first, length)));
  }

  /** The first of these that holds the whole prefix, or is that prefix. */
  holderOf(prefix: Cidr): Cidr | undefined {
    const { family, prefixLength } = prefix;
    const first = firstAddress(prefix);
    return this.#lengthsTo(family, prefixLength)
      .map((length) => this.#prefixes.get(nameOf(family, first, length)))
      .filter((it) => it !== undefined)
      .sort((one, other) => one.order - other.order)[0]?.prefix;
  }

  /** Whether one of these has an address of the prefix. */
  overlaps(prefix: Cidr): boolean {
    return this.covers(prefix) || this.#hasWithin(prefix);
  }

  #hasWithin(prefix: Cidr): boolean {
    const { family, prefixLength } = prefix;
    const firsts = this.#firsts[family];
    const { addresses } = firsts;
    if (!firsts.areSorted) addresses.sort((one, other) => one < other ? -1 : one > other ? 1 : 0);
    firsts.areSorted = true;
    const from = firstAddress(prefix);
    let low = 0;
    for (let high = addresses.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (addresses[middle] < from) low = middle + 1;
      else high = middle;
    }
    const size = 1n << BigInt(bitsOf(family) - prefixLength);
    return low < addresses.length && addresses[low] < from + size;
  }

  #lengthsTo(family: 4 | 6, most: number): number[] {
    return [...this.#lengths[family]].filter((length) => length <= most);
  }
}

function firstAddress({ words }: Cidr): bigint {
  let first = 0n;
  for (const word of words) first = (first << WORD_BITS) | BigInt(word);
  return first;
}

/** Names the prefix of this length that an address is in. */
function nameOf(family: 4 | 6, address: bigint, length: number): string {
  return `${family} ${length} ${address >> BigInt(bitsOf(family) - length)}`;
}
