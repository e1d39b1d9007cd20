import assert from "node:assert/strict";
import type { FlowTable } from "../../src/sink/flow_table.ts";
import { FlowTableSink } from "../../src/sink/flow_table_sink.ts";
import type { LiveScreen } from "../../src/sink/live_screen.ts";
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
    const sink = new FlowTableSink({ isLive, columns: () => Infinity, output });
    sink.write(flow());
    await sink.flush();
    assert.equal(output.text, "");
    await sink.close();
    assert.match(output.text, /^1 flow of 1 client\nCLIENT .*\n10\.0\.0\.1 .*\n$/);
    assert.ok(!output.text.includes(ESCAPE));
  }
});

/** Notes what is asked of it. */
class NotingScreen implements LiveScreen {
  readonly asked: string[] = [];
  isShown = false;

  enter(table: FlowTable): void {
    this.isShown = true;
    this.asked.push(`enter ${table.flows.length}`);
  }

  leave(): Promise<void> {
    this.leaveAtOnce();
    return Promise.resolve();
  }

  leaveAtOnce(): void {
    this.isShown = false;
    this.asked.push("leave");
  }

  leaveFor(pause: () => void): void {
    this.asked.push("leave for a while");
    pause();
  }
}

Deno.test("FlowTableSink leaves its screen before it writes the table", async () => {
  const output = new MemoryWriter();
  const screen = new NotingScreen();
  const left = screen.leave.bind(screen);
  screen.leave = () => {
    assert.equal(output.text, "");
    return left();
  };
  const sink = new FlowTableSink({ isLive: true, screen, columns: () => 60, output });
  assert.ok(sink.isOnScreen);
  sink.write(flow());
  await sink.close();
  assert.ok(!sink.isOnScreen);
  assert.deepEqual(screen.asked, ["enter 0", "leave"]);
  assert.ok(output.text.startsWith("1 flow of 1 client\n"), output.text);
});

Deno.test("FlowTableSink is quiet about a reader who has gone, but says so", async () => {
  const output = { write: () => Promise.reject(new Deno.errors.BrokenPipe("")) };
  const sink = new FlowTableSink({ isLive: false, columns: () => Infinity, output });
  await assert.rejects(sink.close(), OutputClosedError);
  await assert.rejects(sink.flush(), OutputClosedError);
});

Deno.test("FlowTableSink.abandon() leaves the screen at once, and says what is not shown", () => {
  const screen = new NotingScreen();
  const output = new MemoryWriter();
  const sink = new FlowTableSink({ isLive: true, screen, output });
  sink.write(flow());
  assert.equal(
    sink.abandon("ended at once").message,
    "standard output: the table of 1 flow was not written (ended at once)",
  );
  assert.deepEqual(screen.asked, ["enter 0", "leave"]);
  assert.equal(output.text, "");
});

Deno.test("FlowTableSink leaves the screen while the program is stopped", () => {
  const screen = new NotingScreen();
  const sink = new FlowTableSink({ isLive: true, screen, output: new MemoryWriter() });
  sink.leaveScreenFor(() => screen.asked.push("stopped"));
  assert.deepEqual(screen.asked, ["enter 0", "leave for a while", "stopped"]);
});

Deno.test("FlowTableSink counts rows that are left out, and says so where no terminal does", async () => {
  const output = new MemoryWriter();
  const log = new MemoryLog();
  const sink = new FlowTableSink({
    isLive: true,
    columns: () => Infinity,
    output,
    maxRows: 10,
    log,
  });
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
  const sink = new FlowTableSink({ isLive: true, columns: () => Infinity, output });
  sink.write(flow());
  await assert.rejects(
    sink.close(),
    new UserError(
      "standard output: the table of 1 flow was not written (its reader is too slow)",
    ),
  );
});
