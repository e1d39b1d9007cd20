import assert from "node:assert/strict";
import { MissingDatagrams } from "../../src/dns/missing_datagrams.ts";

const SENDER = "udp:10.0.0.1:5000";

/** What each of these numbers shows to be missing. */
function taken(missing: MissingDatagrams, ...ids: number[]): number[] {
  return ids.map((id) => missing.take(SENDER, id));
}

Deno.test("MissingDatagrams counts the numbers that did not come", () => {
  const missing = new MissingDatagrams();
  assert.deepEqual(taken(missing, 5, 6, 7, 10, 11, 13), [0, 0, 0, 2, 0, 1]);
  assert.equal(missing.count, 3);
});

Deno.test("MissingDatagrams takes what comes late, and what comes twice, for no loss", () => {
  const missing = new MissingDatagrams();
  assert.deepEqual(taken(missing, 1, 2, 4, 3, 4, 5), [0, 0, 1, 0, 0, 0]);
  assert.equal(missing.count, 0);
});

Deno.test("MissingDatagrams starts again where a sender was started again", () => {
  const missing = new MissingDatagrams();
  taken(missing, 700, 701, 1, 2, 3, 6);
  assert.equal(missing.count, 2);
});

Deno.test("MissingDatagrams counts for each sender, and remembers no more than 256", () => {
  const missing = new MissingDatagrams();
  for (let port = 0; port < 1000; port++) missing.take(`udp:10.0.0.1:${port}`, 1);
  assert.equal(missing.count, 0);
  // The last is known, the first has to be met again.
  assert.equal(missing.take("udp:10.0.0.1:999", 4), 2);
  assert.equal(missing.take("udp:10.0.0.1:0", 4), 0);
});

Deno.test("MissingDatagrams counts a long gap, and none that is too long for one", () => {
  const missing = new MissingDatagrams();
  assert.deepEqual(taken(missing, 1, 100_001), [0, 99_999]);
  // Only the last of them are waited for.
  assert.deepEqual(taken(missing, 100_000), [0]);
  assert.equal(missing.count, 99_998);
  assert.deepEqual(taken(missing, Number.MAX_SAFE_INTEGER), [0]);
  assert.equal(missing.count, 99_998);
});
