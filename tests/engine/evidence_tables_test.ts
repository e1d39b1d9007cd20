/** What is remembered of ends and of half-open connections, in a fixed amount of memory. */
import assert from "node:assert/strict";
import { FAN_IN_MASK, FAN_IN_SHIFT, OPENED, SERVED } from "../../src/engine/layout.ts";
import { Fingerprint } from "../../src/engine/fingerprint.ts";
import { smallProgram } from "./small_memory.ts";

/** Bits of what was seen of half-open connections: of the low end, and one further up of the high one. */
const SYN = 1 << 0;
const SYN_ACK = 1 << 2;

const NOW = 1_700_000_000;

/** The fingerprint of a number. */
function fingerprint(number: number): Fingerprint {
  const made = new Fingerprint();
  made.begin();
  made.add(number);
  return made;
}

/** One whose entries all share a bucket with each other: four of them have room. */
function inOneBucket(number: number): Fingerprint {
  const made = new Fingerprint();
  made.first = 0x12340000;
  made.second = number + 1;
  return made;
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
  for (let bits = 0; bits < 16; bits++) {
    const low = (bits & 1) !== 0 && (bits & 8) !== 0;
    const high = (bits & 2) !== 0 && (bits & 4) !== 0;
    // Those that are answered are kept, whatever comes after them in their place.
    const table = new HalfOpen();
    table.note(inOneBucket(0), bits, NOW);
    for (let i = 1; i < 5; i++) table.note(inOneBucket(i), SYN, NOW + 1);
    assert.equal(table.take(inOneBucket(0), NOW + 1) !== 0, low || high, `${bits}`);
  }
});

Deno.test("the table of half-open connections keeps connections that were answered before those that nobody answers", () => {
  const table = new HalfOpen();
  const answered = inOneBucket(0);
  table.note(answered, SYN, NOW);
  table.note(answered, SYN_ACK << 1, NOW);
  for (let i = 1; i < 1000; i++) table.note(inOneBucket(i), SYN, NOW + 1);
  assert.equal(table.take(answered, NOW + 1), SYN | (SYN_ACK << 1));
});

Deno.test("the table of half-open connections lets go of answered connections too, when nothing follows", () => {
  const table = new HalfOpen();
  for (let i = 0; i < 4; i++) {
    table.note(inOneBucket(i), SYN, NOW);
    table.note(inOneBucket(i), SYN_ACK << 1, NOW);
  }
  table.note(inOneBucket(5), SYN, NOW + 6);
  table.note(inOneBucket(6), SYN, NOW + 6);
  assert.equal(table.take(inOneBucket(5), NOW + 6), SYN);
  assert.equal(table.take(inOneBucket(6), NOW + 6), SYN);
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
});

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
