import assert from "node:assert/strict";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { parseCidr } from "../../src/config/cidr.ts";
import { readDnsMessage } from "../../src/dns/dns_message.ts";
import { QUERY } from "../../src/dns/dns_outcome.ts";
import { DIRECTION_SHIFT, FLAGS_SHIFT, HAS_PAYLOAD } from "../../src/flow/packet_list.ts";
import { READ_ALL, READ_RESPONSES } from "../../src/flow/payload_reader.ts";
import { decode } from "../../src/packet/decode.ts";
import { DECODED_NAMES, TRANSPORT, UNREACHABLE } from "../../src/packet/decoded.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from "../../src/packet/link_type.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../../src/packet/packet_header.ts";
import { payloadSays } from "../../src/payload/payload_says.ts";
import { FROM_CLIENT, FROM_SERVER } from "../../src/payload/sign.ts";
import { Sieve } from "../../src/sieve/sieve.ts";
import {
  SieveLayout,
  sieveMemory,
  SieveOutput,
  type SieveSettings,
} from "../../src/sieve/sieve_memory.ts";
import {
  HAS_ENDS,
  IS_ADDED,
  IS_FORGETTING,
  IS_IPV6,
  IS_OTHER,
  IS_TIME,
  LOOKS_BITS,
  LOOKS_SHIFT,
  SAYS_LATER_SHIFT,
  SIGHTING_ABOUT,
  SIGHTING_CAPTURED,
  SIGHTING_IDLE,
  SIGHTING_LINK_TYPE,
  SIGHTING_NUMBER,
  SIGHTING_OFFSET,
  SIGHTING_PORTS,
  SIGHTING_SAYS,
  SIGHTING_WORDS,
  WAS_LOOKED_AT,
} from "../../src/sieve/sighting_batch.ts";
import { LINK_LAYERS } from "../link_layers.ts";
import { MESSAGES } from "../payload/messages.ts";
import {
  ACK,
  type Bytes,
  bytes,
  ethernet,
  FIN,
  ip,
  ipUdp,
  pcap,
  PSH,
  RST,
  SYN,
  tcp,
  type Timed,
  udp,
} from "../packets.ts";
import { SAMPLE_PACKETS } from "../sample_packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { sieveSettings } from "./settings.ts";

const SECOND = 1_700_000_000;
const WINDOW = 30;
const DNS = 53;
const FAMILIES = [
  ["IPv4", "10.0.0.1", "192.0.2.1"],
  ["IPv6", "2001:db8::1", "2001:db8:f::2"],
] as const;

const SAYS_BITS = (1 << LOOKS_SHIFT) - 1;
const LOOKS_MASK = (1 << LOOKS_BITS) - 1;

/** What was sent on of a packet, as plain values. */
interface Sighting {
  kind: "packet" | "other" | "time" | "forgetting";
  number: number;
  isAdded: boolean;
  /** Protocol, direction, payload, control bits. */
  about: number;
  isIpv6: boolean;
  /** Ports and addresses of the ends; none where they were not sent on. */
  ends: number[];
  /** What its payload says, if that was looked at, otherwise 0. */
  says: number;
  /** How many payloads were looked at, of the low end and of the high one. */
  looks: number[];
  /** All of its bytes, if they were sent on. */
  bytes: number[];
  linkType: number;
  idle: number;
}

/** A sieve that a test gives captures. */
class TestSieve {
  readonly settings: SieveSettings;
  readonly #memory: WebAssembly.Memory;
  readonly #sieve: Sieve;
  readonly #output: SieveOutput;
  readonly #room: number;
  decoded = new Array<number>(DECODED_NAMES.length).fill(0);
  queries = 0;

  constructor(settings: Partial<SieveSettings> = {}) {
    const readPorts = new Uint8Array(65_536);
    readPorts[DNS] = READ_ALL;
    this.settings = sieveSettings({ readPorts, ...settings });
    this.#memory = sieveMemory(this.settings);
    this.#sieve = new Sieve(this.#memory, this.settings);
    this.#output = new SieveOutput(this.#memory.buffer, new SieveLayout(this.settings));
    this.#room = new SieveLayout(this.settings).ring.start;
  }

  get conversations(): number {
    return this.#output.conversations;
  }

  get forgotten(): number {
    return this.#output.forgotten;
  }

  /**
   * What it sends on of a capture.
   *
   * @param takesRecords Whether it takes records as they are, or a batch with an index of them.
   */
  async sift(capture: Uint8Array, takesRecords = true): Promise<Sighting[]> {
    let at = 0;
    const input = this.#sieve.newInput();
    const sightings: Sighting[] = [];
    const take = () => {
      sightings.push(...this.#read());
      this.#output.decoded.forEach((count, i) => this.decoded[i] += count);
      this.queries += this.#output.queries;
    };
    if (takesRecords) {
      input.takeRecords = (format, from, end) => {
        let sifted = { taken: from, count: 0 };
        do {
          sifted = this.#sieve.siftRecords(format, sifted.taken, end, this.#room, this.#output);
          if (sifted.count > 0) take();
        } while (sifted.count > 0);
        return sifted.taken;
      };
    }
    const source = new SavefileSource("capture", (into) => {
      const part = capture.subarray(at, at + into.length);
      at += part.length;
      into.set(part);
      return part.length === 0 ? null : part.length;
    }, { batch: input });
    for (let batch; (batch = await source.next()) !== null;) {
      for (let from = 0; from < batch.count;) {
        from = this.#sieve.sift(from, this.#room, this.#output);
        take();
      }
    }
    return sightings;
  }

  /** The packets among what it sends on of some packets. */
  async siftPackets(packets: readonly Timed[], linkType?: number): Promise<Sighting[]> {
    const sightings = await this.sift(pcap(packets, { linkType }));
    return sightings.filter(({ kind }) => kind === "packet" || kind === "other");
  }

  #read(): Sighting[] {
    const { words, from, end } = this.#output;
    const sightings: Sighting[] = [];
    for (let at = from; at < end;) {
      const about = words[at + SIGHTING_ABOUT];
      const isIpv6 = (about & IS_IPV6) !== 0;
      const isWhole = (about & IS_OTHER) !== 0;
      const captured = isWhole ? words[at + SIGHTING_CAPTURED] : 0;
      const endWords = (about & HAS_ENDS) !== 0 ? 1 + 2 * (isIpv6 ? 4 : 1) : 0;
      const head = at;
      at += SIGHTING_WORDS + endWords + ((captured + 3) >> 2);
      const says = words[head + SIGHTING_SAYS];
      const offset = 4 * (head + SIGHTING_WORDS);
      // Of what was sent on nothing lies elsewhere.
      assert.ok(!isWhole || words[head + SIGHTING_OFFSET] === offset);
      sightings.push({
        kind: kindOf(about),
        number: words[head + SIGHTING_NUMBER],
        isAdded: (about & IS_ADDED) !== 0,
        about: about & ~(IS_IPV6 | IS_ADDED | HAS_ENDS | IS_OTHER),
        isIpv6,
        ends: endWords === 0
          ? []
          : [...words.subarray(head + SIGHTING_PORTS, head + SIGHTING_WORDS + endWords)],
        says: isWhole ? 0 : says & SAYS_BITS,
        looks: isWhole
          ? []
          : [(says >>> LOOKS_SHIFT) & LOOKS_MASK, says >>> LOOKS_SHIFT + LOOKS_BITS],
        bytes: [...new Uint8Array(this.#memory.buffer, offset, captured)],
        linkType: words[head + SIGHTING_LINK_TYPE],
        idle: isWhole ? 0 : words[head + SIGHTING_IDLE],
      });
    }
    return sightings;
  }
}

function kindOf(about: number): Sighting["kind"] {
  if ((about & IS_TIME) !== 0) return "time";
  if ((about & IS_FORGETTING) !== 0) return "forgetting";
  return (about & IS_OTHER) !== 0 ? "other" : "packet";
}

/** Packets with windows of time in between, so that each is sent on. */
function apart(packets: readonly Uint8Array[]): Timed[] {
  return packets.map((packet, i) => ({ packet, seconds: SECOND + i * 3 * WINDOW }));
}

/** What the one decoder that knows all kinds of packets says of some. */
function expectedOf(packets: readonly Uint8Array[], linkType: number): unknown {
  const header = new PacketHeader();
  const decoded = new Array<number>(DECODED_NAMES.length).fill(0);
  const seen: unknown[] = [];
  for (const packet of packets) {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const outcome = decode(view, 0, packet.length, linkType, header);
    decoded[outcome]++;
    const isRead = outcome === TRANSPORT && header.sourcePort === DNS;
    if (outcome === UNREACHABLE || isRead) {
      seen.push({ kind: "other", linkType, bytes: [...packet] });
    }
    if (outcome !== TRANSPORT) continue;
    const flags = header.tcpFlags << FLAGS_SHIFT;
    const payload = header.payloadOffset < header.payloadEnd ? HAS_PAYLOAD : 0;
    seen.push({
      kind: "packet",
      about: header.protocol | flags | payload,
      ends: endsOf(header),
      says: payload === 0 ? 0 : saysOf(view, header),
    });
  }
  return { decoded, seen };
}

/** The same of what was sent on, of conversations of which all packets are new ones. */
async function foundOf(packets: readonly Uint8Array[], linkType: number): Promise<unknown> {
  const sieve = new TestSieve();
  const seen: unknown[] = [];
  for (const sighting of await sieve.siftPackets(apart(packets), linkType)) {
    const { kind, about, ends, isIpv6, bytes, says, linkType } = sighting;
    if (kind === "other") {
      seen.push({ kind, linkType, bytes });
      continue;
    }
    const isTurned = ((about >>> DIRECTION_SHIFT) & 1) !== 0;
    seen.push({
      kind,
      about: about & ~(1 << DIRECTION_SHIFT),
      ends: asSent(ends, isTurned, isIpv6),
      says,
    });
  }
  return { decoded: sieve.decoded, seen };
}

/** What a packet's payload says, as the first one and as a later one. */
function saysOf(view: DataView, header: PacketHeader): number {
  const { protocol, payloadOffset, payloadEnd, sourcePort, destinationPort } = header;
  const says = (isFirst: boolean) =>
    payloadSays(protocol, view, payloadOffset, payloadEnd, sourcePort, destinationPort, isFirst);
  return WAS_LOOKED_AT | says(true) | (says(false) << SAYS_LATER_SHIFT);
}

/** Source and destination, as words of the addresses, and the ports. */
function endsOf({ isIpv6, addresses, sourcePort, destinationPort }: PacketHeader): unknown {
  const words = (from: number) => [...addresses.subarray(isIpv6 ? from : from + 3, from + 4)];
  return [words(SOURCE), sourcePort, words(DESTINATION), destinationPort];
}

function asSent([ports, ...addresses]: number[], isTurned: boolean, isIpv6: boolean): unknown {
  const count = isIpv6 ? 4 : 1;
  const low = [addresses.slice(0, count), ports >>> 16];
  const high = [addresses.slice(count), ports & 0xffff];
  return isTurned ? [...high, ...low] : [...low, ...high];
}

/** Packets that make conversations of their own, by their ports, of the kinds that are decoded fast. */
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

async function assertDecodes(packets: readonly Uint8Array[], linkType: number, message?: string) {
  assert.deepEqual(await foundOf(packets, linkType), expectedOf(packets, linkType), message);
}

Deno.test("a sieve reads the headers that decode() reads, of packets of all kinds", async () => {
  for (const { linkType } of LINK_LAYERS) {
    const samples = SAMPLE_PACKETS.filter((sample) => sample.linkType === linkType);
    // Each by itself, as some are of one conversation.
    for (const { packet } of samples) await assertDecodes([packet], linkType);
  }
  await assertDecodes(plainPackets(), LINKTYPE_ETHERNET);
});

Deno.test("a sieve reads the headers that decode() reads, of packets that are cut anywhere", async () => {
  for (const packet of plainPackets()) {
    const cuts = Array.from(packet, (_, end) => packet.slice(0, end));
    // What ends before its ports has no conversation, and what ends after them has the same one.
    for (const cut of cuts) await assertDecodes([cut], LINKTYPE_ETHERNET, `${cut.length} bytes`);
  }
});

Deno.test("a sieve says of messages what payloadSays() says, also of those that are cut or changed", async () => {
  const random = new SeededRandom();
  for (const [, one, other] of FAMILIES) {
    for (let round = 0; round < 40; round++) {
      const packets = MESSAGES.map(({ transport, port, payload: whole }, i) => {
        const payload = whole.slice(0, round % 2 === 0 ? whole.length : random.below(whole.length));
        for (let change = round >> 1 & 3; change > 0 && payload.length > 0; change--) {
          payload[random.below(Math.min(payload.length, 24))] = random.of([0, 1, 0x20, 0x80, 255]);
        }
        // Ports of its own, and now and then another one than that of the protocol.
        const ports = [20_000 + i, random.below(4) === 0 ? random.of([53, 88, 123, 8080]) : port];
        return ethernet(
          transport === "tcp"
            ? ip(one, other, tcp(ports[0], ports[1], PSH | ACK, payload))
            : ipUdp(one, other, udp(ports[0], ports[1], payload)),
        );
      });
      await assertDecodes(packets, LINKTYPE_ETHERNET, `FLOSENSOR_TEST_SEED=${random.seed}`);
    }
  }
});

Deno.test("a sieve reads the headers that decode() reads, of packets with bytes changed", async () => {
  const random = new SeededRandom();
  const plain = plainPackets();
  const sieveless = (packet: Uint8Array) => assertDecodes([packet], LINKTYPE_ETHERNET, `${packet}`);
  for (let round = 0; round < 1500; round++) {
    const packet = random.of(plain).slice();
    for (let change = 1 + random.below(4); change > 0; change--) {
      packet[12 + random.below(60)] = random.of([0, 1, 4, 5, 6, 8, 17, 0x45, 0x50, 0x60, 255]);
    }
    // SYN and FIN alone make no conversation, which is another test's matter.
    const flags = packet[12] === 0x08 ? 14 + 20 + 13 : 14 + 40 + 13;
    packet[flags] &= ~(SYN | FIN | RST);
    await sieveless(packet);
  }
});

Deno.test("a sieve reads records of pcap in either byte order, and of each of its formats", async () => {
  const packets = apart(plainPackets());
  const expected = await new TestSieve().sift(pcap(packets));
  assert.ok(expected.length > packets.length);
  assert.deepEqual(await new TestSieve().sift(pcap(packets, { littleEndian: false })), expected);
  assert.deepEqual(await new TestSieve().sift(pcap(packets, { magic: 0xa1b23c4d })), expected);
});

Deno.test("a sieve sifts records as it sifts a batch of them, more than one has room for", async () => {
  const random = new SeededRandom();
  // Short ones, so that there are more in the window of the file than in a batch.
  const short = new Uint8Array(1);
  const packets = Array.from({ length: 20_000 }, (_, i) => ({
    packet: random.below(4) === 0 ? random.of(SAMPLE_PACKETS).packet : short,
    seconds: SECOND + (i >> 9),
  }));
  for (const linkType of [LINKTYPE_ETHERNET, LINKTYPE_RAW]) {
    const capture = pcap(packets, { linkType });
    const ofRecords = new TestSieve();
    const ofBatches = new TestSieve();
    const expected = await ofBatches.sift(capture, false);
    assert.ok(expected.length > 100);
    assert.deepEqual(await ofRecords.sift(capture), expected, `seed ${random.seed}`);
    assert.deepEqual(ofRecords.decoded, ofBatches.decoded);
    assert.equal(ofRecords.queries, ofBatches.queries);
    assert.equal(ofRecords.decoded.reduce((sum, count) => sum + count), packets.length);
  }
});

Deno.test("a sieve counts DNS queries where responses are wanted, and sends on all else", async () => {
  const readPorts = new Uint8Array(65_536);
  readPorts[DNS] = READ_RESPONSES;
  let port = 20_000;
  for (const [family, one, other] of FAMILIES) {
    for (const flags of [0x00, 0x01, 0x78, 0x7f, 0x80, 0x85, 0xff]) {
      for (const size of [0, 2, 3, 11, 12, 13, 40]) {
        const message = new Uint8Array(size);
        if (size > 2) message[2] = flags;
        const isQuery = readDnsMessage(message, 0, size).outcome === QUERY;
        const sieve = new TestSieve({ readPorts });
        const packets = [
          ethernet(ipUdp(one, other, udp(DNS, port++, message))),
          ethernet(ipUdp(other, one, udp(port++, DNS, message))),
          ethernet(ip(one, other, tcp(DNS, port++, ACK | PSH, message))),
        ].map((packet) => bytes(packet, new Uint8Array(20)));
        const sightings = await sieve.siftPackets(apart(packets));
        const sent = sightings.filter(({ kind }) => kind === "other").map(({ bytes }) => bytes);
        const expected = [packets[2]];
        if (!isQuery) expected.unshift(packets[0]);
        const about = `${family}, ${size} bytes, flags ${flags}`;
        assert.deepEqual(sent, expected.map((packet) => [...packet]), about);
        assert.equal(sieve.queries, isQuery ? 1 : 0, about);
        assert.equal(sieve.conversations, 3);
      }
    }
  }
});

for (const [family, one, other] of FAMILIES) {
  const there = (flags: number, payload = "", port = 40_000) =>
    ethernet(ip(one, other, tcp(port, 443, flags, payload)));
  const back = (flags: number, payload = "") =>
    ethernet(ip(other, one, tcp(443, 40_000, flags, payload)));
  const at = (second: number, ...packets: Bytes[]): Timed[] =>
    packets.map((packet) => ({ packet, seconds: SECOND + second }));
  const isIpv6 = family === "IPv6";

  Deno.test(`a sieve sends on the first packet of each direction in each window, ${family}`, async () => {
    const sieve = new TestSieve();
    const count = async (packets: Timed[]) => (await sieve.siftPackets(packets)).length;
    assert.equal(await count(at(0, there(ACK), there(ACK), back(ACK), there(ACK))), 2);
    assert.equal(await count(at(9, there(ACK), back(ACK))), 0);
    assert.equal(await count(at(WINDOW, there(ACK), there(ACK), back(ACK))), 2);
    assert.equal(sieve.conversations, 1);
  });

  Deno.test(`a sieve sends on a direction that was silent for any number of windows, ${family}`, async () => {
    const sieve = new TestSieve();
    const count = async (packets: Timed[]) => (await sieve.siftPackets(packets)).length;
    await count(at(0, there(ACK), back(ACK)));
    // The one goes on, and the other comes again after as many windows as some bits can tell apart.
    for (let bits = 13, first = 1; bits <= 16; bits++) {
      const windows = 1 << bits;
      const packets = Array.from(
        { length: windows },
        (_, i) => at((first + i) * WINDOW, there(ACK)),
      );
      assert.equal(await count(packets.flat()), windows);
      first += windows;
      assert.equal(await count(at((first - 1) * WINDOW, back(ACK), back(ACK))), 1, `${windows}`);
    }
  });

  Deno.test(`a sieve sends on both directions of what was seen at the time 0, ${family}`, async () => {
    const packets = [there(ACK), back(ACK), there(ACK)].map((packet) => ({ packet, seconds: 0 }));
    assert.equal((await new TestSieve().siftPackets(packets)).length, 2);
  });

  Deno.test(`a sieve looks at the first four payloads of each direction, ${family}`, async () => {
    const sieve = new TestSieve();
    const request = "GET / HTTP/1.1\r\n";
    // Of a server of VNC, if it is the first.
    const version = "RFB 003.008\n";
    const packets = new Array(6).fill([there(ACK, request), back(ACK, version)]);
    const sightings = await sieve.siftPackets(at(0, ...packets.flat()));
    const requestSays = WAS_LOOKED_AT | FROM_CLIENT | (FROM_CLIENT << SAYS_LATER_SHIFT);
    const expected = new Array(4).fill([requestSays, WAS_LOOKED_AT | FROM_SERVER]);
    assert.deepEqual(sightings.map(({ says }) => says), expected.flat());
    const later = await sieve.siftPackets(at(WINDOW, there(ACK, request), back(ACK, version)));
    assert.deepEqual(later.map(({ says }) => says), [0, 0]);
  });

  Deno.test(`a sieve counts payloads that say nothing, and sends on the others with the count, ${family}`, async () => {
    const sieve = new TestSieve();
    const request = "GET / HTTP/1.1\r\n";
    const packets = [there(ACK, "?"), there(ACK, "?"), back(ACK, "?"), there(ACK, "?")];
    const sightings = await sieve.siftPackets(
      at(0, ...packets, there(ACK, request), back(ACK, "?"), there(SYN), there(ACK, "?")),
    );
    const isTurned = ((sightings[0].about >>> DIRECTION_SHIFT) & 1) !== 0;
    const asEnds = (looks: number[]) => isTurned ? looks.toReversed() : looks;
    assert.deepEqual(
      sightings.map(({ looks, says }) => [...asEnds(looks), (says & WAS_LOOKED_AT) !== 0]),
      [[1, 0, true], [2, 1, true], [4, 1, true], [4, 2, false], [1, 0, true]],
    );
  });

  Deno.test(`a sieve makes no conversation of SYN and FIN, but sends them on, ${family}`, async () => {
    const sieve = new TestSieve();
    const [syn, answer, fin, ...rest] = await sieve.siftPackets(
      at(0, there(SYN), back(SYN | ACK), there(FIN | ACK)),
    );
    assert.deepEqual(rest, []);
    assert.deepEqual([syn.number, answer.number, fin.number], [0, 0, 0]);
    assert.deepEqual(syn.ends, answer.ends);
    assert.deepEqual(syn.ends, fin.ends);
    assert.equal(sieve.conversations, 0);
  });

  Deno.test(`a sieve sends on SYN, FIN and RST of a known conversation, and how long it was silent, ${family}`, async () => {
    const sieve = new TestSieve();
    const [first] = await sieve.siftPackets(at(0, there(ACK, "payload")));
    assert.ok(first.isAdded);
    const sightings = await sieve.siftPackets([
      ...at(7, there(FIN | ACK)),
      ...at(300, there(SYN)),
      ...at(301, there(SYN)),
    ]);
    assert.deepEqual(sightings.map(({ number, idle }) => [number, idle]), [
      [first.number, 7],
      [first.number, 293],
      [first.number, 294],
    ]);
    // After SYN it may be another connection: its payloads are looked at again.
    const anew = await sieve.siftPackets(at(301, ...new Array(6).fill(there(ACK, "payload"))));
    assert.equal(anew.length, 4);
  });

  Deno.test(`a sieve makes a conversation of a refusal unless it goes to an own network, ${family}`, async () => {
    const refusals = at(0, there(RST, "", 1), back(RST), there(RST, "", 2));
    const ownNetworks = [parseCidr("198.51.100.0/24"), parseCidr("2001:db8:f::/48")];
    const own = isIpv6 ? ownNetworks : [parseCidr("192.0.2.1/32"), ...ownNetworks];
    const sieve = new TestSieve({ ownNetworks: own });
    const sightings = await sieve.siftPackets(refusals);
    assert.deepEqual(sightings.map(({ isAdded }) => isAdded), [false, true, false]);
    assert.ok(sightings.every(({ ends }) => ends.length > 0));
    // Those of a known conversation are sent on, wherever they go.
    const known = await sieve.siftPackets(at(1, back(RST), there(RST), back(RST)));
    assert.deepEqual(known.map(({ number }) => number), new Array(3).fill(sightings[1].number));
  });

  Deno.test(`a sieve sends all on again when it is told to, ${family}`, async () => {
    const sieve = new TestSieve();
    const packets = at(0, there(ACK), back(ACK));
    const sent: number[] = [];
    for (const isAnew of [true, false, true]) {
      if (isAnew) Atomics.add(sieve.settings.anew, 0, 1);
      sent.push((await sieve.siftPackets(packets)).length);
    }
    assert.deepEqual(sent, [2, 0, 2]);
  });

  Deno.test(`a sieve never remembers more conversations than it may, and says so before it forgets, ${family}`, async () => {
    const sieve = new TestSieve({ maxConversations: 100 });
    const busy = there(ACK, "", 9);
    const packets = Array.from(
      { length: 5000 },
      (_, i) => at(Math.floor(i / 50), there(ACK, "", 1000 + i), busy),
    );
    const sightings = await sieve.sift(pcap(packets.flat()));
    assert.equal(sieve.conversations, 100);
    assert.equal(sieve.forgotten, 5001 - 100);
    const numbers = new Set<number>();
    let before = 0;
    for (const { kind, isAdded, number } of sightings) {
      if (kind === "forgetting") before = numbers.size;
      if (isAdded) numbers.add(number);
    }
    // No number was used that was not freed before.
    assert.equal(before, numbers.size);
    assert.equal(Math.max(...numbers), 100);
    // What has packets all the time is not among the forgotten.
    const added = sightings.filter(({ ends, isAdded }) =>
      isAdded && [ends[0] >>> 16, ends[0] & 0xffff].includes(9)
    );
    assert.equal(added.length, 1);
  });

  Deno.test(`a sieve knows nothing of what it has just forgotten, among packets of one second, ${family}`, async () => {
    const sieve = new TestSieve({ maxConversations: 128 });
    const ports = Array.from({ length: 128 }, (_, i) => 1000 + i);
    await sieve.siftPackets(at(0, ...ports.map((port) => there(ACK, "", port))));
    // Two are forgotten at a time, and only one of their places is taken at once.
    const sightings = await sieve.siftPackets(
      at(1, ...[5000, 1000, 1001].map((port) => there(ACK, "", port))),
    );
    const added = sightings.filter(({ isAdded }) => isAdded);
    assert.deepEqual(
      added.map(({ ends }) => Math.max(...[ends[0] >>> 16, ends[0] & 0xffff])),
      [5000, 1000, 1001],
    );
    assert.equal(sieve.conversations, 127);
  });

  for (const what of ["ports", "addresses"]) {
    Deno.test(`a sieve finds each of many conversations again, told apart by ${what}, as its index grows, ${family}`, async () => {
      const sieve = new TestSieve({ maxConversations: 40_000 });
      const many = Array.from({ length: 30_000 }, (_, i) => {
        if (what === "ports") return there(ACK, "", 1000 + i);
        const client = isIpv6 ? `2001:db8::${i.toString(16)}` : `10.1.${i >> 8}.${i & 255}`;
        return ethernet(ip(client, other, tcp(40_000, 443, ACK)));
      });
      const first = await sieve.siftPackets(at(0, ...many));
      assert.ok(first.every(({ isAdded }) => isAdded));
      const again = await sieve.siftPackets(at(WINDOW, ...many));
      assert.deepEqual(again.map(({ number }) => number), first.map(({ number }) => number));
      assert.ok(again.every(({ isAdded }) => !isAdded));
    });
  }
}

Deno.test("a sieve tells the time of packets, late ones too, and takes what is late for present", async () => {
  const packet = ethernet(ip("10.0.0.1", "192.0.2.1", tcp(40_000, 443, ACK)));
  const seconds = [0, 5, 3, 5, -1000, -1000];
  const capture = pcap(seconds.map((second) => ({ packet, seconds: SECOND + second })));
  const sightings = await new TestSieve().sift(capture);
  const times = sightings.filter(({ kind }) => kind === "time").map(({ number }) =>
    number - SECOND
  );
  assert.deepEqual(times, [0, 5, 3, 5, -1000]);
  // In its first second, and after time has leapt back.
  assert.equal(sightings.filter(({ kind }) => kind === "packet").length, 2);
});

Deno.test("a sieve's places of packets stay below 2 GiB, however much it remembers", () => {
  const settings = new TestSieve().settings;
  const { ring, pages } = new SieveLayout({ ...settings, maxConversations: 16_000_000 });
  assert.ok(ring.end < 2 ** 31 && pages <= 65_536);
});
