import assert from "node:assert/strict";
import { type Bytes, bytes, ip, ipIcmp, type IpOptions, ipUdp, tcp, u16, udp } from "../packets.ts";
import { readPacket } from "./read_packet.ts";

const RAW = 101;
const V4 = ["10.0.0.1", "10.0.0.2"] as const;
const V6 = ["2001:db8::1", "2001:db8::2"] as const;
const SEGMENT = tcp(1234, 80, 0x18, "payload");
const NO_OPERATION = 1;

function decodedOf(packet: Uint8Array): string {
  return readPacket(packet, RAW).decoded;
}

/** The packet with two bytes in network order put over what is there. */
function withWord(packet: Uint8Array, at: number, word: number): Bytes {
  const changed = bytes(packet);
  changed.set(u16(word), at);
  return changed;
}

/** An extension header of so many bytes whose length field counts words of eight, less one. */
function extension(number: number, size: number): readonly [number, number[]] {
  const content = new Array<number>(size).fill(0);
  content[1] = size / 8 - 1;
  return [number, content];
}

function fragmentHeader(offset: number, more: boolean): readonly [number, number[]] {
  return [44, [0, 0, ...u16((offset << 3) | (more ? 1 : 0)), 0, 0, 0, 9]];
}

/** An authentication header of so many bytes: its length field counts words of four, less two. */
function authentication(size: number): readonly [number, number[]] {
  const content = new Array<number>(size).fill(0);
  content[1] = size / 4 - 2;
  return [51, content];
}

/** Each chain of extension headers, and how many bytes it has. */
const CHAINS: [string, NonNullable<IpOptions["extensions"]>, number][] = [
  ["hop-by-hop options", [extension(0, 8)], 8],
  ["long hop-by-hop options", [extension(0, 2048)], 2048],
  ["routing", [extension(43, 24)], 24],
  ["destination options", [extension(60, 16)], 16],
  ["mobility", [extension(135, 8)], 8],
  ["host identity", [extension(139, 40)], 40],
  ["shim6", [extension(140, 8)], 8],
  ["authentication", [authentication(24)], 24],
  ["authentication of 12 bytes", [authentication(12)], 12],
  ["first fragment", [fragmentHeader(0, true)], 8],
  ["atomic fragment", [fragmentHeader(0, false)], 8],
  [
    "all one after the other",
    [
      extension(0, 8),
      extension(60, 8),
      extension(43, 16),
      fragmentHeader(0, true),
      authentication(16),
      extension(60, 24),
    ],
    80,
  ],
];

for (const words of [0, 1, 5, 10]) {
  const options = new Array<number>(words * 4).fill(NO_OPERATION);
  Deno.test(`readIpv4() reads past ${words * 4} bytes of options`, () => {
    const read = readPacket(ip(...V4, SEGMENT, { options }), RAW);
    assert.equal(read.fields, "TCP 10.0.0.1 1234 > 10.0.0.2 80");
    assert.deepEqual(read.payload, [...bytes("payload")]);
  });

  Deno.test(`readIpv4() checks total length against ${words * 4} bytes of options and what follows`, () => {
    const packet = ip(...V4, SEGMENT, { options });
    const needed = 20 + options.length + 20;
    for (let length = 1; length <= packet.length; length++) {
      const expected = length < needed ? "bad length" : "transport";
      assert.equal(decodedOf(withWord(packet, 2, length)), expected, `${length}`);
    }
  });

  Deno.test(`readIpv4() says cut when ${words * 4} bytes of options or what follows are not captured`, () => {
    const packet = ip(...V4, SEGMENT, { options });
    const needed = 20 + options.length + 20;
    for (let captured = 0; captured < needed; captured++) {
      assert.equal(
        decodedOf(packet.subarray(0, captured)),
        "cut by snapshot length",
        `${captured}`,
      );
    }
  });
}

Deno.test("readIpv4() refuses a header length under 20 and one beyond the total length", () => {
  const packet = ip(...V4, SEGMENT);
  for (let words = 0; words < 16; words++) {
    packet[0] = 0x40 | words;
    const isLong = words * 4 > packet.length;
    if (words < 5 || isLong) assert.equal(decodedOf(packet), "bad length", `${words}`);
  }
  const short = ipUdp(...V4, udp(1, 2, ""));
  short[0] = 0x4f;
  assert.equal(decodedOf(short), "bad length");
});

Deno.test("readIpv4() takes a total length of 0 for what segmentation offload leaves", () => {
  const packet = withWord(ip(...V4, SEGMENT), 2, 0);
  assert.deepEqual(readPacket(packet, RAW).payload, [...bytes("payload")]);
});

Deno.test("readIpv4() reads a packet of total length 0 whose TCP options were not captured", () => {
  const segment = tcp(1234, 80, 0x10, "payload", new Array(12).fill(NO_OPERATION));
  const packet = withWord(ip(...V4, segment), 2, 0);
  for (let captured = 0; captured < packet.length; captured++) {
    const expected = captured < 40 ? "cut by snapshot length" : "transport";
    assert.equal(decodedOf(packet.subarray(0, captured)), expected, `${captured}`);
  }
});

Deno.test("readIpv4() tells first fragments, which have ports, from later ones", () => {
  const moreFragments = 0x2000;
  const doNotFragment = 0x4000;
  for (const fragment of [0, moreFragments, doNotFragment]) {
    assert.equal(decodedOf(ip(...V4, SEGMENT, { fragment })), "transport");
  }
  for (const offset of [1, 185, 0x1000, 0x1fff]) {
    assert.equal(decodedOf(ip(...V4, SEGMENT, { fragment: offset })), "later fragment");
    assert.equal(
      decodedOf(ip(...V4, SEGMENT, { fragment: moreFragments | offset })),
      "later fragment",
    );
  }
});

Deno.test("readIpv4() says of a first fragment that ends within the TCP header that its length is bad", () => {
  assert.equal(decodedOf(ip(...V4, SEGMENT.subarray(0, 16), { fragment: 0x2000 })), "bad length");
});

for (const [name, extensions, size] of CHAINS) {
  const udpPacket = ip(...V6, udp(5000, 53, "payload"), { protocol: 17, extensions });

  Deno.test(`readIpv6() reads past extension headers: ${name}`, () => {
    const expected = [...bytes("payload")];
    const udpRead = readPacket(udpPacket, RAW);
    assert.equal(udpRead.fields, "UDP 2001:db8::1 5000 > 2001:db8::2 53");
    assert.deepEqual(udpRead.payload, expected);
    const tcpRead = readPacket(ip(...V6, SEGMENT, { extensions }), RAW);
    assert.equal(tcpRead.fields, "TCP 2001:db8::1 1234 > 2001:db8::2 80");
    assert.deepEqual(tcpRead.payload, expected);
  });

  Deno.test(`readIpv6() says cut when extension headers are not captured: ${name}`, () => {
    for (let captured = 0; captured < 40 + size + 8; captured++) {
      assert.equal(
        decodedOf(udpPacket.subarray(0, captured)),
        "cut by snapshot length",
        `${captured}`,
      );
    }
    assert.equal(decodedOf(udpPacket.subarray(0, 40 + size + 8)), "transport");
  });

  Deno.test(`readIpv6() checks the payload length against extension headers: ${name}`, () => {
    for (let length = 1; length < udpPacket.length - 40; length++) {
      const expected = length < size + 8 ? "bad length" : "transport";
      assert.equal(decodedOf(withWord(udpPacket, 4, length)), expected, `${length}`);
    }
  });
}

Deno.test("readIpv6() says bad length of an extension header that is longer than the packet", () => {
  for (const number of [0, 43, 60, 135, 139, 140]) {
    const packet = ip(...V6, SEGMENT, { extensions: [extension(number, 8)] });
    packet[41] = 255;
    assert.equal(decodedOf(packet), "bad length", `${number}`);
  }
  const packet = ip(...V6, SEGMENT, { extensions: [authentication(12)] });
  packet[41] = 255;
  assert.equal(decodedOf(packet), "bad length");
});

Deno.test("readIpv6() tells first fragments from later ones, also behind other headers", () => {
  for (const before of [[], [extension(0, 8)], [extension(60, 8), extension(43, 8)]]) {
    const read = (offset: number, more: boolean) =>
      decodedOf(ip(...V6, SEGMENT, { extensions: [...before, fragmentHeader(offset, more)] }));
    assert.equal(read(0, true), "transport");
    assert.equal(read(0, false), "transport");
    for (const offset of [1, 181, 0x1fff]) {
      assert.equal(read(offset, true), "later fragment");
      assert.equal(read(offset, false), "later fragment");
    }
  }
});

Deno.test("readIpv6() takes a payload length of 0 for a jumbogram", () => {
  const packet = withWord(ip(...V6, SEGMENT), 4, 0);
  assert.deepEqual(readPacket(packet, RAW).payload, [...bytes("payload")]);
  assert.equal(decodedOf(packet.subarray(0, 50)), "cut by snapshot length");
});

Deno.test("readIpv4() and readIpv6() say of other protocols that they are others", () => {
  for (const protocol of [2, 4, 41, 47, 50, 58, 89, 132, 255]) {
    assert.equal(decodedOf(ip(...V4, SEGMENT, { protocol })), "other protocol", `${protocol}`);
  }
  for (const protocol of [1, 2, 4, 41, 47, 50, 59, 89, 132, 255]) {
    assert.equal(decodedOf(ip(...V6, SEGMENT, { protocol })), "other protocol", `${protocol}`);
  }
});

const ROUTER = ["192.0.2.1", "10.0.0.1"] as const;
const ROUTER6 = ["2001:db8:f::1", "2001:db8::1"] as const;

function unreachable4(code: number, bounced: Uint8Array): Bytes {
  return ipIcmp(...ROUTER, icmpMessage(3, code, bounced));
}

function unreachable6(code: number, bounced: Uint8Array): Bytes {
  return ipIcmp(...ROUTER6, icmpMessage(1, code, bounced));
}

function icmpMessage(type: number, code: number, bounced: Uint8Array): Bytes {
  return bytes(type, code, u16(0), u16(0), u16(0), bounced);
}

Deno.test("readIcmp() reads the addresses and ports of what bounced, for each code", () => {
  for (let code = 0; code < 16; code++) {
    assert.equal(
      readPacket(unreachable4(code, ipUdp(...V4, udp(4000, 53))), RAW).fields,
      `code ${code} 192.0.2.1 > 10.0.0.1: UDP 10.0.0.1 4000 > 10.0.0.2 53`,
    );
    assert.equal(
      readPacket(unreachable4(code, ip(...V4, SEGMENT)), RAW).fields,
      `code ${code} 192.0.2.1 > 10.0.0.1: TCP 10.0.0.1 1234 > 10.0.0.2 80`,
    );
  }
});

Deno.test("readIcmpv6() reads the addresses and ports of what bounced, behind extension headers too", () => {
  for (const extensions of [[], ...CHAINS.map(([, chain]) => chain)]) {
    const bounced = ip(...V6, udp(4000, 53), { protocol: 17, extensions });
    assert.equal(
      readPacket(unreachable6(4, bounced), RAW).fields,
      "code 4 2001:db8:f::1 > 2001:db8::1: UDP 2001:db8::1 4000 > 2001:db8::2 53",
    );
  }
});

Deno.test("readIcmp() needs no more of what bounced than its ports, whatever its lengths say", () => {
  const options = new Array<number>(8).fill(NO_OPERATION);
  const bounced = ip(...V4, SEGMENT, { options });
  const needed = 28 + 4;
  for (let length = 0; length <= bounced.length; length++) {
    const expected = length < needed ? "bad length" : "unreachable";
    assert.equal(decodedOf(unreachable4(1, bounced.subarray(0, length))), expected, `${length}`);
  }
  for (const wrong of [0, 1, 20, 0xffff]) {
    const packet = withWord(unreachable4(1, bounced), 28 + 2, wrong);
    assert.equal(decodedOf(packet), "unreachable", `${wrong}`);
  }
});

Deno.test("readIcmpv6() needs no more of what bounced than its ports", () => {
  const bounced = ip(...V6, SEGMENT, { extensions: [extension(0, 16)] });
  for (let length = 0; length <= bounced.length; length++) {
    const expected = length < 56 + 4 ? "bad length" : "unreachable";
    assert.equal(decodedOf(unreachable6(0, bounced.subarray(0, length))), expected, `${length}`);
  }
});

Deno.test("readIcmp() and readIcmpv6() say cut when what bounced was not captured", () => {
  const packet4 = unreachable4(3, ipUdp(...V4, udp(4000, 53)));
  for (let captured = 0; captured < packet4.length; captured++) {
    const expected = captured < 20 + 8 + 20 + 4 ? "cut by snapshot length" : "unreachable";
    assert.equal(decodedOf(packet4.subarray(0, captured)), expected, `${captured}`);
  }
  const packet6 = unreachable6(4, ipUdp(...V6, udp(4000, 53)));
  for (let captured = 0; captured < packet6.length; captured++) {
    const expected = captured < 40 + 8 + 40 + 4 ? "cut by snapshot length" : "unreachable";
    assert.equal(decodedOf(packet6.subarray(0, captured)), expected, `${captured}`);
  }
});

Deno.test("readIcmp() and readIcmpv6() say of other types that they are others", () => {
  for (let type = 0; type < 256; type++) {
    const message4 = ipIcmp(...ROUTER, icmpMessage(type, 0, ipUdp(...V4, udp(1, 2))));
    assert.equal(decodedOf(message4), type === 3 ? "unreachable" : "other ICMP", `${type}`);
    const message6 = ipIcmp(...ROUTER6, icmpMessage(type, 0, ipUdp(...V6, udp(1, 2))));
    assert.equal(decodedOf(message6), type === 1 ? "unreachable" : "other ICMP", `${type}`);
  }
});

Deno.test("readIcmp() and readIcmpv6() say why what bounced has no ports", () => {
  const cases: [string, Uint8Array][] = [
    ["other ICMP", unreachable4(1, ip(...V4, SEGMENT, { protocol: 1 }))],
    ["later fragment", unreachable4(1, ip(...V4, SEGMENT, { fragment: 7 }))],
    ["bad version", unreachable4(1, ip(...V6, SEGMENT))],
    ["bad length", unreachable4(1, bytes(0x41, ip(...V4, SEGMENT).subarray(1)))],
    ["other ICMP", unreachable6(1, ip(...V6, SEGMENT, { protocol: 58 }))],
    [
      "later fragment",
      unreachable6(1, ip(...V6, SEGMENT, { extensions: [fragmentHeader(9, true)] })),
    ],
    ["bad version", unreachable6(1, ip(...V4, bytes(SEGMENT, new Uint8Array(20))))],
  ];
  for (const [expected, packet] of cases) assert.equal(decodedOf(packet), expected);
});
