import type { LinkReader } from "../../packet/link_reader.ts";
import { type PacketHeader, PROTOCOL_UDP } from "../../packet/packet_header.ts";
import { type PayloadReader, READ_ALL } from "../../packet/payload_reader.ts";
import type { Announcement } from "./announcement.ts";
import { readDhcp } from "./dhcp.ts";
import { readDhcpv6 } from "./dhcpv6.ts";
import { readArp, readLldp, readNeighbourDiscovery } from "./link_announcements.ts";
import { readMdns } from "./mdns.ts";
import { readNetbios } from "./netbios.ts";

/** Reads what a packet announces. */
type Read = (bytes: Uint8Array, start: number, end: number) => Announcement | null;

/** RFC 2131, section 4.1; RFC 8415, section 7.2; RFC 1001, section 15.1; RFC 6762, section 3. */
const READERS: ReadonlyMap<number, Read> = new Map([
  [67, readDhcp],
  [68, readDhcp],
  [546, readDhcpv6],
  [547, readDhcpv6],
  [137, readNetbios],
]);
const MDNS_PORT = 5353;
const PORTS = 1 << 16;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_LLDP = 0x88cc;
/** RFC 4861, section 4: solicitations and advertisements of routers and neighbours. */
const NEIGHBOUR_DISCOVERY = [133, 134, 135, 136];
/** Where an IPv6 header has its source (RFC 8200, section 3). */
const IPV6_SOURCE = 8;

/** How long, in seconds, what was told is not told again: hosts repeat themselves. */
const REPEAT_TIME = 10;
const MOST_REMEMBERED = 20_000;

/** Finds packets in which hosts tell of themselves, and says what they announce. */
export class DevicePackets implements PayloadReader, LinkReader {
  readonly ports: Uint8Array = new Uint8Array(PORTS);
  readonly etherTypes: ReadonlySet<number> = new Set([ETHERTYPE_ARP, ETHERTYPE_LLDP]);
  readonly icmpv6Types: ReadonlySet<number> = new Set(NEIGHBOUR_DISCOVERY);
  readonly #onAnnouncement: (announcement: Announcement, seconds: number) => void;
  /** When each was told, as text. */
  #told = new Map<string, number>();

  /** @param onAnnouncement Takes what is announced, and when, in seconds. */
  constructor(onAnnouncement: (announcement: Announcement, seconds: number) => void) {
    this.#onAnnouncement = onAnnouncement;
    for (const port of [...READERS.keys(), MDNS_PORT]) this.ports[port] = READ_ALL;
  }

  read(view: DataView<ArrayBufferLike>, header: PacketHeader, seconds: number): void {
    if (header.protocol !== PROTOCOL_UDP) return;
    const { sourcePort, payloadOffset, payloadEnd } = header;
    const bytes = bytesOf(view);
    if (sourcePort === MDNS_PORT) {
      for (const announcement of readMdns(bytes, payloadOffset, payloadEnd)) {
        this.#tell(announcement, seconds);
      }
      return;
    }
    this.#tell(READERS.get(sourcePort)?.(bytes, payloadOffset, payloadEnd) ?? null, seconds);
  }

  readLink(
    view: DataView<ArrayBufferLike>,
    { payloadOffset, payloadEnd, ipOffset }: PacketHeader,
    etherType: number,
    seconds: number,
  ): void {
    const bytes = bytesOf(view);
    const announcement = etherType === ETHERTYPE_ARP
      ? readArp(bytes, payloadOffset, payloadEnd)
      : etherType === ETHERTYPE_LLDP
      ? readLldp(bytes, payloadOffset, payloadEnd)
      : readNeighbourDiscovery(bytes, payloadOffset, payloadEnd, ipOffset + IPV6_SOURCE);
    this.#tell(announcement, seconds);
  }

  flush(): void {}

  #tell(announcement: Announcement | null, seconds: number): void {
    if (announcement === null) return;
    const { by, hardware, addresses, name } = announcement;
    const text = `${by} ${hardware} ${name} ${addresses.join(" ")}`;
    const toldAt = this.#told.get(text);
    // A capture may go back in time, where another file begins.
    if (toldAt !== undefined && Math.abs(seconds - toldAt) < REPEAT_TIME) return;
    if (this.#told.size === MOST_REMEMBERED) this.#told = new Map();
    this.#told.set(text, seconds);
    this.#onAnnouncement(announcement, seconds);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView<ArrayBufferLike>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
