/** Bytes in network order, one number after the other. */
export class MessageBuffer {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #length = 0;

  /** @param capacity How many bytes there may be. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Takes back all after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  putUint8(number: number): void {
    this.#view.setUint8(this.#advance(1), number);
  }

  putUint16(number: number): void {
    this.#view.setUint16(this.#advance(2), number);
  }

  putUint32(number: number): void {
    this.#view.setUint32(this.#advance(4), number);
  }

  putUint64(number: bigint): void {
    this.#view.setBigUint64(this.#advance(8), number);
  }

  putBytes(bytes: ArrayLike<number>): void {
    this.#bytes.set(bytes, this.#advance(bytes.length));
  }

  /** Overwrites two bytes, the first of which is at `offset`. */
  setUint16(offset: number, number: number): void {
    this.#view.setUint16(offset, number);
  }

  /** Overwrites four bytes. */
  setUint32(offset: number, number: number): void {
    this.#view.setUint32(offset, number);
  }

  /** A copy of what there is. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #advance(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    return at;
  }
}
