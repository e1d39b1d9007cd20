import type { NameWrite } from "../dns/name_write.ts";
import {
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_SECONDS,
} from "../flow/observation_batch.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { LineOutput, type LineOutputOptions } from "../sink/line_output.ts";
import type { Sink } from "../sink/sink.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import { dnsAnswerOf } from "./dns_answer_of.ts";
import type { RecordFormat } from "./record_format.ts";
import { RecordLines } from "./record_lines.ts";

/** Writes conversations and answers of DNS on standard output, in the format of another program. */
export class RecordSink implements Sink {
  readonly #isLive: boolean;
  readonly #output: LineOutput;
  readonly #lines: RecordLines;
  /** The latest time of what was observed: the clock of a replay. */
  #time = 0;
  /** Writes that came before any time was known. */
  #untimed: NameWrite[] = [];

  constructor(format: RecordFormat, options: Omit<LineOutputOptions, "isPrintable">) {
    this.#isLive = options.mode === "capture";
    this.#output = new LineOutput({ ...options, isPrintable: true });
    this.#lines = new RecordLines(format);
  }

  get pending(): number {
    return this.#output.pending;
  }

  /** How many lines a capture dropped because their reader was too slow. */
  get lost(): number {
    return this.#output.lost;
  }

  /** Of observations, which these formats do not have, the time alone is taken. */
  write({ words, count }: ObservationBatch): void {
    for (let i = 0; i < count; i++) {
      this.#time = Math.max(this.#time, words[i * OBSERVATION_WORDS + WORD_SECONDS] * 1000);
    }
    if (this.#time > 0) this.#putUntimed();
  }

  writeNames(writes: readonly NameWrite[]): void {
    if (this.#isLive) this.#putNames(writes, Date.now());
    else if (this.#time > 0) this.#putNames(writes, this.#time);
    else this.#untimed.push(...writes);
  }

  /** Takes records of conversations. */
  takeRecords(records: readonly ConversationRecord[]): void {
    for (const { last } of records) this.#time = Math.max(this.#time, last);
    this.#putUntimed();
    this.#put(this.#lines.conversations(records));
  }

  /**
   * Writes what is pending, as {@linkcode LineOutput.flush}.
   *
   * @throws {OutputClosedError} when the reader has gone.
   * @throws {UserError} when standard output can't be written to.
   */
  flush(): Promise<void> {
    return this.#output.flush();
  }

  /**
   * Writes what is pending, what goes on, and the end of the stream, as {@linkcode LineOutput.close}.
   *
   * @throws {UserError} when standard output can't be written to, or lines were lost.
   */
  close(): Promise<void> {
    this.#putUntimed();
    this.#put(this.#lines.end());
    return this.#output.close();
  }

  #putUntimed(): void {
    if (this.#untimed.length === 0) return;
    const writes = this.#untimed;
    this.#untimed = [];
    this.#putNames(writes, this.#time);
  }

  #putNames(writes: readonly NameWrite[], time: number): void {
    const answers = writes.map((write) => dnsAnswerOf(write, time));
    this.#put(this.#lines.answers(answers.filter((it): it is DnsAnswer => it !== null)));
  }

  #put(lines: readonly string[]): void {
    for (const [i, line] of lines.entries()) {
      if (!this.#output.takes(lines.length - i)) return;
      this.#output.add(line);
    }
  }
}
