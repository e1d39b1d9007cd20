import type { NameWrite } from "../dns/name_write.ts";
import type { Log } from "../log.ts";
import type { ObservationBatch } from "../model/observation_batch.ts";
import { UserError } from "../user_error.ts";
import { LineBuffer } from "./line_buffer.ts";
import { Losses } from "./losses.ts";
import { OutputClosedError } from "./output_closed_error.ts";
import { Patience } from "./patience.ts";
import type { Sink } from "./sink.ts";
import { type ByteWriter, TextOutput } from "./text_output.ts";

/** How a {@linkcode LinesSink} goes about its work. */
export interface LinesSinkOptions {
  /** A replay waits for a slow reader. A capture can't: beyond a bound it drops lines. */
  mode: "capture" | "replay";
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
  /** Where it is said that lines are lost. By default, only at the end. */
  log?: Log;
}

const DEFAULT_MAX_PENDING_BYTES = 32 * 1_048_576;
/** Why lines are lost. */
export const TOO_SLOW = "their reader is too slow";

/** Writes lines on standard output, of which it holds no more than it may. */
export abstract class LinesSink implements Sink {
  abstract readonly name: string;
  readonly #mode: "capture" | "replay";
  readonly #output: TextOutput;
  readonly #maxPendingBytes: number;
  readonly #buffer: LineBuffer;
  readonly #losses: Losses;
  readonly #patience = new Patience();
  readonly #hurried = Promise.withResolvers<void>();
  #hasEnded = false;

  /** @param buffer Where lines are gathered. */
  constructor(
    { mode, output, log, maxPendingBytes }: LinesSinkOptions,
    buffer: LineBuffer = new LineBuffer(),
  ) {
    this.#mode = mode;
    this.#output = new TextOutput(output);
    this.#buffer = buffer;
    buffer.onPiece = (piece, observations) => this.#output.putBytes(piece, observations);
    this.#losses = new Losses("standard output", "lines", log ?? null);
    this.#maxPendingBytes = maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES;
  }

  get trouble(): string | null {
    return this.isFull ? `standard output takes no lines (${TOO_SLOW})` : null;
  }

  get pending(): number {
    return this.#hasEnded ? 0 : this.#buffer.units + this.#output.queuedUnits;
  }

  get pendingBytes(): number {
    return this.#buffer.length + this.#output.queuedBytes;
  }

  /** How many lines were dropped because their reader was too slow. */
  get lost(): number {
    return this.#losses.total;
  }

  get written(): number {
    return this.#output.writtenUnits;
  }

  /** Whether there is nobody to write for any more. */
  get isClosed(): boolean {
    return this.#output.error instanceof OutputClosedError;
  }

  abstract write(batch: ObservationBatch): void;
  abstract writeNames(writes: readonly NameWrite[], seconds: number): void;

  /**
   * Writes what is pending. A capture does not wait until it is written.
   *
   * @throws {OutputClosedError} when the reader has gone.
   * @throws {UserError} when standard output can't be written to.
   */
  async flush(): Promise<void> {
    this.#buffer.flush();
    if (this.#mode === "replay" && !this.#patience.hasBegun) {
      await Promise.race([this.#output.written(), this.#hurried.promise]);
    }
    if (this.#output.error !== null) throw this.#output.error;
  }

  hurry(): void {
    this.#patience.begin();
    this.#hurried.resolve();
  }

  /**
   * Writes what is pending; in a capture, or after `hurry()`, for a few seconds at most. A reader who
   * has gone is no error here.
   *
   * @throws {UserError} when standard output can't be written to, or lines were lost.
   */
  async close(): Promise<void> {
    this.#buffer.flush();
    if (this.#mode === "capture") this.hurry();
    await this.#patience.wait(this.#output.written());
    const error = this.abandon(TOO_SLOW);
    if (error !== null) throw error;
  }

  abandon(reason: string): UserError | null {
    this.#patience.end();
    if (!this.#hasEnded) this.#losses.add(this.pending, reason);
    this.#losses.close();
    this.#hasEnded = true;
    if (this.#output.error instanceof UserError) return this.#output.error;
    const text = this.#losses.text();
    return text === null || this.isClosed ? null : new UserError(text);
  }

  /** Whether nothing can be written any more. */
  protected get isBroken(): boolean {
    return this.#output.error !== null;
  }

  /** Whether so much waits that lines are dropped. */
  protected get isFull(): boolean {
    return this.#mode === "capture" && this.pendingBytes >= this.#maxPendingBytes;
  }

  /** Counts lines that are dropped, for want of room. */
  protected drop(lines: number): void {
    this.#losses.add(lines, TOO_SLOW);
  }

  /** Adds a line. All of it that may be of others is printable already. */
  protected add(line: string): void {
    this.#buffer.put(line);
    this.#buffer.end(1);
  }

  /** Has a line added, or drops it where there is no room. */
  protected unlessFull(add: () => void): void {
    if (this.isBroken) return;
    if (this.isFull) this.drop(1);
    else add();
  }
}
