/** The rule by which UDP conversations are labelled: docs/attribution.md has it in words. */
import assert from "node:assert/strict";
import { FROM_CLIENT, FROM_SERVER, NOBODY } from "../../src/payload/sign.ts";
import { udpClient } from "../../src/score/udp_client.ts";
import { type Bytes, bytes, u16, u32 } from "../packets.ts";

const QUESTION = bytes(u16(7), u16(0x0100), u16(1), u16(0), u16(0), u16(0), 0, u16(1), u16(1));
const RESPONSE = bytes(u16(7), u16(0x8180), u16(1), u16(0), u16(0), u16(0), 0, u16(1), u16(1));
const CLIENT_HELLO = bytes(22, u16(0xfefd), u16(0), u16(0), u32(0), u16(20), 1, u32(0));

/** A long header with a connection identifier of so many bytes, padded. */
function quic(first: number, version: number, idLength: number, length = 1200): Bytes {
  const header = bytes(first, u32(version), idLength, new Uint8Array(idLength), 0, 0);
  return bytes(header, new Uint8Array(length - header.length));
}

function role(payload: Uint8Array, options: {
  ports?: [number, number];
  isFirst?: boolean;
  isToGroup?: boolean;
  length?: number;
} = {}): number {
  const { ports = [50_000, 53], isFirst = true, isToGroup = false } = options;
  const view = new DataView(payload.buffer);
  const length = options.length ?? payload.length;
  return udpClient(view, 0, payload.length, length, ports[0], ports[1], isFirst, isToGroup);
}

Deno.test("UDP labels: whoever asks in DNS, or is answered, is the client", () => {
  assert.equal(role(QUESTION), FROM_CLIENT);
  assert.equal(role(RESPONSE, { ports: [53, 50_000] }), FROM_SERVER);
  assert.equal(role(QUESTION, { ports: [53, 53], isFirst: false }), FROM_CLIENT);
  assert.equal(role(QUESTION, { ports: [50_000, 8053] }), NOBODY);
  assert.equal(role(QUESTION.subarray(0, 11)), NOBODY);
});

Deno.test("UDP labels: who sends DNS to a group is its client, whatever the message is", () => {
  for (const message of [QUESTION, RESPONSE]) {
    assert.equal(role(message, { ports: [5353, 5353], isToGroup: true }), FROM_CLIENT);
  }
});

Deno.test("UDP labels: who sends a QUIC conversation's first Initial packet is the client", () => {
  const ports: [number, number] = [50_000, 4433];
  for (const [first, version] of [[0xc3, 1], [0xc0, 0xff00001d], [0xd0, 0x6b3343cf]]) {
    assert.equal(role(quic(first, version, 8), { ports }), FROM_CLIENT);
    assert.equal(role(quic(first, version, 8), { ports, isFirst: false }), NOBODY);
    assert.equal(role(quic(first, version, 7), { ports }), NOBODY);
    assert.equal(role(quic(first, version, 8, 1199), { ports }), NOBODY);
  }
  assert.equal(role(quic(0xe0, 1, 8), { ports }), NOBODY);
  assert.equal(role(quic(0xc0, 0, 8), { ports }), NOBODY);
  // The capture has the beginning only.
  assert.equal(role(quic(0xc3, 1, 8).subarray(0, 40), { ports, length: 1200 }), FROM_CLIENT);
});

Deno.test("UDP labels: who sends a conversation's first packet, a ClientHello, is the client", () => {
  const ports: [number, number] = [50_000, 4433];
  assert.equal(role(CLIENT_HELLO, { ports }), FROM_CLIENT);
  assert.equal(role(CLIENT_HELLO, { ports, isFirst: false }), NOBODY);
  assert.equal(role(CLIENT_HELLO.subarray(0, 13), { ports }), NOBODY);
});
