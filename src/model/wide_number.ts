/** Reads a number of 8 bytes, the lower word first, as WebAssembly lays it: exact up to 2^53. */
export function wideNumber(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * 2 ** 32;
}
