import assert from "node:assert/strict";
import { LINKTYPE_ETHERNET } from "../../src/packet/link_type.ts";
import { BatchDecoder } from "../../src/flow/batch_decoder.ts";
import { PREFETCHED_AT_ONCE } from "../../src/flow/conversation_table.ts";
import { DecodedBatch } from "../../src/flow/decoded_batch.ts";
import { PacketList } from "../../src/flow/packet_list.ts";
import { decode } from "../../src/packet/decode.ts";
import { DECODED_NAMES, TRANSPORT, UNREACHABLE } from "../../src/packet/decoded.ts";
import { PacketHeader } from "../../src/packet/packet_header.ts";
import { batchOf, type BatchPacket } from "../batches.ts";
import { ACK, bytes, ethernet, FIN, ip, ipUdp, PSH, tcp, udp } from "../packets.ts";
import { SAMPLE_PACKETS } from "../sample_packets.ts";
import { SeededRandom } from "../seeded_random.ts";

const SEEDS = [12_345, 67_890] as const;
const CAPACITY = 1000;
const DNS = 53;
const SECOND = 1_700_000_000;

function decoder(followsPackets = true): BatchDecoder {
  const readPorts = new Uint8Array(65_536);
  readPorts[DNS] = 1;
  return new BatchDecoder({ seeds: SEEDS, readPorts, followsPackets });
}

/** What was decoded of some packets, as plain values. */
function decodedOf(packets: readonly BatchPacket[]): unknown {
  const batch = batchOf(packets);
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
  const { view, offset, captured, linkType, count } = batchOf(packets);
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
    if (header.isIpv6) ipv6.add6(i, header, SEEDS[1]);
    else ipv4.add4(i, header, SEEDS[0]);
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
  const batch = batchOf(times.map((time) => ({ ...PLAIN[0], seconds: SECOND + time })));
  const into = new DecodedBatch(batch, CAPACITY);
  decoder().decode(batch, 0, batch.count, into);
  assert.deepEqual(groupsOf(into), [
    [SECOND, 2],
    [SECOND + 1, 3],
    [SECOND + 2, 3 + PREFETCHED_AT_ONCE],
    [SECOND + 2, 13 + PREFETCHED_AT_ONCE],
    [SECOND + 1, 14 + PREFETCHED_AT_ONCE],
  ]);
  decoder(false).decode(batch, 0, batch.count, into);
  assert.deepEqual(groupsOf(into).map(([, end]) => end), [PREFETCHED_AT_ONCE, batch.count]);
});

Deno.test("BatchDecoder decodes as many packets as there is room for, then the rest", () => {
  const batch = batchOf(new Array(10).fill(PLAIN[0]));
  const into = new DecodedBatch(batch, 4);
  const it = decoder();
  const seen: number[][] = [];
  for (let from = 0; from < 10;) {
    from = it.decode(batch, from, 10, into);
    seen.push([...into.ipv4.packet.subarray(0, into.ipv4.count)]);
  }
  assert.deepEqual(seen, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
});

function groupsOf({ groupCount, groupSeconds, groupEnd4 }: DecodedBatch): [number, number][] {
  return Array.from({ length: groupCount }, (_, i) => [groupSeconds[i], groupEnd4[i]]);
}
