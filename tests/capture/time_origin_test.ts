import assert from "node:assert/strict";
import fc from "fast-check";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { TimeOrigin } from "../../src/capture/time_origin.ts";
import { bytes, pcap } from "../packets.ts";
import { PcapngSection } from "../pcapng.ts";
import { reading } from "./saved_packets.ts";

const MOST = 0xffff_ffff;
const DAY = 86_400;
const PACKET = bytes(1, 2, 3, 4);

/** The times of a capture, in seconds since 1970-01-01 UTC. */
async function timesOf(file: Uint8Array, origin?: TimeOrigin): Promise<number[]> {
  const source = new SavefileSource("capture", reading(file), { origin });
  const times: number[] = [];
  for (let batch; (batch = await source.next()) !== null;) {
    for (let i = 0; i < batch.count; i++) times.push(batch.seconds[i] + source.origin.seconds);
  }
  return times;
}

Deno.test("TimeOrigin is 1970 for all that fits into 32 bits from there on", () => {
  for (const time of [0, 1, 1_700_000_000, MOST - 366 * DAY]) {
    const origin = new TimeOrigin();
    assert.equal(origin.secondsOf(time), time);
    assert.equal(origin.seconds, 0);
  }
});

Deno.test("TimeOrigin is a day before captures that begin before 1970, or about 2106 or later", () => {
  for (const time of [-1, -DAY, -5_000_000_000, MOST, MOST + 1, 6_000_000_000, 1e11]) {
    const origin = new TimeOrigin();
    const seconds = origin.secondsOf(time);
    assert.equal(origin.seconds + seconds, time);
    assert.ok(seconds >= DAY && seconds < 2 * DAY);
    // So that windows of time begin where they do anyhow.
    assert.equal(Math.abs(origin.seconds % DAY), 0);
    // What comes later is told.
    assert.equal(origin.secondsOf(time + 0x8000_0000) + origin.seconds, time + 0x8000_0000);
    assert.equal(origin.untold, 0);
  }
});

Deno.test("TimeOrigin counts what is too far away, and takes it for the nearest that can be told", () => {
  const origin = new TimeOrigin();
  origin.settle(-10, 1_700_000_000);
  assert.equal(origin.secondsOf(-10) + origin.seconds, -10);
  assert.equal(origin.untold, 0);
  assert.equal(origin.secondsOf(-1_000_000), 0);
  assert.equal(origin.secondsOf(1e12), MOST);
  assert.equal(origin.untold, 2);
  // A file may have any number.
  for (const time of [2 ** 63, -(2 ** 63), 1e300]) {
    const wild = new TimeOrigin();
    wild.secondsOf(time);
    assert.ok(!Number.isNaN(new Date(wild.seconds * 1000).getTime()), `${time}`);
  }
});

Deno.test("times of pcapng are exact, whatever their resolution and their offset are", async () => {
  const resolutions = fc.oneof(
    fc.integer({ min: 0, max: 22 }),
    fc.integer({ min: 0, max: 70 }).map((power) => 0x80 | power),
  );
  const bits = (count: bigint) => fc.bigInt({ min: 0n, max: (1n << count) - 1n });
  await fc.assert(fc.asyncProperty(
    resolutions,
    fc.option(fc.bigInt({ min: -20_000_000_000n, max: 20_000_000_000n }), { nil: undefined }),
    fc.boolean(),
    fc.oneof(bits(64n), bits(33n), bits(20n)),
    async (resolution, offset, little, stamp) => {
      const units = (resolution & 0x80) === 0
        ? 10n ** BigInt(resolution)
        : 2n ** BigInt(resolution & 0x7f);
      const expected = stamp / units + (offset ?? 0n);
      // More than a Date can say.
      fc.pre(expected < 8_000_000_000_000n);
      const file = new PcapngSection(little).interface({ resolution, offset })
        .enhanced(0, stamp, PACKET).bytes();
      assert.deepEqual(await timesOf(file), [Number(expected)]);
    },
  ));
});

Deno.test("times of pcap have no sign, and are told beside others", async () => {
  const times = [MOST - 5, MOST, MOST - 3 * DAY / 4];
  const file = pcap(times.map((seconds) => ({ packet: PACKET, seconds })));
  assert.deepEqual(await timesOf(file), times);
  const origin = new TimeOrigin();
  origin.settle(-100, 5);
  assert.deepEqual(await timesOf(pcap([{ packet: PACKET, seconds: 5 }]), origin), [5]);
});
