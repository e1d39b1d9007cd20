/*
 * `Fingerprint` of `../fingerprint.ts`. Both halves are kept in variables of whoever makes one: variables
 * of a module are in memory.
 */

/** What a fingerprint's halves are before its first word. */
export let firstSeed: u32 = 0;
export let secondSeed: u32 = 0;

export function setSeeds(first: u32, second: u32): void {
  firstSeed = first;
  secondSeed = second;
}

/** The first half with another word. */

export function addToFirst(half: u32, word: u32): u32 {
  const mixed = (half ^ word ^ (half >>> 15)) * 0x85eb_ca6b;
  return mixed ^ (mixed >>> 13);
}

/** The second half with another word. */

export function addToSecond(half: u32, word: u32): u32 {
  const mixed = (half ^ word ^ (half >>> 14)) * 0xc2b2_ae35;
  return (mixed ^ (mixed >>> 16)) * 0x9e37_79b1;
}

/** The first half with the words of a piece of memory. */

export function addAllToFirst(half: u32, from: usize, end: usize): u32 {
  for (let at = from; at < end; at += 4) half = addToFirst(half, load<u32>(at));
  return half;
}

/** The second half with them. */

export function addAllToSecond(half: u32, from: usize, end: usize): u32 {
  for (let at = from; at < end; at += 4) half = addToSecond(half, load<u32>(at));
  return half;
}
