import type { Cidr } from "./cidr.ts";
import { bitsOf } from "./prefix_mask.ts";

/** Bits of a word of an address. */
const WORD_BITS = 32n;

/** A prefix with its address in one number, to compare prefixes of any length. */
interface Range {
  readonly first: bigint;
  readonly prefixLength: number;
}

/** Whether every address of the prefix is in one of the others. */
export function isCovered(prefix: Cidr, others: readonly Cidr[]): boolean {
  const sameFamily = others.filter(({ family }) => family === prefix.family);
  return covers(sameFamily.map(rangeOf), rangeOf(prefix), bitsOf(prefix.family));
}

/** Whether one of the others holds the whole prefix, or is that prefix. */
export function firstHolder(prefix: Cidr, others: readonly Cidr[]): Cidr | undefined {
  return others.find((other) =>
    other.family === prefix.family &&
    contains(rangeOf(other), rangeOf(prefix), bitsOf(prefix.family))
  );
}

function rangeOf({ words, prefixLength }: Cidr): Range {
  let first = 0n;
  for (const word of words) first = (first << WORD_BITS) | BigInt(word);
  return { first, prefixLength };
}

function contains(outer: Range, inner: Range, bits: number): boolean {
  if (outer.prefixLength > inner.prefixLength) return false;
  const hostBits = BigInt(bits - outer.prefixLength);
  return outer.first >> hostBits === inner.first >> hostBits;
}

/** Where no single one holds it, both its halves must be covered. */
function covers(ranges: readonly Range[], wanted: Range, bits: number): boolean {
  if (ranges.some((range) => contains(range, wanted, bits))) return true;
  const inside = ranges.filter((range) => contains(wanted, range, bits));
  if (inside.length === 0) return false;
  const prefixLength = wanted.prefixLength + 1;
  const upper = wanted.first | (1n << BigInt(bits - prefixLength));
  return covers(inside, { first: wanted.first, prefixLength }, bits) &&
    covers(inside, { first: upper, prefixLength }, bits);
}
