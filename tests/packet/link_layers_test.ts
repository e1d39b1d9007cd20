import assert from "node:assert/strict";
import { LINK_LAYERS, type LinkLayer, pppoe } from "../link_layers.ts";
import { bytes, ethernet, ip, ipUdp, tcp, u16, u32, udp } from "../packets.ts";
import { readPacket } from "./read_packet.ts";

const IPV4 = ip("10.0.0.1", "192.0.2.7", tcp(40_000, 443, 0x18, "hello"));
const IPV6 = ipUdp("2001:db8::1", "fe80::53", udp(5353, 53, "query"));

for (const { name, linkType, wrap } of LINK_LAYERS) {
  Deno.test(`decode() reads IPv4 and IPv6 in ${name}`, () => {
    assert.deepEqual(readPacket(wrap(IPV4), linkType), {
      decoded: "transport",
      fields: "TCP 10.0.0.1 40000 > 192.0.2.7 443",
      tcpFlags: 0x18,
      payload: [...bytes("hello")],
    });
    assert.deepEqual(readPacket(wrap(IPV6), linkType), {
      decoded: "transport",
      fields: "UDP 2001:db8::1 5353 > fe80::53 53",
      tcpFlags: 0,
      payload: [...bytes("query")],
    });
  });

  Deno.test(`decode() says of a packet cut anywhere before its payload in ${name} that it is cut`, () => {
    assertCutEverywhere({ name, linkType, wrap }, IPV4, 20 + 20);
    assertCutEverywhere({ name, linkType, wrap }, IPV6, 40 + 8);
  });
}

function assertCutEverywhere({ linkType, wrap }: LinkLayer, packet: Uint8Array, headers: number) {
  const whole = wrap(packet);
  const needed = whole.length - packet.length + headers;
  const { fields } = readPacket(whole, linkType);
  for (let captured = 0; captured <= whole.length; captured++) {
    const read = readPacket(whole.subarray(0, captured), linkType);
    if (captured < needed) {
      assert.deepEqual(read, { decoded: "cut by snapshot length" }, `${captured}`);
    } else assert.equal(read.fields, fields, `${captured}`);
  }
}

Deno.test("decode() reads a link type of one IP version by the version in the packet", () => {
  assert.equal(readPacket(IPV4, 228).decoded, "transport");
  assert.equal(readPacket(IPV6, 229).decoded, "transport");
  assert.equal(readPacket(bytes(0x50, new Uint8Array(60)), 101).decoded, "bad version");
});

Deno.test("decode() says which link types it does not read", () => {
  for (const linkType of [2, 119, 147, 189, 65_535]) {
    assert.deepEqual(readPacket(ethernet(IPV4), linkType), { decoded: "unsupported link type" });
  }
});

Deno.test("decode() says what is not IP, in each link layer", () => {
  const rest = new Uint8Array(60);
  const macs = new Uint8Array(12);
  const others: [string, number, Uint8Array][] = [
    ["ARP", 1, bytes(macs, u16(0x0806), rest)],
    ["spanning tree, IEEE 802.3 length", 1, bytes(macs, u16(38), [0x42, 0x42, 3], rest)],
    ["ARP in a VLAN", 1, bytes(macs, u16(0x8100), u16(5), u16(0x0806), rest)],
    ["PPPoE discovery", 1, bytes(macs, u16(0x8863), rest)],
    ["ARP, Linux cooked", 113, bytes(new Uint8Array(14), u16(0x0806), rest)],
    ["ARP, Linux cooked 2", 276, bytes(u16(0x0806), new Uint8Array(18), rest)],
    ["an unknown family", 0, bytes(u32(7), rest)],
    ["link control in PPP", 9, bytes(u16(0xff03), u16(0xc021), rest)],
    ["link control in PPPoE", 51, bytes(0x11, 0, u16(1), u16(32), u16(0xc021), rest)],
    ["keep-alive of Cisco HDLC", 50, bytes(u16(0x8f00), u16(0x8035), rest)],
  ];
  for (const [name, linkType, packet] of others) {
    assert.deepEqual(readPacket(packet, linkType), { decoded: "not IP" }, name);
  }
});

Deno.test("decode() says of IP in the other version's place that its version is bad", () => {
  const macs = new Uint8Array(12);
  assert.equal(readPacket(bytes(macs, u16(0x0800), IPV6), 1).decoded, "bad version");
  assert.equal(readPacket(bytes(macs, u16(0x86dd), IPV4), 1).decoded, "bad version");
  assert.equal(readPacket(bytes(u32(2), IPV6), 108).decoded, "bad version");
});

Deno.test("decode() knows version 1 and type 1 of PPPoE only", () => {
  const packet = pppoe(IPV4);
  packet[0] = 0x21;
  assert.equal(readPacket(packet, 51).decoded, "bad version");
});

Deno.test("decode() says bad length when PPPoE's length ends before the headers do", () => {
  for (const [packet, headers] of [[IPV4, 40], [IPV6, 48]] as const) {
    const whole = pppoe(packet);
    for (let length = 0; length < whole.length; length++) {
      whole.set(u16(length), 4);
      const { decoded } = readPacket(whole, 51);
      assert.equal(decoded, length < 2 + headers ? "bad length" : "transport", `${length}`);
    }
  }
});

Deno.test("decode() takes no padding after a packet for its payload", () => {
  const payload = [...bytes("x")];
  const padding = new Uint8Array(40).fill(0xaa);
  for (const { name, linkType, wrap } of LINK_LAYERS) {
    for (const source of ["10.0.0.1", "2001:db8::1"]) {
      for (const protocol of [6, 17]) {
        const segment = protocol === 6 ? tcp(1, 2, 0x10, "x") : udp(1, 2, "x");
        const packet = ip(source, source, segment, { protocol });
        const read = readPacket(bytes(wrap(packet), padding), linkType);
        assert.deepEqual(read.payload, payload, name);
      }
    }
  }
});
