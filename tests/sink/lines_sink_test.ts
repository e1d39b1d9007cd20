import assert from "node:assert/strict";
import { LinesSink } from "../../src/sink/lines_sink.ts";
import { until } from "../namespaces.ts";

/** Takes any number of lines that say nothing. */
class AnyLines extends LinesSink {
  readonly name = "any";

  write(): void {}

  writeNames(): void {}

  put(lines: number): void {
    const line = "x".repeat(99) + "\n";
    for (let i = 0; i < lines; i++) this.unlessFull(() => this.add(line));
  }
}

Deno.test("a capture's lines are in trouble while their reader leaves them no room", async () => {
  const reading = Promise.withResolvers<void>();
  const output = {
    async write(bytes: Uint8Array) {
      await reading.promise;
      return bytes.length;
    },
  };
  const sink = new AnyLines({ mode: "capture", maxPendingBytes: 100_000, output });
  sink.put(500);
  await sink.flush();
  assert.equal(sink.trouble, null);
  sink.put(600);
  assert.equal(sink.trouble, "standard output takes no lines (their reader is too slow)");
  reading.resolve();
  await sink.flush();
  await until(() => sink.pending === 0);
  assert.equal(sink.trouble, null);
  await assert.rejects(sink.close(), /100 lines were lost/);
});
