/** What the engine's program decodes itself is what `decode()` says of it. */
import assert from "node:assert/strict";
import type { PacketTaker } from "../../src/capture/packet_batch.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { readDnsMessage } from "../../src/dns/dns_message.ts";
import { QUERY } from "../../src/dns/dns_outcome.ts";
import { EngineMemory, type EngineProgram } from "../../src/engine/engine_memory.ts";
import {
  DIRECTION_SHIFT,
  FLAGS_SHIFT,
  HAS_PAYLOAD,
  IN_TUNNEL,
  INPUT,
  IS_OUTER,
  LIST4,
  LIST6,
  MAPPING,
  MILLISECONDS_SHIFT,
  OCTETS_MASK,
  PACKET4_SHIFT,
  PACKET6_SHIFT,
  PACKET_ABOUT,
  PACKET_ADDRESSES,
  PACKET_OCTETS,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_SIZE,
  PACKET_PORTS,
  PACKET_VLAN,
  READ_PORTS,
  SIGN_FILTER,
  TUNNEL_PORT_BITS,
  TUNNELS4,
  TUNNELS6,
  WORD,
} from "../../src/engine/layout.ts";
import { FIRST_WINDOW } from "../../src/model/windows.ts";
import { READ_ALL, READ_RESPONSES } from "../../src/packet/payload_reader.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
} from "../../src/packet/link_type.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../../src/packet/packet_header.ts";
import { NO_TUNNEL } from "../../src/packet/tunnel.ts";
import { TUNNEL_PORTS } from "../../src/packet/udp_tunnel.ts";
import { payloadRole } from "../../src/payload/payload_role.ts";
import { FIRST, LATER, REPLY } from "../../src/payload/sign.ts";
import { payloadSays } from "../../src/payload/payload_says.ts";
import { makeSignFilter } from "../../src/payload/sign_filter.ts";
import { LINK_LAYERS } from "../link_layers.ts";
import { mappingOf } from "../observed_keys.ts";
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
import { TestEngine } from "./test_engine.ts";

const SECOND = 1_700_000_000;
const DNS = 53;
const FAMILIES = [
  ["IPv4", "10.0.0.1", "192.0.2.1"],
  ["IPv6", "2001:db8::1", "2001:db8:f::2"],
] as const;

/** What is listed of a packet, as plain values. */
interface Listed {
  about: number;
  source: string;
  destination: string;
  octets: number;
  vlan: number;
  /** Where its payload is, and how long; none where it has none. */
  payload: [number, number] | null;
  /** The kind of tunnel that it is in, and what tells it apart. */
  tunnel: [number, number] | null;
  /** What it is in: source, destination, and the bytes of that packet. */
  outer: [string, string, number] | null;
}

/** The program that decodes packets, with nobody behind it who could. */
class Decoding {
  readonly program: EngineProgram;
  readonly memory = new EngineMemory(1000, 1000);
  /** Packets that were left to others, and those that are to be read, by where they are. */
  left = 0;
  readonly read: number[] = [];
  readonly #batch = this.memory.newBatch();
  /** Where the packet that was taken last is listed. */
  #last = LIST4;

  constructor(readPort = READ_ALL, opensTunnels = true) {
    this.memory.bytes[READ_PORTS + DNS] = readPort;
    this.memory.words.set(makeSignFilter(), SIGN_FILTER / WORD);
    this.program = this.memory.start({
      followTime: () => {},
      decode: () => void this.left++,
      read: (packet) => void this.read.push(packet),
      readAnnouncements: () => {},
      readFirst: () => 0,
      payloadRole: (protocol, payload, end, ports, order) =>
        payloadRole(
          protocol,
          this.memory.view,
          payload,
          end,
          ports >>> 16,
          ports & 0xffff,
          order,
        ),
      emit: () => {},
      see: () => {},
      judgeOwn: () => 0,
      isListening: () => false,
      askFunction: () => 0,
      corrected: () => {},
      ended: () => {},
      record: () => {},
    });
    const mapping = mappingOf({}, []);
    this.memory.words.set(mapping.compiled, MAPPING / WORD);
    this.program.useMapping();
    for (const port of opensTunnels ? TUNNEL_PORTS : []) {
      this.memory.bytes[TUNNEL_PORT_BITS + (port >>> 3)] |= 1 << (port & 7);
    }
    this.program.useTunnels(opensTunnels, false);
    this.program.setTime(SECOND, 0, FIRST_WINDOW);
  }

  /** What is listed of a packet, or `null` where it is left to others. */
  take(packet: Uint8Array, linkType: number): Listed | null {
    const batch = this.#batch;
    const { view } = this.memory;
    // What lies after it is somebody else's.
    batch.bytes.fill(0x45, 0, packet.length + 64);
    batch.bytes.set(packet);
    batch.captured[0] = batch.length[0] = packet.length;
    batch.linkType[0] = linkType;
    batch.seconds[0] = SECOND;
    batch.milliseconds[0] = 789;
    const places = [LIST4, LIST4 + 2 ** PACKET4_SHIFT, LIST6, LIST6 + 2 ** PACKET6_SHIFT];
    for (const place of places) view.setUint32(place + PACKET_ABOUT, 0);
    this.program.takeIndexed(0, 1);
    const there = places.filter((place) => view.getUint32(place + PACKET_ABOUT) !== 0);
    const isOuter = (place: number) =>
      (view.getUint32(place + PACKET_ABOUT, true) & IS_OUTER) !== 0;
    const at = there.find((place) => !isOuter(place));
    if (at === undefined) return null;
    this.#last = at;
    const around = there.find(isOuter);
    const about = view.getUint32(at + PACKET_ABOUT, true);
    const isIpv6 = at >= LIST6;
    const tunnel = isIpv6 ? TUNNELS6 : TUNNELS4;
    const [source, destination] = this.#endsAt(at);
    const octets = view.getUint32(at + PACKET_OCTETS, true);
    assert.equal(octets >>> MILLISECONDS_SHIFT, 789);
    return {
      about: about & ~(1 << DIRECTION_SHIFT | IN_TUNNEL),
      source,
      destination,
      octets: octets & OCTETS_MASK,
      tunnel: (about & IN_TUNNEL) === 0
        ? null
        : [view.getUint32(tunnel, true), view.getUint32(tunnel + WORD, true)],
      outer: around === undefined ? null : [
        ...this.#endsAt(around),
        view.getUint32(around + PACKET_OCTETS, true) & OCTETS_MASK,
      ],
      vlan: view.getUint16(at + PACKET_VLAN, true),
      payload: (about & HAS_PAYLOAD) === 0 ? null : [
        view.getUint32(at + PACKET_PAYLOAD, true) - INPUT,
        view.getUint16(at + PACKET_PAYLOAD_SIZE, true),
      ],
    };
  }

  /** What it says of the payload of the packet that was taken last. */
  says(order: number): number {
    return this.program.payloadSays(this.#last, order);
  }

  /** Source and destination of a packet in a list. */
  #endsAt(at: number): [string, string] {
    const { view, words } = this.memory;
    const ports = view.getUint32(at + PACKET_PORTS, true);
    const size = at >= LIST6 ? 4 : 1;
    const [low, high] = [ports >>> 16, ports & 0xffff].map((port, end) => {
      const from = (at + PACKET_ADDRESSES) / WORD + end * size;
      return `${words.subarray(from, from + size).join()} ${port}`;
    });
    const isTurned = (view.getUint32(at + PACKET_ABOUT, true) >>> DIRECTION_SHIFT & 1) !== 0;
    return isTurned ? [high, low] : [low, high];
  }
}

/** What the one decoder that knows all kinds of packets says of one, or `null` where it is no transport. */
function expectedOf(packet: Uint8Array, linkType: number): Listed | null {
  const header = new PacketHeader();
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (decode(view, 0, packet.length, linkType, header) !== TRANSPORT) return null;
  const { isIpv6, addresses, payloadOffset, payloadEnd, ipLength, vlan } = header;
  const words = (from: number) => addresses.subarray(isIpv6 ? from : from + 3, from + 4).join();
  const hasPayload = payloadOffset < payloadEnd;
  return {
    about: header.protocol | (header.tcpFlags << FLAGS_SHIFT) | (hasPayload ? HAS_PAYLOAD : 0),
    source: `${words(SOURCE)} ${header.sourcePort}`,
    destination: `${words(DESTINATION)} ${header.destinationPort}`,
    octets: ipLength,
    vlan,
    payload: hasPayload ? [payloadOffset, payloadEnd - payloadOffset] : null,
    tunnel: header.tunnel === NO_TUNNEL ? null : [header.tunnel, header.tunnelId],
    outer: outerOf(header),
  };
}

function outerOf({ around, nested }: PacketHeader): Listed["outer"] {
  const outer = around.slice(0, nested).find(({ protocol }) => protocol !== 0);
  if (outer === undefined) return null;
  const words = (from: number) =>
    outer.addresses.subarray(outer.isIpv6 ? from : from + 3, from + 4).join();
  return [`${words(SOURCE)} 0`, `${words(DESTINATION)} 0`, outer.ipLength];
}

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
