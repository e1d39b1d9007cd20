import assert from "node:assert/strict";
import fc from "fast-check";
import { type CarriedName, CarriedNames } from "../../src/names/carried_names.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { PacketHeader } from "../../src/packet/packet_header.ts";
import { bytes, ip, ipUdp, tcp, udp } from "../packets.ts";
import { takePacket } from "./take_packet.ts";
import { SeededRandom } from "../seeded_random.ts";
import { clientHello, crypto, initial, QUIC_1, QUIC_2, QUIC_DRAFT_29, records } from "./hellos.ts";

const RAW = 101;
const ENDS = ["10.0.0.7", "192.0.2.10"] as const;
const NAME = "www.example.com";
/** Hybrid key shares make a hello longer than a segment. */
const LONG = { keyShare: 1800, protocols: ["h2", "http/1.1"] };

/** Names out of packets, one after the other. */
class Reader {
  readonly names: CarriedNames;
  readonly #header = new PacketHeader();

  constructor(names = new CarriedNames()) {
    this.names = names;
  }

  read(packet: Uint8Array): CarriedName | null {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const decoded = decode(view, 0, packet.length, RAW, this.#header);
    return decoded === TRANSPORT ? takePacket(this.names, view, this.#header) : null;
  }

  /** A TCP segment of the client's stream, `at` bytes after its beginning. */
  segment(payload: Uint8Array, at: number, port = 40_000): CarriedName | null {
    const segment = tcp(port, 443, 0x18, payload);
    new DataView(segment.buffer).setUint32(4, (0xffff_ff00 + at) >>> 0);
    return this.read(ip(...ENDS, segment));
  }

  datagram(payload: Uint8Array, port = 40_000): CarriedName | null {
    return this.read(ipUdp(...ENDS, udp(port, 443, payload)));
  }
}

/** Pieces of some bytes, with where each begins. */
function pieces(whole: Uint8Array, size: number): [number, Uint8Array][] {
  const all: [number, Uint8Array][] = [];
  for (let at = 0; at < whole.length; at += size) all.push([at, whole.subarray(at, at + size)]);
  return all;
}

Deno.test("CarriedNames reads the server's name and the protocols of a ClientHello", () => {
  const found = new Reader().segment(records(clientHello("WWW.Example.com.", LONG)), 0);
  assert.deepEqual(found, {
    by: "sni",
    name: NAME,
    protocols: ["h2", "http/1.1"],
    encryptedHello: null,
  });
});

Deno.test("CarriedNames says which configuration a hello was encrypted by", () => {
  const found = new Reader().segment(records(clientHello(NAME, { encryptedHello: 42 })), 0);
  assert.equal(found?.encryptedHello, 42);
});

Deno.test("CarriedNames says of a hello without a name that there is none", () => {
  assert.equal(new Reader().segment(records(clientHello(null)), 0)?.name, null);
});

Deno.test("CarriedNames puts segments together in any order, sent again, and over sequence 2^32", () => {
  const whole = records(clientHello(NAME, LONG), 700);
  fc.assert(
    fc.property(
      fc.integer({ min: 300, max: 1400 }).chain((size) =>
        fc.shuffledSubarray(pieces(whole, size), {
          minLength: Math.ceil(whole.length / size),
        })
      ),
      fc.boolean(),
      (order, isSentAgain) => {
        // More than four before the first are not waited for.
        fc.pre(order.findIndex(([at]) => at === 0) <= 4);
        const reader = new Reader();
        const found = order.flatMap(([at, piece]) => [
          reader.segment(piece, at),
          ...(isSentAgain && at !== 0 ? [reader.segment(piece, at)] : []),
        ]);
        fc.pre(!isSentAgain || order[0][0] === 0);
        assert.ok(found.some((name) => name?.name === NAME), `${order.map(([at]) => at)}`);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("CarriedNames reads Host of an HTTP request in one segment or several", () => {
  const request = bytes(`GET /a HTTP/1.1\r\nAccept: */*\r\nhOsT: ${NAME}:8080\r\n\r\n`);
  for (const size of [10, 25, request.length]) {
    const reader = new Reader();
    const found = pieces(request, size).map(([at, piece]) => reader.segment(piece, at));
    const last = found.find((name) => name !== null);
    assert.deepEqual([last?.by, last?.name], ["http-host", NAME], `${size}`);
    assert.equal(reader.names.pending, 0);
  }
});

Deno.test("CarriedNames takes no other text for HTTP", () => {
  for (const text of ["GET /a\r\nHost: x\r\n\r\n", "GET key\r\n", "MOVE 5 INBOX\r\nHost: a\r\n"]) {
    const reader = new Reader();
    assert.equal(reader.segment(bytes(text), 0), null, text);
    assert.equal(reader.names.pending, 0, text);
  }
});

for (const version of [QUIC_1, QUIC_2, QUIC_DRAFT_29]) {
  const name = version.number.toString(16);
  Deno.test(`CarriedNames reads QUIC Initial packets, version ${name}`, () => {
    const hello = clientHello(NAME, { protocols: ["h3"] });
    const found = new Reader().datagram(initial(crypto(0, hello), { version }));
    assert.deepEqual(found, {
      by: "quic-sni",
      name: NAME,
      protocols: ["h3"],
      encryptedHello: null,
    });
  });
}

Deno.test("CarriedNames puts CRYPTO frames of several datagrams together, in any order", () => {
  const hello = clientHello(NAME, LONG);
  const frames = pieces(hello, 150).map(([at, piece]) => crypto(at, piece));
  for (const order of [frames, [...frames].reverse()]) {
    const reader = new Reader();
    const half = Math.ceil(order.length / 2);
    assert.equal(reader.datagram(initial(bytes(...order.slice(0, half)))), null);
    const last = initial(bytes(1, ...order.slice(half)), { number: 1 });
    assert.equal(reader.datagram(last)?.name, NAME);
    assert.equal(reader.names.pending, 0);
  }
});

Deno.test("CarriedNames goes on when the client has taken over the server's connection ID", () => {
  const [[, one], [at, other]] = pieces(clientHello(NAME, LONG), 1000);
  const reader = new Reader();
  reader.datagram(initial(crypto(0, one)));
  const keysOf = [1, 2, 3, 4, 5, 6, 7, 8];
  const rest = initial(crypto(at, other), { destination: [9, 9], keysOf, number: 1 });
  assert.equal(reader.datagram(rest)?.name, NAME);
});

Deno.test("CarriedNames reads the Initial packet that follows Retry, with a token and new keys", () => {
  const hello = clientHello(NAME, LONG);
  const reader = new Reader();
  assert.equal(reader.datagram(initial(crypto(0, hello.subarray(0, 900)))), null);
  const again = { destination: [7, 7, 7, 7, 7, 7, 7, 7], token: [1, 2, 3, 4], number: 1 };
  assert.equal(reader.datagram(initial(crypto(0, hello.subarray(0, 1000)), again)), null);
  const rest = bytes(crypto(1000, hello.subarray(1000)));
  assert.equal(reader.datagram(initial(rest, { ...again, number: 2 }))?.name, NAME);
});

Deno.test("CarriedNames reads coalesced packets", () => {
  const hello = clientHello(NAME, LONG);
  const one = initial(crypto(0, hello.subarray(0, 400)), {}, 500);
  const other = initial(crypto(400, hello.subarray(400)), { number: 1 }, 500);
  assert.equal(new Reader().datagram(bytes(one, other))?.name, NAME);
});

Deno.test("CarriedNames gives up the longest idle where there is no more room, and counts it", () => {
  const reader = new Reader(new CarriedNames({ maxStreams: 100 }));
  const [[, first], [at, second], [last, third]] = pieces(records(clientHello(NAME, LONG)), 700);
  for (let port = 1000; port < 1200; port++) reader.segment(first, 0, port);
  assert.equal(reader.names.pending, 100);
  assert.equal(reader.names.givenUp, 100);
  reader.segment(second, at, 1199);
  assert.equal(reader.segment(third, last, 1199)?.name, NAME);
  const bounded = new Reader(new CarriedNames({ maxBytes: 20_000 }));
  for (let port = 1000; port < 1200; port++) bounded.segment(first, 0, port);
  assert.ok(bounded.names.pendingBytes <= 20_000);
});

Deno.test("CarriedNames takes 200,000 mutated hellos and Initial packets, and its memory stays bounded", () => {
  const hello = clientHello(NAME, LONG);
  const samples: [boolean, Uint8Array][] = [
    ...pieces(records(hello), 900).map(([, piece]) => [true, piece] as [boolean, Uint8Array]),
    [true, records(clientHello(NAME))],
    [true, bytes(`POST / HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)],
    [false, initial(crypto(0, hello.subarray(0, 1000)))],
    [false, initial(bytes(crypto(1000, hello.subarray(1000))), { version: QUIC_2 })],
  ];
  const random = new SeededRandom(4711);
  const names = new CarriedNames({ maxStreams: 64 });
  const reader = new Reader(names);
  for (let round = 0; round < 200_000; round++) {
    const [isTcp, sample] = samples[random.below(samples.length)];
    // Most of a packet is encrypted: its beginning is what is worth to change.
    const payload = sample.slice(0, 1 + random.below(sample.length));
    for (let changes = random.below(4); changes > 0; changes--) {
      payload[random.below(Math.min(payload.length, 120))] = random.below(256);
    }
    const port = 1024 + random.below(500);
    if (isTcp) reader.segment(payload, random.below(3) * 900, port);
    else if (round % 8 === 0) reader.datagram(payload, port);
  }
  assert.ok(names.pending <= 64);
  assert.ok(names.pendingBytes <= 64 * 64 * 1024);
});
