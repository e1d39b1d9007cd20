import assert from "node:assert/strict";
import { SuppressedKeys } from "../../src/engine/suppressed_keys.ts";
import { FIRST_WINDOW, WINDOWS_SUPPRESSED } from "../../src/model/windows.ts";
import { SeededRandom } from "../seeded_random.ts";

const NO_LIMIT = 1_000_000;

/** The two halves of a fingerprint. */
interface Key {
  readonly first: number;
  readonly second: number;
}

/** Ways to make keys of numbers: the last has all of them meet in few slots of the set. */
const KEYS: Record<string, (number: number) => Key> = {
  "as they are made of words": (number) => {
    const first = Math.imul(number ^ (number >>> 15), 0x85ebca6b);
    return { first: first ^ (first >>> 13), second: Math.imul(number, 0x9e3779b1) };
  },
  "that differ in one half": (number) => ({ first: number, second: 0 }),
  "that differ in the other half": (number) => ({ first: -1, second: number << 8 }),
  "that meet in few slots": (number) => ({ first: (number << 18) | (number & 3), second: 0 }),
};

function admit(suppressed: SuppressedKeys, { first, second }: Key, window: number): number {
  return suppressed.admit(first, second, window);
}

Deno.test("SuppressedKeys holds a key in its window and the two after it, then admits it again", () => {
  const suppressed = new SuppressedKeys(NO_LIMIT);
  const key = { first: 7, second: -7 };
  assert.equal(admit(suppressed, key, FIRST_WINDOW), 0);
  for (const window of [0, 0, 1, 2, 2]) {
    assert.equal(admit(suppressed, key, FIRST_WINDOW + window), FIRST_WINDOW + WINDOWS_SUPPRESSED);
  }
  assert.equal(admit(suppressed, key, FIRST_WINDOW + 3), 0);
  assert.equal(admit(suppressed, key, FIRST_WINDOW + 5), FIRST_WINDOW + 6);
  assert.equal(admit(suppressed, key, FIRST_WINDOW + 100), 0);
});

Deno.test("SuppressedKeys admits a key again however much later, window by window or at once", () => {
  for (let windows = WINDOWS_SUPPRESSED; windows < 600; windows++) {
    for (const step of [1, windows]) {
      const suppressed = new SuppressedKeys(NO_LIMIT);
      assert.equal(suppressed.admit(1, 1 << 8, FIRST_WINDOW), 0);
      for (let later = step; later < windows; later += step) {
        suppressed.admit(2, later << 8, FIRST_WINDOW + later);
      }
      assert.equal(suppressed.admit(1, 1 << 8, FIRST_WINDOW + windows), 0, `${windows} by ${step}`);
    }
  }
});

Deno.test("SuppressedKeys tells keys by 56 bits of their fingerprints, zeros too", () => {
  const suppressed = new SuppressedKeys(NO_LIMIT);
  const keys: Key[] = [{ first: 0, second: 0 }];
  for (let bit = 0; bit < 32; bit++) keys.push({ first: 1 << bit, second: 0 });
  for (let bit = 8; bit < 32; bit++) keys.push({ first: 0, second: 1 << bit });
  for (const key of keys) assert.equal(admit(suppressed, key, FIRST_WINDOW), 0);
  for (const key of keys) assert.notEqual(admit(suppressed, key, FIRST_WINDOW), 0);
});

for (const [name, keyOf] of Object.entries(KEYS)) {
  Deno.test(`SuppressedKeys answers about keys ${name} as a Map of windows would`, () => {
    const random = new SeededRandom();
    for (const keys of [5, 700, 3000, 10_000]) {
      const suppressed = new SuppressedKeys(NO_LIMIT);
      const written = new Map<number, number>();
      let window = FIRST_WINDOW;
      for (let step = 0; step < 40_000; step++) {
        if (random.below(1000) === 0) window += random.below(5);
        const number = random.below(keys);
        const last = written.get(number) ?? -Infinity;
        const isHeld = window - last < WINDOWS_SUPPRESSED;
        const expected = isHeld ? last + WINDOWS_SUPPRESSED : 0;
        if (!isHeld) written.set(number, window);
        assert.equal(
          admit(suppressed, keyOf(number), window),
          expected,
          `FLOSENSOR_TEST_SEED=${random.seed}, ${keys} keys, step ${step}`,
        );
      }
      assert.equal(suppressed.forgotten, 0);
    }
  });
}

Deno.test("SuppressedKeys lets go of keys above its limit, counts them, and holds none for too long", () => {
  const random = new SeededRandom();
  const keyOf = KEYS["as they are made of words"];
  const suppressed = new SuppressedKeys(1000);
  const written = new Map<number, number>();
  let window = FIRST_WINDOW;
  for (let step = 0; step < 100_000; step++) {
    if (step % 2000 === 0) window++;
    const number = random.below(50_000);
    const last = written.get(number) ?? -Infinity;
    const until = admit(suppressed, keyOf(number), window);
    const place = `FLOSENSOR_TEST_SEED=${random.seed}, step ${step}`;
    if (until === 0) written.set(number, window);
    else assert.equal(until, last + WINDOWS_SUPPRESSED, place);
    if (until !== 0) assert.ok(until > window, place);
  }
  assert.ok(suppressed.forgotten > 0);
});

Deno.test("SuppressedKeys above its limit lets go of the oldest first", () => {
  const suppressed = new SuppressedKeys(500);
  const admitAll = (from: number, to: number, window: number) => {
    for (let number = from; number < to; number++) suppressed.admit(number, 0, window);
  };
  admitAll(0, 400, FIRST_WINDOW);
  admitAll(400, 716, FIRST_WINDOW + 1);
  assert.equal(suppressed.forgotten, 0);
  // One more is more than its slots are for: it is swept, down to what was written last.
  admitAll(716, 717, FIRST_WINDOW + 1);
  assert.equal(suppressed.forgotten, 400);
  for (let number = 400; number < 717; number++) {
    assert.notEqual(suppressed.admit(number, 0, FIRST_WINDOW + 1), 0);
  }
  assert.equal(suppressed.admit(0, 0, FIRST_WINDOW + 1), 0);
});
