/** What is read of packets besides flows: names that connections carry, and hosts of the link. */
import { CarriedNames } from "../../src/names/carried_names.ts";
import { takePacket } from "../names/take_packet.ts";
import type { Announcement } from "../../src/names/devices/announcement.ts";
import { Devices } from "../../src/names/devices/devices.ts";
import { readDhcp } from "../../src/names/devices/dhcp.ts";
import { readDhcpv6 } from "../../src/names/devices/dhcpv6.ts";
import {
  readArp,
  readLldp,
  readNeighbourDiscovery,
} from "../../src/names/devices/link_announcements.ts";
import { readMdns } from "../../src/names/devices/mdns.ts";
import { readNetbios } from "../../src/names/devices/netbios.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { PacketHeader, PROTOCOL_UDP } from "../../src/packet/packet_header.ts";
import { batchOf, type BatchPacket } from "../batches.ts";
import { assertPrintable } from "../hostile_text.ts";

const ETHERNET = 1;
const ETHERNET_HEADER = 14;
const IPV6_HEADER = 40;
const IPV6_SOURCE = 8;

/** By a UDP port of either end, as they say it. */
const READERS: Readonly<
  Record<number, (bytes: Uint8Array, start: number, end: number) => unknown>
> = {
  67: readDhcp,
  68: readDhcp,
  137: readNetbios,
  546: readDhcpv6,
  547: readDhcpv6,
  5353: readMdns,
};
/** Each reader has its turn with any payload, and any port. */
const ANY = Object.values(READERS);

/**
 * What is read of packets with other bytes between them.
 *
 * @param filler What these bytes are.
 */
export function namesStory(packets: readonly BatchPacket[], filler: number): unknown[] {
  const names = new CarriedNames({ maxStreams: 20, maxBytes: 20_000 });
  const devices = new Devices(50);
  const header = new PacketHeader();
  const batch = batchOf(packets, 300, filler);
  const { view, bytes, offset, captured, linkType } = batch;
  const story: unknown[] = [];
  const learn = (said: unknown) => {
    for (const it of Array.isArray(said) ? said : [said]) {
      if (it === null || it === undefined) continue;
      story.push(it);
      devices.learn(it as Announcement, 1000);
    }
  };
  for (let i = 0; i < packets.length; i++) {
    const start = offset[i];
    const end = start + captured[i];
    if (linkType[i] === ETHERNET && captured[i] >= ETHERNET_HEADER) {
      const from = start + ETHERNET_HEADER;
      learn(readArp(bytes, from, end));
      learn(readLldp(bytes, from, end));
      if (end >= from + IPV6_HEADER) {
        learn(readNeighbourDiscovery(bytes, from + IPV6_HEADER, end, from + IPV6_SOURCE));
      }
    }
    if (decode(view, start, end, linkType[i], header) !== TRANSPORT) continue;
    const carried = takePacket(names, view, header);
    if (carried !== null) story.push(carried);
    if (names.pendingBytes > 20_000) throw new Error(`${names.pendingBytes} bytes of names`);
    if (header.protocol !== PROTOCOL_UDP) continue;
    const { payloadOffset, payloadEnd, sourcePort, destinationPort } = header;
    const reader = READERS[sourcePort] ?? READERS[destinationPort] ?? ANY[i % ANY.length];
    learn(reader(bytes, payloadOffset, payloadEnd));
  }
  story.push(names.pending, names.givenUp, [...devices.list()].length, devices.forgotten);
  const text = JSON.stringify(story);
  if (!/^[ -~]*$/.test(text)) assertPrintable(text);
  return story;
}
