import assert from "node:assert/strict";
import { MemoryStore } from "../../src/web/memory_store.ts";
import { record } from "../store/record.ts";
import { batchOf, NO_LOSSES, RUN } from "../store/test_store.ts";

const HOUR = 3_600_000;
const KEY = { client: "10.0.0.1", server: "192.0.2.1", port: 443, protocol: "tcp" };

/** Conversations of a service that ended so long ago, in milliseconds. */
function records(firstId: number, count: number, ago: number, port = KEY.port) {
  const last = Date.now() - ago;
  const ids = Array.from({ length: count }, (_, i) => firstId + i);
  return batchOf({ records: ids.map((id) => record({ id, port, first: last - 1_000, last })) });
}

Deno.test("a page's memory has conversations of an hour, and sums of twelve", () => {
  const memory = new MemoryStore(RUN, { milliseconds: HOUR, bytes: 64 * 1024 * 1024 }, {}, 0);
  using data = memory.data;
  memory.write(records(1, 2, 1.1 * HOUR), NO_LOSSES);
  memory.write(records(3, 3, 0.9 * HOUR), NO_LOSSES);
  const { conversations, flow } = data.flow(KEY)!;
  assert.equal(conversations.length, 3);
  assert.equal(flow.conversations, 5);
  memory.write(records(6, 1, 13 * HOUR, 80), NO_LOSSES);
  assert.equal(data.flow({ ...KEY, port: 80 }), null);
  assert.equal(data.flow(KEY)?.conversations.length, 3);
});
