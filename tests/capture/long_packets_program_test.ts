import assert from "node:assert/strict";
import { compileFilter } from "../../ffi/bpf_compiler.ts";
import { interpreter, packetFilter } from "../../src/capture/bpf.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { filterBefore } from "../../src/capture/filter_before.ts";
import { LONG_SNAPLEN, NAMED_SNAPLEN } from "../../src/capture/live_options.ts";
import { linkLayout, longPacketsProgram } from "../../src/capture/long_packets_program.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { LINKTYPE_ETHERNET } from "../../src/packet/link_type.ts";
import { PacketHeader } from "../../src/packet/packet_header.ts";
import { HAS_LIBPCAP, WITHOUT_LIBPCAP } from "../installed.ts";
import { LINK_LAYERS } from "../link_layers.ts";
import { clientHello, crypto, initial, QUIC_2, QUIC_DRAFT_29, records } from "../names/hellos.ts";
import { ACK, type Bytes, bytes, ethernet, ip, ipUdp, PSH, tcp, u16, udp } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";

const SNAPLEN = 512;
const PORTS = [53, 5353];
const LONG = { ports: PORTS, withNames: true };
const PAYLOAD = "n".repeat(600);
const DESTINATION_OPTIONS = 60;
/** Layers in which the program does not look for ports, so that all is taken. */
const TAKEN_WHOLE = /LLC|five VLAN|MPLS|metadata|E-tag|VN-tag|MACsec/;

/** Runs a program in both ways, and says how many bytes it takes of a packet. */
function runner(program: readonly BpfInstruction[]): (packet: Uint8Array) => number {
  const filter = packetFilter(program);
  const interpreted = interpreter(program);
  return (packet) => {
    const { length } = packet;
    const taken = filter(packet, 0, length, length);
    assert.equal(interpreted(packet, 0, length, length), taken);
    return taken;
  };
}

const runners = new Map<string, (packet: Uint8Array) => number>();

function longOf(linkType: number, packet: Uint8Array, snaplen = SNAPLEN): number {
  const which = `${linkType} ${snaplen}`;
  let run = runners.get(which);
  if (run === undefined) {
    run = runner(longPacketsProgram(linkLayout(linkType), snaplen, LONG));
    runners.set(which, run);
  }
  return run(packet);
}

/** IP packets of all kinds, and whether they come from one of the ports. */
function packetsFrom(port: number): Bytes[] {
  const options = [1, 1, 1, 0];
  const extension = (type: number, size: number) => [type, [0, size / 8 - 1, ...zeros(size - 2)]];
  const extended = (...extensions: (readonly [number, readonly number[]])[]) =>
    ip("2001:db8::1", "2001:db8::7", udp(port, 40_000, PAYLOAD), { protocol: 17, extensions });
  const hopByHop = extension(0, 8) as [number, number[]];
  const large = extension(DESTINATION_OPTIONS, 256) as [number, number[]];
  return [
    ipUdp("10.0.0.1", "10.0.0.7", udp(port, 40_000, PAYLOAD)),
    ip("10.0.0.1", "10.0.0.7", udp(port, 40_000, PAYLOAD), { protocol: 17, options }),
    ip("10.0.0.1", "10.0.0.7", tcp(port, 40_000, 0x18, PAYLOAD)),
    ipUdp("2001:db8::1", "2001:db8::7", udp(port, 40_000, PAYLOAD)),
    ip("2001:db8::1", "2001:db8::7", tcp(port, 40_000, 0x18, PAYLOAD)),
    extended(hopByHop),
    extended(hopByHop, large, [43, zeros(8)], [51, [0, 4, ...zeros(22)]], [44, zeros(8)]),
    extended(...Array.from({ length: 7 }, () => hopByHop)),
  ];
}

function zeros(count: number): number[] {
  return Array(count).fill(0);
}

Deno.test("longPacketsProgram() takes more of what comes from the ports, in every link layer", () => {
  for (const { name, linkType, wrap } of LINK_LAYERS) {
    for (const port of PORTS) {
      for (const [i, packet] of packetsFrom(port).entries()) {
        assert.equal(longOf(linkType, wrap(packet)), LONG_SNAPLEN, `${name}, packet ${i}`);
      }
    }
    // Where it is not known where IP begins, all is taken.
    const isTakenWhole = linkLayout(linkType) === null || TAKEN_WHOLE.test(name);
    const other = isTakenWhole ? LONG_SNAPLEN : SNAPLEN;
    for (const [i, packet] of packetsFrom(54).entries()) {
      assert.equal(longOf(linkType, wrap(packet)), other, `${name}, other packet ${i}`);
    }
  }
});

/** Packets of a client, and whether more is taken of them. */
function packetsWithNames(): [string, boolean, Bytes][] {
  const hello = records(clientHello("www.example.com", { keyShare: 1200 }));
  const data = bytes(0x17, 3, 3, 2, 0, new Uint8Array(600));
  const rest = new Uint8Array(700).fill(0xaa);
  const request = (method: string) => bytes(`${method} / HTTP/1.1\r\nX: ${PAYLOAD}\r\n\r\n`);
  const to = (port: number, payload: Uint8Array, flags = PSH | ACK, source = "10.0.0.7") =>
    ip(
      source,
      source.includes(":") ? "2001:db8::1" : "192.0.2.1",
      tcp(40_000, port, flags, payload),
    );
  const quic = (payload: Uint8Array) => ipUdp("10.0.0.7", "192.0.2.1", udp(40_000, 443, payload));
  const timestamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
  const withOptions = tcp(40_000, 443, PSH | ACK, hello, timestamps);
  return [
    ["ClientHello", true, to(443, hello)],
    ["ClientHello to any port", true, to(12_345, hello, ACK)],
    ["ClientHello after TCP options", true, ip("10.0.0.7", "192.0.2.1", withOptions)],
    ["ClientHello over IPv6", true, to(443, hello, PSH | ACK, "2001:db8::7")],
    ["rest of a ClientHello", true, to(443, rest)],
    ["middle of data", false, to(443, rest, ACK)],
    ["end of data to another port", false, to(22, rest)],
    ["application data", false, to(443, data)],
    ["ServerHello", false, to(40_001, bytes(22, 3, 3, 2, 0, 2, new Uint8Array(600)))],
    ...["GET", "POST", "CONNECT", "PROPFIND"].map((method) =>
      [method, true, to(80, request(method))] as [string, boolean, Bytes]
    ),
    ["text", false, to(80, request("EHLO"))],
    ["QUIC 1", true, quic(initial(crypto(0, hello)))],
    ["QUIC 2", true, quic(initial(crypto(0, hello), { version: QUIC_2 }))],
    ["QUIC draft 29", true, quic(initial(crypto(0, hello), { version: QUIC_DRAFT_29 }))],
    ["QUIC data", false, quic(bytes(0x40, new Uint8Array(1200)))],
    ["QUIC of an unknown version", false, quic(bytes(0xc0, u16(7), u16(7), new Uint8Array(1200)))],
    ["short long header", false, quic(bytes(0xc0, u16(0), u16(1), new Uint8Array(700)))],
  ];
}

Deno.test("longPacketsProgram() takes more of what may carry the name of a server", () => {
  for (const { name, linkType, wrap } of LINK_LAYERS) {
    if (linkLayout(linkType) === null || TAKEN_WHOLE.test(name)) continue;
    for (const [what, isNamed, packet] of packetsWithNames()) {
      const wanted = isNamed ? NAMED_SNAPLEN : SNAPLEN;
      assert.equal(longOf(linkType, wrap(packet)), wanted, `${what} in ${name}`);
    }
  }
});

Deno.test("longPacketsProgram() takes all of what has more tags or headers than it goes past", () => {
  const [packet] = packetsFrom(54);
  const tags = Array.from({ length: 5 }, () => [...u16(0x8100), ...u16(1)]);
  const deep = bytes(new Uint8Array(12), ...tags, u16(0x0800), packet);
  assert.equal(longOf(LINKTYPE_ETHERNET, deep), LONG_SNAPLEN);
  const extensions = Array.from({ length: 9 }, () => [0, zeros(8)] as const);
  const chain = ip("::1", "::2", udp(54, 1, PAYLOAD), { protocol: 17, extensions });
  assert.equal(longOf(LINKTYPE_ETHERNET, ethernet(chain)), LONG_SNAPLEN);
});

Deno.test("longPacketsProgram() takes every packet, and more of all that decode() finds the ports in", () => {
  const random = new SeededRandom();
  const header = new PacketHeader();
  const layers = LINK_LAYERS.filter(({ linkType }) => linkLayout(linkType) !== null);
  const packets = [
    ...PORTS.concat(54, 54).flatMap(packetsFrom),
    ...packetsWithNames().map(([, , packet]) => packet),
  ];
  let found = 0;
  for (let i = 0; i < 20_000; i++) {
    const { linkType, wrap, name } = layers[random.below(layers.length)];
    let changed = wrap(packets[random.below(packets.length)]);
    for (let changes = random.below(4); changes > 0; changes--) {
      changed[random.below(Math.min(changed.length, 120))] = random.below(256);
    }
    if (random.below(3) === 0) changed = changed.slice(0, random.below(changed.length + 1));
    const snaplen = [1, 64, SNAPLEN][random.below(3)];
    const length = longOf(linkType, changed, snaplen);
    assert.ok(length > 0, `${name}: ${changed.toHex()}`);
    const view = new DataView(changed.buffer);
    if (decode(view, 0, changed.length, linkType, header) !== TRANSPORT) continue;
    if (!PORTS.includes(header.sourcePort)) continue;
    found++;
    assert.ok(length >= changed.length, `${name}: ${length} bytes of ${changed.toHex()}`);
  }
  assert.ok(found > 2000, `${found} found`);
});

Deno.test({
  name: "a filter before longPacketsProgram() decides what is taken, and not how much" +
    WITHOUT_LIBPCAP,
  ignore: !HAS_LIBPCAP,
  fn() {
    const packets: Record<string, Bytes> = {
      response: ethernet(ipUdp("192.0.2.53", "10.0.0.7", udp(53, 40_000, PAYLOAD))),
      responseV6: ethernet(ipUdp("2001:db8::53", "2001:db8::7", udp(53, 40_000, PAYLOAD))),
      responseInVlan: ethernet(ipUdp("192.0.2.53", "10.0.0.7", udp(53, 40_000, PAYLOAD)), [20]),
      responseOverTcp: ethernet(ip("192.0.2.53", "10.0.0.7", tcp(53, 40_000, 0x18, PAYLOAD))),
      query: ethernet(ipUdp("10.0.0.7", "192.0.2.53", udp(40_000, 53, PAYLOAD))),
      other: ethernet(ip("192.0.2.80", "10.0.0.7", tcp(443, 40_000, 0x18, PAYLOAD))),
    };
    const lengths = (expression: string) => {
      const program = [
        ...filterBefore(compileFilter(expression, LINKTYPE_ETHERNET)),
        ...longPacketsProgram(linkLayout(LINKTYPE_ETHERNET), SNAPLEN, LONG),
      ];
      return Object.values(packets).map(runner(program));
    };
    const long = LONG_SNAPLEN;
    assert.deepEqual(lengths(""), [long, long, long, long, SNAPLEN, SNAPLEN]);
    assert.deepEqual(lengths("udp and not ip6"), [long, 0, 0, 0, SNAPLEN, 0]);
    assert.deepEqual(lengths("not port 53 and not vlan"), [0, 0, 0, 0, 0, SNAPLEN]);
  },
});
