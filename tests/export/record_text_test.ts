import assert from "node:assert/strict";
import { RecordText } from "../../src/export/record_text.ts";
import { ZeekJson } from "../../src/export/zeek_json.ts";
import { ZeekTsv } from "../../src/export/zeek_tsv.ts";
import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { record } from "../records.ts";
import { EXPORT_CONTEXT } from "./export_context.ts";
import { readZeekLogs } from "./zeek_log.ts";

const ANSWER = {
  time: 0,
  client: "10.0.0.1",
  name: "a.example",
  type: "A",
  data: "192.0.2.1",
} as const;

Deno.test("RecordText writes a conversation once, with its last figures, when it is over", () => {
  const text = new RecordText(new ZeekJson(EXPORT_CONTEXT));
  assert.equal(text.conversations([going(1, 10)]), "");
  assert.equal(text.conversations([going(1, 20), going(2, 5)]), "");
  assert.deepEqual(packets(text.conversations([record({ id: 1, packets: [30, 0] })])), [30]);
  assert.equal(text.open, 1);
});

Deno.test("RecordText writes what goes on at the end of the stream", () => {
  const text = new RecordText(new ZeekJson(EXPORT_CONTEXT));
  text.conversations([going(1, 10), going(2, 5), going(2, 7)]);
  assert.deepEqual(packets(text.end()), [10, 7]);
  assert.equal(text.open, 0);
  assert.equal(text.end(), "");
});

Deno.test("RecordText puts a header wherever another log goes on", () => {
  const text = new RecordText(new ZeekTsv(EXPORT_CONTEXT));
  const written = text.conversations([record()]) + text.conversations([record({ id: 2 })]) +
    text.answers([ANSWER, ANSWER]) + text.answers([]) + text.conversations([going(3, 1)]) +
    text.answers([ANSWER]) + text.end();
  assert.deepEqual(
    readZeekLogs(written).map(({ path, rows }) => [path, rows.length]),
    [["conn", 2], ["dns", 3], ["conn", 1]],
  );
  assert.equal(written.match(/^#close/gm)?.length, 1);
});

Deno.test("RecordText has a header where nothing was seen", () => {
  const [{ path, rows }] = readZeekLogs(new RecordText(new ZeekTsv(EXPORT_CONTEXT)).end());
  assert.deepEqual([path, rows], ["conn", []]);
});

/** A conversation that goes on. */
function going(id: number, packets: number): ConversationRecord {
  return record({ id, isOver: false, packets: [packets, 0] });
}

function packets(text: string): number[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line).orig_pkts);
}
