import type { NameWrite } from "../dns/name_write.ts";
import { BY_NAMES } from "../flow/by.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
} from "../flow/observation_batch.ts";
import { UserError } from "../user_error.ts";
import type { FlowNames } from "./flow_names.ts";
import { keyText } from "./keys.ts";
import { OutputClosedError } from "./output_closed_error.ts";
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
}

/** Text is written in pieces of this many characters: the size of a pipe's buffer on Linux. */
const PIECE = 65_536;
const DEFAULT_MAX_PENDING_BYTES = 64 * 1_048_576;
/** How long, in milliseconds, a reader who does not read may hold up the end of a capture. */
const CLOSE_PATIENCE = 5_000;

/**
 * Writes each observation as one line of JSON (https://jsonlines.org), `{"key":"…","count":1}`, on
 * standard output. A flow's line says what decided who is client and server, `"by":"syn"`. A key that has names is `{"key":"…;dns","name":"www.example.com."}`, and a flow
 * whose server the client looked up has the name that it looked up, as `"name"`, beside its count.
 */
export class JsonSink implements Sink {
  readonly #options: JsonSinkOptions;
  readonly #output: TextOutput;
  readonly #maxPendingBytes: number;
  #text = "";
  #lines = 0;
  #lost = 0;

  constructor(options: JsonSinkOptions) {
    this.#options = options;
    this.#output = new TextOutput(options.output);
    this.#maxPendingBytes = options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES;
  }

  get pending(): number {
    return this.#lines + this.#output.queuedUnits;
  }

  get pendingBytes(): number {
    return this.#text.length + this.#output.queuedBytes;
  }

  /** How many lines a capture dropped because their reader was too slow. */
  get lost(): number {
    return this.#lost;
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
        this.#lost += count - i;
        return;
      }
      this.#add(this.#line(words, i * OBSERVATION_WORDS));
    }
  }

  writeNames(writes: readonly NameWrite[]): void {
    if (this.#output.error !== null) return;
    for (const [i, { key, name }] of writes.entries()) {
      if (this.#isFull) {
        this.#lost += writes.length - i;
        return;
      }
      // A name may have backslashes and quotation marks in it.
      this.#add(JSON.stringify(name === null ? { key, count: 1 } : { key, name }) + "\n");
    }
  }

  /** Writes anything else as a line. */
  writeLine(value: unknown): void {
    if (this.#output.error !== null) return;
    if (this.#isFull) this.#lost++;
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
    line += ',"by":"' + BY_NAMES[words[offset + WORD_ABOUT] & 0xff] + '"';
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
