import assert from "node:assert/strict";
import { JsonSink } from "../../src/sink/json_sink.ts";
import { OutputClosedError } from "../../src/sink/output_closed_error.ts";
import type { ByteWriter } from "../../src/sink/text_output.ts";
import { UserError } from "../../src/user_error.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients, observations } from "../observations.ts";
import { until } from "./redis_sink_waits.ts";

/** Takes at most `most` bytes at a time, and nothing before `start` is called. */
class SlowReader implements ByteWriter {
  text = "";
  readonly #most: number;
  readonly #gate = Promise.withResolvers<void>();

  constructor(most: number) {
    this.#most = most;
  }

  start(): void {
    this.#gate.resolve();
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#gate.promise;
    const taken = bytes.subarray(0, this.#most);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }
}

class FailingWriter implements ByteWriter {
  readonly #error: Error;

  constructor(error: Error) {
    this.#error = error;
  }

  write(): Promise<number> {
    return Promise.reject(this.#error);
  }
}

Deno.test("JsonSink writes every observation as one line", async () => {
  const output = new SlowReader(7);
  output.start();
  const sink = new JsonSink({ mode: "replay", output });
  const [a, b] = ["10.0.0.1", "2001:db8::1"];
  sink.write(observations(
    { kind: "client", a },
    { kind: "flow", a, b: "192.0.2.1", port: 443, by: "lower-port", protocol: 6 },
    { kind: "icmp", a: b, b: "fe80::1", port: 5, otherPort: 6, code: 4 },
    { kind: "client", a },
  ));
  assert.equal(sink.pending, 4);
  await sink.close();
  assert.equal(sink.pending, 0);
  assert.equal(
    output.text,
    '{"key":"client;10.0.0.1","count":1}\n' +
      '{"key":"10.0.0.1;192.0.2.1;443;flow","count":1,"by":"lower-port"}\n' +
      '{"key":"2001:db8::1;fe80::1;5:6;4;icmp","count":1}\n' +
      '{"key":"client;10.0.0.1","count":1}\n',
  );
});

Deno.test("JsonSink says what decided a flow, and of no other key", async () => {
  const output = new SlowReader(1 << 20);
  output.start();
  const sink = new JsonSink({ mode: "replay", output });
  const flow = { kind: "flow", a: "10.0.0.1", b: "10.0.0.2", port: 80 } as const;
  sink.write(observations({ ...flow, by: "assign" }, { kind: "peer", a: flow.a, b: flow.b }));
  await sink.close();
  assert.equal(
    output.text,
    '{"key":"10.0.0.1;10.0.0.2;80;flow","count":1,"by":"assign"}\n' +
      '{"key":"10.0.0.1;10.0.0.2;peer","count":1}\n',
  );
});

Deno.test("JsonSink makes a replay wait for a slow reader", async () => {
  const output = new SlowReader(10_000);
  const sink = new JsonSink({ mode: "replay", maxPendingBytes: 100, output });
  sink.write(clients(10_000));
  let isFlushed = false;
  const flush = sink.flush().then(() => isFlushed = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isFlushed, false);
  assert.equal(sink.pending, 10_000);
  output.start();
  await flush;
  assert.equal(sink.pending, 0);
  await sink.close();
  assert.equal(output.text.match(/\n/g)!.length, 10_000);
});

Deno.test("JsonSink drops lines in a capture whose reader is too slow, and counts them", async () => {
  const output = new SlowReader(1 << 20);
  const sink = new JsonSink({ mode: "capture", maxPendingBytes: 200_000, output });
  sink.write(clients(4_000));
  await sink.flush();
  sink.write(clients(4_000));
  await sink.flush();
  const lost = sink.lost;
  assert.ok(lost > 0 && sink.pending + lost === 8_000, `${lost} lost, ${sink.pending} pending`);
  output.start();
  await assert.rejects(
    sink.close(),
    new UserError(`standard output: ${lost} lines were lost (${lost}: their reader is too slow)`),
  );
  const lines = output.text.split("\n");
  assert.equal(lines.length, 8_000 - lost + 1);
  assert.ok(lines.slice(0, -1).every((line) => JSON.parse(line).count === 1));
});

Deno.test("JsonSink.close() does not wait for ever for a capture's reader", async () => {
  const output = new SlowReader(1 << 20);
  const sink = new JsonSink({ mode: "capture", output });
  sink.write(clients(3));
  await assert.rejects(sink.close(), /standard output: 3 lines were lost/);
  output.start();
});

Deno.test("JsonSink says soon that a reader is too slow, and counts what it took", async () => {
  const output = new SlowReader(1 << 20);
  const log = new MemoryLog();
  const sink = new JsonSink({ mode: "capture", maxPendingBytes: 200_000, output, log });
  sink.write(clients(8_000));
  await until(() => log.lines.length > 0);
  const { lost } = sink;
  assert.deepEqual(log.lines, [
    `warn: standard output: ${lost} lines were lost (${lost}: their reader is too slow)`,
  ]);
  assert.equal(sink.written, 0);
  output.start();
  await assert.rejects(sink.close(), /lines were lost/);
  assert.deepEqual([sink.written, sink.pending, sink.lost], [8_000 - lost, 0, lost]);
});

Deno.test("JsonSink.hurry() ends a replay's wait for a reader", async () => {
  const output = new SlowReader(1 << 20);
  const sink = new JsonSink({ mode: "replay", output });
  sink.write(clients(3));
  const flush = sink.flush();
  sink.hurry();
  await flush;
  await assert.rejects(sink.close(), /3 lines were lost \(3: their reader is too slow\)/);
  output.start();
});

Deno.test("JsonSink.abandon() gives up at once, and says what is lost", () => {
  const output = new SlowReader(1 << 20);
  const sink = new JsonSink({ mode: "replay", output });
  sink.write(clients(3));
  assert.equal(
    sink.abandon("ended at once")?.message,
    "standard output: 3 lines were lost (3: ended at once)",
  );
  assert.equal(sink.pending, 0);
  output.start();
});

Deno.test("JsonSink tells a reader that has gone from an error", async () => {
  for (const mode of ["capture", "replay"] as const) {
    const gone = new JsonSink({ mode, output: new FailingWriter(new Deno.errors.BrokenPipe("")) });
    gone.write(clients(3));
    if (mode === "capture") {
      await gone.flush();
      await Promise.resolve();
    }
    await assert.rejects(gone.flush(), OutputClosedError);
    assert.ok(gone.isClosed);
    gone.write(clients(3));
    assert.equal(gone.pending, 0);
    await gone.close();
    const full = new JsonSink({ mode, output: new FailingWriter(new Error("No space left")) });
    full.write(clients(3));
    await assert.rejects(
      full.close(),
      new UserError("standard output: can't be written to (No space left)"),
    );
    assert.ok(!full.isClosed);
  }
});

Deno.test("JsonSink notices when the reader of a real pipe has gone", async () => {
  const program = `
    import { JsonSink } from "${import.meta.resolve("../../src/sink/json_sink.ts")}";
    import { clients } from "${import.meta.resolve("../observations.ts")}";
    const sink = new JsonSink({ mode: "replay" });
    try {
      for (let i = 0; i < 100; i++) {
        sink.write(clients(1000));
        await sink.flush();
      }
    } catch (error) {
      console.error(error.name, sink.isClosed);
    }
    await sink.close();`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const url = `data:text/typescript,${encodeURIComponent(program)}`;
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      '"$@" | head -n 2',
      "sh",
      ...[Deno.execPath(), "run", "--quiet", "--no-check", "--config", config, url],
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(text(stderr), "OutputClosedError true\n");
  assert.equal(
    text(stdout),
    '{"key":"client;10.0.0.0","count":1}\n{"key":"client;10.0.0.1","count":1}\n',
  );
  assert.equal(code, 0);
});
