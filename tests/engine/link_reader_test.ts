import assert from "node:assert/strict";
import type { LinkReader } from "../../src/packet/link_reader.ts";
import { batchOf } from "../batches.ts";
import { addressBytes, bytes, ethernet, ip, ipIcmp, tcp, u16, u32 } from "../packets.ts";
import { TestEngine } from "./test_engine.ts";

const ETHERNET = 1;
const ARP = 0x0806;
const LLDP = 0x88cc;
const VLAN = 0x8100;
const NEIGHBOUR_SOLICITATION = 135;
const SECONDS = 1_700_000_000;

/** What an engine gives to a reader of some kinds of packets. */
function readBy(etherTypes: number[], icmpv6Types: number[], ...packets: Uint8Array[]): string[] {
  const read: string[] = [];
  const linkReader: LinkReader = {
    etherTypes: new Set(etherTypes),
    icmpv6Types: new Set(icmpv6Types),
    readLink(view, { payloadOffset, payloadEnd }, etherType, seconds) {
      const content = new Uint8Array(view.buffer, payloadOffset, payloadEnd - payloadOffset);
      read.push(`${etherType.toString(16)} ${content.toHex()} ${seconds - SECONDS}`);
    },
  };
  const { engine } = new TestEngine({ linkReader });
  engine.take(batchOf(packets.map((packet, i) => ({
    packet,
    linkType: ETHERNET,
    seconds: SECONDS + i,
  }))));
  return read;
}

/** A frame of an EtherType. */
const frame = (etherType: number, content: Uint8Array) =>
  bytes(new Uint8Array(12), u16(etherType), content);
const ANY_ARP = frame(ARP, bytes([1, 2, 3]));
const ANY_LLDP = frame(LLDP, bytes([4, 5]));
const solicitation = bytes(
  [NEIGHBOUR_SOLICITATION, 0],
  u16(0),
  u32(0),
  addressBytes("2001:db8::1"),
);
const ANY_SOLICITATION = ethernet(ipIcmp("2001:db8::7", "2001:db8::1", solicitation));

Deno.test("Engine gives packets of wanted EtherTypes to whoever reads them, behind tags too", () => {
  const tagged = frame(VLAN, bytes(u16(7), u16(ARP), [6]));
  assert.deepEqual(readBy([ARP, LLDP], [], ANY_ARP, ANY_LLDP, tagged, ANY_SOLICITATION), [
    "806 010203 0",
    "88cc 0405 1",
    "806 06 2",
  ]);
});

Deno.test("Engine gives wanted messages of ICMPv6 to whoever reads them, and nothing else", () => {
  const connection = ethernet(ip("2001:db8::7", "2001:db8::1", tcp(1024, 443)));
  const [found, ...others] = readBy(
    [],
    [NEIGHBOUR_SOLICITATION],
    ANY_ARP,
    ANY_SOLICITATION,
    connection,
  );
  assert.match(found, /^0 8700[0-9a-f]{4}00000000.* 1$/);
  assert.deepEqual(others, []);
  assert.deepEqual(readBy([], [], ANY_ARP, ANY_SOLICITATION), []);
});
