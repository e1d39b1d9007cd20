/** Hashes of conversations that somebody has chosen so that they would meet. */
import assert from "node:assert/strict";
import { PROGRAM } from "../../src/sieve/program.ts";
import { SECRETS, SieveLayout, sieveMemory } from "../../src/sieve/sieve_memory.ts";
import { startProgram } from "../../src/wasm_program.ts";
import { sieveSettings } from "./settings.ts";

interface HashProgram {
  setUp(...places: number[]): void;
  hashOf4(low: number, high: number, ports: number, protocol: number): number;
  hashOf6(ends: number, ports: number, protocol: number): number;
}

const UDP = 17;
/** Two numbers of so many bits are varied in each kind of conversations. */
const BITS = 6;
/** As many places as conversations: by chance, seven or eight meet at the most crowded one. */
const PLACES = 1 << (2 * BITS);
const MOST_AT_A_PLACE = 16;

/** The words of a conversation: addresses of both ends, then the ports. */
type Words = readonly [addresses: number[], ports: number];

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

for (const [kind, words] of Object.entries(KINDS)) {
  Deno.test(`conversations that differ in ${kind} meet no more often than by chance`, () => {
    const settings = sieveSettings();
    const memory = sieveMemory(settings);
    const layout = new SieveLayout(settings);
    const { tables, lists, scratch, readPorts, signFilter, looked, secrets } = layout;
    const inMemory = new Int32Array(memory.buffer);
    inMemory.set(crypto.getRandomValues(new Int32Array(SECRETS / 4)), secrets / 4);
    const program = startProgram<HashProgram>(PROGRAM, memory);
    program.setUp(tables, lists, scratch, readPorts, signFilter, looked, secrets);
    const places = new Uint16Array(PLACES);
    for (let i = 0; i < PLACES; i++) {
      const [addresses, ports] = words(i >> BITS, i & ((1 << BITS) - 1));
      inMemory.set(addresses, lists / 4);
      const hash = addresses.length === 2
        ? program.hashOf4(addresses[0], addresses[1], ports, UDP)
        : program.hashOf6(lists, ports, UDP);
      // The lowest bits are those of the four slots that are looked at at once.
      places[(hash >>> 2) % PLACES]++;
    }
    assert.ok(Math.max(...places) <= MOST_AT_A_PLACE, `${Math.max(...places)} at one place`);
  });
}
