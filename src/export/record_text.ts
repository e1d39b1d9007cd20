import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import type { LogName, RecordFormat } from "./record_format.ts";

/**
 * Records as the text of one stream. These formats have one line a conversation, so that whoever adds
 * up lines counts nothing twice: of a conversation that goes on the last record is kept, and written
 * at the end of the stream if there was no other. That is one record for each conversation that has
 * lasted for a minute.
 */
export class RecordText {
  readonly #format: RecordFormat;
  readonly #now: () => number;
  readonly #open = new Map<number, ConversationRecord>();
  #log: LogName | null = null;

  /** @param now A clock in milliseconds since 1970-01-01 UTC, for headers. */
  constructor(format: RecordFormat, now: () => number = Date.now) {
    this.#format = format;
    this.#now = now;
  }

  /** Conversations that go on. */
  get open(): number {
    return this.#open.size;
  }

  /** The lines of the conversations that are over. */
  conversations(records: readonly ConversationRecord[]): string {
    let text = "";
    for (const record of records) {
      if (record.isOver) {
        this.#open.delete(record.id);
        text += this.#format.conversation(record);
      } else {
        this.#open.set(record.id, record);
      }
    }
    return this.#inLog("conn", text);
  }

  /** The lines of answers. */
  answers(answers: readonly DnsAnswer[]): string {
    return this.#inLog("dns", answers.map((answer) => this.#format.answer(answer)).join(""));
  }

  /** The lines of the conversations that go on, and the end of the stream. */
  end(): string {
    let text = "";
    for (const record of this.#open.values()) text += this.#format.conversation(record);
    this.#open.clear();
    text = this.#inLog("conn", text);
    // A log of which nothing was seen has a header all the same.
    if (this.#log === null) text = this.#format.begin("conn", this.#now());
    return text + this.#format.end(this.#now());
  }

  #inLog(log: LogName, text: string): string {
    if (text === "" || log === this.#log) return text;
    this.#log = log;
    return this.#format.begin(log, this.#now()) + text;
  }
}
