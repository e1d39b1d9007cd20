/** Records of conversations: when there are some, and what they say. */
import assert from "node:assert/strict";
import { Assign, type Config, DST, SRC } from "../../src/config/mod.ts";
import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { NOT_OURS, type OwnConnections } from "../../src/model/own_connections.ts";
import { ACK, FIN, icmp, ip, ipIcmp, ipUdp, PSH, RST, SYN, tcp, udp } from "../packets.ts";
import { RecordEngine } from "./record_engine.ts";

const NOW = 1_800_000_000;
const CLIENT = "10.0.0.1";
const SERVER = "192.0.2.1";

const there = (flags: number, text = "", port = 50_000) =>
  ip(CLIENT, SERVER, tcp(port, 443, flags, text));
const back = (flags: number, text = "", port = 50_000) =>
  ip(SERVER, CLIENT, tcp(443, port, flags, text));
const ask = (port = 50_000) => ipUdp(CLIENT, SERVER, udp(port, 4000));
const answer = (port = 50_000) => ipUdp(SERVER, CLIENT, udp(4000, port));
const OPENING = [there(SYN), back(SYN | ACK), there(ACK)];

/** What some packets of one second come to. */
function stateOf(...packets: Uint8Array[]): string | undefined {
  const engine = new RecordEngine();
  engine.take(NOW, ...packets);
  engine.engine.endRecords();
  const [record, ...others] = engine.records;
  assert.deepEqual(others, []);
  if (record === undefined) return undefined;
  assert.equal(record.isOver, true);
  assert.deepEqual([record.client, record.server], [CLIENT, SERVER]);
  return record.state;
}

const unreachable = (packet: Uint8Array) => ipIcmp(SERVER, CLIENT, icmp(3, 3, packet));

Deno.test("states of conversations are those that happened", () => {
  const data = [there(PSH | ACK, "request"), back(PSH | ACK, "a response")];
  const states: [string, Uint8Array[]][] = [
    ["established", [...OPENING, ...data]],
    ["established", [...OPENING, ...data, there(FIN | ACK)]],
    ["closed", [...OPENING, ...data, there(FIN | ACK), back(FIN | ACK), there(ACK)]],
    ["closed", [...OPENING, ...data, there(FIN | ACK), back(FIN | ACK), there(RST)]],
    ["reset", [...OPENING, ...data, back(RST | ACK)]],
    ["reset", [...OPENING, ...data, there(RST)]],
    ["open", data],
    ["refused", [there(SYN), back(RST | ACK)]],
    ["reset", [there(SYN), back(SYN | ACK), there(RST)]],
    ["unanswered", [there(SYN), there(SYN)]],
    ["unreachable", [there(SYN), unreachable(there(SYN))]],
    ["open", [ask(), answer()]],
    ["unanswered", [ask(), ask()]],
    ["unreachable", [ask(), unreachable(ask())]],
    ["open", [ask(), answer(), unreachable(ask())]],
  ];
  for (const [state, packets] of states) assert.equal(stateOf(...packets), state);
});

Deno.test("half-open connections of others give no records, as anyone can make them", () => {
  const engine = new RecordEngine({ ourNets: ["192.0.2.0/24"] });
  engine.take(NOW, there(SYN), there(SYN, "", 50_001), back(SYN | ACK, "", 50_001));
  engine.engine.endRecords();
  assert.deepEqual(engine.records, []);
});

Deno.test("attempts of the sensor's own that came to nothing give no records", () => {
  const asked: unknown[] = [];
  const ownConnections: OwnConnections = {
    // When it is asked, it is over, and its local port was never known.
    judge: () => NOT_OURS,
    wasAttempt: (isIpv6, one, onePort, other, otherPort, seconds) => {
      asked.push([isIpv6, one[3], onePort, other[3], otherPort, seconds]);
      return seconds < NOW + 5;
    },
  };
  const engine = new RecordEngine({ ownConnections });
  engine.take(NOW, there(SYN), back(RST | ACK));
  engine.take(NOW + 10, there(SYN, "", 50_001), back(RST | ACK, "", 50_001));
  // One that worked is told of by its ends.
  engine.take(NOW, ...[SYN, ACK].map((flags) => there(flags, "", 50_002)));
  engine.engine.endRecords();
  assert.deepEqual(engine.records.map(({ clientPort }) => clientPort).sort(), [50_001, 50_002]);
  assert.deepEqual(asked.sort(), [
    [false, 0x0a000001, 50_000, 0xc0000201, 443, NOW],
    [false, 0x0a000001, 50_001, 0xc0000201, 443, NOW + 10],
  ]);
});

/** The figures of records, shortly. */
function figuresOf(records: ConversationRecord[]): unknown[] {
  return records.map(({ id, isOver, packets, first, last }) => [
    id,
    isOver,
    packets,
    first / 1000 - NOW,
    last / 1000 - NOW,
  ]);
}

Deno.test("one that goes on has a record each minute in which it had packets, and one at its end", () => {
  const engine = new RecordEngine();
  for (let second = 0; second <= 200; second += 10) engine.take(NOW + second, ...OPENING.slice(2));
  // Silent for less than five minutes, then for more.
  for (let second = 210; second <= 700; second += 10) engine.take(NOW + second);
  engine.take(NOW + 700, ask());
  engine.engine.flush();
  const records = engine.records.filter(({ protocol }) => protocol === "tcp");
  assert.ok(records.every(({ id }) => id === records[0].id));
  assert.deepEqual(records.map(({ isOver }) => isOver), [false, false, false, true]);
  const counts = records.map(({ packets }) => packets[0]);
  assert.deepEqual(counts, counts.toSorted((one, other) => one - other));
  assert.deepEqual(figuresOf(records.slice(-1)), [[records[0].id, true, [21, 0], 0, 200]]);
});

Deno.test("what goes on after it was over is counted again, and every packet once", () => {
  const engine = new RecordEngine();
  engine.take(NOW, ask(), answer());
  for (let second = 1; second < 200; second++) engine.take(NOW + second, there(ACK));
  engine.take(NOW + 200, ask());
  engine.take(NOW + 201, answer());
  engine.engine.endRecords();
  const records = engine.records.filter(({ protocol, isOver }) => protocol === "udp" && isOver);
  const [one, other] = records.map(({ id }) => id);
  assert.notEqual(one, other);
  assert.deepEqual(figuresOf(records), [
    [one, true, [1, 1], 0, 0],
    [other, true, [1, 1], 200, 201],
  ]);
});

Deno.test("a connection that has ended is over a few seconds later, with its last packets", () => {
  const engine = new RecordEngine();
  engine.take(NOW, ...OPENING, there(FIN | ACK), back(FIN | ACK));
  engine.take(NOW + 1, there(ACK));
  for (let second = 2; second < 30; second++) engine.take(NOW + second, ask());
  const records = engine.records.filter(({ protocol }) => protocol === "tcp");
  assert.deepEqual(records.map(({ isOver, state, packets }) => [isOver, state, packets]), [
    [true, "closed", [4, 2]],
  ]);
});

Deno.test("each connection of the same ports has a record of its own", () => {
  const engine = new RecordEngine();
  const close = [there(FIN | ACK), back(FIN | ACK), there(ACK)];
  engine.take(NOW, ...OPENING, ...close, ...OPENING, ...close);
  engine.engine.endRecords();
  assert.deepEqual(engine.records.map(({ packets, state }) => [packets, state]), [
    [[4, 2], "closed"],
    [[4, 2], "closed"],
  ]);
  assert.equal(new Set(engine.records.map(({ id }) => id)).size, 2);
});

Deno.test("conversations that make room for others have their records before", () => {
  const engine = new RecordEngine({ maxConversations: 64 });
  for (let port = 1; port <= 1000; port++) {
    engine.take(NOW + port, ask(10_000 + port), answer(10_000 + port));
  }
  engine.engine.endRecords();
  const over = engine.records.filter(({ isOver }) => isOver);
  assert.deepEqual(
    over.map(({ clientPort, packets }) => [clientPort, ...packets]).sort(([a], [b]) => a - b),
    Array.from({ length: 1000 }, (_, i) => [10_001 + i, 1, 1]),
  );
});

Deno.test("what the mapping drops, or ignoreFlows names, has no record", () => {
  const configs: Config[] = [
    { ignoreFlows: [[SERVER, 443]] },
    { flows: [[null, null, Assign(DST, SRC, { ports: [443], drop: true })]] },
  ];
  for (const config of configs) {
    const engine = new RecordEngine({ config });
    engine.take(NOW, ...OPENING);
    engine.engine.endRecords();
    assert.deepEqual(engine.records, []);
  }
});
