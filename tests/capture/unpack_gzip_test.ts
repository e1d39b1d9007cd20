import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { unpackGzip } from "../../src/capture/unpack_gzip.ts";
import { bytes } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";

const random = new SeededRandom(7);
/** Data that gzip does not make smaller, of several pieces. */
const DATA = Uint8Array.from({ length: 50_000 }, () => random.below(256));
const PACKED = gzipSync(DATA);
const PIECE = 16_384;

/** What comes of data that comes in chunks of some size, and the error with which it ended. */
async function unpacked(packed: Uint8Array, size: number): Promise<[Uint8Array, string]> {
  async function* chunks() {
    for (let at = 0; at < packed.length; at += size) yield packed.subarray(at, at + size);
  }
  const parts: Uint8Array[] = [];
  try {
    for await (const part of unpackGzip(chunks())) parts.push(part);
    return [bytes(...parts), ""];
  } catch (error) {
    return [bytes(...parts), (error as Error).message];
  }
}

const CASES: readonly (readonly [string, Uint8Array])[] = [
  ["is whole", PACKED],
  ["has two members", bytes(PACKED, PACKED)],
  ["is cut", PACKED.subarray(0, 40_000)],
  ["is damaged", PACKED.map((byte, i) => i === 35_000 ? byte ^ 0xff : byte)],
  ["has zeros behind it", bytes(PACKED, new Uint8Array(9))],
  ["has something behind it, up to the next piece", bytes(PACKED, new Uint8Array(PIECE).fill(7))],
];

for (const [what, packed] of CASES) {
  Deno.test(`unpackGzip() gives the same of data that ${what}, however it comes`, async () => {
    const expected = await unpacked(packed, packed.length);
    for (const size of [1, 999, 4096, PIECE, 40_000]) {
      assert.deepEqual(await unpacked(packed, size), expected, `in chunks of ${size} bytes`);
    }
    if (what === "is whole") assert.deepEqual(expected, [DATA, ""]);
  });
}
