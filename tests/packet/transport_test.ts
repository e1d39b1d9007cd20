import assert from "node:assert/strict";
import { bytes, ip, ipUdp, tcp, u16, udp } from "../packets.ts";
import { readPacket } from "./read_packet.ts";

const RAW = 101;
const FAMILIES: { ends: readonly [string, string]; header: number }[] = [
  { ends: ["10.0.0.1", "10.0.0.2"], header: 20 },
  { ends: ["2001:db8::1", "2001:db8::2"], header: 40 },
];

Deno.test("readTcp() gives all control bits", () => {
  for (const { ends } of FAMILIES) {
    for (let flags = 0; flags < 256; flags++) {
      assert.equal(readPacket(ip(...ends, tcp(1, 2, flags)), RAW).tcpFlags, flags);
    }
  }
});

Deno.test("readTcp() and readUdp() give ports of all sixteen bits", () => {
  for (const { ends } of FAMILIES) {
    for (const [source, destination] of [[0, 65_535], [65_535, 0], [32_768, 32_767]]) {
      const fields = `${ends[0]} ${source} > ${ends[1]} ${destination}`;
      const tcpRead = readPacket(ip(...ends, tcp(source, destination)), RAW);
      assert.equal(tcpRead.fields, `TCP ${fields}`);
      const udpRead = readPacket(ipUdp(...ends, udp(source, destination)), RAW);
      assert.equal(udpRead.fields, `UDP ${fields}`);
    }
  }
});

Deno.test("readTcp() reads past options to the payload, however much of them was captured", () => {
  for (const { ends, header } of FAMILIES) {
    for (let words = 0; words <= 10; words++) {
      const packet = ip(...ends, tcp(1, 2, 0x10, "data", new Array(words * 4).fill(1)));
      const payloadAt = header + 20 + words * 4;
      for (let captured = header + 20; captured <= packet.length; captured++) {
        const { decoded, payload } = readPacket(packet.subarray(0, captured), RAW);
        assert.equal(decoded, "transport");
        assert.deepEqual(payload, [...packet.subarray(payloadAt, captured)]);
      }
    }
  }
});

Deno.test("readTcp() refuses a data offset under 20 bytes and one beyond the packet", () => {
  for (const { ends, header } of FAMILIES) {
    const packet = ip(...ends, tcp(1, 2, 0x10, "12345678"));
    for (let words = 0; words < 16; words++) {
      packet[header + 12] = words << 4;
      const expected = words < 5 || words > 7 ? "bad length" : "transport";
      assert.equal(readPacket(packet, RAW).decoded, expected, `${words}`);
    }
  }
});

Deno.test("readTcp() refuses a data offset beyond the packet also where that was not captured", () => {
  for (const { ends, header } of FAMILIES) {
    const packet = ip(...ends, tcp(1, 2, 0x10, "12345678"));
    packet[header + 12] = 8 << 4;
    assert.equal(readPacket(packet.subarray(0, header + 20), RAW).decoded, "bad length");
  }
});

Deno.test("readUdp() refuses a length that is shorter than the header; 0 is a jumbogram's in IPv6", () => {
  for (const { ends, header } of FAMILIES) {
    for (let length = 0; length <= 8; length++) {
      const packet = ipUdp(...ends, udp(1, 2, "payload"));
      packet.set(u16(length), header + 4);
      const isJumbogram = length === 0 && header === 40;
      const expected = length >= 8 || isJumbogram ? "transport" : "bad length";
      assert.equal(readPacket(packet, RAW).decoded, expected, `${length}`);
    }
  }
});

Deno.test("readUdp() ends the payload where the datagram or the packet ends, whichever is first", () => {
  for (const { ends, header } of FAMILIES) {
    const whole = [...bytes("payload")];
    for (const [length, expected] of [[8, 0], [11, 3], [15, 7], [16, 7], [65_535, 7]]) {
      const packet = ipUdp(...ends, udp(1, 2, "payload"));
      packet.set(u16(length), header + 4);
      assert.deepEqual(readPacket(packet, RAW).payload, whole.slice(0, expected), `${length}`);
    }
  }
});
