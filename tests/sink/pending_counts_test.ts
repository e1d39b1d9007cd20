import assert from "node:assert/strict";
import fc from "fast-check";
import { OBSERVATION_WORDS } from "../../src/model/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import { PENDING_WORDS, PendingCounts, WORD_COUNT } from "../../src/sink/pending_counts.ts";
import { clients } from "../observations.ts";

function take(pending: PendingCounts, most: number): [string, number][] {
  const words = new Uint32Array(most * PENDING_WORDS);
  const taken = pending.take(words, most);
  return Array.from({ length: taken }, (_, i) => [
    keyText(words, i * PENDING_WORDS),
    words[i * PENDING_WORDS + WORD_COUNT],
  ]);
}

Deno.test("PendingCounts keeps each key once, with the number of its observations, oldest first", () => {
  const pending = new PendingCounts(10);
  const { words } = clients(3);
  for (const i of [2, 0, 2, 1, 2]) pending.add(words, i * OBSERVATION_WORDS, 1);
  assert.equal(pending.size, 3);
  assert.equal(pending.total, 5);
  assert.deepEqual(take(pending, 2), [["client;10.0.0.2", 3], ["client;10.0.0.0", 1]]);
  assert.equal(pending.total, 1);
  assert.deepEqual(take(pending, 2), [["client;10.0.0.1", 1]]);
  assert.deepEqual(take(pending, 2), []);
});

Deno.test("PendingCounts drops the oldest key when it is full, and says how many observations", () => {
  const pending = new PendingCounts(2);
  const { words } = clients(3);
  pending.add(words, 0, 5);
  assert.equal(pending.add(words, OBSERVATION_WORDS, 1), 0);
  assert.equal(pending.add(words, 2 * OBSERVATION_WORDS, 1), 5);
  assert.equal(pending.add(words, OBSERVATION_WORDS, 1), 0);
  assert.deepEqual(take(pending, 9), [["client;10.0.0.1", 2], ["client;10.0.0.2", 1]]);
});

Deno.test("PendingCounts drops what is put back when it is full, as that is the oldest", () => {
  const pending = new PendingCounts(2);
  const { words } = clients(3);
  pending.add(words, 0, 4);
  const taken = new Uint32Array(PENDING_WORDS);
  pending.take(taken, 1);
  pending.add(words, OBSERVATION_WORDS, 1);
  pending.add(words, 2 * OBSERVATION_WORDS, 1);
  assert.equal(pending.putBack(taken, 0), 4);
  assert.equal(pending.size, 2);
  take(pending, 1);
  assert.equal(pending.putBack(taken, 0), 0);
  assert.deepEqual(take(pending, 9), [["client;10.0.0.2", 1], ["client;10.0.0.0", 4]]);
});

Deno.test("PendingCounts does as a Map does, whatever is added and taken", () => {
  const step = fc.oneof(
    fc.record({ take: fc.integer({ min: 1, max: 9000 }) }),
    fc.record({
      first: fc.integer({ min: 0, max: 20_000 }),
      count: fc.integer({ max: 9000, min: 1 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const most = 12_000;
      const pending = new PendingCounts(most);
      const model = new Map<string, number>();
      let lost = 0;
      for (const it of steps) {
        if ("take" in it) {
          const expected = [...model].slice(0, it.take);
          for (const [key] of expected) model.delete(key);
          assert.deepEqual(take(pending, it.take), expected);
        } else {
          const { words } = clients(it.count, it.first);
          for (let i = 0; i < it.count; i++) {
            lost += pending.add(words, i * OBSERVATION_WORDS, 1);
            const key = keyText(words, i * OBSERVATION_WORDS);
            if (model.size === most && !model.has(key)) {
              const [oldest, count] = model.entries().next().value!;
              model.delete(oldest);
              lost -= count;
            }
            model.set(key, (model.get(key) ?? 0) + 1);
          }
        }
        assert.equal(lost, 0);
        assert.equal(pending.size, model.size);
        assert.equal(pending.total, [...model.values()].reduce((sum, count) => sum + count, 0));
      }
      assert.deepEqual(take(pending, most), [...model]);
    }),
    { numRuns: 40 },
  );
});
