import assert from "node:assert/strict";
import { FlowTableSink } from "../../src/sink/flow_table_sink.ts";
import { OutputClosedError } from "../../src/sink/output_closed_error.ts";
import type { ObservationBatch } from "../../src/model/observation_batch.ts";
import { UserError } from "../../src/user_error.ts";
import { MemoryLog } from "../memory_log.ts";
import { observations } from "../observations.ts";
import { until } from "./redis_sink_waits.ts";

const ESCAPE = "\x1b";

class MemoryWriter {
  text = "";

  write(bytes: Uint8Array): Promise<number> {
    this.text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  }
}

function flow(port = 80): ObservationBatch {
  const seconds = Math.floor(Date.now() / 1000);
  const ends = { a: "10.0.0.1", b: "10.0.0.2", port };
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

Deno.test("FlowTableSink.abandon() gives the terminal back at once, and says what is not shown", async () => {
  const output = new MemoryWriter();
  const room = { columns: 60, rows: 10 };
  const sink = new FlowTableSink({ isLive: true, terminal: () => room, output });
  sink.write(flow());
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(sink.isOnScreen);
  assert.equal(
    sink.abandon("ended at once").message,
    "standard output: the table of 1 flow was not written (ended at once)",
  );
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(!sink.isOnScreen);
  assert.ok(output.text.endsWith("\x1b[?25h\x1b[?1049l"), output.text);
});

Deno.test("FlowTableSink leaves the live view while the program is stopped", async () => {
  const output = new MemoryWriter();
  const room = { columns: 60, rows: 10 };
  const sink = new FlowTableSink({ isLive: true, terminal: () => room, output });
  await new Promise((resolve) => setTimeout(resolve));
  let stopped = "";
  sink.leaveScreenFor(() => stopped = output.text);
  assert.ok(stopped.endsWith("\x1b[?25h\x1b[?1049l"), stopped);
  await new Promise((resolve) => setTimeout(resolve));
  const again = output.text.slice(stopped.length);
  assert.ok(again.startsWith("\x1b[?1049h\x1b[?25l\x1b[H0 flows of 0 clients"), again);
  await sink.close();
});

Deno.test("FlowTableSink counts rows that are left out, and says so where no terminal does", async () => {
  const output = new MemoryWriter();
  const log = new MemoryLog();
  const sink = new FlowTableSink({ isLive: true, terminal: () => null, output, maxRows: 10, log });
  for (let port = 1; port <= 25; port++) sink.write(flow(port));
  assert.equal(sink.lost, 15);
  assert.equal(sink.written, 10);
  await until(() => log.lines.length > 0);
  assert.deepEqual(log.lines, [
    "warn: the table: 15 rows were lost (15: there is room for the latest only)",
  ]);
  await sink.close();
  assert.match(output.text, /^10 flows of 1 client, 15 older left out\n/);
});

Deno.test("FlowTableSink.close() does not wait for ever for a reader of a capture's table", async () => {
  const gate = Promise.withResolvers<number>();
  const output = { write: () => gate.promise };
  const sink = new FlowTableSink({ isLive: true, terminal: () => null, output });
  sink.write(flow());
  await assert.rejects(
    sink.close(),
    new UserError(
      "standard output: the table of 1 flow was not written (its reader is too slow)",
    ),
  );
});
