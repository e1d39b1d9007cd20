/** Tunnels for tests: what each puts in front of a packet. */
import { mpls, pppoe } from "./link_layers.ts";
import { type Bytes, bytes, ethernet, ip, ipUdp, u16, u32, udp } from "./packets.ts";

/** A way to carry packets in packets. */
export interface Tunnel {
  name: string;
  /** One of `TUNNEL_NAMES`. */
  tunnel: string;
  /** What tells it apart. */
  id: number;
  /** What became of the packet around it, if what it carries can't be read. */
  outer: "transport" | "other protocol" | "not IP";
  /** An Ethernet frame. */
  wrap: (packet: Uint8Array) => Bytes;
}

const MAC_ADDRESSES = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
/** The ends of the tunnels. */
export const ENDS4 = ["198.51.100.1", "198.51.100.2"] as const;
export const ENDS6 = ["2001:db8:1::1", "2001:db8:1::2"] as const;

function isIpv6(packet: Uint8Array): boolean {
  return packet[0] >>> 4 === 6;
}

function etherType(packet: Uint8Array): number[] {
  return u16(isIpv6(packet) ? 0x86dd : 0x0800);
}

/** A tunnel in UDP. */
function overUdp(
  name: string,
  tunnel: string,
  id: number,
  port: number,
  wrap: (packet: Uint8Array) => Bytes,
  ends: readonly [string, string] = ENDS4,
): Tunnel {
  return {
    name,
    tunnel,
    id,
    outer: "transport",
    wrap: (packet) => ethernet(ipUdp(...ends, udp(50_001, port, wrap(packet)))),
  };
}

/** A tunnel right in IP. */
function overIp(
  name: string,
  tunnel: string,
  id: number,
  protocol: (packet: Uint8Array) => number,
  wrap: (packet: Uint8Array) => Bytes,
  ends: readonly [string, string] = ENDS4,
): Tunnel {
  return {
    name,
    tunnel,
    id,
    outer: "other protocol",
    wrap: (packet) => ethernet(ip(...ends, wrap(packet), { protocol: protocol(packet) })),
  };
}

function gre(
  name: string,
  id: number,
  header: (packet: Uint8Array) => Bytes,
  tunnel = "GRE",
): Tunnel {
  return overIp(name, tunnel, id, () => 47, header);
}

function overEthernet(
  name: string,
  tunnel: string,
  id: number,
  wrap: (packet: Uint8Array) => Bytes,
): Tunnel {
  return { name, tunnel, id, outer: "not IP", wrap };
}

const vxlan = (packet: Uint8Array) => bytes([8, 0, 0, 0], u32(4711 << 8), ethernet(packet));
const whole = (packet: Uint8Array) => bytes(packet);
const ipInIp = (packet: Uint8Array) => isIpv6(packet) ? 41 : 4;

/** All that the sensor looks into. */
export const TUNNELS: Tunnel[] = [
  overEthernet(
    "802.1ah",
    "802.1ah",
    0x123456,
    (packet) => bytes(MAC_ADDRESSES, u16(0x88e7), u32(0x20123456), ethernet(packet)),
  ),
  overEthernet(
    "802.1ah with VLANs outside and inside",
    "802.1ah",
    5,
    (packet) =>
      bytes(MAC_ADDRESSES, u16(0x88a8), u16(2), u16(0x88e7), u32(5), ethernet(packet, [7])),
  ),
  overEthernet(
    "a pseudowire of Ethernet in MPLS",
    "MPLS",
    300,
    (packet) => bytes(MAC_ADDRESSES, u16(0x8847), mpls(bytes(u32(0), ethernet(packet)), 20, 300)),
  ),
  overEthernet(
    "NSH",
    "NSH",
    0xabcdef,
    (packet) =>
      bytes(
        MAC_ADDRESSES,
        u16(0x894f),
        [0x0f, 0xc2, 2, isIpv6(packet) ? 2 : 1],
        u32(0xabcdefff | 0),
        packet,
      ),
  ),
  overIp("IP in IPv4", "IP", 0, ipInIp, whole),
  overIp("IP in IPv6", "IP", 0, ipInIp, whole, ENDS6),
  overIp("EtherIP", "EtherIP", 0, () => 97, (packet) => bytes(u16(0x3000), ethernet(packet))),
  overIp("MPLS in IP", "MPLS", 0, () => 137, (packet) => mpls(packet, 8)),
  gre("GRE", 0, (packet) => bytes(u16(0), etherType(packet), packet)),
  gre(
    "GRE with checksum, key and sequence number",
    0xdeadbeef,
    (packet) => bytes(u16(0xb000), etherType(packet), u32(0), u32(0xdeadbeef | 0), u32(1), packet),
  ),
  gre(
    "GRE with routes",
    0,
    (packet) =>
      bytes(...[u16(0x4000), etherType(packet), u32(0)], [0, 0, 0, 4, 1, 2, 3, 4], u32(0), packet),
  ),
  gre(
    "transparent Ethernet bridging",
    9,
    (packet) => bytes(u16(0x2000), u16(0x6558), u32(9), ethernet(packet, [3])),
  ),
  overIp(
    "PPTP",
    "PPTP",
    77,
    () => 47,
    (packet) =>
      bytes(
        ...[u16(0x3081), u16(0x880b), u16(packet.length + 2), u16(77), u32(5), u32(6)],
        u16(isIpv6(packet) ? 0x57 : 0x21),
        packet,
      ),
  ),
  gre("GRE with MPLS", 0, (packet) => bytes(u16(0), u16(0x8847), mpls(packet, 16, 17))),
  gre(
    "WCCP, version 2",
    0,
    (packet) =>
      bytes(u16(0), u16(0x883e), u32(0), ip(...ENDS4, bytes(packet), { protocol: ipInIp(packet) })),
    "IP",
  ),
  gre(
    "EoIP",
    0x1234,
    (packet) =>
      bytes(u16(0x2001), u16(0x6400), u16(ethernet(packet).length), [0x34, 0x12], ethernet(packet)),
    "EoIP",
  ),
  gre("ERSPAN I", 0, (packet) => bytes(u16(0), u16(0x88be), ethernet(packet)), "ERSPAN"),
  gre(
    "ERSPAN II",
    200,
    (packet) =>
      bytes(u16(0x1000), u16(0x88be), u32(1), u16(0x1000), u16(200), u32(0), ethernet(packet)),
    "ERSPAN",
  ),
  gre(
    "ERSPAN III with a subheader",
    201,
    (packet) =>
      bytes(...[
        u16(0x1000),
        u16(0x22eb),
        u32(1),
        u16(0x2000),
        u16(201),
        u32(0),
        u32(1),
        new Uint8Array(8),
      ], ethernet(packet)),
    "ERSPAN",
  ),
  overUdp("VXLAN", "VXLAN", 4711, 4789, vxlan),
  overUdp("VXLAN in IPv6, at Linux's old port", "VXLAN", 4711, 8472, vxlan, ENDS6),
  overUdp(
    "VXLAN-GPE",
    "VXLAN",
    12,
    4790,
    (packet) => bytes([0x0c, 0, 0, isIpv6(packet) ? 2 : 1], u32(12 << 8), packet),
  ),
  overUdp(
    "Geneve with options",
    "Geneve",
    0xffffff,
    6081,
    (packet) =>
      bytes([2, 0], u16(0x6558), u32(0xffffff00 | 0), new Uint8Array(8), ethernet(packet)),
  ),
  overUdp(
    "Geneve with IP",
    "Geneve",
    1,
    6081,
    (packet) => bytes([0, 0], etherType(packet), u32(1 << 8), packet),
  ),
  overUdp(
    "GTP-U",
    "GTP-U",
    0x10203040,
    2152,
    (packet) => bytes([0x30, 255], u16(packet.length), u32(0x10203040), packet),
  ),
  overUdp(
    "GTP-U with an extension",
    "GTP-U",
    6,
    2152,
    (packet) =>
      bytes([0x34, 255], u16(packet.length + 8), u32(6), [0, 0, 0, 0x85], [1, 0, 9, 0], packet),
  ),
  overUdp(
    "L2TP with length, sequence and offset",
    "L2TP",
    0x00050006,
    1701,
    (packet) =>
      bytes(
        ...[u16(0x4a02), u16(0), u16(5), u16(6), u32(0), u16(2), u16(0)],
        u16(0xff03),
        u16(isIpv6(packet) ? 0x57 : 0x21),
        packet,
      ),
  ),
  overUdp("LISP", "LISP", 3, 4341, (packet) => bytes([8, 0, 0, 0], u32(3 << 8), packet)),
  overUdp("LISP control", "LISP", 0, 4342, (packet) => bytes(u32(0x80000000 | 0), packet)),
  overUdp(
    "NSH in UDP",
    "NSH",
    1,
    6633,
    (packet) => bytes([0, 2, 2, isIpv6(packet) ? 2 : 1], u32(1 << 8), packet),
  ),
  overUdp("MPLS in UDP", "MPLS", 0, 6635, (packet) => mpls(packet, 30)),
  overUdp("GRE in UDP", "GRE", 0, 4754, (packet) => bytes(u16(0), etherType(packet), packet)),
  overUdp(
    "PPPoE in VXLAN",
    "VXLAN",
    1,
    4789,
    (packet) => bytes([8, 0, 0, 0], u32(1 << 8), MAC_ADDRESSES, u16(0x8864), pppoe(packet)),
  ),
  overUdp(
    "VXLAN in Geneve",
    "VXLAN",
    4711,
    6081,
    (packet) =>
      bytes([0, 0], u16(0x6558), u32(0), ethernet(ipUdp(...ENDS6, udp(1, 4789, vxlan(packet))))),
  ),
];
