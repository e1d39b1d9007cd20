import assert from "node:assert/strict";
import { dnsRole } from "../../src/payload/dns_role.ts";
import { FROM_CLIENT, FROM_SERVER, NOBODY, type Role } from "../../src/payload/sign.ts";
import { type Bytes, bytes, u16 } from "../packets.ts";

const TCP = 6;
const UDP = 17;

/** A header with flags and so many questions, and a question. */
function message(flags: number, questions = 1): Bytes {
  return bytes(u16(7), u16(flags), u16(questions), u16(0), u16(0), u16(0), 0, u16(1), u16(1));
}

/** What it says of who sent it; nothing can be read after its end. */
function role(payload: Uint8Array, ports: [number, number] = [40_000, 53], protocol = UDP): Role {
  const view = new DataView(Uint8Array.from(payload).buffer);
  return dnsRole(protocol, view, 0, view.byteLength, ...ports);
}

Deno.test("dnsRole() goes by the QR bit", () => {
  assert.equal(role(message(0x0100)), FROM_CLIENT);
  assert.equal(role(message(0x8180), [53, 40_000]), FROM_SERVER);
  // NXDOMAIN, and a dynamic update (RFC 2136).
  assert.equal(role(message(0x8183), [53, 40_000]), FROM_SERVER);
  assert.equal(role(message(0x2800)), FROM_CLIENT);
});

Deno.test("dnsRole() reads on the ports of DNS, mDNS, LLMNR and NetBIOS names only", () => {
  for (const port of [53, 137, 5353, 5355]) {
    assert.equal(role(message(0x0100), [40_000, port]), FROM_CLIENT);
    assert.equal(role(message(0x8180), [port, 40_000]), FROM_SERVER);
    assert.equal(role(message(0x0100), [port, port]), FROM_CLIENT);
  }
  assert.equal(role(message(0x0100), [40_000, 54]), NOBODY);
});

Deno.test("dnsRole() skips the length in front of a message over TCP", () => {
  const question = message(0x0100);
  const framed = bytes(u16(question.length), question);
  assert.equal(role(framed, [40_000, 53], TCP), FROM_CLIENT);
  assert.equal(role(framed.subarray(0, 14), [40_000, 53], TCP), FROM_CLIENT);
  assert.equal(role(framed.subarray(0, 13), [40_000, 53], TCP), NOBODY);
});

Deno.test("dnsRole() takes nothing for a message that is none", () => {
  assert.equal(role(message(0x5000)), NOBODY);
  assert.equal(role(message(0x0100, 17)), NOBODY);
  for (let length = 0; length < 12; length++) {
    assert.equal(role(message(0x0100).subarray(0, length)), NOBODY);
  }
});
