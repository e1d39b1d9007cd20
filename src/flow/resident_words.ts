/**
 * Makes words, all 0, for a table that is read at random before it is written. Memory that is only read
 * first is one page of zeros in all places, and each place gets its own page when it is written: a
 * second page fault, at which all processors that run the program are interrupted. So it is written
 * from the first word to the last, here.
 */
export function residentWords(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(count).fill(0);
}
