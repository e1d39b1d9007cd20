import assert from "node:assert/strict";
import { FlowTableSink } from "../../src/sink/flow_table_sink.ts";
import { OutputClosedError } from "../../src/sink/output_closed_error.ts";
import type { ObservationBatch } from "../../src/flow/observation_batch.ts";
import { observations } from "../observations.ts";

const ESCAPE = "\x1b";

class MemoryWriter {
  text = "";

  write(bytes: Uint8Array): Promise<number> {
    this.text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  }
}

function flow(): ObservationBatch {
  const seconds = Math.floor(Date.now() / 1000);
  const ends = { a: "10.0.0.1", b: "10.0.0.2", port: 80 };
  return observations({ kind: "flow", ...ends, by: "assign", protocol: 6, seconds });
}

Deno.test("FlowTableSink writes a plain table at the end where there is no terminal", async () => {
  for (const isLive of [true, false]) {
    const output = new MemoryWriter();
    const sink = new FlowTableSink({ isLive, terminal: () => null, output });
    sink.write(flow());
    await sink.flush();
    assert.equal(output.text, "");
    await sink.close();
    assert.match(output.text, /^1 flow of 1 client\nCLIENT .*\n10\.0\.0\.1 .*\n$/);
    assert.ok(!output.text.includes(ESCAPE));
  }
});

Deno.test("FlowTableSink shows a live view on a terminal and gives it back before the table", async () => {
  const output = new MemoryWriter();
  const room = { columns: 60, rows: 10 };
  const sink = new FlowTableSink({ isLive: true, terminal: () => room, output });
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(output.text.startsWith("\x1b[?1049h\x1b[?25l\x1b[H0 flows of 0 clients"), output.text);
  sink.write(flow());
  for (let tries = 0; tries < 500 && !output.text.includes("10.0.0.1"); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const pictures = output.text.split("\x1b[H");
  const last = pictures.at(-1)!;
  assert.ok(last.startsWith(`1 flow of 1 client${ESCAPE}[K\r\nCLIENT`), last);
  assert.ok(last.endsWith("\x1b[J"));
  await sink.close();
  const end = output.text.slice(output.text.lastIndexOf("\x1b[J"));
  const leave = `${ESCAPE}[J${ESCAPE}[?25h${ESCAPE}[?1049l`;
  assert.ok(end.startsWith(`${leave}1 flow of 1 client`), end);
});

Deno.test("FlowTableSink is quiet about a reader who has gone, but says so", async () => {
  const output = { write: () => Promise.reject(new Deno.errors.BrokenPipe("")) };
  const sink = new FlowTableSink({ isLive: false, terminal: () => null, output });
  await assert.rejects(sink.close(), OutputClosedError);
  await assert.rejects(sink.flush(), OutputClosedError);
});
