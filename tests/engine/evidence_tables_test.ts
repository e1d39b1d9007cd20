/** What is remembered of ends and of half-open connections, in a fixed amount of memory. */
import assert from "node:assert/strict";
import {
  FAN_IN_MASK,
  FAN_IN_SHIFT,
  MOST_REMEMBERED,
  OPENED,
  SERVED,
} from "../../src/engine/layout.ts";
import { smallProgram } from "./small_memory.ts";

/** Bits of what was seen of half-open connections: of the low end, and one further up of the high one. */
const SYN = 1 << 0;
const SYN_ACK = 1 << 2;

const NOW = 1_700_000_000;

/** 64 bits that stand for something. */
interface Fingerprint {
  readonly first: number;
  readonly second: number;
}

/** Ways to make fingerprints of numbers, which must not make a difference. */
const HASHES: Record<string, (number: number) => Fingerprint> = {
  "as they are made": (number) => fingerprint(number),
  "with another secret": (number) => fingerprint(number ^ 0x5bd1e995),
  "in the order of numbers": (number) => ({ first: number, second: 0 }),
  "that meet in few chains": (number) => ({ first: number << 10, second: number }),
};

/** A fingerprint of a number, of bits that look random. */
function fingerprint(number: number): Fingerprint {
  const first = Math.imul(number ^ (number >>> 15), 0x85ebca6b);
  return { first: first ^ (first >>> 13), second: number };
}

/** Half-open connections by their fingerprints. */
class HalfOpen {
  readonly #program = smallProgram();

  note({ first, second }: Fingerprint, bits: number, seconds: number): number {
    return this.#program.noteHalfOpen(first, second, bits, seconds);
  }

  take({ first, second }: Fingerprint, seconds: number): number {
    return this.#program.takeHalfOpen(first, second, seconds);
  }

  get forgotten(): number {
    return this.#program.forgottenHalfOpen();
  }
}

/** Ends by their fingerprints. */
class Ends {
  readonly #program = smallProgram();

  meet({ first, second }: Fingerprint, farPort: number, seconds: number): void {
    this.#program.addPeer(first, second, farPort, seconds);
  }

  learnServer({ first, second }: Fingerprint, seconds: number): void {
    this.#program.learnServer(first, second, seconds);
  }

  learnClient({ first, second }: Fingerprint, seconds: number): void {
    this.#program.learnClient(first, second, seconds);
  }

  read({ first, second }: Fingerprint, seconds = NOW) {
    const known = this.#program.readEnd(first, second, seconds);
    return {
      served: (known & SERVED) !== 0,
      opened: (known & OPENED) !== 0,
      fanIn: (known >>> FAN_IN_SHIFT) & FAN_IN_MASK,
    };
  }

  get forgotten(): number {
    return this.#program.forgottenEnds();
  }
}

// Half-open connections

Deno.test("what is half-open adds up what was seen, gives it once, and forgets it with time", () => {
  const table = new HalfOpen();
  const connection = fingerprint(1);
  assert.equal(table.take(connection, NOW), 0);
  assert.equal(table.note(connection, SYN, NOW), SYN);
  assert.equal(table.note(connection, SYN_ACK << 1, NOW + 60), SYN | (SYN_ACK << 1));
  assert.equal(table.take(connection, NOW + 61), SYN | (SYN_ACK << 1));
  assert.equal(table.take(connection, NOW + 61), 0);
  table.note(connection, SYN, NOW);
  assert.equal(table.take(connection, NOW + 131), 0);
  table.note(connection, SYN, NOW);
  assert.equal(table.note(connection, SYN << 1, NOW + 131), SYN << 1);
});

Deno.test("a connection is answered by the SYN of one end and the SYN-ACK of the other", () => {
  for (let bits = 1; bits < 16; bits++) {
    const low = (bits & 1) !== 0 && (bits & 8) !== 0;
    const high = (bits & 2) !== 0 && (bits & 4) !== 0;
    // Those that are answered are kept, whatever comes after them.
    const table = new HalfOpen();
    table.note(fingerprint(0), bits, NOW);
    for (let i = 1; i <= MOST_REMEMBERED; i++) table.note(fingerprint(i), SYN, NOW + 1);
    assert.equal(table.take(fingerprint(0), NOW + 1) !== 0, low || high, `${bits}`);
  }
});

Deno.test("the table of half-open connections lets go of answered connections too, when nothing follows", () => {
  const table = new HalfOpen();
  for (let i = 0; i < MOST_REMEMBERED; i++) {
    table.note(fingerprint(i), SYN, NOW);
    table.note(fingerprint(i), SYN_ACK << 1, NOW);
  }
  for (let i = 0; i < MOST_REMEMBERED; i++) table.note(fingerprint(-1 - i), SYN, NOW + 6);
  for (let i = 0; i < MOST_REMEMBERED; i++) {
    assert.equal(table.take(fingerprint(-1 - i), NOW + 6), SYN);
    assert.equal(table.take(fingerprint(i), NOW + 6), 0);
  }
  assert.equal(table.forgotten, MOST_REMEMBERED);
});

Deno.test("the table of half-open connections has handshakes of others after a flood of many more than it has room for", () => {
  const table = new HalfOpen();
  for (let i = 0; i < 100; i++) {
    table.note(fingerprint(-1 - i), SYN, NOW);
    table.note(fingerprint(-1 - i), SYN_ACK << 1, NOW);
  }
  for (let i = 0; i < 1_000_000; i++) table.note(fingerprint(i), SYN, NOW);
  let kept = 0;
  for (let i = 0; i < 100; i++) {
    if (table.take(fingerprint(-1 - i), NOW) === (SYN | (SYN_ACK << 1))) kept++;
  }
  assert.equal(kept, 100);
  assert.equal(table.forgotten, 1_000_100 - MOST_REMEMBERED);
});

Deno.test("a SYN waits for its answer though all others are answered that there is room for", () => {
  const table = new HalfOpen();
  const answer = (i: number, seconds: number) => {
    table.note(fingerprint(i), SYN, seconds);
    table.note(fingerprint(i), SYN_ACK << 1, seconds);
  };
  for (let i = 0; i < MOST_REMEMBERED; i++) answer(i, NOW);
  table.note(fingerprint(-1), SYN, NOW);
  for (let i = 0; i < MOST_REMEMBERED / 4 - 1; i++) table.note(fingerprint(-2 - i), SYN, NOW);
  assert.equal(table.take(fingerprint(-1), NOW), SYN);
});

for (const [how, hash] of Object.entries(HASHES)) {
  Deno.test(`what half-open connections are remembered, and which of too many, is as they came: fingerprints ${how}`, () => {
    const table = new HalfOpen();
    for (let i = 0; i < MOST_REMEMBERED; i++) table.note(hash(i), SYN, NOW + (i >>> 10));
    // One that is seen again is the newest.
    table.note(hash(0), SYN, NOW + 100);
    for (let i = 0; i < 10; i++) table.note(hash(MOST_REMEMBERED + i), SYN, NOW + 100);
    const gone = [];
    for (let i = 0; i < MOST_REMEMBERED + 10; i++) {
      if (table.take(hash(i), NOW + 100) === 0) gone.push(i);
    }
    assert.deepEqual(gone, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(table.forgotten, 10);
  });

  Deno.test(`what ends are remembered, and which of too many, is as they came: fingerprints ${how}`, () => {
    const table = new Ends();
    table.learnServer(hash(0), NOW);
    table.meet(hash(1), 1000, NOW);
    table.meet(hash(1), 1001, NOW);
    for (let i = 2; i < MOST_REMEMBERED; i++) table.learnClient(hash(i), NOW + (i >>> 10));
    table.learnClient(hash(2), NOW + 100);
    for (let i = 0; i < 10; i++) table.learnClient(hash(MOST_REMEMBERED + i), NOW + 100);
    const gone = [];
    for (let i = 2; i < MOST_REMEMBERED + 10; i++) if (!table.read(hash(i)).opened) gone.push(i);
    assert.deepEqual(gone, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert.equal(table.read(hash(0)).served, true);
    assert.equal(table.read(hash(1)).fanIn, 1);
    assert.equal(table.forgotten, 10);
  });
}

// Ends

Deno.test("the table of ends counts how often the far port changed, for five minutes", () => {
  const table = new Ends();
  const end = fingerprint(1);
  assert.equal(table.read(end).fanIn, 0);
  for (const [port, fanIn] of [[1000, 0], [1000, 0], [1001, 1], [1001, 1], [1000, 2], [1002, 3]]) {
    table.meet(end, port, NOW);
    assert.equal(table.read(end).fanIn, fanIn, `${port}`);
  }
  assert.equal(table.read(end, NOW + 300).fanIn, 3);
  assert.equal(table.read(end, NOW + 301).fanIn, 0);
  table.meet(end, 1003, NOW + 301);
  assert.equal(table.read(end, NOW + 301).fanIn, 0);
  table.meet(end, 1004, NOW + 302);
  assert.equal(table.read(end, NOW + 302).fanIn, 1);
  for (let port = 0; port < 1000; port++) table.meet(end, port, NOW + 302);
  assert.equal(table.read(end, NOW + 302).fanIn, 255);
});

Deno.test("the table of ends knows whether an end served or opened last", () => {
  const table = new Ends();
  const end = fingerprint(1);
  table.learnServer(end, NOW);
  assert.deepEqual(table.read(end), { served: true, opened: false, fanIn: 0 });
  table.learnClient(end, NOW);
  assert.deepEqual(table.read(end), { served: false, opened: true, fanIn: 0 });
  assert.deepEqual(table.read(fingerprint(2)).served, false);
  // Unlike fan-in, that stays.
  table.learnServer(end, NOW);
  assert.equal(table.read(end, NOW + 86_400).served, true);
});

Deno.test("the table of ends keeps servers when there are more clients than it has room for", () => {
  const table = new Ends();
  for (let i = 0; i < 1000; i++) table.learnServer(fingerprint(-1 - i), NOW);
  for (let i = 0; i < 1_000_000; i++) table.learnClient(fingerprint(i), NOW + 1);
  let kept = 0;
  for (let i = 0; i < 1000; i++) if (table.read(fingerprint(-1 - i)).served) kept++;
  assert.equal(kept, 1000);
});

Deno.test("an end that is new can become worth something though there are more servers than there is room for", () => {
  const table = new Ends();
  for (let i = 0; i < 2 * MOST_REMEMBERED; i++) table.learnServer(fingerprint(i), NOW);
  for (let port = 1; port <= 4; port++) {
    table.meet(fingerprint(-1), port, NOW + port);
    // Ends of a quarter of the table, each of them new.
    for (let i = 0; i < MOST_REMEMBERED / 4 - 1; i++) {
      table.meet(fingerprint(-2 - port * MOST_REMEMBERED - i), 1, NOW + port);
    }
  }
  assert.equal(table.read(fingerprint(-1), NOW + 4).fanIn, 3);
});
