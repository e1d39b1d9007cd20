import assert from "node:assert/strict";
import fc from "fast-check";
import type { NameWrite } from "../../src/dns/name_write.ts";
import { PendingNames } from "../../src/sink/pending_names.ts";

const MAX_BYTES = 256 * 1024;
const LONG = "n".repeat(1000);

function write(i: number): NameWrite {
  return { key: `10.0.0.7;${i}.example.;cname`, name: `${i}.${LONG}` };
}

Deno.test("PendingNames needs no more bytes than it may: the oldest make room, and are counted", () => {
  const pending = new PendingNames(1_000_000, MAX_BYTES);
  let dropped = 0;
  for (let i = 0; i < 5000; i++) {
    dropped += pending.add(write(i));
    // What waits already needs nothing more.
    dropped += pending.add(write(i));
    assert.ok(pending.bytes <= MAX_BYTES);
  }
  assert.ok(pending.size > 200 && pending.size < 256, `${pending.size} wait`);
  assert.equal(dropped + pending.total, 10_000);
  const taken = pending.take(1000);
  assert.deepEqual(taken.at(-1), { ...write(4999), count: 2 });
  assert.equal(pending.bytes, 0);
  assert.equal(pending.putBack(taken[0]), 0);
  assert.equal(pending.total, 2);
});

Deno.test("PendingNames drops what is put back where there is no room for its bytes", () => {
  const pending = new PendingNames(1_000_000, MAX_BYTES);
  pending.add(write(1));
  pending.add(write(1));
  const [taken] = pending.take(1);
  let next = 2;
  while (pending.bytes + 1100 < MAX_BYTES) assert.equal(pending.add(write(next++)), 0);
  const before = pending.size;
  assert.equal(pending.putBack(taken), 2);
  assert.equal(pending.size, before);
  assert.equal(pending.take(before).at(-1)!.name, write(next - 1).name);
  assert.equal(pending.putBack(taken), 0);
});

Deno.test("PendingNames gives up what is longer than all may be", () => {
  const pending = new PendingNames(10, MAX_BYTES);
  pending.add(write(1));
  assert.equal(pending.add({ key: "k", name: "x".repeat(MAX_BYTES) }), 2);
  assert.equal(pending.size + pending.total, 0);
});

/** The same without bytes. */
class Model {
  readonly waiting: { key: string; name: string | null; count: number }[] = [];

  add(added: NameWrite, count = 1): void {
    const known = this.waiting.find(({ key, name }) => key === added.key && name === added.name);
    if (known !== undefined) known.count += count;
    else this.waiting.push({ ...added, count });
  }
}

Deno.test("PendingNames gives what was added, each once, in its order, in whatever way it is used", () => {
  const writes = fc.record({
    key: fc.integer({ min: 0, max: 200 }).map((i) => `${"k".repeat(i)};${i % 7}`),
    name: fc.option(fc.integer({ min: 0, max: 700 }).map((i) => "n".repeat(i))),
  });
  const steps = fc.oneof(
    { weight: 8, arbitrary: writes },
    fc.integer({ min: 1, max: 40 }),
    fc.constant("put back" as const),
  );
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 1500, size: "max" }), (all) => {
      const pending = new PendingNames(100_000, 64 * 1024 * 1024);
      const model = new Model();
      let taken: ReturnType<PendingNames["take"]> = [];
      for (const step of all) {
        if (step === "put back") {
          for (const write of taken) {
            assert.equal(pending.putBack(write), 0);
            model.add(write, write.count);
          }
          taken = [];
        } else if (typeof step === "number") {
          taken = pending.take(step);
          assert.deepEqual(taken, model.waiting.splice(0, step));
        } else {
          assert.equal(pending.add(step), 0);
          model.add(step);
        }
        assert.equal(pending.size, model.waiting.length);
        assert.equal(pending.total, model.waiting.reduce((sum, { count }) => sum + count, 0));
      }
      assert.deepEqual(pending.take(Infinity), model.waiting);
      assert.equal(pending.bytes, 0);
    }),
    { numRuns: 100 },
  );
});
