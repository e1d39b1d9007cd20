import assert from "node:assert/strict";
import { QueueAge } from "../../src/metrics/queue_age.ts";

Deno.test("QueueAge gives the age of the first of each flush interval, once all of it has left", () => {
  const age = new QueueAge();
  age.take(0.25);
  age.take(0.75);
  age.mark(2, 1);
  assert.deepEqual(age.leave(1, 1), []);
  assert.equal(age.oldest(1, 1), 0.75);
  age.take(1.5);
  age.mark(5, 2);
  assert.deepEqual(age.leave(5, 3), [2.75, 1.5]);
  assert.equal(age.oldest(5, 3), 0);
  assert.deepEqual(age.leave(5, 4), []);
});

Deno.test("QueueAge takes what came before the last flush for older than what came after it", () => {
  const age = new QueueAge();
  age.take(0);
  age.mark(1, 1);
  age.mark(1, 2);
  age.take(2.5);
  age.mark(2, 3);
  assert.deepEqual(age.leave(1, 10), [10]);
  assert.equal(age.oldest(1, 10), 7.5);
});

Deno.test("QueueAge keeps the age of the oldest for as long as nothing leaves, in bounded memory", () => {
  const age = new QueueAge();
  for (let i = 1; i <= 100_000; i++) {
    age.take(i);
    age.mark(i, i);
  }
  assert.equal(age.oldest(0, 100_000), 99_999);
  const ages = age.leave(100_000, 100_000);
  assert.equal(ages[0], 99_999);
  assert.ok(ages.length <= 1024, `${ages.length} marks`);
});
