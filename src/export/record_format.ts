import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DnsAnswer } from "./dns_answer.ts";

/** What lines are about, by Zeek's names: conversations, answers of DNS. */
export type LogName = "conn" | "dns";

/**
 * A format of lines. All text that it gives ends with a line feed, or is empty, and has nothing in it
 * that a terminal obeys, but for line feeds and tabs.
 */
export interface RecordFormat {
  /**
   * What stands before the first line of a log; in a stream, also where another log's lines came
   * before.
   *
   * @param time When it is begun, in milliseconds since 1970-01-01 UTC.
   */
  begin(log: LogName, time: number): string;
  /** A conversation's line. */
  conversation(record: ConversationRecord): string;
  /** The line of an answer. */
  answer(answer: DnsAnswer): string;
  /** What stands after the last line of a log. */
  end(time: number): string;
}
