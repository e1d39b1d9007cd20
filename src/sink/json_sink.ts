import type { NameWrite } from "../dns/name_write.ts";
import type { Log } from "../log.ts";
import { REASON_NAMES } from "../model/reason.ts";
import { tunnelText } from "../model/tunnel_names.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  type ObservationBatch,
  TUNNEL_KIND_SHIFT,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_TUNNEL,
} from "../model/observation_batch.ts";
import { UserError } from "../user_error.ts";
import type { FlowNames } from "./flow_names.ts";
import { keyText } from "./keys.ts";
import { Losses } from "./losses.ts";
import { OutputClosedError } from "./output_closed_error.ts";
import { Patience } from "./patience.ts";
import type { Sink } from "./sink.ts";
import { type ByteWriter, TextOutput } from "./text_output.ts";

/** How a {@linkcode JsonSink} goes about its work. */
export interface JsonSinkOptions {
  /** A replay waits for a slow reader. A capture can't: beyond a bound it drops lines. */
  mode: "capture" | "replay";
  /** Where lines of flows get the server's `"name"` from. By default, they have none. */
  names?: FlowNames;
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

/** Text is written in pieces of this many characters: the size of a pipe's buffer on Linux. */
const PIECE = 65_536;
const DEFAULT_MAX_PENDING_BYTES = 64 * 1_048_576;
const TOO_SLOW = "their reader is too slow";

/**
 * Writes each observation as one line of JSON (https://jsonlines.org), `{"key":"…","count":1}`, on
 * standard output. A flow's line says what decided who is client and server, `"by":"syn"`, and in which
 * tunnel it is, if it is in one, `"tunnel":"VXLAN 4711"`. A key that has names is `{"key":"…;dns","name":"www.example.com."}`, and a flow
 * whose server the client looked up has the name that it looked up, as `"name"`, beside its count.
 */
export class JsonSink implements Sink {
  readonly #options: JsonSinkOptions;
  readonly #output: TextOutput;
  readonly #maxPendingBytes: number;
  #text = "";
  #lines = 0;
  readonly #losses: Losses;
  readonly #patience = new Patience();
  readonly #hurried = Promise.withResolvers<void>();
  #hasEnded = false;

  constructor(options: JsonSinkOptions) {
    this.#options = options;
    this.#output = new TextOutput(options.output);
    this.#losses = new Losses("standard output", "lines", options.log ?? null);
    this.#maxPendingBytes = options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES;
  }

  get pending(): number {
    return this.#hasEnded ? 0 : this.#lines + this.#output.queuedUnits;
  }

  get pendingBytes(): number {
    return this.#text.length + this.#output.queuedBytes;
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

  write(batch: ObservationBatch): void {
    if (this.#output.error !== null) return;
    const { words, count } = batch;
    for (let i = 0; i < count; i++) {
      if (this.#isFull) {
        this.#losses.add(count - i, TOO_SLOW);
        return;
      }
      this.#add(this.#line(words, i * OBSERVATION_WORDS));
    }
  }

  writeNames(writes: readonly NameWrite[]): void {
    if (this.#output.error !== null) return;
    for (const [i, { key, name }] of writes.entries()) {
      if (this.#isFull) {
        this.#losses.add(writes.length - i, TOO_SLOW);
        return;
      }
      // A name may have backslashes and quotation marks in it.
      this.#add(JSON.stringify(name === null ? { key, count: 1 } : { key, name }) + "\n");
    }
  }

  /** Writes anything else as a line. */
  writeLine(value: unknown): void {
    if (this.#output.error !== null) return;
    if (this.#isFull) this.#losses.add(1, TOO_SLOW);
    else this.#add(JSON.stringify(value) + "\n");
  }

  /**
   * Writes what is pending. A capture does not wait until it is written.
   *
   * @throws {OutputClosedError} when the reader has gone.
   * @throws {UserError} when standard output can't be written to.
   */
  async flush(): Promise<void> {
    this.#putText();
    if (this.#options.mode === "replay" && !this.#patience.hasBegun) {
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
    this.#putText();
    if (this.#options.mode === "capture") this.hurry();
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

  get #isFull(): boolean {
    return this.#options.mode === "capture" && this.pendingBytes >= this.#maxPendingBytes;
  }

  #add(line: string): void {
    this.#text += line;
    this.#lines++;
    if (this.#text.length >= PIECE) this.#putText();
  }

  /** Keys consist of digits, letters and punctuation that JSON strings take as they are. */
  #line(words: Uint32Array, offset: number): string {
    let line = '{"key":"' + keyText(words, offset) + '","count":1';
    const head = words[offset + WORD_KIND];
    if ((head & 0xff) !== KIND_FLOW) return line + "}\n";
    const about = words[offset + WORD_ABOUT];
    line += ',"by":"' + REASON_NAMES[about & 0xff] + '"';
    const tunnel = tunnelText((about >>> TUNNEL_KIND_SHIFT) & 0xff, words[offset + WORD_TUNNEL]);
    if (tunnel !== null) line += ',"tunnel":"' + tunnel + '"';
    const name = this.#options.names
      ?.find((head & IPV6_BIT) !== 0, words, offset + WORD_A, offset + WORD_B);
    return line + (name ? ',"name":' + JSON.stringify(name) : "") + "}\n";
  }

  #putText(): void {
    if (this.#lines === 0) return;
    this.#output.put(this.#text, this.#lines);
    this.#text = "";
    this.#lines = 0;
  }
}
