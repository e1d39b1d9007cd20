/** How many pieces with gaps between them are kept; more come from nobody who means well. */
const MOST_PIECES = 32;
const FIRST_SIZE = 2048;

/**
 * The beginning of a stream of bytes that arrives in pieces, in any order and any number of times.
 * What arrived first of a byte holds. Its size is bounded; what is beyond the bound is left out.
 */
export class OrderedBytes {
  readonly #most: number;
  #bytes = new Uint8Array(FIRST_SIZE);
  /** From, to, from, to ... of what is there, in order, with gaps between. */
  #pieces: number[] = [];

  /** @param most Bytes of the stream that are kept. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The bytes; of them {@linkcode length} are there. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** How many bytes are there from the beginning on, without a gap. */
  get length(): number {
    return this.#pieces[0] === 0 ? this.#pieces[1] : 0;
  }

  /** How much memory is taken. */
  get size(): number {
    return this.#bytes.length;
  }

  /**
   * Adds a piece.
   *
   * @param offset Where it belongs in the stream; what is before the stream's beginning is left out.
   */
  put(offset: number, from: Uint8Array, start: number, end: number): void {
    if (offset < 0) {
      start -= offset;
      offset = 0;
    }
    const to = Math.min(offset + (end - start), this.#most);
    if (start >= end || offset >= to) return;
    const pieces = this.#pieces;
    if (pieces.length >= 2 * MOST_PIECES && offset > pieces[pieces.length - 1]) return;
    this.#grow(to);
    const merged: number[] = [];
    let low = offset;
    let high = to;
    let at = offset;
    for (let i = 0; i < pieces.length; i += 2) {
      const [pieceFrom, pieceTo] = [pieces[i], pieces[i + 1]];
      if (pieceTo < low) {
        merged.push(pieceFrom, pieceTo);
        continue;
      }
      if (pieceFrom > high) {
        merged.push(low, high, ...pieces.slice(i));
        low = high = -1;
        break;
      }
      // Only what was not there is taken.
      if (at < pieceFrom) this.#copy(at, Math.min(pieceFrom, to), offset, from, start);
      at = Math.max(at, pieceTo);
      low = Math.min(low, pieceFrom);
      high = Math.max(high, pieceTo);
    }
    if (at < to) this.#copy(at, to, offset, from, start);
    if (high > 0) merged.push(low, high);
    this.#pieces = merged;
  }

  #copy(at: number, to: number, offset: number, from: Uint8Array, start: number): void {
    this.#bytes.set(from.subarray(start + at - offset, start + to - offset), at);
  }

  #grow(size: number): void {
    if (size <= this.#bytes.length) return;
    let larger = this.#bytes.length;
    while (larger < size) larger *= 2;
    const bytes = new Uint8Array(larger);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
