import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkReader } from "../../src/capture/chunk_reader.ts";
import { reading } from "./saved_packets.ts";

Deno.test("ChunkReader gives all bytes in order, whatever is asked for and however they come", async () => {
  const anyPipe = fc.option(fc.record({ atOnce: fc.integer({ min: 1, max: 40 }) }), {
    nil: undefined,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }),
      anyPipe,
      async (data, sizes, pipe) => {
        const reader = new ChunkReader(reading(data, pipe), new Uint8Array(16));
        for (let used = 0, i = 0;; i++) {
          const needed = sizes[i % sizes.length];
          const isThere = await reader.fill(needed);
          assert.equal(reader.position, used);
          assert.equal(isThere, reader.available >= needed);
          assert.equal(reader.view.buffer, reader.bytes.buffer);
          const part = Math.min(needed, reader.available);
          assert.deepEqual(
            [...reader.bytes.subarray(reader.start, reader.start + part)],
            [...data.subarray(used, used + part)],
          );
          reader.start += part;
          used += part;
          if (isThere) continue;
          assert.equal(used, data.length);
          return;
        }
      },
    ),
  );
});

Deno.test("ChunkReader grows no more than it is asked to", async () => {
  const reader = new ChunkReader(
    reading(new Uint8Array(10_000), { atOnce: 7 }),
    new Uint8Array(64),
  );
  while (await reader.fill(64)) reader.start += 64;
  assert.equal(reader.bytes.length, 64);
  assert.equal(reader.position + reader.available, 10_000);
});
