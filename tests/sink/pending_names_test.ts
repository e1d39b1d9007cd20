import assert from "node:assert/strict";
import { PendingNames } from "../../src/sink/pending_names.ts";

const LONG = "n".repeat(1000);

function write(i: number) {
  return { key: `10.0.0.7;${i}.example.;cname`, name: `${i}.${LONG}` };
}

Deno.test("PendingNames needs no more bytes than it may: the oldest make room, and are counted", () => {
  const pending = new PendingNames(1_000_000, 100_000);
  let dropped = 0;
  for (let i = 0; i < 1000; i++) {
    dropped += pending.add(write(i));
    // What waits already needs nothing more.
    dropped += pending.add(write(i));
    assert.ok(pending.bytes <= 100_000);
  }
  assert.ok(pending.size > 20 && pending.size < 100, `${pending.size} wait`);
  assert.equal(dropped + pending.total, 2000);
  const taken = pending.take(1000);
  assert.deepEqual(taken.at(-1), { ...write(999), count: 2 });
  assert.equal(pending.bytes, 0);
  assert.equal(pending.putBack(taken[0]), 0);
  assert.ok(pending.bytes > 2000);
});

Deno.test("PendingNames drops what is put back where there is no room for its bytes", () => {
  const pending = new PendingNames(1_000_000, 6000);
  pending.add(write(1));
  const [taken] = pending.take(1);
  pending.add(write(2));
  pending.add(write(3));
  assert.equal(pending.putBack(taken), 1);
  assert.deepEqual(pending.take(9).map(({ name }) => name), [write(2).name, write(3).name]);
});

Deno.test("PendingNames takes one that needs more than all may", () => {
  const pending = new PendingNames(10, 100);
  assert.equal(pending.add(write(1)), 0);
  assert.equal(pending.add(write(2)), 1);
  assert.deepEqual(pending.take(9).map(({ name }) => name), [write(2).name]);
});
