const FIRST_BYTES = 64 * 1024;
/** Before each name there is its length. */
const LENGTH_BYTES = 2;

/**
 * Names as bytes, one behind the other: strings would need more, and have the engine's memory grow to
 * a multiple before it looks for what is not used any more.
 */
export class NameStore {
  #bytes = new Uint8Array(FIRST_BYTES);
  #end = 0;
  /** The last name, which often is the next one too, and where it is. */
  #last = "";
  #lastPlace = -1;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  /** Bytes that the names need. */
  get bytes(): number {
    return this.#end;
  }

  /**
   * Adds a name.
   *
   * @param name ASCII, of at most 65,535 characters.
   * @returns Its place.
   */
  add(name: string): number {
    if (name === this.#last && this.#lastPlace >= 0) return this.#lastPlace;
    const place = this.#end;
    const size = LENGTH_BYTES + name.length;
    while (place + size > this.#bytes.length) {
      const bytes = new Uint8Array(2 * this.#bytes.length);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    this.#bytes[place] = name.length >>> 8;
    this.#bytes[place + 1] = name.length;
    this.#encoder.encodeInto(name, this.#bytes.subarray(place + LENGTH_BYTES, place + size));
    this.#end += size;
    this.#last = name;
    this.#lastPlace = place;
    return place;
  }

  /** Whether a name is the one at a place. Nothing is made for it. */
  isAt(place: number, name: string): boolean {
    const bytes = this.#bytes;
    if (((bytes[place] << 8) | bytes[place + 1]) !== name.length) return false;
    const start = place + LENGTH_BYTES;
    // Names that differ do so at their beginning mostly.
    for (let i = 0; i < name.length; i++) {
      if (bytes[start + i] !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The name at a place that was given for one. */
  at(place: number): string {
    const length = (this.#bytes[place] << 8) | this.#bytes[place + 1];
    const start = place + LENGTH_BYTES;
    return this.#decoder.decode(this.#bytes.subarray(start, start + length));
  }
}
