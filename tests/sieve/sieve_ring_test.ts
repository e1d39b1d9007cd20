import assert from "node:assert/strict";
import { MOST_OF_A_BATCH, SieveLayout } from "../../src/sieve/sieve_memory.ts";
import { ringControl, SieveRing } from "../../src/sieve/sieve_ring.ts";
import { SeededRandom } from "../seeded_random.ts";
import { sieveSettings } from "./settings.ts";

const LAYOUT = new SieveLayout(sieveSettings());
/** Sizes of batches are multiples of a cache line. */
const LINE = 64;

Deno.test("a ring gives its batches in order, and no room that another batch has", () => {
  const random = new SeededRandom();
  const control = ringControl();
  const filler = new SieveRing(control, LAYOUT);
  const taker = new SieveRing(control, LAYOUT);
  const waiting: { start: number; end: number }[] = [];
  let taken = 0;
  let turns = 0;
  let refusals = 0;
  let last = 0;
  for (let round = 0; round < 50_000; round++) {
    const room = random.below(3) > 0 ? filler.roomAfter(taken) : null;
    if (room !== null) {
      const size = random.below(8) === 0 ? MOST_OF_A_BATCH : random.below(5000) * LINE;
      const end = room + Math.max(LINE, Math.min(size, MOST_OF_A_BATCH));
      assert.ok(room >= LAYOUT.ring.start && room + MOST_OF_A_BATCH <= LAYOUT.ring.end);
      for (const other of waiting) {
        const most = room + MOST_OF_A_BATCH;
        assert.ok(most <= other.start || room >= other.end, `seed ${random.seed}`);
      }
      filler.fill(room, end);
      waiting.push({ start: room, end });
      if (room < last) turns++;
      last = room;
    } else if (waiting.length > 0) {
      refusals++;
      assert.equal(taker.filled(taken), waiting.shift()!.start);
      taker.take(++taken);
    } else {
      assert.equal(taker.filled(taken), null);
    }
  }
  assert.ok(turns > 100 && refusals > 1000);
});

Deno.test("a ring has room for as many small batches as it can list, then for none", () => {
  const ring = new SieveRing(ringControl(), LAYOUT);
  let count = 0;
  for (let room; (room = ring.roomAfter(0)) !== null; count++) ring.fill(room, room + LINE);
  assert.ok(count >= 1000);
  assert.notEqual(ring.roomAfter(1), null);
});

Deno.test("a ring that is closed has no room any more", () => {
  const ring = new SieveRing(ringControl(), LAYOUT);
  assert.equal(ring.room(), LAYOUT.ring.start);
  ring.close();
  assert.equal(ring.room(), null);
});
