import type { NameWrite } from "../dns/name_write.ts";
import type { TimeOrigin } from "../capture/time_origin.ts";
import type { Log } from "../log.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import { OBSERVATION_WORDS, type ObservationBatch } from "../model/observation_batch.ts";
import { printable } from "../printable.ts";
import { UserError } from "../user_error.ts";
import { IS_OVER, RECORD_HEAD, RECORD_WORDS, type RecordBatch } from "../model/record_batch.ts";
import type { DnsKinds } from "../model/dns_kinds.ts";
import type { FlowNames } from "./flow_names.ts";
import { JsonLines } from "./json_lines.ts";
import { Losses } from "./losses.ts";
import { OutputClosedError } from "./output_closed_error.ts";
import { Patience } from "./patience.ts";
import type { Sink } from "./sink.ts";
import { type ByteWriter, TextOutput } from "./text_output.ts";

/** How a {@linkcode JsonSink} goes about its work. */
export interface JsonSinkOptions {
  /** A replay waits for a slow reader. A capture can't: beyond a bound it drops lines. */
  mode: "capture" | "replay";
  /** What the sensor is called, for each line. By default, lines have no such name. */
  sensor?: string;
  /** Where lines of flows get the server's `"name"` from. By default, they have none. */
  names?: FlowNames;
  /** Knows which services are DNS. By default, none is. */
  dnsServices?: DnsKinds;
  /** Names of interfaces by their number, from 1. By default, none has a name. */
  interfaces?: readonly string[];
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  origin?: TimeOrigin;
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
/** Where a line has its last brace, before the line feed. */
const LINE_END = -2;
const DEFAULT_MAX_PENDING_BYTES = 64 * 1_048_576;
const TOO_SLOW = "their reader is too slow";

/**
 * Writes each observation as one line of JSON (https://jsonlines.org) on standard output,
 * `{"type":"flow","time":"…","key":"…","count":1,"by":"syn",…}`, each write of a key that has names, and
 * each conversation that is over, `"type":"end"`. docs/json.schema.json has all fields.
 */
export class JsonSink implements Sink {
  readonly name = "json";
  readonly #options: JsonSinkOptions;
  readonly #output: TextOutput;
  readonly #jsonLines: JsonLines;
  readonly #maxPendingBytes: number;
  /** Ends each line. */
  readonly #tail: string | null;
  #text = "";
  #observations = 0;
  readonly #losses: Losses;
  readonly #patience = new Patience();
  readonly #hurried = Promise.withResolvers<void>();
  #hasEnded = false;

  constructor(options: JsonSinkOptions) {
    this.#options = options;
    this.#jsonLines = new JsonLines(options);
    this.#tail = options.sensor === undefined ? null : `,"sensor":"${options.sensor}"}\n`;
    this.#output = new TextOutput(options.output);
    this.#losses = new Losses("standard output", "lines", options.log ?? null);
    this.#maxPendingBytes = options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES;
  }

  get pending(): number {
    return this.#hasEnded ? 0 : this.#observations + this.#output.queuedUnits;
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
    const { words, count, records } = batch;
    for (let i = 0; i < count; i++) {
      if (this.#isFull) {
        this.#losses.add(count - i, TOO_SLOW);
        return;
      }
      this.#add(
        this.#jsonLines.observation(words, i * OBSERVATION_WORDS, records, i * RECORD_WORDS),
      );
    }
  }

  writeNames(writes: readonly NameWrite[], seconds: number): void {
    for (const write of writes) this.#addUnlessFull(this.#jsonLines.name(write, seconds));
  }

  takeFigures({ words, count }: RecordBatch): void {
    for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
      if ((words[at + RECORD_HEAD] & IS_OVER) === 0) continue;
      // It has no key that anybody counts.
      this.#addUnlessFull(this.#jsonLines.end(words, at), 0);
    }
  }

  takeDevices(devices: readonly DeviceRecord[]): void {
    for (const device of devices) {
      // When one was heard of last is in the next line that says something else.
      if (device.hasNews) this.#addUnlessFull(this.#jsonLines.device(device), 0);
    }
  }

  /** Writes anything else as a line. */
  writeLine(value: unknown): void {
    this.#addUnlessFull(printable(JSON.stringify(value)) + "\n");
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

  /** @param observations How many the line stands for. */
  #add(line: string, observations = 1): void {
    this.#text += this.#tail === null ? line : line.slice(0, LINE_END) + this.#tail;
    this.#observations += observations;
    if (this.#text.length >= PIECE) this.#putText();
  }

  #addUnlessFull(line: string, observations = 1): void {
    if (this.#output.error !== null) return;
    if (this.#isFull) this.#losses.add(1, TOO_SLOW);
    else this.#add(line, observations);
  }

  #putText(): void {
    if (this.#text === "") return;
    // All that may be of others is printable already.
    this.#output.putAsIs(this.#text, this.#observations);
    this.#text = "";
    this.#observations = 0;
  }
}
