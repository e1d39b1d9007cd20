import { UserError } from "../user_error.ts";
import { OutputClosedError } from "./output_closed_error.ts";
import { type ByteWriter, TextOutput } from "./text_output.ts";

/** How a {@linkcode LineOutput} goes about its work. */
export interface LineOutputOptions {
  /** A replay waits for a slow reader. A capture can't: beyond a bound it drops lines. */
  mode: "capture" | "replay";
  /**
   * Whether lines are printable as they are, with tabs in them.
   * @default {false}
   */
  isPrintable?: boolean;
  /**
   * How many bytes a slow reader may leave waiting in a capture.
   * @default {67_108_864}
   */
  maxPendingBytes?: number;
  /**
   * Where the lines go.
   * @default {Deno.stdout}
   */
  output?: ByteWriter;
}

/** Text is written in pieces of this many characters: the size of a pipe's buffer on Linux. */
const PIECE = 65_536;
const DEFAULT_MAX_PENDING_BYTES = 64 * 1_048_576;
/** How long, in milliseconds, a reader who does not read may hold up the end of a capture. */
const CLOSE_PATIENCE = 5_000;

/** Lines on their way to standard output. In a capture, those that there is no room for are counted. */
export class LineOutput {
  readonly #options: LineOutputOptions;
  readonly #output: TextOutput;
  readonly #maxPendingBytes: number;
  #text = "";
  #lines = 0;
  #lost = 0;

  constructor(options: LineOutputOptions) {
    this.#options = options;
    this.#output = new TextOutput(options.output);
    this.#maxPendingBytes = options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES;
  }

  /** Lines that are not written yet. */
  get pending(): number {
    return this.#lines + this.#output.queuedUnits;
  }

  /** How many lines a capture dropped because their reader was too slow. */
  get lost(): number {
    return this.#lost;
  }

  /** Whether there is nobody to write for any more. */
  get isClosed(): boolean {
    return this.#output.error instanceof OutputClosedError;
  }

  /**
   * Whether a line can be added.
   *
   * @param lines How many there are to add: they are lost if not, as far as there is a reader.
   */
  takes(lines: number): boolean {
    if (this.#output.error !== null) return false;
    const isFull = this.#options.mode === "capture" &&
      this.#output.queuedBytes + this.#text.length >= this.#maxPendingBytes;
    if (isFull) this.#lost += lines;
    return !isFull;
  }

  /** Adds a line, with its line feed. */
  add(line: string): void {
    this.#text += line;
    this.#lines++;
    if (this.#text.length >= PIECE) this.#putText();
  }

  /**
   * Writes what is pending. A capture does not wait until it is written.
   *
   * @throws {OutputClosedError} when the reader has gone.
   * @throws {UserError} when standard output can't be written to.
   */
  async flush(): Promise<void> {
    this.#putText();
    if (this.#options.mode === "replay") await this.#output.written();
    if (this.#output.error !== null) throw this.#output.error;
  }

  /**
   * Writes what is pending; in a capture, for at most five seconds. A reader who has gone is no
   * error here.
   *
   * @throws {UserError} when standard output can't be written to, or lines were lost.
   */
  async close(): Promise<void> {
    this.#putText();
    if (this.#options.mode === "replay") {
      await this.#output.written();
    } else {
      this.#lost += await this.#writtenInTime() ? 0 : this.pending;
    }
    if (this.#output.error instanceof UserError) throw this.#output.error;
    if (this.#lost > 0 && !this.isClosed) {
      throw new UserError(
        `standard output: ${this.#lost} lines were lost, because their reader is too slow`,
      );
    }
  }

  #putText(): void {
    if (this.#lines === 0) return;
    if (this.#options.isPrintable) this.#output.putAsIs(this.#text, this.#lines);
    else this.#output.put(this.#text, this.#lines);
    this.#text = "";
    this.#lines = 0;
  }

  async #writtenInTime(): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), CLOSE_PATIENCE);
    });
    const inTime = this.#output.written().then(() => true);
    const result = await Promise.race([inTime, late]);
    clearTimeout(timer);
    return result;
  }
}
