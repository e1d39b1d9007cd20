/**
 * Conversations that somebody may choose so that they meet in a table, and what can be said of hashes of
 * theirs.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Two numbers of so many bits are varied in each kind of conversations. */
const BITS = 6;
/** As many places as conversations: by chance, seven or eight meet at the most crowded one. */
const PLACES = 1 << (2 * BITS);
const MOST_AT_A_PLACE = 16;

/** The words of a conversation: addresses of both ends, then the ports. */
type Words = readonly [addresses: number[], ports: number];

/** Conversations by what they differ in. */
const KINDS: Record<string, (one: number, other: number) => Words> = {
  "ports of one end": (one, other) => [[1, 2], ((one << BITS | other) << 16) | 443],
  "ports of the other end": (one, other) => [[1, 2], (50_000 << 16) | (one << BITS | other)],
  "hosts of a network": (one, other) => [[1, 0x0a000000 | one << BITS | other], 443],
  "hosts of two networks": (one, other) => [[0x0a000000 | one, 0xc0000200 | other], 443],
  "the first bits of addresses": (one, other) => [[top(one) | 5, top(other) | 7], 443],
  "the first bits of an address and of a port": (one, other) => [[1, top(one)], top(other) | 443],
  "the first bits of both ports": (one, other) => [[1, 2], top(one) | top(other) >>> 16],
  "the first bits of words of an IPv6 address": (one, other) => [
    [0x20010db8, top(one) | 7, top(other) ^ 0x1234, top(other) ^ 0x5678, 0x20020000, 1, 2, 3],
    443,
  ],
  "the first bits of words of two IPv6 addresses": (one, other) => [
    [0x20010db8, 5, 6, top(one), top(other), 1, 2, 3],
    443,
  ],
};

function top(value: number): number {
  return value << (32 - BITS);
}

/**
 * Tests that conversations of all kinds meet no more often than by chance.
 *
 * @param whose Whose hash it is.
 * @param hashOf Gives it. An IPv4 address has one word, an IPv6 address four.
 */
export function testHash(
  whose: string,
  hashOf: (addresses: readonly number[], ports: number) => number,
): void {
  for (const [kind, words] of Object.entries(KINDS)) {
    Deno.test(`conversations that differ in ${kind} meet no more often than by chance, ${whose}`, () => {
      const [low, high] = [new Uint16Array(PLACES), new Uint16Array(PLACES)];
      for (let i = 0; i < PLACES; i++) {
        const hash = hashOf(...words(i >> BITS, i & ((1 << BITS) - 1)));
        // The lowest bits may be those of slots that are looked at at once.
        low[(hash >>> 2) % PLACES]++;
        high[hash >>> (32 - 2 * BITS)]++;
      }
      assert.ok(Math.max(...low) <= MOST_AT_A_PLACE, `${Math.max(...low)} at one place`);
      assert.ok(Math.max(...high) <= MOST_AT_A_PLACE, `${Math.max(...high)} of one kind`);
    });
  }
}
