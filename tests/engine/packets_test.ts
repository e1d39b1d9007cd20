/** What the engine's program decodes itself is what `decode()` says of it. */
import assert from "node:assert/strict";
import type { PacketTaker } from "../../src/capture/packet_batch.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { readDnsMessage } from "../../src/dns/dns_message.ts";
import { QUERY } from "../../src/dns/dns_outcome.ts";
import { EngineMemory } from "../../src/engine/engine_memory.ts";
import { READ_ALL, READ_RESPONSES } from "../../src/packet/payload_reader.ts";
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
} from "../../src/packet/link_type.ts";
import { FIRST, LATER, REPLY } from "../../src/payload/sign.ts";
import { payloadSays } from "../../src/payload/payload_says.ts";
import { LINK_LAYERS } from "../link_layers.ts";
import { MESSAGES } from "../payload/messages.ts";
import {
  ACK,
  type Bytes,
  bytes,
  ethernet,
  ip,
  ipUdp,
  pcap,
  PSH,
  tcp,
  type Timed,
  udp,
} from "../packets.ts";
import { TUNNELS } from "../tunnels.ts";
import { SAMPLE_PACKETS } from "../sample_packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { Decoding, expectedOf } from "./decoding.ts";
import { TestEngine } from "./test_engine.ts";

const SECOND = 1_700_000_000;
const DNS = 53;
const FAMILIES = [
  ["IPv4", "10.0.0.1", "192.0.2.1"],
  ["IPv6", "2001:db8::1", "2001:db8:f::2"],
] as const;

/** Frames in the tunnels that are decoded fast. */
function tunnelledPackets(): Bytes[] {
  const names = ["VXLAN", "GRE", "transparent Ethernet bridging"];
  const tunnels = names.map((wanted) => TUNNELS.find(({ name }) => name === wanted)!);
  return tunnels.flatMap(({ wrap }) => plainPackets().map((frame) => wrap(frame.slice(14))));
}

/** Ethernet frames of the kinds that are decoded fast. */
function plainPackets(): Bytes[] {
  let port = 20_000;
  return FAMILIES.flatMap(([, one, other]) => {
    const packets: Bytes[] = [
      ip(one, other, tcp(port++, 443, PSH | ACK, "payload")),
      ip(other, one, tcp(443, port++, ACK)),
      ip(other, one, tcp(443, port++, ACK, "", [1, 1, 1, 1])),
      ip(other, one, tcp(443, port++, ACK, "options and more", [1, 1, 1, 1])),
      ipUdp(other, one, udp(DNS, port++, "an answer that is long enough")),
      ipUdp(one, one, udp(port++, 7, "an end that talks with itself")),
      ipUdp(one, other, udp(port++, 9)),
    ];
    // Ethernet frames have at least 60 bytes: what is shorter is padded.
    return packets.map((packet) => bytes(ethernet(packet), new Uint8Array(20)));
  });
}

/** An IP packet in the link layers that are decoded fast. */
function inLinkLayers(frame: Bytes): [Bytes, number][] {
  const [addresses, etherType, packet] = [
    frame.slice(0, 12),
    frame.slice(12, 14),
    frame.slice(14),
  ];
  const tag = Uint8Array.of(0x81, 0x00, 0xa1, 0x23);
  return [
    [frame, LINKTYPE_ETHERNET],
    [bytes(addresses, tag, etherType, packet), LINKTYPE_ETHERNET],
    [packet, LINKTYPE_RAW],
    [bytes(new Uint8Array(14), etherType, packet), LINKTYPE_LINUX_SLL],
    [bytes(etherType, new Uint8Array(18), packet), LINKTYPE_LINUX_SLL2],
  ];
}

const decoding = new Decoding();

Deno.test("plain packets are decoded by the program, in each of the link layers of most captures", () => {
  for (const [packet, linkType] of plainPackets().flatMap(inLinkLayers)) {
    assert.deepEqual(decoding.take(packet, linkType), expectedOf(packet, linkType));
    assert.equal(decoding.left, 0, `link type ${linkType}: ${packet}`);
  }
});

Deno.test("plain packets in VXLAN and GRE are decoded by the program", () => {
  const left = decoding.left;
  for (const packet of tunnelledPackets()) {
    const listed = decoding.take(packet, LINKTYPE_ETHERNET);
    assert.deepEqual(listed, expectedOf(packet, LINKTYPE_ETHERNET));
    assert.ok(listed !== null && listed.tunnel !== null && listed.outer !== null);
  }
  assert.equal(decoding.left, left);
});

Deno.test("what the program decodes is what decode() says of packets of all kinds", () => {
  for (const { linkType } of LINK_LAYERS) {
    const samples = SAMPLE_PACKETS.filter((sample) => sample.linkType === linkType);
    for (const { packet } of samples) {
      const listed = decoding.take(packet, linkType);
      if (listed !== null) assert.deepEqual(listed, expectedOf(packet, linkType));
    }
  }
});

Deno.test("what the program decodes is what decode() says of packets that are cut anywhere", () => {
  const tunnelled = tunnelledPackets().map((packet) => [packet, LINKTYPE_ETHERNET] as const);
  for (const [packet, linkType] of [...plainPackets().flatMap(inLinkLayers), ...tunnelled]) {
    for (let end = 0; end < packet.length; end++) {
      const cut = packet.slice(0, end);
      const listed = decoding.take(cut, linkType);
      if (listed !== null) assert.deepEqual(listed, expectedOf(cut, linkType), `${end} bytes`);
    }
  }
});

Deno.test("what the program decodes is what decode() says of packets with bytes changed", () => {
  const random = new SeededRandom();
  const tunnelled = tunnelledPackets().map((packet) => [packet, LINKTYPE_ETHERNET] as const);
  const plain = [...plainPackets().flatMap(inLinkLayers), ...tunnelled];
  let decoded = 0;
  for (let round = 0; round < 50_000; round++) {
    const [whole, linkType] = random.of(plain);
    const packet = whole.slice(0, whole.length - random.below(2) * random.below(40));
    for (let change = 1 + random.below(4); change > 0 && packet.length > 0; change--) {
      packet[random.below(Math.min(packet.length, 120))] = random.of(
        [0, 1, 4, 5, 6, 8, 17, 0x45, 0x46, 0x50, 0x60, 0x81, 0x86, 0xdd, 255],
      );
    }
    const listed = decoding.take(packet, linkType);
    if (listed === null) continue;
    decoded++;
    assert.deepEqual(
      listed,
      expectedOf(packet, linkType),
      `FLOSENSOR_TEST_SEED=${random.seed}: ${packet}`,
    );
  }
  assert.ok(decoded > 5_000, `${decoded} were decoded by the program`);
});

// Some messages are of ports that packets in packets go to.
const messages = new Decoding(READ_ALL, false);

Deno.test("the program says of messages what payloadSays() says, also of those that are cut or changed", () => {
  const random = new SeededRandom();
  for (const [, one, other] of FAMILIES) {
    for (let round = 0; round < 40; round++) {
      for (const [i, { transport, port, payload: whole }] of MESSAGES.entries()) {
        const payload = whole.slice(0, round % 2 === 0 ? whole.length : random.below(whole.length));
        for (let change = round >> 1 & 3; change > 0 && payload.length > 0; change--) {
          payload[random.below(Math.min(payload.length, 24))] = random.of([0, 1, 0x20, 0x80, 255]);
        }
        // Now and then another port than that of the protocol.
        const ports = [20_000 + i, random.below(4) === 0 ? random.of([53, 88, 123, 8080]) : port];
        const packet = ethernet(
          transport === "tcp"
            ? ip(one, other, tcp(ports[0], ports[1], PSH | ACK, payload))
            : ipUdp(one, other, udp(ports[0], ports[1], payload)),
        );
        const listed = messages.take(packet, LINKTYPE_ETHERNET)!;
        if (listed.payload === null) continue;
        const [from, size] = listed.payload;
        const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
        const protocol = transport === "tcp" ? 6 : 17;
        for (const order of [FIRST, REPLY, LATER]) {
          assert.equal(
            messages.says(order),
            payloadSays(protocol, view, from, from + size, ports[0], ports[1], order),
            `FLOSENSOR_TEST_SEED=${random.seed}`,
          );
        }
      }
    }
  }
});

Deno.test("the program counts DNS queries where responses are wanted, and has all else read", () => {
  for (const [family, one, other] of FAMILIES) {
    for (const flags of [0x00, 0x01, 0x78, 0x7f, 0x80, 0x85, 0xff]) {
      for (const size of [0, 2, 3, 11, 12, 13, 40]) {
        const message = new Uint8Array(size);
        if (size > 2) message[2] = flags;
        const isQuery = readDnsMessage(message, 0, size).outcome === QUERY;
        const packets = [
          ethernet(ipUdp(one, other, udp(DNS, 20_000, message))),
          ethernet(ipUdp(other, one, udp(20_000, DNS, message))),
          ethernet(ip(one, other, tcp(DNS, 20_000, ACK | PSH, message))),
        ].map((packet) => bytes(packet, new Uint8Array(20)));
        const responses = responsesOnly;
        responses.program.queries();
        const read = packets.map((packet) => {
          const before = responses.read.length;
          responses.take(packet, LINKTYPE_ETHERNET);
          return responses.read.length > before;
        });
        const about = `${family}, ${size} bytes, flags ${flags}`;
        assert.deepEqual(read, [!isQuery, false, true], about);
        assert.equal(responses.program.queries(), isQuery ? 1 : 0, about);
      }
    }
  }
});

const responsesOnly = new Decoding(READ_RESPONSES);

/** A capture that is read as a file is. */
function sourceOf(capture: Uint8Array, batch?: ConstructorParameters<typeof SavefileSource>[2]) {
  let at = 0;
  return new SavefileSource("capture", (into) => {
    const part = capture.subarray(at, at + into.length);
    at += part.length;
    into.set(part);
    return part.length === 0 ? null : part.length;
  }, batch);
}

/** What comes of a capture: keys in their order, and what was counted. */
async function storyOf(capture: Uint8Array, takes: "records" | "index" | "copies") {
  const { engine: meter, observations } = new TestEngine({ config: {} });
  const batch = takes === "copies" ? undefined : meter.newBatch();
  if (takes === "index") batch!.taker = null;
  const source = sourceOf(capture, { batch });
  let error = "";
  try {
    for (let batch; (batch = await source.next()) !== null;) meter.take(batch);
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  meter.flush();
  const { received } = source.statistics();
  return { observations, statistics: meter.statistics(), received, error };
}

/** More packets than a window has room for, of many kinds, some long ones among them. */
function longCapture(random: SeededRandom): Timed[] {
  const plain = plainPackets();
  return Array.from({ length: 20_000 }, (_, i) => ({
    packet: i % 5000 === 4000 ? bytes(random.of(plain), new Uint8Array(260_000)) : random.of([
      random.of(SAMPLE_PACKETS).packet,
      random.of(plain),
      new Uint8Array(1),
    ]),
    seconds: SECOND + (i >> 9),
  }));
}

Deno.test("a capture gives the same keys, taken as records, by an index, or copied from elsewhere", async () => {
  const random = new SeededRandom();
  const packets = longCapture(random);
  for (const linkType of [LINKTYPE_ETHERNET, LINKTYPE_RAW]) {
    const whole = pcap(packets, { linkType });
    for (const capture of [whole, whole.subarray(0, whole.length - 7)]) {
      const expected = await storyOf(capture, "copies");
      assert.ok(expected.observations.length > 10 && expected.received >= packets.length - 1);
      for (const takes of ["records", "index"] as const) {
        assert.deepEqual(await storyOf(capture, takes), expected, `seed ${random.seed}`);
      }
    }
  }
});

Deno.test("records are taken in either byte order, and of each of pcap's formats", async () => {
  const packets = plainPackets().map((packet, i) => ({ packet, seconds: SECOND + i * 100 }));
  const expected = await storyOf(pcap(packets), "records");
  assert.ok(expected.observations.length > packets.length);
  for (const options of [{ littleEndian: false }, { magic: 0xa1b23c4d }]) {
    assert.deepEqual(await storyOf(pcap(packets, options), "records"), expected);
  }
});

Deno.test("a source that has a taker gives it what lies in its memory, and the rest by the index", async () => {
  const taken: number[] = [];
  const memory = new EngineMemory(10, 10);
  const batch = memory.newBatch();
  const taker: PacketTaker = {
    takeRecords: (_format, from, _end, _packets) => {
      taken.push(from);
      return { next: from, count: 0 };
    },
    takeFrames: () => {},
  };
  batch.taker = taker;
  const source = sourceOf(pcap([{ packet: plainPackets()[0], seconds: SECOND }]), { batch });
  assert.equal((await source.next())?.count, 1);
  assert.deepEqual(taken, [24]);
});
