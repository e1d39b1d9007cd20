/** What is gathered is written in pieces of this many bytes: the size of a pipe's buffer on Linux. */
const PIECE = 65_536;
/** A character of UTF-16 has no more bytes in UTF-8. */
const MOST_BYTES = 3;

/** Gathers lines as bytes, until there are enough of them to be written. */
export class LineBuffer {
  /** Is given each piece, which has room for others when this returns, and how many units end in it. */
  onPiece: (piece: Uint8Array, units: number) => void = () => {};
  readonly #bytes: Uint8Array;
  readonly #encoder = new TextEncoder();
  #length = 0;
  #units = 0;

  /** @param bytes Where they are gathered: more than a piece. */
  constructor(bytes: Uint8Array = new Uint8Array(2 * PIECE)) {
    this.#bytes = bytes;
  }

  /** How many bytes are gathered. */
  get length(): number {
    return this.#length;
  }

  /** How many units they stand for. */
  get units(): number {
    return this.#units;
  }

  /** Makes room for so many bytes, less than a piece, which others write behind what is gathered. */
  makeRoom(most: number): void {
    if (this.#length + most > this.#bytes.length) this.flush();
  }

  /** Says up to where others have written. */
  extend(length: number): void {
    this.#length = length;
  }

  /** Adds text: a line, or a part of one. */
  put(text: string): void {
    const most = text.length * MOST_BYTES;
    if (most > this.#bytes.length - this.#length) {
      this.flush();
      if (most > this.#bytes.length) return this.onPiece(this.#encoder.encode(text), 0);
    }
    const free = this.#bytes.subarray(this.#length);
    this.#length += this.#encoder.encodeInto(text, free).written;
  }

  /** The same of text that is bytes already. */
  putBytes(bytes: Uint8Array): void {
    if (bytes.length > this.#bytes.length - this.#length) {
      this.flush();
      if (bytes.length > this.#bytes.length) return this.onPiece(bytes.slice(), 0);
    }
    // There are few, mostly.
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#length++] = bytes[i];
  }

  /** Ends a line, or several, which stand for so many units. */
  end(units: number): void {
    this.#units += units;
    if (this.#length >= PIECE) this.flush();
  }

  /** Hands on what is gathered. */
  flush(): void {
    if (this.#length === 0 && this.#units === 0) return;
    const { length, units } = { length: this.#length, units: this.#units };
    this.#length = this.#units = 0;
    this.onPiece(this.#bytes.slice(0, length), units);
  }
}
