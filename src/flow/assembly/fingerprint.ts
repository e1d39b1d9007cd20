/* `Fingerprint` of `src/flow/fingerprint.ts`, for the programs beside it. */

/** The halves of the one that is being made. */
export let first: u32 = 0;
export let second: u32 = 0;

let seed1: u32 = 0;
let seed2: u32 = 0;

export function setSeeds(one: u32, other: u32): void {
  seed1 = one;
  seed2 = other;
}

@inline
export function begin(): void {
  first = seed1;
  second = seed2;
}

@inline
export function add(word: u32): void {
  const one = (first ^ word ^ (first >>> 15)) * 0x85eb_ca6b;
  first = one ^ (one >>> 13);
  const other = (second ^ word ^ (second >>> 14)) * 0xc2b2_ae35;
  second = (other ^ (other >>> 16)) * 0x9e37_79b1;
}

/** Puts it into two words. */
@inline
export function keep(at: usize): void {
  store<u32>(at, first);
  store<u32>(at + 4, second);
}
