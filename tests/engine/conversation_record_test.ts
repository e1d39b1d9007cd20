/** The figures of conversations: every packet is counted, and none twice. */
import assert from "node:assert/strict";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import type { ConversationRecord } from "../../src/engine/conversation_record.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { DESTINATION, PacketHeader, PROTOCOL_TCP, SOURCE } from "../../src/packet/packet_header.ts";
import { NO_TUNNEL } from "../../src/packet/tunnel.ts";
import { ACK, ethernet, FIN, ip, pcap, PSH, RST, SYN, tcp, type Timed } from "../packets.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { TestEngine, type TestEngineOptions } from "./test_engine.ts";

const START = 1_800_000_000;
const FAMILIES = [["IPv4", "10.0.0.1", "100.64.0.2", 20], [
  "IPv6",
  "2001:db8::1",
  "2001:db9::2",
  40,
]] as const;
const TCP_HEADER = 20;
const VLAN = 7;
/** Where the first record of a capture has its fraction of a second: behind the file's header. */
const FRACTION_AT = 24 + 4;

/** An engine, with the conversations that ended. */
class Recording {
  readonly tested: TestEngine;
  readonly ended: ConversationRecord[] = [];

  constructor(options: TestEngineOptions = {}) {
    this.tested = new TestEngine({ ...options, onEnd: (record) => this.ended.push(record) });
  }

  async take(source: SavefileSource): Promise<void> {
    for (let batch; (batch = await source.next()) !== null;) this.tested.engine.take(batch);
    source.close();
  }

  /** Takes IP packets as those of a file. */
  takeAll(packets: readonly Timed[]): Promise<void> {
    const framed = packets.map((timed) => ({ ...timed, packet: ethernet(timed.packet, [VLAN]) }));
    return this.takeFile(pcap(framed));
  }

  /** @param isIndexed Whether its packets are taken by an index, not as records. */
  takeFile(file: Uint8Array, isIndexed = false): Promise<void> {
    let rest = file;
    const read = (into: Uint8Array) => {
      const part = rest.subarray(0, into.length);
      rest = rest.subarray(part.length);
      into.set(part);
      return part.length === 0 ? null : part.length;
    };
    const batch = this.tested.engine.newBatch();
    if (isIndexed) batch.taker = null;
    return this.take(new SavefileSource("capture", read, { batch }));
  }

  remembered(): ConversationRecord[] {
    const records: ConversationRecord[] = [];
    this.tested.engine.forEachConversation((record) => records.push(record));
    return records;
  }
}

for (const isIndexed of [false, true]) {
  const way = isIndexed ? "by an index" : "as records";
  Deno.test(`figures of packets read ${way} stay in their second where a damaged file says otherwise`, async () => {
    const packet = ethernet(ip("10.0.0.1", "100.64.0.2", tcp(50_000, 443, SYN)));
    for (const fraction of [999_999, 1_000_000, 13_011_000, 0xffff_ffff]) {
      const file = pcap([{ packet, seconds: START }]);
      new DataView(file.buffer).setUint32(FRACTION_AT, fraction, true);
      const recording = new Recording();
      await recording.takeFile(file, isIndexed);
      const [{ first, last }] = recording.remembered();
      assert.deepEqual([first, last], [START * 1000 + 999, START * 1000 + 999]);
    }
  });
}

for (const [family, client, server, ipHeader] of FAMILIES) {
  const there = (flags: number, text = "", port = 50_000) =>
    ip(client, server, tcp(port, 443, flags, text));
  const back = (flags: number, text = "", port = 50_000) =>
    ip(server, client, tcp(443, port, flags, text));
  const connected = (start: number, port = 50_000): Timed[] =>
    [
      there(SYN, "", port),
      back(SYN | ACK, "", port),
      there(ACK, "", port),
      there(PSH | ACK, "request", port),
      back(PSH | ACK, "a response", port),
      there(PSH | ACK, "request", port),
      back(FIN | ACK, "", port),
      there(FIN | ACK, "", port),
      back(ACK, "", port),
    ].map((packet, i) => ({ packet, seconds: start + i + i / 8 }));
  const empty = ipHeader + TCP_HEADER;

  Deno.test(`figures of an ${family} connection have all of its packets`, async () => {
    const recording = new Recording();
    await recording.takeAll(connected(START));
    const [{ addresses: _, outcomes: __, ...figures }, ...others] = recording.remembered();
    assert.deepEqual(others, []);
    assert.deepEqual(figures, {
      isIpv6: family === "IPv6",
      protocol: 6,
      ports: [50_000, 443],
      packets: [5, 4],
      octets: [5 * empty + 2 * "request".length, 4 * empty + "a response".length],
      tcpFlags: [SYN | ACK | PSH | FIN, SYN | ACK | PSH | FIN],
      first: START * 1000,
      last: (START + 9) * 1000,
      vlan: VLAN,
      interfaceNumber: 0,
      tunnel: NO_TUNNEL,
      tunnelId: 0,
      isUnopened: false,
    });
    assert.equal(recording.tested.engine.statistics().conversations, 1);
  });

  Deno.test(`${family} packets of a group with others count in their order`, async () => {
    const recording = new Recording();
    const ports = Array.from({ length: 700 }, (_, i) => 40_000 + i);
    const packets = Array.from(
      { length: 9 },
      (_, i) => ports.map((port) => ({ ...connected(START, port)[i], seconds: START + 0.25 })),
    );
    await recording.takeAll(packets.flat());
    const records = recording.remembered();
    assert.equal(records.length, ports.length);
    for (const { packets, first, last } of records) {
      assert.deepEqual([packets, first, last], [[5, 4], START * 1000 + 250, START * 1000 + 250]);
    }
  });

  Deno.test(`what has only SYN and RST of ${family} is counted, and is no conversation`, async () => {
    const recording = new Recording();
    const attempts = [there(SYN), there(SYN), back(RST | ACK)];
    await recording.takeAll(attempts.map((packet, i) => ({ packet, seconds: START + i })));
    const [record] = recording.remembered();
    assert.equal(recording.tested.engine.statistics().conversations, 0);
    const { packets, octets, tcpFlags, isUnopened, first, last } = record;
    assert.deepEqual({ packets, octets, tcpFlags, isUnopened, first, last }, {
      packets: [2, 1],
      octets: [2 * empty, empty],
      tcpFlags: [SYN, RST | ACK],
      isUnopened: true,
      first: START * 1000,
      last: (START + 2) * 1000,
    });
    // Its time is over when there is another.
    const later = START + 200;
    await recording.takeAll([{ packet: there(SYN, "", 50_001), seconds: later }]);
    assert.deepEqual(recording.ended, [record]);
    assert.deepEqual(recording.remembered().map(({ first }) => first), [later * 1000]);
  });

  Deno.test(`${family} connections from the same port have figures each`, async () => {
    const recording = new Recording();
    await recording.takeAll([...connected(START), ...connected(START + 60)]);
    const [now] = recording.remembered();
    assert.equal(recording.ended.length, 1);
    const [old] = recording.ended;
    const sumOf = ({ packets }: ConversationRecord) => packets[0] + packets[1];
    assert.equal(sumOf(old) + sumOf(now), 18);
    assert.equal(old.first, START * 1000);
    assert.ok(old.last < now.first && now.first <= now.last);
  });

  Deno.test(`a flood of ${family} SYN pushes no conversation out of the table`, async () => {
    const recording = new Recording({ maxConversations: 64 });
    await recording.takeAll(connected(START));
    const flood = Array.from(
      { length: 1000 },
      (_, i) => ip(client, server, tcp(1024 + i, 80, SYN)),
    );
    await recording.takeAll(flood.map((packet) => ({ packet, seconds: START + 10 })));
    const records = recording.remembered();
    assert.deepEqual(
      records.filter(({ isUnopened }) => !isUnopened).map(({ packets }) => packets),
      [[5, 4]],
    );
    assert.ok(records.length < 64 / 4);
    assert.equal(records.length + recording.ended.length, 1001);
    assert.equal(recording.tested.engine.statistics().forgotten, 0);
  });
}

Deno.test({
  name: `figures of real captures are the sums of their packets${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    let packets = 0;
    for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
      const path = sharedCapture(`pcap/${name}`);
      const recording = new Recording();
      await recording.take(SavefileSource.open(path, recording.tested.engine.newBatch()));
      const found = new Map<string, number[]>();
      for (const record of [...recording.ended, ...recording.remembered()]) {
        addRecord(found, record);
      }
      const expected = await sumsOf(path);
      assert.deepEqual(new Map([...found].sort()), new Map([...expected].sort()), name);
      for (const [there, , back] of expected.values()) packets += there + back;
    }
    assert.ok(packets > 10_000, `${packets}`);
  },
});

/** Packets, bytes and TCP control bits of each direction, by conversation. */
type Sums = Map<string, number[]>;

function addRecord(sums: Sums, record: ConversationRecord): void {
  const { protocol, addresses, ports } = record;
  const sum = sumAt(sums, [protocol, ...addresses.map(String), ...ports].join(" "));
  for (const direction of [0, 1]) {
    sum[3 * direction] += record.packets[direction];
    sum[3 * direction + 1] += record.octets[direction];
    sum[3 * direction + 2] |= record.tcpFlags[direction];
  }
}

function sumAt(sums: Sums, key: string): number[] {
  const sum = sums.get(key) ?? [0, 0, 0, 0, 0, 0];
  sums.set(key, sum);
  return sum;
}

/** The sums as `decode()` has them. */
async function sumsOf(path: string): Promise<Sums> {
  const sums: Sums = new Map();
  const header = new PacketHeader();
  const source = SavefileSource.open(path);
  for (let batch; (batch = await source.next()) !== null;) {
    const { bytes, offset, captured, length, linkType, count } = batch;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < count; i++) {
      const at = offset[i];
      if (decode(view, at, at + captured[i], linkType[i], header) === TRANSPORT) {
        addPacket(sums, header, header.ipLength || length[i] - (header.ipOffset - at));
      }
    }
  }
  source.close();
  return sums;
}

function addPacket(sums: Sums, header: PacketHeader, octets: number): void {
  const { isIpv6, protocol, addresses, sourcePort, destinationPort, tcpFlags } = header;
  const endOf = (at: number, port: number) => {
    const address = addresses.slice(at, at + 4);
    if (!isIpv6) address.fill(0, 0, 3);
    return { address, port };
  };
  const ends = [endOf(SOURCE, sourcePort), endOf(DESTINATION, destinationPort)];
  const direction = isAbove(ends[0], ends[1]) ? 1 : 0;
  if (direction === 1) ends.reverse();
  const words = ends.map(({ address }) => String(new Uint32Array(address)));
  const sum = sumAt(sums, [protocol, ...words, ...ends.map(({ port }) => port)].join(" "));
  sum[3 * direction]++;
  sum[3 * direction + 1] += octets;
  sum[3 * direction + 2] |= protocol === PROTOCOL_TCP ? tcpFlags : 0;
}

interface End {
  address: Int32Array;
  port: number;
}

function isAbove(one: End, other: End): boolean {
  const word = one.address.findIndex((word, i) => word !== other.address[i]);
  if (word === -1) return one.port > other.port;
  return one.address[word] > other.address[word];
}
