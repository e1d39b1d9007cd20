import assert from "node:assert/strict";
import { bytes, ethernet, ip, ipUdp, tcp, u16, u32, udp } from "../packets.ts";
import { ENDS4, ENDS6, TUNNELS } from "../tunnels.ts";
import { readPacket } from "./read_packet.ts";

const ETHERNET = 1;
const CARRIED = [
  ["TCP 10.0.0.1 40000 > 10.0.0.2 443", ip("10.0.0.1", "10.0.0.2", tcp(40_000, 443))],
  ["UDP 2001:db8::1 5 > 2001:db8::2 53", ipUdp("2001:db8::1", "2001:db8::2", udp(5, 53))],
] as const;

for (const { name, tunnel, id, outer, wrap } of TUNNELS) {
  Deno.test(`decode() reads the packet inside ${name}, and which tunnel it is in`, () => {
    for (const [fields, packet] of CARRIED) {
      const read = readPacket(wrap(packet), ETHERNET);
      assert.equal(read.decoded, "transport");
      assert.equal(read.fields, fields);
      assert.equal(read.tunnel, `${tunnel} ${id}`);
    }
  });

  Deno.test(`decode() says of ${name} that is cut before the inner ports what is around it`, () => {
    if (outer === "not IP") return;
    const [[, packet]] = CARRIED;
    const whole = wrap(packet);
    const innerTransport = whole.length - packet.length + 20;
    for (let captured = 60; captured < innerTransport; captured++) {
      const { decoded, fields } = readPacket(whole.subarray(0, captured), ETHERNET);
      assert.notEqual(fields, CARRIED[0][0]);
      if (decoded === "transport") assert.match(fields!, /^UDP (198\.51|2001:db8:1:)/);
    }
  });
}

Deno.test("decode() gives the tunnel's own ends where the inside is no packet", () => {
  const read = readPacket(ethernet(ipUdp(...ENDS4, udp(50_001, 4789, "no VXLAN"))), ETHERNET);
  assert.equal(read.fields, "UDP 198.51.100.1 50001 > 198.51.100.2 4789");
  assert.equal(read.tunnel, undefined);
  const gre = ip(...ENDS6, bytes(u16(0), u16(0x0800), "no packet"), { protocol: 47 });
  assert.equal(readPacket(ethernet(gre), ETHERNET).decoded, "other protocol");
});

Deno.test("decode() gives no ends of a tunnel that carries something else than TCP and UDP", () => {
  const ping = ip("10.0.0.1", "10.0.0.2", bytes(8, 0, u16(0), u32(0)), { protocol: 1 });
  for (const { wrap, name } of TUNNELS) {
    assert.equal(readPacket(wrap(ping), ETHERNET).decoded, "other ICMP", name);
  }
});

Deno.test("decode() takes the wrong version of Geneve and VXLAN without its flag for no tunnel", () => {
  const [[, packet]] = CARRIED;
  const geneve = bytes([0x40, 0], u16(0x6558), u32(0), ethernet(packet));
  const vxlan = bytes([0, 0, 0, 0], u32(0), ethernet(packet));
  for (const [port, payload] of [[6081, geneve], [4789, vxlan]] as const) {
    const read = readPacket(ethernet(ipUdp(...ENDS4, udp(1, port, payload))), ETHERNET);
    assert.equal(read.fields, `UDP 198.51.100.1 1 > 198.51.100.2 ${port}`);
  }
});

Deno.test("decode() takes a client whose port happens to be one of a tunnel for no tunnel", () => {
  // All bits of flags that VXLAN and GPE have are in an x.
  const text = "x".repeat(54);
  for (const port of [4341, 4754, 4789, 4790, 6081, 6633, 6635, 8472]) {
    const read = readPacket(ethernet(ipUdp(...ENDS4, udp(port, 53, text))), ETHERNET);
    assert.equal(read.fields, `UDP 198.51.100.1 ${port} > 198.51.100.2 53`);
  }
});

Deno.test("decode() opens what the ends of a tunnel answer from its port", () => {
  const [[fields, packet]] = CARRIED;
  const gtp = bytes([0x30, 255], u16(packet.length), u32(7), packet);
  const read = readPacket(ethernet(ipUdp(...ENDS4, udp(2152, 50_001, gtp))), ETHERNET);
  assert.equal(read.fields, fields);
});

Deno.test("decode() ends where packets in packets are nested without end", () => {
  let packet = ip("10.0.0.1", "10.0.0.2", tcp(1, 2));
  for (let layer = 0; layer < 2000; layer++) {
    packet = ip("192.0.2.1", "192.0.2.2", packet, { protocol: 4 });
    if (packet.length > 65_000) break;
  }
  assert.equal(readPacket(ethernet(packet), ETHERNET).decoded, "other protocol");
  const headers = new Uint8Array(65_536 * 4);
  for (let at = 0; at < headers.length; at += 8) headers.set([0, 0, 8, 0, 192, 0, 0, 0], at);
  assert.equal(readPacket(headers, 192).decoded, "not IP");
});
