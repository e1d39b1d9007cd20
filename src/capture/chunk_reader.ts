/** Reads up to `into.length` bytes. Resolves with how many there were, or `null` at the end. */
export type ReadBytes = (into: Uint8Array<ArrayBuffer>) => number | null | Promise<number | null>;

/**
 * A window that moves over a stream of bytes. What is between `start` and `end` of `bytes` has been
 * read and not yet used; the user of it moves `start`.
 */
export class ChunkReader {
  bytes: Uint8Array<ArrayBufferLike>;
  view: DataView<ArrayBufferLike>;
  start = 0;
  end = 0;
  /** Bytes of the stream before `bytes[0]`, for messages that name a place. */
  #before = 0;
  #atEnd = false;
  readonly #read: ReadBytes;
  readonly #window: Uint8Array<ArrayBufferLike>;

  /**
   * @param read Gives the bytes.
   * @param bytes Memory for the window, until it has to grow.
   */
  constructor(read: ReadBytes, bytes: Uint8Array<ArrayBufferLike>) {
    this.#read = read;
    this.bytes = this.#window = bytes;
    this.view = viewOf(bytes);
  }

  /** Whether the window is where it was at first, and did not have to grow. */
  get isInFirstWindow(): boolean {
    return this.bytes === this.#window;
  }

  /** Where `start` is in the stream. */
  get position(): number {
    return this.#before + this.start;
  }

  /** How many bytes are there to be used. */
  get available(): number {
    return this.end - this.start;
  }

  /**
   * Reads on, moving what is not yet used to the front of the window.
   *
   * @param needed How many bytes should be there afterwards; the window grows to hold them.
   * @returns Whether they are.
   */
  async fill(needed: number): Promise<boolean> {
    this.#makeRoom(needed);
    while (!this.#atEnd && this.end < this.bytes.length) {
      // Deno reads into shared memory as well, which its types don't say.
      const room = this.bytes.subarray(this.end) as Uint8Array<ArrayBuffer>;
      const answer = this.#read(room);
      const count = typeof answer === "object" && answer !== null ? await answer : answer;
      if (count === null) this.#atEnd = true;
      else this.end += count;
      // A pipe gives little at a time: what there is should not wait for what may come.
      if (this.available >= needed) break;
    }
    return this.available >= needed;
  }

  #makeRoom(needed: number): void {
    const rest = this.bytes.subarray(this.start, this.end);
    if (needed > this.bytes.length) {
      this.bytes = new Uint8Array(2 ** Math.ceil(Math.log2(needed)));
      this.bytes.set(rest);
      this.view = viewOf(this.bytes);
    } else {
      this.bytes.copyWithin(0, this.start, this.end);
    }
    this.#before += this.start;
    this.end = rest.length;
    this.start = 0;
  }
}

function viewOf(bytes: Uint8Array<ArrayBufferLike>): DataView<ArrayBufferLike> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
