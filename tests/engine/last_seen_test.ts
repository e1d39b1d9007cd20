/** When flows were seen last, though their keys are suppressed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { ObservationBatch, WORD_SECONDS } from "../../src/model/observation_batch.ts";
import { FlowTable } from "../../src/sink/flow_table.ts";
import { withFiles } from "../config/temporary_files.ts";
import { connection } from "../conversations.ts";
import {
  ACK,
  ethernet,
  FIN,
  icmp,
  ip,
  ipIcmp,
  ipUdp,
  pcap,
  PSH,
  RST,
  SYN,
  tcp,
  udp,
} from "../packets.ts";
import { TestEngine, type TestEngineOptions } from "./test_engine.ts";

const START = 1_800_000_000;
const CLIENT = "10.0.0.1";
const SERVER = "192.0.2.1";

/** A meter that keeps a table of its flows, as the program does. */
class TableMeter extends TestEngine {
  readonly table: FlowTable;

  constructor(options: TestEngineOptions = {}) {
    const table = new FlowTable();
    super({
      recordInterval: 1,
      ...options,
      onSeen: (batch) => table.see(batch),
      onRecords: (batch) => {
        // What they are of comes first.
        this.addToTable();
        table.takeRecords(batch);
      },
    });
    this.table = table;
  }

  /** Seconds after the start at which flows and failures were seen first and last. */
  times(): number[][] {
    this.engine.flush();
    this.addToTable();
    return [...this.table.flows, ...this.table.failures]
      .map(({ first, last }) => [first - START, last - START]);
  }

  addToTable(): void {
    for (const words of this.observations.splice(0)) {
      const batch = new ObservationBatch(1, words);
      batch.count = 1;
      this.table.add(batch);
    }
  }
}

const there = (flags: number, text = "", port = 50_000) =>
  ip(CLIENT, SERVER, tcp(port, 443, flags, text));
const back = (flags: number, text = "", port = 50_000) =>
  ip(SERVER, CLIENT, tcp(443, port, flags, text));

Deno.test("a flow was last seen with the last packet of its conversation, whichever way it went", () => {
  const meter = new TableMeter();
  for (const second of [0, 2, 4, 6]) meter.take(START + second, there(PSH | ACK, "?"));
  assert.deepEqual(meter.times(), [[0, 6]]);
  meter.take(START + 9, back(ACK));
  assert.deepEqual(meter.times(), [[0, 9]]);
  meter.take(START + 20, back(FIN | ACK));
  assert.deepEqual(meter.times(), [[0, 20]]);
  // A SYN may be of another one.
  meter.take(START + 30, there(SYN));
  assert.deepEqual(meter.times(), [[0, 20]]);
});

Deno.test("of several conversations with a service the last one counts", () => {
  const meter = new TableMeter();
  for (let i = 0; i < 20; i++) meter.take(START + i, there(PSH | ACK, "?", 50_000 + i));
  meter.take(START + 25, back(ACK, "", 50_003));
  assert.deepEqual(meter.times(), [[0, 25]]);
});

Deno.test("refusals and what is unreachable were last seen when they came last", () => {
  const meter = new TableMeter();
  const unreachable = ipIcmp(SERVER, CLIENT, icmp(3, 3, ipUdp(CLIENT, SERVER, udp(9, 99))));
  for (const second of [0, 3, 10]) meter.take(START + second, back(RST | ACK));
  for (const second of [11, 15]) meter.take(START + second, unreachable);
  assert.deepEqual(meter.times().toSorted(([one], [other]) => one - other), [[0, 10], [11, 15]]);
});

Deno.test("a conversation that is forgotten to make room was seen last before", () => {
  const meter = new TableMeter({ maxConversations: 64 });
  meter.take(START, there(PSH | ACK, "?"));
  meter.take(START + 7, there(PSH | ACK, "?"));
  meter.engine.flush();
  meter.addToTable();
  for (let i = 0; i < 200; i++) {
    meter.take(START + 8, ip("10.0.9.9", `192.0.2.${i}`, tcp(50_000, 80, PSH | ACK, "?")));
  }
  assert.ok(meter.engine.statistics().forgotten > 0);
  meter.times();
  const row = meter.table.flows.find(({ client }) => client === CLIENT)!;
  assert.deepEqual([row.first - START, row.last - START], [0, 7]);
});

Deno.test("with a clock, a flow that is written later was seen when its packets came", () => {
  let now = START;
  const meter = new TableMeter({ clock: () => now });
  meter.take(0, there(PSH | ACK, "?"));
  now += 9;
  meter.engine.flush();
  assert.ok(meter.observations.every((words) => words[WORD_SECONDS] === START));
});

Deno.test("flows of a file that lies in the engine's memory were seen last as others", () =>
  withFiles({}, async (directory) => {
    const path = join(directory, "a.pcap");
    const packets = [
      ...connection(CLIENT, 50_000, SERVER, 443).map((packet, i) => ({
        packet,
        seconds: START + i,
      })),
      ...[10, 40, 41].map((second) => ({
        packet: ethernet(ipUdp("2001:db8::1", "2001:db9::1", udp(50_000, 99, "?"))),
        seconds: START + second,
      })),
    ];
    await Deno.writeFile(path, pcap(packets));
    const meter = new TableMeter();
    const source = SavefileSource.open(path, meter.engine.newBatch());
    for (let batch; (batch = await source.next()) !== null;) meter.engine.take(batch);
    source.close();
    // From the first packet to the last one; the second flow's key is suppressed.
    assert.deepEqual(meter.times(), [[0, 7], [10, 41]]);
  }));
