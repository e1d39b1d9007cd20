import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import type { LogName, RecordFormat } from "./record_format.ts";

/**
 * Records as the lines of one stream. These formats have one line a conversation, so that whoever adds
 * up lines counts nothing twice: of a conversation that goes on the last record is kept, and written
 * at the end of the stream if there was no other. That is one record for each conversation that has
 * lasted for a minute.
 */
export class RecordLines {
  readonly #format: RecordFormat;
  readonly #now: () => number;
  readonly #mostOpen: number;
  readonly #open = new Map<number, ConversationRecord>();
  #log: LogName | null = null;

  /**
   * @param now A clock in milliseconds since 1970-01-01 UTC, for headers.
   * @param mostOpen Conversations that go on of which the last record is kept. Beyond, the oldest of them
   * is written as it is.
   */
  constructor(format: RecordFormat, now: () => number = Date.now, mostOpen = Infinity) {
    this.#format = format;
    this.#mostOpen = mostOpen;
    this.#now = now;
  }

  /** Conversations that go on. */
  get open(): number {
    return this.#open.size;
  }

  /** The lines of the conversations that are over, with a header in front where one is wanted. */
  conversations(records: readonly ConversationRecord[]): string[] {
    const lines: string[] = [];
    for (const record of records) {
      if (record.isOver) {
        this.#open.delete(record.id);
        lines.push(this.#format.conversation(record));
      } else {
        this.#open.set(record.id, record);
        if (this.#open.size > this.#mostOpen) lines.push(this.#format.conversation(this.#oldest()));
      }
    }
    return this.#inLog("conn", lines);
  }

  /** The lines of answers, the same way. */
  answers(answers: readonly DnsAnswer[]): string[] {
    return this.#inLog("dns", answers.map((answer) => this.#format.answer(answer)));
  }

  /** The lines of the conversations that go on, and the end of the stream. */
  end(): string[] {
    const lines = [...this.#open.values()].map((record) => this.#format.conversation(record));
    this.#open.clear();
    const inLog = this.#inLog("conn", lines);
    // A log of which nothing was seen has a header all the same.
    if (this.#log === null) inLog.push(this.#format.begin("conn", this.#now()));
    return [...inLog, this.#format.end(this.#now())].filter((text) => text !== "");
  }

  #oldest(): ConversationRecord {
    const [[id, record]] = this.#open;
    this.#open.delete(id);
    return record;
  }

  #inLog(log: LogName, lines: readonly string[]): string[] {
    if (lines.length === 0 || log === this.#log) return [...lines];
    this.#log = log;
    const header = this.#format.begin(log, this.#now());
    return header === "" ? [...lines] : [header, ...lines];
  }
}
