/** Gives the arrays that a batch is made of: each by itself, or out of memory that threads share. */
export interface Words {
  /** Signed words, all 0. */
  int32(length: number): Int32Array;
}

/** Arrays of this thread alone. */
export const OWN_WORDS: Words = {
  int32: (length) => new Int32Array(length),
};

const WORD = 4;

/** Arrays that lie one after the other in a buffer. Asked for in the same order, they are the same. */
export class BufferWords implements Words {
  readonly #buffer: ArrayBufferLike;
  #next: number;

  /** @param start Where in the buffer the first array lies. */
  constructor(buffer: ArrayBufferLike, start: number) {
    this.#buffer = buffer;
    this.#next = start;
  }

  int32(length: number): Int32Array {
    const at = this.#next;
    this.#next += length * WORD;
    return new Int32Array(this.#buffer, at, length);
  }
}
