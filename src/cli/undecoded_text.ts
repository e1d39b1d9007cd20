import { linkTypeName } from "../../ffi/libpcap.ts";
import { NOT_IP, OTHER_PROTOCOL, UNSUPPORTED_LINK_TYPE } from "../packet/decoded.ts";
import { NOT_IP_80211, NOT_IP_FAMILY, NOT_IP_LLC, NOT_IP_PPP } from "../packet/packet_header.ts";
import type { UndecodedCount } from "../packet/undecoded_counts.ts";
import { UserError } from "../user_error.ts";

/** EtherTypes (IANA, "IEEE 802 Numbers") that are met on Ethernet and are not decoded. */
const ETHER_TYPES: Record<number, string> = {
  0x0806: "ARP",
  0x22f3: "TRILL",
  0x8035: "RARP",
  0x8100: "VLAN",
  0x8137: "IPX",
  0x8847: "MPLS",
  0x8848: "MPLS multicast",
  0x8863: "PPPoE discovery",
  0x887b: "HomePlug",
  0x888e: "EAPOL",
  0x8892: "PROFINET",
  0x88a2: "ATA over Ethernet",
  0x88a4: "EtherCAT",
  0x88cc: "LLDP",
  0x88e1: "HomePlug AV",
  0x88e5: "MACsec",
  0x88f7: "PTP",
  0x8906: "FCoE",
  0x893a: "IEEE 1905.1",
  0x894f: "NSH",
  0x9000: "loopback test",
};

/** IP protocols (IANA, "Protocol Numbers") that carry others, and those that routers speak. */
const IP_PROTOCOLS: Record<number, string> = {
  2: "IGMP",
  4: "IPv4",
  41: "IPv6",
  46: "RSVP",
  47: "GRE",
  50: "ESP",
  51: "AH",
  59: "no next header",
  88: "EIGRP",
  89: "OSPF",
  97: "EtherIP",
  103: "PIM",
  108: "IPComp",
  112: "VRRP",
  115: "L2TP",
  132: "SCTP",
  137: "MPLS",
};

/** Types of IEEE 802.11 frames (section 9.2.4.1.3). */
const FRAME_TYPES = ["management", "control", "without data"];

/** Destination and source access points of IEEE 802.2 that are met. */
const ACCESS_POINTS: Record<number, string> = {
  0x4242: "spanning tree",
  0xaaaa: "SNAP",
  0xe0e0: "IPX",
  0xf0f0: "NetBIOS",
  0xfefe: "IS-IS, CLNP",
  0xffff: "IPX without header",
};

/** What packets were of that were not decoded: `link type 127 (IEEE802_11_RADIO)`. */
export function undecodedText({ outcome, number }: UndecodedCount): string {
  switch (outcome) {
    case UNSUPPORTED_LINK_TYPE:
      return named(`link type ${number}`, nameOfLinkType(number));
    case OTHER_PROTOCOL:
      return named(`IP protocol ${number}`, IP_PROTOCOLS[number]);
    case NOT_IP:
      return notIpText(number);
  }
  return String(number);
}

function notIpText(number: number): string {
  const value = number & 0xffff;
  if ((number & NOT_IP_FAMILY) !== 0) return `address family ${value}`;
  if ((number & NOT_IP_80211) !== 0) {
    return named(
      `IEEE 802.11 type ${value >>> 2 & 3} subtype ${value >>> 4}`,
      FRAME_TYPES[value >>> 2 & 3],
    );
  }
  const hexadecimal = `0x${value.toString(16).padStart(4, "0")}`;
  if ((number & NOT_IP_PPP) !== 0) return `PPP protocol ${hexadecimal}`;
  if ((number & NOT_IP_LLC) !== 0) {
    return named(`IEEE 802.2 access points ${hexadecimal}`, ACCESS_POINTS[value]);
  }
  return number === 0
    ? "IEEE 802.3 frames without EtherType"
    : named(`EtherType ${hexadecimal}`, ETHER_TYPES[value]);
}

function named(text: string, name: string | undefined): string {
  return name === undefined ? text : `${text} (${name})`;
}

/** That of libpcap, where there is one. */
function nameOfLinkType(number: number): string | undefined {
  try {
    const name = linkTypeName(number);
    return name === String(number) ? undefined : name;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}
