import assert from "node:assert/strict";
import { FIRST_WINDOW, HeldKeys, WINDOWS_HELD } from "../../src/flow/held_keys.ts";
import { SeededRandom } from "../seeded_random.ts";

const NO_LIMIT = 1_000_000;

/** The key of a number: all its words play a part. */
function keyOf(number: number, words: number): Int32Array {
  return Int32Array.from({ length: words }, (_, word) => Math.imul(number, 0x9e3779b1) >> word);
}

Deno.test("HeldKeys holds a key in its window and the two after it, then admits it again", () => {
  const held = new HeldKeys(2, NO_LIMIT);
  const key = Int32Array.of(7, -7);
  assert.equal(held.admit(key, FIRST_WINDOW), 0);
  for (const window of [0, 0, 1, 2, 2]) {
    assert.equal(held.admit(key, FIRST_WINDOW + window), FIRST_WINDOW + WINDOWS_HELD);
  }
  assert.equal(held.admit(key, FIRST_WINDOW + 3), 0);
  assert.equal(held.admit(key, FIRST_WINDOW + 5), FIRST_WINDOW + 6);
  assert.equal(held.admit(key, FIRST_WINDOW + 100), 0);
});

Deno.test("HeldKeys tells keys by each of their words, zeros too", () => {
  const held = new HeldKeys(4, NO_LIMIT);
  assert.equal(held.admit(new Int32Array(4), FIRST_WINDOW), 0);
  for (let word = 0; word < 4; word++) {
    for (const value of [1, -1, -0x8000_0000]) {
      const key = new Int32Array(4).with(word, value);
      assert.equal(held.admit(key, FIRST_WINDOW), 0);
      assert.notEqual(held.admit(key, FIRST_WINDOW), 0);
    }
  }
  assert.notEqual(held.admit(new Int32Array(4), FIRST_WINDOW), 0);
});

for (const words of [4, 10]) {
  Deno.test(`HeldKeys of ${words} words answers as a Map of windows would`, () => {
    const random = new SeededRandom();
    for (const keys of [5, 700, 3000, 20_000]) {
      const held = new HeldKeys(words, NO_LIMIT);
      const written = new Map<number, number>();
      let window = FIRST_WINDOW;
      for (let step = 0; step < 60_000; step++) {
        if (random.below(1000) === 0) window += random.below(5);
        const number = random.below(keys);
        const last = written.get(number) ?? -Infinity;
        const isHeld = window - last < WINDOWS_HELD;
        const expected = isHeld ? last + WINDOWS_HELD : 0;
        if (!isHeld) written.set(number, window);
        assert.equal(
          held.admit(keyOf(number, words), window),
          expected,
          `FLOSENSOR_TEST_SEED=${random.seed}, ${keys} keys, step ${step}`,
        );
      }
      assert.equal(held.forgotten, 0);
    }
  });
}

Deno.test("HeldKeys lets go of keys above its limit, counts them, and holds none for too long", () => {
  const random = new SeededRandom();
  const held = new HeldKeys(4, 1000);
  const written = new Map<number, number>();
  let window = FIRST_WINDOW;
  for (let step = 0; step < 100_000; step++) {
    if (step % 2000 === 0) window++;
    const number = random.below(50_000);
    const last = written.get(number) ?? -Infinity;
    const until = held.admit(keyOf(number, 4), window);
    const place = `FLOSENSOR_TEST_SEED=${random.seed}, step ${step}`;
    if (until === 0) written.set(number, window);
    else assert.equal(until, last + WINDOWS_HELD, place);
    if (until !== 0) assert.ok(until > window, place);
  }
  assert.ok(held.forgotten > 0);
});

Deno.test("HeldKeys above its limit lets go of the oldest first", () => {
  const held = new HeldKeys(1, 500);
  const admitAll = (from: number, to: number, window: number) => {
    for (let number = from; number < to; number++) held.admit(Int32Array.of(number), window);
  };
  admitAll(0, 400, FIRST_WINDOW);
  admitAll(400, 716, FIRST_WINDOW + 1);
  assert.equal(held.forgotten, 0);
  // One more is more than its slots are for: it is swept, down to what was written last.
  admitAll(716, 717, FIRST_WINDOW + 1);
  assert.equal(held.forgotten, 400);
  for (let number = 400; number < 717; number++) {
    assert.notEqual(held.admit(Int32Array.of(number), FIRST_WINDOW + 1), 0);
  }
  assert.equal(held.admit(Int32Array.of(0), FIRST_WINDOW + 1), 0);
});
