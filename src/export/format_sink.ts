import type { TimeOrigin } from "../capture/time_origin.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { LinesSink, type LinesSinkOptions } from "../sink/lines_sink.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import { dnsAnswerOf } from "./dns_answer_of.ts";
import { RecordLines } from "./record_lines.ts";
import type { RecordFormat } from "./record_format.ts";

/** How a {@linkcode FormatSink} goes about its work. */
export interface FormatSinkOptions extends LinesSinkOptions {
  readonly format: RecordFormat;
  /** From when on times are counted. By default, from 1970-01-01 UTC. */
  readonly origin?: TimeOrigin;
}

/** Conversations that go on of which the last record is kept; beyond, the ones kept first are written. */
const MOST_OPEN = 1_000_000;

/** Writes conversations and answers of DNS as lines in the format of another program. */
export class FormatSink extends LinesSink {
  readonly name = "format";
  readonly #lines: RecordLines;
  readonly #origin: TimeOrigin | undefined;

  constructor({ format, origin, ...options }: FormatSinkOptions) {
    super(options);
    this.#lines = new RecordLines(format, Date.now, MOST_OPEN);
    this.#origin = origin;
  }

  /** These formats are of conversations: observations are not written. */
  write(): void {}

  writeNames(writes: readonly NameWrite[], seconds: number): void {
    const time = ((this.#origin?.seconds ?? 0) + seconds) * 1000;
    const answers: DnsAnswer[] = writes.flatMap((write) => dnsAnswerOf(write, time) ?? []);
    this.#addAll(this.#lines.answers(answers));
  }

  takeRecords(records: readonly ConversationRecord[]): void {
    this.#addAll(this.#lines.conversations(records));
  }

  override async close(): Promise<void> {
    this.#addAll(this.#lines.end());
    await super.close();
  }

  #addAll(lines: readonly string[]): void {
    for (const line of lines) this.unlessFull(() => this.add(line));
  }
}
