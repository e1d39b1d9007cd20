import assert from "node:assert/strict";
import type { PacketBatch } from "../../src/capture/packet_batch.ts";
import { BatchDecoder } from "../../src/flow/batch_decoder.ts";
import { PREFETCHED_AT_ONCE } from "../../src/flow/conversation_table.ts";
import { DecodedBatch } from "../../src/flow/decoded_batch.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { PacketList } from "../../src/flow/packet_list.ts";
import { RESTED_PACKETS, TRIED_PACKETS } from "../../src/flow/repeat_filter.ts";
import { decode } from "../../src/packet/decode.ts";
import { DECODED_NAMES, TRANSPORT, UNREACHABLE } from "../../src/packet/decoded.ts";
import { LINKTYPE_ETHERNET } from "../../src/packet/link_type.ts";
import { PacketHeader } from "../../src/packet/packet_header.ts";
import { batchOf, type BatchPacket } from "../batches.ts";
import { keysTaken, mappingOf, observedKeys } from "../observed_keys.ts";
import { ACK, bytes, ethernet, FIN, ip, ipUdp, PSH, RST, SYN, tcp, udp } from "../packets.ts";
import { SAMPLE_PACKETS } from "../sample_packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";

const ADDRESSES = [
  ["IPv4", "10.0.0.1", "192.0.2.1"],
  ["IPv6", "2001:db8::1", "2001:db8:f::2"],
] as const;
const CAPACITY = 1000;
const DNS = 53;
const SECOND = 1_700_000_000;

function decoder(): BatchDecoder {
  const readPorts = new Uint8Array(65_536);
  readPorts[DNS] = 1;
  return new BatchDecoder({ readPorts });
}

/** Packets of a second each, so that none repeats another one. */
function apart(packets: readonly BatchPacket[]): BatchPacket[] {
  return packets.map((packet, i) => ({ ...packet, seconds: SECOND + i }));
}

/** What was decoded of some packets, as plain values. */
function decodedOf(packets: readonly BatchPacket[]): unknown {
  const batch = batchOf(apart(packets));
  const into = new DecodedBatch(batch, CAPACITY);
  assert.equal(decoder().decode(batch, 0, batch.count, into), batch.count);
  const groups = into.groupCount;
  return {
    ipv4: valuesOf(into.ipv4),
    ipv6: valuesOf(into.ipv6),
    other: [...into.other.subarray(0, into.groupEndOther[groups - 1])],
    decoded: [...into.decoded],
  };
}

/** The same by the one decoder that knows all kinds of packets. */
function expectedOf(packets: readonly BatchPacket[]): unknown {
  const { view, offset, captured, linkType, count } = batchOf(apart(packets));
  const ipv4 = new PacketList(1, CAPACITY);
  const ipv6 = new PacketList(4, CAPACITY);
  const other: number[] = [];
  const decoded = new Array<number>(DECODED_NAMES.length).fill(0);
  const header = new PacketHeader();
  for (let i = 0; i < count; i++) {
    const outcome = decode(view, offset[i], offset[i] + captured[i], linkType[i], header);
    decoded[outcome]++;
    if (outcome === UNREACHABLE) other.push(i);
    if (outcome !== TRANSPORT) continue;
    if (header.sourcePort === DNS) other.push(i);
    if (header.isIpv6) ipv6.add6(i, header);
    else ipv4.add4(i, header);
  }
  return { ipv4: valuesOf(ipv4), ipv6: valuesOf(ipv6), other, decoded };
}

function valuesOf({ count, packet, about, hash, ports, addresses }: PacketList): unknown {
  const words = addresses.length / packet.length;
  return [packet, about, hash, ports].map((column) => [...column.subarray(0, count)])
    .concat([...addresses.subarray(0, count * words)]);
}

const PLAIN: BatchPacket[] = [
  ip("10.0.0.1", "192.0.2.1", tcp(40_000, 443, PSH | ACK, "payload")),
  ip("192.0.2.1", "10.0.0.1", tcp(443, 40_000, ACK)),
  ip("192.0.2.1", "10.0.0.1", tcp(443, 40_000, FIN | ACK, "", [1, 1, 1, 1])),
  ipUdp("192.0.2.1", "10.0.0.1", udp(DNS, 40_000, "an answer that is long enough")),
  ipUdp("10.0.0.1", "10.0.0.1", udp(9, 7, "an end that talks with itself")),
].map((packet) => ({
  // Ethernet frames have at least 60 bytes: what is shorter is padded.
  packet: bytes(ethernet(packet), new Uint8Array(20)),
  linkType: LINKTYPE_ETHERNET,
  seconds: SECOND,
}));

Deno.test("BatchDecoder reads the headers that decode() reads, of packets of all kinds", () => {
  const samples = SAMPLE_PACKETS.map((sample) => ({ ...sample, seconds: SECOND }));
  const all = [...PLAIN, ...samples];
  assert.deepEqual(decodedOf(all), expectedOf(all));
});

Deno.test("BatchDecoder reads the headers that decode() reads, of packets that are cut anywhere", () => {
  for (const plain of PLAIN) {
    const cut = Array.from(
      plain.packet,
      (_, end) => ({ ...plain, packet: plain.packet.subarray(0, end) }),
    );
    assert.deepEqual(decodedOf(cut), expectedOf(cut));
  }
});

Deno.test("BatchDecoder reads the headers that decode() reads, of packets with bytes changed", () => {
  const random = new SeededRandom();
  for (let round = 0; round < 200; round++) {
    const changed = Array.from({ length: 100 }, () => {
      const plain = random.of(PLAIN);
      const packet = plain.packet.slice(0, plain.packet.length - random.below(24));
      // The headers are what matters.
      for (let change = random.below(4); change > 0; change--) {
        packet[12 + random.below(42)] = random.of([0, 1, 4, 5, 6, 8, 17, 0x45, 0x50, 255]);
      }
      return { ...plain, packet };
    });
    assert.deepEqual(decodedOf(changed), expectedOf(changed), `seed ${random.seed}`);
  }
});

Deno.test("BatchDecoder puts into a group what was seen in one second, at most what is fetched at once", () => {
  const times = [0, 0, 1, ...new Array(PREFETCHED_AT_ONCE + 10).fill(2), 1];
  const batch = batchOf(times.map((time, i) => ({ ...numbered(i), seconds: SECOND + time })));
  const into = new DecodedBatch(batch, CAPACITY);
  decoder().decode(batch, 0, batch.count, into);
  assert.deepEqual(groupsOf(into), [
    [SECOND, 2],
    [SECOND + 1, 3],
    [SECOND + 2, 3 + PREFETCHED_AT_ONCE],
    [SECOND + 2, 13 + PREFETCHED_AT_ONCE],
    [SECOND + 1, 14 + PREFETCHED_AT_ONCE],
  ]);
  decoder().decode(batch, 0, batch.count, into, SECOND + 99);
  assert.deepEqual(groupsOf(into), [
    [SECOND + 99, PREFETCHED_AT_ONCE],
    [SECOND + 99, batch.count],
  ]);
});

Deno.test("BatchDecoder decodes as many packets as there is room for, then the rest", () => {
  const batch = batchOf(Array.from({ length: 10 }, (_, i) => numbered(i)));
  const into = new DecodedBatch(batch, 4);
  const it = decoder();
  const seen: number[][] = [];
  for (let from = 0; from < 10;) {
    from = it.decode(batch, from, 10, into);
    seen.push([...into.ipv4.packet.subarray(0, into.ipv4.count)]);
  }
  assert.deepEqual(seen, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
});

for (const [family, one, other] of ADDRESSES) {
  const packet = (flags: number, payload = "", isBack = false) => {
    const [from, to] = isBack ? [other, one] : [one, other];
    const segment = isBack ? tcp(443, 40_000, flags, payload) : tcp(40_000, 443, flags, payload);
    return {
      packet: ethernet(ip(from, to, segment)),
      linkType: LINKTYPE_ETHERNET,
      seconds: SECOND,
    };
  };
  /** Which of the packets are to be looked up. */
  const lookedUp = (...packets: BatchPacket[]) => {
    const batch = batchOf(packets);
    const into = new DecodedBatch(batch, CAPACITY);
    decoder().decode(batch, 0, batch.count, into);
    assert.equal(into.decoded[TRANSPORT], packets.length, "all are decoded, and counted");
    const { packet, count } = family === "IPv4" ? into.ipv4 : into.ipv6;
    return [...packet.subarray(0, count)];
  };

  Deno.test(`BatchDecoder leaves out what repeats itself in a second, in each direction, ${family}`, () => {
    const [there, back] = [packet(ACK), packet(ACK, "", true)];
    assert.deepEqual(lookedUp(there, there, back, there, back), [0, 2]);
    const later = { ...there, seconds: SECOND + 1 };
    // A packet that comes a little late is taken as of the second that it is by then.
    assert.deepEqual(lookedUp(there, there, later, later, there), [0, 2]);
  });

  Deno.test(`BatchDecoder leaves out no payload that may be looked at, ${family}`, () => {
    const data = packet(PSH | ACK, "data");
    const many = new Array(10).fill(data);
    assert.deepEqual(lookedUp(packet(ACK), ...many), [0, 1, 2, 3, 4]);
    // Nor where seconds go by.
    const later = many.map((it) => ({ ...it, seconds: SECOND + 1 }));
    assert.deepEqual(lookedUp(data, data, ...later), [0, 1, 2, 3]);
  });

  Deno.test(`BatchDecoder leaves out nothing that opens or ends a connection, nor what follows, ${family}`, () => {
    const [there, back] = [packet(ACK), packet(ACK, "", true)];
    for (const flags of [SYN, FIN | ACK, RST]) {
      const both = [packet(flags), packet(flags), there, back, there];
      assert.deepEqual(lookedUp(there, back, ...both), [0, 1, 2, 3, 4, 5]);
    }
  });

  Deno.test(`BatchDecoder takes the same ports of another protocol for another conversation, ${family}`, () => {
    const datagram = ethernet(ip(one, other, udp(40_000, 443, "data"), { protocol: 17 }));
    const overUdp = { packet: datagram, linkType: LINKTYPE_ETHERNET, seconds: SECOND };
    assert.deepEqual(lookedUp(packet(ACK), overUdp), [0, 1]);
  });
}

for (const [family, one, other] of ADDRESSES) {
  Deno.test(`BatchDecoder looks for no repetitions for a while where it finds none, ${family}`, () => {
    const it = decoder();
    /** How many of some packets, one a conversation, are to be looked up. */
    const count = (conversations: number) => {
      const batch = batchOf(Array.from({ length: conversations }, (_, i) => ({
        packet: ethernet(ip(one, other, tcp(1024 + i, 443, ACK))),
        linkType: LINKTYPE_ETHERNET,
        seconds: SECOND,
      })));
      const into = new DecodedBatch(batch, conversations);
      return (times: number) => {
        let sum = 0;
        for (let time = 0; time < times; time++) {
          it.decode(batch, 0, conversations, into);
          sum += into.ipv4.count + into.ipv6.count;
        }
        return sum;
      };
    };
    const many = count(40_000);
    const few = count(10);
    assert.equal(few(2), 10);
    // So many conversations that hardly one is remembered until it comes again.
    many(Math.ceil(TRIED_PACKETS / 40_000));
    assert.equal(few(2), 20);
    many(Math.ceil(RESTED_PACKETS / 40_000));
    few(1);
    assert.equal(few(3), 0);
    // Where there are repetitions it goes on.
    few(TRIED_PACKETS / 8);
    assert.equal(few(1), 0);
  });
}

Deno.test("BatchDecoder leaves out nothing after time has leapt back, nor after half a year", () => {
  const packet = (seconds: number) => ({ ...PLAIN[1], seconds });
  const times = [SECOND, SECOND + 100, SECOND, SECOND + 100, SECOND + 100 + (1 << 24)];
  const batch = batchOf(times.map(packet));
  const into = new DecodedBatch(batch, CAPACITY);
  decoder().decode(batch, 0, batch.count, into);
  assert.equal(into.ipv4.count, times.length);
});

Deno.test("BatchDecoder makes the same groups, however much room there is", () => {
  const random = new SeededRandom();
  let seconds = SECOND;
  const batch = batchOf(Array.from({ length: 900 }, (_, i) => {
    if (random.below(100) === 0) seconds++;
    return { ...numbered(i), seconds };
  }));
  const groups = (capacity: number) => {
    const into = new DecodedBatch(batch, capacity);
    const it = decoder();
    const sizes: number[] = [];
    for (let from = 0; from < batch.count;) {
      from = it.decode(batch, from, batch.count, into);
      const ends = groupsOf(into).map(([, end]) => end);
      ends.forEach((end, i) => sizes.push(end - (ends[i - 1] ?? 0)));
    }
    return sizes;
  };
  assert.deepEqual(groups(PREFETCHED_AT_ONCE), groups(CAPACITY), `seed ${random.seed}`);
});

Deno.test("BatchDecoder has forgotten what went before, when it is told to", () => {
  const batch = batchOf([PLAIN[1], PLAIN[1]]);
  const into = new DecodedBatch(batch, CAPACITY);
  const it = decoder();
  const counts = [false, false, true].map((forgets) => {
    if (forgets) it.forget();
    it.decode(batch, 0, batch.count, into);
    return into.ipv4.count;
  });
  assert.deepEqual(counts, [1, 0, 1]);
});

Deno.test({
  name:
    `a meter has the same keys whether repetitions are left out or not, in every shared capture` +
    WITHOUT_SHARED_CAPTURES,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const mapping = mappingOf({}, ["10.0.0.0/8", "192.168.0.0/16"]);
    for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
      const path = sharedCapture(`pcap/${name}`);
      const kept = await observedKeys(path, mapping);
      const all = await keysTaken(path, mapping, takeAll);
      // In a group, IPv4 comes before IPv6.
      assert.deepEqual(kept.sort(), all.sort(), name);
    }
  },
});

/** Has a meter take all packets of a batch, those that repeat others too. */
function takeAll(meter: Engine, batch: PacketBatch): void {
  // As a new one that has seen nothing yet decodes each packet, none is a repetition.
  const into = new DecodedBatch(batch, 1);
  const it = new BatchDecoder(meter.decoderSettings);
  for (let i = 0; i < batch.count; i++) {
    it.forget();
    it.decode(batch, i, i + 1, into);
    meter.takeDecoded(into);
  }
}

/** A packet of a connection of its own. */
function numbered(i: number): BatchPacket {
  const packet = ethernet(ip("10.0.0.1", "192.0.2.1", tcp(1024 + i, 443, ACK)));
  return { packet, linkType: LINKTYPE_ETHERNET, seconds: SECOND };
}

function groupsOf({ groupCount, groupSeconds, groupEnd4 }: DecodedBatch): [number, number][] {
  return Array.from({ length: groupCount }, (_, i) => [groupSeconds[i], groupEnd4[i]]);
}
