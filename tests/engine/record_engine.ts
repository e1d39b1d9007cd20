import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { RECORD_WORDS } from "../../src/model/record_batch.ts";
import { recordOf } from "../../src/sink/record_of.ts";
import { TestEngine, type TestEngineOptions } from "./test_engine.ts";

/** An engine of a test, whose records are collected. */
export class RecordEngine extends TestEngine {
  readonly records: ConversationRecord[];

  constructor(options: TestEngineOptions = {}) {
    const records: ConversationRecord[] = [];
    super({
      ...options,
      onRecords: ({ words, count }) => {
        for (let i = 0; i < count; i++) records.push(recordOf(words, i * RECORD_WORDS, {}));
      },
    });
    this.records = records;
  }
}
