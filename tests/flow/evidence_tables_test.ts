/** What is remembered of ends and of half-open connections, in a fixed amount of memory. */
import assert from "node:assert/strict";
import type { EndEvidence } from "../../src/config/evidence.ts";
import { EndTable } from "../../src/flow/end_table.ts";
import { Fingerprint } from "../../src/flow/fingerprint.ts";
import { HalfOpenTable, isAnswered, SYN, SYN_ACK } from "../../src/flow/half_open_table.ts";
import { ENTRY_SECONDS, ENTRY_VALUE, RecentTable } from "../../src/flow/recent_table.ts";

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

/** Forgets what was used longest ago. */
class OldestFirst extends RecentTable {
  protected override isWorthLess(one: number, other: number): boolean {
    return this.words[one + ENTRY_SECONDS] < this.words[other + ENTRY_SECONDS];
  }
}

/** One of 500 that share a bucket in twos. By chance, more than have room may be in one. */
function inPairs(number: number): Fingerprint {
  const made = new Fingerprint();
  made.first = number % 250;
  made.second = number;
  return made;
}

Deno.test("RecentTable finds what it was given, each by itself", () => {
  const table = new OldestFirst(1024);
  assert.equal(table.find(inPairs(1)), -1);
  for (let i = 0; i < 500; i++) {
    const at = table.findOrAdd(inPairs(i));
    table.words[at + ENTRY_VALUE] = i + 1;
    table.words[at + ENTRY_SECONDS] = NOW;
  }
  for (let i = 0; i < 500; i++) {
    const at = table.find(inPairs(i));
    assert.equal(table.words[at + ENTRY_VALUE], i + 1);
    assert.equal(table.findOrAdd(inPairs(i)), at);
  }
});

Deno.test("RecentTable forgets what is worth least of those in one place, and no other", () => {
  const table = new OldestFirst(16);
  const times = [30, 10, 40, 20];
  times.forEach((time, i) =>
    table.words[table.findOrAdd(inOneBucket(i)) + ENTRY_SECONDS] = NOW + time
  );
  const added = table.findOrAdd(inOneBucket(4));
  assert.equal(table.words[added + ENTRY_VALUE], 0);
  assert.equal(table.words[added + ENTRY_SECONDS], 0);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((i) => table.find(inOneBucket(i)) >= 0),
    [true, false, true, true, true],
  );
});

Deno.test("RecentTable takes no more memory, whatever it is given", () => {
  const table = new OldestFirst(64);
  const { length } = table.words;
  for (let i = 0; i < 10_000; i++) table.words[table.findOrAdd(fingerprint(i)) + ENTRY_SECONDS] = i;
  assert.equal(table.words.length, length);
});

// Half-open connections

Deno.test("HalfOpenTable adds up what was seen, gives it once, and forgets it with time", () => {
  const table = new HalfOpenTable();
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

Deno.test("isAnswered() is for the SYN of one end and the SYN-ACK of the other", () => {
  for (let bits = 0; bits < 16; bits++) {
    const low = (bits & 1) !== 0 && (bits & 8) !== 0;
    const high = (bits & 2) !== 0 && (bits & 4) !== 0;
    assert.equal(isAnswered(bits), low || high, `${bits}`);
  }
});

Deno.test("HalfOpenTable keeps connections that were answered before those that nobody answers", () => {
  const table = new HalfOpenTable();
  const answered = inOneBucket(0);
  table.note(answered, SYN, NOW);
  table.note(answered, SYN_ACK << 1, NOW);
  for (let i = 1; i < 1000; i++) table.note(inOneBucket(i), SYN, NOW + 1);
  assert.equal(table.take(answered, NOW + 1), SYN | (SYN_ACK << 1));
});

Deno.test("HalfOpenTable lets go of answered connections too, when nothing follows", () => {
  const table = new HalfOpenTable();
  for (let i = 0; i < 4; i++) {
    table.note(inOneBucket(i), SYN, NOW);
    table.note(inOneBucket(i), SYN_ACK << 1, NOW);
  }
  table.note(inOneBucket(5), SYN, NOW + 6);
  table.note(inOneBucket(6), SYN, NOW + 6);
  assert.equal(table.take(inOneBucket(5), NOW + 6), SYN);
  assert.equal(table.take(inOneBucket(6), NOW + 6), SYN);
});

Deno.test("HalfOpenTable has handshakes of others after a flood of many more than it has room for", () => {
  const table = new HalfOpenTable();
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

function read(table: EndTable, end: Fingerprint, seconds = NOW): EndEvidence {
  const evidence = { listens: false, served: false, opened: false, fanIn: 0 };
  table.read(end, seconds, evidence);
  return evidence;
}

Deno.test("EndTable counts how often the far port changed, for five minutes", () => {
  const table = new EndTable();
  const end = fingerprint(1);
  assert.equal(read(table, end).fanIn, 0);
  for (const [port, fanIn] of [[1000, 0], [1000, 0], [1001, 1], [1001, 1], [1000, 2], [1002, 3]]) {
    table.meet(end, port, NOW);
    assert.equal(read(table, end).fanIn, fanIn, `${port}`);
  }
  assert.equal(read(table, end, NOW + 300).fanIn, 3);
  assert.equal(read(table, end, NOW + 301).fanIn, 0);
  table.meet(end, 1003, NOW + 301);
  assert.equal(read(table, end, NOW + 301).fanIn, 0);
  table.meet(end, 1004, NOW + 302);
  assert.equal(read(table, end, NOW + 302).fanIn, 1);
  for (let port = 0; port < 1000; port++) table.meet(end, port, NOW + 302);
  assert.equal(read(table, end, NOW + 302).fanIn, 255);
});

Deno.test("EndTable knows whether an end served or opened last", () => {
  const table = new EndTable();
  const end = fingerprint(1);
  table.learnServer(end, NOW);
  assert.deepEqual(read(table, end), { listens: false, served: true, opened: false, fanIn: 0 });
  table.learnClient(end, NOW);
  assert.deepEqual(read(table, end), { listens: false, served: false, opened: true, fanIn: 0 });
  assert.deepEqual(read(table, fingerprint(2)).served, false);
  // Unlike fan-in, that stays.
  table.learnServer(end, NOW);
  assert.equal(read(table, end, NOW + 86_400).served, true);
});

Deno.test("EndTable keeps servers when there are more clients than it has room for", () => {
  const table = new EndTable();
  for (let i = 0; i < 1000; i++) table.learnServer(fingerprint(-1 - i), NOW);
  for (let i = 0; i < 1_000_000; i++) table.learnClient(fingerprint(i), NOW + 1);
  let kept = 0;
  for (let i = 0; i < 1000; i++) if (read(table, fingerprint(-1 - i)).served) kept++;
  assert.equal(kept, 1000);
});
