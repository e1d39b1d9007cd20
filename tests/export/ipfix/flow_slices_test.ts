import assert from "node:assert/strict";
import { FlowSlices } from "../../../src/export/ipfix/flow_slices.ts";
import type { ConversationRecord } from "../../../src/model/conversation_record.ts";
import { record } from "../../records.ts";

Deno.test("FlowSlices gives what is new in each record, from the end of the one before", () => {
  const slices = new FlowSlices();
  const next = (given: Partial<ConversationRecord>) => {
    const slice = slices.next(record({ first: 1000, ...given }));
    return slice && [slice.start, slice.packets, slice.bytes];
  };
  assert.deepEqual(
    next({ isOver: false, last: 2000, packets: [2, 1], bytes: [200, 100] }),
    [1000, [2, 1], [200, 100]],
  );
  assert.deepEqual(
    next({ isOver: false, last: 3000, packets: [5, 1], bytes: [500, 100] }),
    [2000, [3, 0], [300, 0]],
  );
  assert.equal(next({ isOver: false, last: 3000, packets: [5, 1], bytes: [500, 100] }), null);
  assert.deepEqual(
    next({ isOver: true, last: 4000, packets: [5, 9], bytes: [500, 900] }),
    [3000, [0, 8], [0, 800]],
  );
  assert.equal(slices.size, 0);
});

Deno.test("FlowSlices keeps up with a conversation whose client turns out to be the server", () => {
  const slices = new FlowSlices();
  const before = record({ isOver: false, packets: [7, 3], bytes: [700, 300] });
  slices.next(before);
  const slice = slices.next(record({
    client: before.server,
    clientPort: before.port,
    server: before.client,
    port: before.clientPort,
    packets: [4, 9],
    bytes: [400, 900],
  }));
  assert.deepEqual([slice?.packets, slice?.bytes], [[1, 2], [100, 200]]);
});

Deno.test("FlowSlices without room gives a conversation whole at its end", () => {
  const slices = new FlowSlices(1);
  assert.notEqual(slices.next(record({ id: 1, isOver: false })), null);
  assert.equal(slices.next(record({ id: 2, isOver: false, packets: [3, 3] })), null);
  assert.equal(slices.size, 1);
  assert.deepEqual(slices.next(record({ id: 2, packets: [5, 5] }))?.packets, [5, 5]);
});
