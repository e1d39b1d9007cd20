import assert from "node:assert/strict";
import { RecordLines } from "../../src/export/record_lines.ts";
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

Deno.test("RecordLines writes a conversation once, with its last figures, when it is over", () => {
  const text = new RecordLines(new ZeekJson(EXPORT_CONTEXT));
  assert.deepEqual(text.conversations([going(1, 10)]), []);
  assert.deepEqual(text.conversations([going(1, 20), going(2, 5)]), []);
  assert.deepEqual(packets(text.conversations([record({ id: 1, packets: [30, 0] })])), [30]);
  assert.equal(text.open, 1);
});

Deno.test("RecordLines writes what goes on at the end of the stream", () => {
  const text = new RecordLines(new ZeekJson(EXPORT_CONTEXT));
  text.conversations([going(1, 10), going(2, 5), going(2, 7)]);
  assert.deepEqual(packets(text.end()), [10, 7]);
  assert.equal(text.open, 0);
  assert.deepEqual(text.end(), []);
});

Deno.test("RecordLines puts a header wherever another log goes on", () => {
  const text = new RecordLines(new ZeekTsv(EXPORT_CONTEXT));
  const written = [
    ...text.conversations([record()]),
    ...text.conversations([record({ id: 2 })]),
    ...text.answers([ANSWER, ANSWER]),
    ...text.answers([]),
    ...text.conversations([going(3, 1)]),
    ...text.answers([ANSWER]),
    ...text.end(),
  ].join("");
  assert.deepEqual(
    readZeekLogs(written).map(({ path, rows }) => [path, rows.length]),
    [["conn", 2], ["dns", 3], ["conn", 1]],
  );
  assert.equal(written.match(/^#close/gm)?.length, 1);
});

Deno.test("RecordLines has a header where nothing was seen", () => {
  const [{ path, rows }] = readZeekLogs(
    new RecordLines(new ZeekTsv(EXPORT_CONTEXT)).end().join(""),
  );
  assert.deepEqual([path, rows], ["conn", []]);
});

/** A conversation that goes on. */
function going(id: number, packets: number): ConversationRecord {
  return record({ id, isOver: false, packets: [packets, 0] });
}

function packets(lines: readonly string[]): number[] {
  return lines.map((line) => JSON.parse(line).orig_pkts);
}
