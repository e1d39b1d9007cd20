import assert from "node:assert/strict";
import { EXPORT_FORMATS } from "../../src/export/export_formats.ts";
import { RecordSink } from "../../src/export/record_sink.ts";
import { ZeekJson } from "../../src/export/zeek_json.ts";
import { ZeekTsv } from "../../src/export/zeek_tsv.ts";
import { ObservationBatch, WORD_SECONDS } from "../../src/flow/observation_batch.ts";
import type { ByteWriter } from "../../src/sink/text_output.ts";
import { UserError } from "../../src/user_error.ts";
import { record } from "../records.ts";
import { EXPORT_CONTEXT } from "./export_context.ts";
import { readZeekLogs } from "./zeek_log.ts";

const WRITE = { key: "10.0.0.7;192.0.2.1;dns", name: "www.example.com." };

class Output implements ByteWriter {
  text = "";

  write(bytes: Uint8Array): Promise<number> {
    this.text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  }
}

Deno.test("RecordSink writes conversations and names, and what goes on at its end", async () => {
  const output = new Output();
  const sink = new RecordSink(new ZeekTsv(EXPORT_CONTEXT), { mode: "replay", output });
  sink.takeRecords([record(), record({ id: 2, isOver: false })]);
  sink.writeNames([WRITE, { key: "client;10.0.0.7", name: null }]);
  await sink.flush();
  assert.equal(sink.pending, 0);
  assert.deepEqual(
    readZeekLogs(output.text).map(({ path, rows }) => [path, rows.length]),
    [["conn", 1], ["dns", 1]],
  );
  await sink.close();
  assert.deepEqual(
    readZeekLogs(output.text).map(({ path, rows }) => [path, rows.length]),
    [["conn", 1], ["dns", 1], ["conn", 1]],
  );
  assert.match(output.text, /#close\t\S+\n$/);
});

Deno.test("RecordSink has the names of a replay at the capture's time", async () => {
  const output = new Output();
  const sink = new RecordSink(new ZeekJson(EXPORT_CONTEXT), { mode: "replay", output });
  // The first names come before anything that has a time.
  sink.writeNames([WRITE]);
  const batch = new ObservationBatch(1);
  batch.words[WORD_SECONDS] = 1_500_000_000;
  batch.count = 1;
  sink.write(batch);
  sink.takeRecords([record({ last: 1_600_000_000_500, isOver: false })]);
  sink.writeNames([WRITE]);
  await sink.close();
  const times = output.text.trimEnd().split("\n").map((line) => JSON.parse(line))
    .filter(({ _path }) => _path === "dns").map(({ ts }) => ts);
  assert.deepEqual(times, [1_500_000_000, 1_600_000_000.5]);
});

for (const [name, make] of EXPORT_FORMATS) {
  Deno.test(`RecordSink writes nothing in format ${name} that a terminal obeys`, async () => {
    const output = new Output();
    const sink = new RecordSink(make(EXPORT_CONTEXT), { mode: "replay", output });
    const hostile = "\x1b]0;x\x07\u202e\u009b31m\r\n\u2028";
    sink.takeRecords([record({
      names: [{ name: hostile, from: "sni" }],
      interface: hostile,
      tunnel: hostile,
      why: hostile,
    })]);
    sink.writeNames([{ key: `10.0.0.7;${hostile.replace(";", "")};cname`, name: hostile }]);
    await sink.close();
    assert.doesNotMatch(output.text, /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    const lines = output.text.split("\n").filter((line) => !line.startsWith("#") && line !== "");
    assert.equal(lines.length, 2);
  });
}

Deno.test("RecordSink counts the lines that a slow reader has no room for", async () => {
  const output: ByteWriter = { write: () => new Promise(() => {}) };
  const sink = new RecordSink(new ZeekJson(EXPORT_CONTEXT), {
    mode: "capture",
    output,
    maxPendingBytes: 2_000,
  });
  sink.takeRecords(Array.from({ length: 100 }, (_, id) => record({ id })));
  assert.ok(sink.lost > 90 && sink.lost < 100);
  await assert.rejects(
    sink.close(),
    new UserError("standard output: 100 lines were lost, because their reader is too slow"),
  );
});
