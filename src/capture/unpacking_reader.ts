import { UserError } from "../user_error.ts";
import type { ReadBytes } from "./chunk_reader.ts";
import { type Compression, compressionOf, GZIP, MAGIC_BYTES } from "./compression.ts";
import { DamagedError } from "./damaged_error.ts";

/** Bytes of compressed data that are read at once. */
const PACKED_BYTES = 64 * 1024;

/** Reads bytes, and where they are compressed with gzip or zstd, what is in them. */
export class UnpackingReader {
  /** How they are compressed, once some were read; `null` when they are as they are. */
  compression: Compression | null = null;
  /** Bytes of the compressed data that were read. */
  packedPosition = 0;
  readonly #name: string;
  readonly #readPacked: ReadBytes;
  #read: ReadBytes = (into) => this.#readFirst(into, 0);
  #unpacked: AsyncGenerator<Uint8Array> | null = null;
  /** What was unpacked and found no room. */
  #rest: Uint8Array = new Uint8Array(0);

  /**
   * @param name What to call the capture in messages.
   * @param read Gives the bytes.
   */
  constructor(name: string, read: ReadBytes) {
    this.#name = name;
    this.#readPacked = read;
  }

  /**
   * Reads as {@linkcode ReadBytes} does.
   *
   * @throws {UserError} where compressed data is cut off or damaged.
   * @throws What reading throws.
   */
  read(into: Uint8Array<ArrayBuffer>): number | null | Promise<number | null> {
    return this.#read(into);
  }

  /** Gives back what unpacking needs. */
  close(): void {
    // It ends where it waits for more of a pipe, if ever.
    this.#unpacked?.return(undefined).catch(() => {});
  }

  /** @param there Bytes that were read before. */
  #readFirst(
    into: Uint8Array<ArrayBuffer>,
    there: number,
  ): number | null | Promise<number | null> {
    const answer = this.#readPacked(into.subarray(there));
    return answer instanceof Promise
      ? answer.then((count) => this.#takeFirst(into, there, count))
      : this.#takeFirst(into, there, answer);
  }

  #takeFirst(
    into: Uint8Array<ArrayBuffer>,
    before: number,
    count: number | null,
  ): number | null | Promise<number | null> {
    const there = before + (count ?? 0);
    const isMore = count !== null && there < Math.min(MAGIC_BYTES, into.length);
    if (isMore) return this.#readFirst(into, there);
    const compression = compressionOf(into.subarray(0, there));
    if (compression === null || !compression.isRead) {
      this.#read = this.#readPacked;
      return there === 0 ? count : there;
    }
    this.compression = compression;
    // What is unpacked goes into the place of what is packed.
    this.#unpacked = this.#unpack(compression, into.slice(0, there));
    this.#read = (into) => this.#readUnpacked(into);
    return this.#read(into);
  }

  async *#unpack(compression: Compression, first: Uint8Array): AsyncGenerator<Uint8Array> {
    // Whoever has no such file does not pay for loading what reads it.
    const unpack = compression === GZIP
      ? (await import("./unpack_gzip.ts")).unpackGzip
      : (await import("./unpack_zstd.ts")).unpackZstd;
    try {
      yield* unpack(this.#packed(first));
    } catch (error) {
      throw this.#told(error, compression);
    }
  }

  async *#packed(first: Uint8Array): AsyncGenerator<Uint8Array> {
    this.packedPosition = first.length;
    yield first;
    while (true) {
      const chunk = new Uint8Array(PACKED_BYTES);
      const count = await this.#readPacked(chunk);
      if (count === null) return;
      this.packedPosition += count;
      yield chunk.subarray(0, count);
    }
  }

  async #readUnpacked(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#unpacked!.next();
      if (done) return null;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, into.length);
    into.set(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  #told(error: unknown, { name }: Compression): unknown {
    const before = "what came before was processed";
    if (error instanceof UserError) return new UserError(`${this.#name}: ${error.message}`);
    if (!(error instanceof DamagedError)) return error;
    return new UserError(
      error.isCut
        ? `${this.#name}: is cut off: its ${name} data goes on after byte ${this.packedPosition}, ` +
          `where it ends; ${before}`
        : `${this.#name}: its ${name} data is damaged before byte ${this.packedPosition} ` +
          `(${error.message}); ${before}`,
    );
  }
}
