import { printableLines } from "../printable.ts";
import { UserError } from "../user_error.ts";
import { OutputClosedError } from "./output_closed_error.ts";

/** Something that takes bytes, such as `Deno.stdout`. */
export interface ByteWriter {
  /** Resolves with how many bytes were taken, at least one. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How long to wait, in milliseconds, when a nonblocking pipe or terminal takes nothing now. */
const WOULD_BLOCK_PAUSE = 10;

interface Chunk {
  readonly bytes: Uint8Array;
  readonly units: number;
}

/**
 * Text on its way to standard output, in order, without waiting for its reader.
 *
 * What is put is counted in units, such as lines, so that it can be said how many are on their way.
 */
export class TextOutput {
  readonly #writer: ByteWriter;
  readonly #encoder = new TextEncoder();
  readonly #queue: Chunk[] = [];
  #queuedBytes = 0;
  #queuedUnits = 0;
  #writtenUnits = 0;
  #writing: Promise<void> | null = null;
  #error: Error | null = null;

  constructor(writer: ByteWriter = Deno.stdout) {
    this.#writer = writer;
  }

  /** Bytes that the reader did not take yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Units that the reader did not take yet. */
  get queuedUnits(): number {
    return this.#queuedUnits;
  }

  /** Units that the reader took. */
  get writtenUnits(): number {
    return this.#writtenUnits;
  }

  /**
   * Why nothing can be written any more: an {@linkcode OutputClosedError} or a {@linkcode UserError},
   * or `null`.
   */
  get error(): Error | null {
    return this.#error;
  }

  /** Begins to write lines of text, behind what is already queued, made {@linkcode printableLines}. */
  put(text: string, units: number): void {
    this.putAsIs(printableLines(text), units);
  }

  /** The same with control sequences of our own in it; all else in it was made printable. */
  putAsIs(text: string, units: number): void {
    this.putBytes(this.#encoder.encode(text), units);
  }

  /** The same for text that is bytes already, which belong to the output from now on. */
  putBytes(bytes: Uint8Array, units: number): void {
    if (this.#error !== null) return;
    this.#queue.push({ bytes, units });
    this.#queuedBytes += bytes.length;
    this.#queuedUnits += units;
    this.#writing ??= this.#writeQueue();
  }

  /** Resolves when all is written, or nothing can be. It never rejects: see `error`. */
  async written(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #writeQueue(): Promise<void> {
    try {
      for (let chunk = this.#queue[0]; chunk !== undefined; chunk = this.#queue[0]) {
        await this.#writeWhole(chunk.bytes);
        this.#queue.shift();
        this.#queuedBytes -= chunk.bytes.length;
        this.#queuedUnits -= chunk.units;
        this.#writtenUnits += chunk.units;
      }
    } catch (error) {
      this.#error = error instanceof Deno.errors.BrokenPipe
        ? new OutputClosedError()
        : new UserError(`standard output: can't be written to (${(error as Error).message})`);
      this.#queue.length = this.#queuedBytes = this.#queuedUnits = 0;
    }
    this.#writing = null;
  }

  async #writeWhole(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      try {
        done += await this.#writer.write(bytes.subarray(done));
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        await new Promise((resolve) => setTimeout(resolve, WOULD_BLOCK_PAUSE));
      }
    }
  }
}
