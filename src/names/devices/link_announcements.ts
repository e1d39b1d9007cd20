import { hostName } from "../host_name.ts";
import { ipv4Of, ipv6Of } from "./address_of.ts";
import type { Announcement } from "./announcement.ts";
import { HARDWARE_BYTES, hardwareText } from "./hardware_address.ts";

/** RFC 826: hardware and protocol, their sizes, operation; then sender and target. */
const ARP = 28;
const ARP_ETHERNET_IPV4 = 0x0001_0800;
const ARP_SIZES = 0x0604;
const ARP_SENDER = 8;
const ARP_SENDER_ADDRESS = 14;

/**
 * Reads an ARP packet over Ethernet (RFC 826): who sends it says which address is whose. A probe, which
 * asks whether an address is free, says nothing (RFC 5227).
 */
export function readArp(bytes: Uint8Array, start: number, end: number): Announcement | null {
  if (end - start < ARP) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  if (view.getUint32(start) !== ARP_ETHERNET_IPV4 || view.getUint16(start + 4) !== ARP_SIZES) {
    return null;
  }
  const address = ipv4Of(bytes, start + ARP_SENDER_ADDRESS);
  return said("arp", hardwareText(bytes, start + ARP_SENDER), address, null);
}

/** RFC 4861, section 4: types; where options begin. */
const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const OPTIONS_OF = new Map([
  [ROUTER_SOLICITATION, 8],
  [ROUTER_ADVERTISEMENT, 16],
  [NEIGHBOUR_SOLICITATION, 24],
  [NEIGHBOUR_ADVERTISEMENT, 24],
]);
const TARGET = 8;
const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;
const OPTION_WORD = 8;

/**
 * Reads a message of neighbour discovery (RFC 4861) with a link-layer address in it.
 *
 * @param source The packet's source, an address of sixteen bytes in `bytes`.
 */
export function readNeighbourDiscovery(
  bytes: Uint8Array,
  start: number,
  end: number,
  source: number,
): Announcement | null {
  const type = bytes[start];
  const options = OPTIONS_OF.get(type);
  if (options === undefined) return null;
  const isAdvertisement = type === NEIGHBOUR_ADVERTISEMENT;
  const wanted = isAdvertisement ? TARGET_LINK_ADDRESS : SOURCE_LINK_ADDRESS;
  for (let at = start + options; at + OPTION_WORD <= end;) {
    const size = bytes[at + 1] * OPTION_WORD;
    if (size === 0 || at + size > end) return null;
    if (bytes[at] === wanted && size === OPTION_WORD) {
      const address = ipv6Of(bytes, isAdvertisement ? start + TARGET : source);
      return said("ndp", hardwareText(bytes, at + 2), address, null);
    }
    at += size;
  }
  return null;
}

/** IEEE 802.1AB, section 8.5: type in seven bits, length in nine. */
const LLDP_END = 0;
const LLDP_CHASSIS = 1;
const LLDP_NAME = 5;
const LLDP_ADDRESS = 8;
const CHASSIS_HARDWARE = 4;
/** IANA, "Address Family Numbers". */
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;

/** Reads an LLDP frame after its EtherType (IEEE 802.1AB). */
export function readLldp(bytes: Uint8Array, start: number, end: number): Announcement | null {
  let hardware: string | null = null;
  let name: string | null = null;
  const addresses: string[] = [];
  for (let at = start; at + 2 <= end;) {
    const type = bytes[at] >>> 1;
    const from = at + 2;
    const to = from + ((bytes[at] & 1) << 8) + bytes[at + 1];
    if (type === LLDP_END || to > end) break;
    const size = to - from;
    if (type === LLDP_CHASSIS && size === 1 + HARDWARE_BYTES && bytes[from] === CHASSIS_HARDWARE) {
      hardware = hardwareText(bytes, from + 1);
    } else if (type === LLDP_NAME) {
      name = hostName(bytes, from, to);
    } else if (type === LLDP_ADDRESS && size >= 6) {
      const family = bytes[from + 1];
      const address = family === FAMILY_IPV4
        ? ipv4Of(bytes, from + 2)
        : family === FAMILY_IPV6 && size >= 18
        ? ipv6Of(bytes, from + 2)
        : null;
      if (address !== null) addresses.push(address);
    }
    at = to;
  }
  if (hardware === null && addresses.length === 0) return null;
  return { by: "lldp", hardware, addresses, name, lease: null };
}

function said(
  by: "arp" | "ndp",
  hardware: string | null,
  address: string | null,
  name: string | null,
): Announcement | null {
  if (hardware === null || address === null) return null;
  return { by, hardware, addresses: [address], name, lease: null };
}
