import assert from "node:assert/strict";
import { Backlog } from "../../src/workers/backlog.ts";

Deno.test("Backlog.room() waits until the other side has taken what is too much", async () => {
  const worker = new Backlog();
  const main = new Backlog(worker.shared);
  worker.add(3_000_000);
  await worker.room();
  worker.add(3_000_000);
  let hasRoom = false;
  const room = worker.room().then(() => hasRoom = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(hasRoom, false);
  main.take(3_000_000);
  await room;
  assert.ok(hasRoom);
});
