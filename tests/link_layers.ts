/** Link layers for tests: what each puts in front of an IP packet. */
import { type Bytes, bytes, ethernet, u16, u32 } from "./packets.ts";

/** A way to carry IP packets. */
export interface LinkLayer {
  name: string;
  /** Its number in saved captures. */
  linkType: number;
  /** The packet with the headers of this layer. */
  wrap: (packet: Uint8Array) => Bytes;
}

const MAC_ADDRESSES = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

function isIpv6(packet: Uint8Array): boolean {
  return packet[0] >>> 4 === 6;
}

function etherType(packet: Uint8Array): number {
  return isIpv6(packet) ? 0x86dd : 0x0800;
}

/** Tags of some types, then the EtherType of the packet. */
function tagged(packet: Uint8Array, ...types: number[]): number[] {
  return [...types.flatMap((type, i) => [...u16(type), ...u16(i + 1)]), ...u16(etherType(packet))];
}

/** The PPP protocol number of the packet in two bytes. */
function pppProtocol(packet: Uint8Array): number[] {
  return u16(isIpv6(packet) ? 0x0057 : 0x0021);
}

/** A PPPoE session packet (RFC 2516, section 4). */
export function pppoe(packet: Uint8Array): Bytes {
  const carried = bytes(pppProtocol(packet), packet);
  return bytes(0x11, 0, u16(0x1234), u16(carried.length), carried);
}

/** A Linux cooked header, version 1: outgoing, Ethernet, an address of six bytes. */
function sll(protocol: number[], ...parts: (Uint8Array | number[])[]): Bytes {
  return bytes(u16(4), u16(1), u16(6), MAC_ADDRESSES.slice(0, 6), u16(0), protocol, ...parts);
}

/** A Linux cooked header, version 2: interface 3, Ethernet, outgoing, an address of six bytes. */
function sll2(protocol: number[], ...parts: (Uint8Array | number[])[]): Bytes {
  const address = [...MAC_ADDRESSES.slice(0, 6), 0, 0];
  return bytes(protocol, u16(0), u32(3), u16(1), 4, 6, address, ...parts);
}

function vlan(name: string, ...types: number[]): LinkLayer {
  const wrap = (packet: Uint8Array) => bytes(MAC_ADDRESSES, tagged(packet, ...types), packet);
  return { name, linkType: 1, wrap };
}

function bsd(name: string, linkType: number, littleEndian: boolean, ipv6Family = 30): LinkLayer {
  const wrap = (packet: Uint8Array) => {
    const family = u32(isIpv6(packet) ? ipv6Family : 2);
    return bytes(littleEndian ? family.reverse() : family, packet);
  };
  return { name, linkType, wrap };
}

/** All that the sensor reads. */
export const LINK_LAYERS: LinkLayer[] = [
  { name: "Ethernet", linkType: 1, wrap: (packet) => ethernet(packet) },
  vlan("a VLAN tag", 0x8100),
  vlan("stacked VLAN tags, IEEE 802.1ad", 0x88a8, 0x8100),
  vlan("stacked VLAN tags of the same type", 0x8100, 0x8100),
  vlan("stacked VLAN tags of the old type", 0x9100, 0x8100),
  vlan("three VLAN tags", 0x88a8, 0x88a8, 0x8100),
  {
    name: "PPPoE in Ethernet",
    linkType: 1,
    wrap: (packet) => bytes(MAC_ADDRESSES, u16(0x8864), pppoe(packet)),
  },
  {
    name: "PPPoE in a VLAN",
    linkType: 1,
    wrap: (packet) => bytes(MAC_ADDRESSES, u16(0x8100), u16(7), u16(0x8864), pppoe(packet)),
  },
  {
    name: "Linux cooked, version 1",
    linkType: 113,
    wrap: (packet) => sll(u16(etherType(packet)), packet),
  },
  {
    name: "Linux cooked, version 1, with a VLAN tag",
    linkType: 113,
    wrap: (packet) => sll(u16(0x8100), u16(9), u16(etherType(packet)), packet),
  },
  {
    name: "Linux cooked, version 2",
    linkType: 276,
    wrap: (packet) => sll2(u16(etherType(packet)), packet),
  },
  {
    name: "Linux cooked, version 2, with a VLAN tag",
    linkType: 276,
    wrap: (packet) => sll2(u16(0x8100), u16(9), u16(etherType(packet)), packet),
  },
  ...[101, 12, 14].map((linkType) => ({
    name: `raw IP, number ${linkType}`,
    linkType,
    wrap: (packet: Uint8Array) => bytes(packet),
  })),
  bsd("BSD null, little-endian", 0, true),
  bsd("BSD null, big-endian", 0, false),
  bsd("BSD null, IPv6 family of NetBSD and OpenBSD", 0, true, 24),
  bsd("BSD null, IPv6 family of FreeBSD", 0, true, 28),
  bsd("BSD null, IPv6 family of Linux", 0, true, 10),
  bsd("BSD loop", 108, false, 24),
  { name: "PPPoE session", linkType: 51, wrap: pppoe },
  ...[9, 50].flatMap((linkType) => [
    {
      name: `PPP, number ${linkType}, with address and control`,
      linkType,
      wrap: (packet: Uint8Array) => bytes(u16(0xff03), pppProtocol(packet), packet),
    },
    {
      name: `PPP, number ${linkType}, without address and control`,
      linkType,
      wrap: (packet: Uint8Array) => bytes(pppProtocol(packet), packet),
    },
    {
      name: `PPP, number ${linkType}, compressed protocol`,
      linkType,
      wrap: (packet: Uint8Array) => bytes(pppProtocol(packet)[1], packet),
    },
    {
      name: `PPP, number ${linkType}, compressed protocol after address and control`,
      linkType,
      wrap: (packet: Uint8Array) => bytes(u16(0xff03), pppProtocol(packet)[1], packet),
    },
    {
      name: `Cisco HDLC, number ${linkType}`,
      linkType,
      wrap: (packet: Uint8Array) => bytes(u16(0x0f00), u16(etherType(packet)), packet),
    },
  ]),
];
