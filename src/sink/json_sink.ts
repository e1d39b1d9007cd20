import type { NameWrite } from "../dns/name_write.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_A,
  WORD_B,
  WORD_KIND,
} from "../model/observation_batch.ts";
import { UserError } from "../user_error.ts";
import { RECORD_ID, RECORD_WORDS } from "../model/record_batch.ts";
import type { FlowNames } from "./flow_names.ts";
import { endEvent, nameEvent, observationEvent } from "./json_lines.ts";
import { OutputClosedError } from "./output_closed_error.ts";
import { recordOf } from "./record_of.ts";
import type { Sink } from "./sink.ts";
import { type ByteWriter, TextOutput } from "./text_output.ts";

/** How a {@linkcode JsonSink} goes about its work. */
export interface JsonSinkOptions {
  /** A replay waits for a slow reader. A capture can't: beyond a bound it drops lines. */
  mode: "capture" | "replay";
  /** Where lines of flows get the server's `"name"` from. By default, they have none. */
  names?: FlowNames;
  /** Names of interfaces by their number, from 1. By default, none has a name. */
  interfaces?: readonly string[];
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
 * Writes each observation as one line of JSON (https://jsonlines.org) on standard output,
 * `{"type":"flow","time":"…","key":"…","count":1,"by":"syn",…}`, each write of a key that has names, and
 * each conversation that is over, `"type":"end"`. docs/json.schema.json has all fields.
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
    const { words, count, records } = batch;
    for (let i = 0; i < count; i++) {
      if (this.#isFull) {
        this.#lost += count - i;
        return;
      }
      this.#add(this.#line(words, i * OBSERVATION_WORDS, records, i * RECORD_WORDS));
    }
  }

  writeNames(writes: readonly NameWrite[], seconds: number): void {
    for (const write of writes) this.writeLine(nameEvent(write, seconds));
  }

  takeRecords(records: readonly ConversationRecord[]): void {
    for (const record of records) if (record.isOver) this.writeLine(endEvent(record));
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
    return this.#options.mode === "capture" &&
      this.#output.queuedBytes + this.#text.length >= this.#maxPendingBytes;
  }

  #add(line: string): void {
    this.#text += line;
    this.#lines++;
    if (this.#text.length >= PIECE) this.#putText();
  }

  #line(words: Uint32Array, at: number, records: Uint32Array | null, recordAt: number): string {
    const { names } = this.#options;
    const head = words[at + WORD_KIND];
    const isFlow = (head & 0xff) === KIND_FLOW;
    const isIpv6 = (head & IPV6_BIT) !== 0;
    const name = isFlow ? names?.find(isIpv6, words, at + WORD_A, at + WORD_B) ?? null : null;
    const hasRecord = isFlow && records !== null &&
      (records[recordAt + RECORD_ID] | records[recordAt + RECORD_ID + 1]) !== 0;
    const record = hasRecord ? recordOf(records, recordAt, this.#options) : null;
    return JSON.stringify(observationEvent(words, at, name, record)) + "\n";
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
