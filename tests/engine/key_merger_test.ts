import assert from "node:assert/strict";
import { LowerPort } from "../../src/config/mod.ts";
import { PacketBatch } from "../../src/capture/packet_batch.ts";
import { Engine } from "../../src/engine/engine.ts";
import { KeyMerger } from "../../src/engine/key_merger.ts";
import { OBSERVATION_WORDS, type ObservationBatch } from "../../src/model/observation_batch.ts";
import { LINKTYPE_ETHERNET } from "../../src/packet/link_type.ts";
import { keyText } from "../../src/sink/keys.ts";
import { exchange } from "../conversations.ts";
import { mappingOf } from "../observed_keys.ts";
import { observations } from "../observations.ts";
import type { Bytes } from "../packets.ts";

/** When a window of 30 s begins. */
const START = 1_800_000_000;

/** The keys of batches. */
class Written {
  readonly keys: string[] = [];

  take({ words, count }: ObservationBatch): void {
    for (let i = 0; i < count; i++) this.keys.push(keyText(words, i * OBSERVATION_WORDS));
  }
}

function wordsOf({ words, count }: ObservationBatch): Uint32Array {
  return words.slice(0, count * OBSERVATION_WORDS);
}

function batchOf(packets: Bytes[]): PacketBatch {
  const bytes = new Uint8Array(packets.reduce((sum, { length }) => sum + length, 0));
  const batch = new PacketBatch(packets.length, bytes);
  for (const packet of packets) {
    const { count, offset, captured, length, linkType } = batch;
    const at = count === 0 ? 0 : offset[count - 1] + captured[count - 1];
    bytes.set(packet, at);
    offset[count] = at;
    captured[count] = length[count] = packet.length;
    linkType[count] = LINKTYPE_ETHERNET;
    batch.count++;
  }
  return batch;
}

Deno.test("KeyMerger writes a key once that comes of several meters", () => {
  const written = new Written();
  const merger = new KeyMerger((batch) => written.take(batch), () => START);
  const one = observations(
    { kind: "client", a: "10.1.0.1" },
    { kind: "flow", a: "10.1.0.1", b: "198.51.100.1", port: 443, by: "syn" },
    { kind: "client", a: "2001:db8::1" },
  );
  const other = observations(
    { kind: "client", a: "10.1.0.1" },
    { kind: "flow", a: "10.1.0.1", b: "198.51.100.1", port: 444, by: "lower-port" },
    { kind: "flow", a: "10.1.0.1", b: "198.51.100.1", port: 443, by: "lower-port" },
    { kind: "rst", a: "10.1.0.1", b: "198.51.100.1", port: 443, otherPort: 50_000 },
    { kind: "icmp", a: "10.1.0.1", b: "198.51.100.1", port: 443, otherPort: 50_000, code: 3 },
    { kind: "icmp", a: "10.1.0.1", b: "198.51.100.1", port: 443, otherPort: 50_000, code: 1 },
  );
  merger.take(wordsOf(one));
  merger.take(wordsOf(other));
  merger.take(wordsOf(one));
  assert.deepEqual(
    written.keys,
    [
      "client;10.1.0.1",
      "10.1.0.1;198.51.100.1;443;flow",
      "client;2001:db8::1",
      "10.1.0.1;198.51.100.1;444;flow",
      "10.1.0.1;198.51.100.1;443:50000;rst",
      "10.1.0.1;198.51.100.1;443:50000;3;icmp",
      "10.1.0.1;198.51.100.1;443:50000;1;icmp",
    ].map((key) => key),
  );
  assert.equal(merger.written, 7);
  assert.equal(merger.flows, 2);
  assert.equal(merger.flowsBy.reduce((sum, count) => sum + count), 2);
});

Deno.test("keys of several meters are written again after 60 to 90 s, as of one", () => {
  let now = START;
  const clock = () => now;
  const mapping = mappingOf({ flows: [[null, null, LowerPort()]] }, []);
  const single = new Written();
  const merged = new Written();
  const meter = new Engine({ mapping, clock, emit: (batch) => single.take(batch) });
  const merger = new KeyMerger((batch) => merged.take(batch), clock);
  const workers = [0, 1].map(() =>
    new Engine({
      mapping,
      clock,
      windowsSuppressed: 1,
      emit: (batch) => merger.take(wordsOf(batch)),
    })
  );
  // The same client and service from two ports: the keys are the same, and each worker has a port.
  const halves = [
    exchange("10.1.0.1", 50_000, "198.51.100.1", 53),
    exchange("10.1.0.1", 50_001, "198.51.100.1", 53),
  ];
  for (let second = 0; second < 600; second++) {
    now = START + second;
    // One of them is silent now and then, so that the other's observation has to do.
    const active = halves.filter((_, index) => (second + index * 45) % 90 < 60);
    meter.take(batchOf(active.flat()));
    meter.flush();
    halves.forEach((packets, index) => {
      if (active.includes(packets)) workers[index].take(batchOf(packets));
      workers[index].flush();
    });
    assert.equal(merged.keys.length, single.keys.length, `at ${second} s`);
  }
  assert.deepEqual(merged.keys.toSorted(), single.keys.toSorted());
  // Four keys in the first second, and again in each third window.
  assert.equal(single.keys.length, 4 * Math.ceil(600 / 90));
});
