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

/** An IEEE 802.2 header with SNAP. */
function snap(packet: Uint8Array, organisation = [0, 0, 0]): Bytes {
  return bytes([0xaa, 0xaa, 3], organisation, u16(etherType(packet)), packet);
}

/** An Ethernet frame with a length in place of the EtherType, after VLAN tags of some types. */
function ieee8023(packet: Uint8Array, ...types: number[]): Bytes {
  const carried = snap(packet);
  const tags = types.flatMap((type, i) => [...u16(type), ...u16(i + 1)]);
  return bytes(MAC_ADDRESSES, tags, u16(carried.length), carried);
}

/** Tags of other kinds than VLANs, in front of the packet's EtherType. */
function tag(name: string, type: number, content: number[]): LinkLayer {
  const wrap = (packet: Uint8Array) =>
    bytes(MAC_ADDRESSES, u16(type), content, u16(etherType(packet)), packet);
  return { name, linkType: 1, wrap };
}

/** Labels of MPLS; the last one ends the stack. */
export function mpls(packet: Uint8Array, ...labels: number[]): Bytes {
  const stack = labels.flatMap((label, i) =>
    u32(label * 0x1000 + (i === labels.length - 1 ? 0x100 : 0) + 64)
  );
  return bytes(stack, packet);
}

/** An IEEE 802.11 data frame. */
function ieee80211(packet: Uint8Array, control: number[], ...more: number[][]): Bytes {
  return bytes(
    control,
    u16(0),
    MAC_ADDRESSES,
    MAC_ADDRESSES.slice(0, 6),
    u16(0),
    ...more,
    snap(packet),
  );
}

/** A number as two, four bytes, little-endian. */
function le16(number: number): number[] {
  return u16(number).reverse();
}
function le32(number: number): number[] {
  return u32(number).reverse();
}

/** What netfilter logs: a prefix, then the packet, in one byte order. */
function nflog(packet: Uint8Array, order: (number: number) => number[]): Bytes {
  const attribute = (type: number, content: Uint8Array) =>
    bytes(order(4 + content.length), order(type), content);
  const prefix = attribute(10, bytes("abc", 0));
  return bytes(isIpv6(packet) ? 10 : 2, 0, u16(5), prefix, attribute(9, packet));
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
  vlan("five VLAN tags", 0x88a8, 0x88a8, 0x9200, 0x9100, 0x8100),
  { name: "LLC and SNAP", linkType: 1, wrap: (packet) => ieee8023(packet) },
  { name: "LLC and SNAP in a VLAN", linkType: 1, wrap: (packet) => ieee8023(packet, 0x8100) },
  {
    name: "LLC and SNAP of a bridge",
    linkType: 100,
    wrap: (packet) => snap(packet, [0, 0, 0xf8]),
  },
  {
    name: "LLC in Linux cooked, version 1",
    linkType: 113,
    wrap: (packet) => sll(u16(4), snap(packet)),
  },
  tag("Cisco metadata", 0x8909, [1, 1, 0, 1, 0, 42]),
  tag("an E-tag", 0x893f, [0, 1, 0, 2, 0, 0]),
  tag("a VN-tag", 0x8926, [0, 1, 0, 2]),
  tag("MACsec, unencrypted", 0x88e5, [0, 0, 0, 0, 0, 1]),
  tag("MACsec, unencrypted, with its channel", 0x88e5, [
    0x20,
    0,
    0,
    0,
    0,
    1,
    2,
    0,
    0,
    0,
    0,
    1,
    0,
    1,
  ]),
  {
    name: "MPLS, one label",
    linkType: 1,
    wrap: (packet) => bytes(MAC_ADDRESSES, u16(0x8847), mpls(packet, 17)),
  },
  {
    name: "MPLS, three labels, in a VLAN",
    linkType: 1,
    wrap: (packet) => bytes(MAC_ADDRESSES, u16(0x8100), u16(3), u16(0x8848), mpls(packet, 1, 2, 3)),
  },
  {
    name: "MPLS in PPP",
    linkType: 9,
    wrap: (packet) => bytes(u16(0xff03), u16(0x0281), mpls(packet, 99)),
  },
  {
    name: "PPP with a direction",
    linkType: 166,
    wrap: (packet) => bytes(1, u16(0xff03), pppProtocol(packet), packet),
  },
  {
    name: "C-HDLC",
    linkType: 104,
    wrap: (packet) => bytes(u16(0x0f00), u16(etherType(packet)), packet),
  },
  {
    name: "frame relay, RFC 2427",
    linkType: 107,
    wrap: (packet) => bytes(u16(0x1841), 3, isIpv6(packet) ? 0x8e : 0xcc, packet),
  },
  {
    name: "frame relay, SNAP after padding, four bytes of address",
    linkType: 107,
    wrap: (packet) =>
      bytes([0x18, 0x40, 2, 1], [3, 0, 0x80, 0, 0, 0], u16(etherType(packet)), packet),
  },
  {
    name: "frame relay, Cisco's encapsulation",
    linkType: 107,
    wrap: (packet) => bytes(u16(0x1841), u16(etherType(packet)), packet),
  },
  { name: "IEEE 802.11", linkType: 105, wrap: (packet) => ieee80211(packet, [8, 1]) },
  {
    name: "IEEE 802.11 with QoS, HT control and four addresses",
    linkType: 105,
    wrap: (packet) =>
      ieee80211(packet, [0x88, 0x83], MAC_ADDRESSES.slice(0, 6), [0, 0], [0, 0, 0, 0]),
  },
  {
    name: "IEEE 802.11, first of an aggregate",
    linkType: 105,
    wrap: (packet) =>
      ieee80211(packet, [0x88, 2], [0x80, 0], MAC_ADDRESSES, u16(snap(packet).length)),
  },
  {
    name: "radiotap",
    linkType: 127,
    wrap: (packet) => bytes([0, 0], le16(8), le32(0), ieee80211(packet, [8, 1])),
  },
  {
    name: "radiotap with a time, flags that say padding, and a second word",
    linkType: 127,
    wrap: (packet) =>
      bytes(
        ...[[0, 0], le16(28), le32(0x8000_0003), le32(0), [0, 0, 0, 0], new Uint8Array(8)],
        ...[[0x20, 0, 0, 0], ieee80211(packet, [0x88, 1], [0, 0], [0, 0])],
      ),
  },
  {
    name: "PPI with Ethernet",
    linkType: 192,
    wrap: (packet) => bytes([0, 0], le16(12), le32(1), [1, 2, 3, 4], ethernet(packet)),
  },
  { name: "NFLOG, little-endian", linkType: 239, wrap: (packet) => nflog(packet, le16) },
  { name: "NFLOG, big-endian", linkType: 239, wrap: (packet) => nflog(packet, u16) },
  {
    name: "IP over InfiniBand",
    linkType: 242,
    wrap: (packet) => bytes(new Uint8Array(40), u16(etherType(packet)), u16(0), packet),
  },
  {
    name: "PKTAP with Ethernet",
    linkType: 258,
    wrap: (packet) => bytes(le32(16), le32(1), le32(1), le32(0), ethernet(packet)),
  },
];
