import { TRANSPORT } from "./decoded.ts";
import { ETHERTYPE_BRIDGED, readEthernet, readEtherType } from "./ethernet.ts";
import { readGre } from "./gre.ts";
import { readIpv6 } from "./ip.ts";
import { readMpls } from "./mpls.ts";
import { nextProtocol, readNsh } from "./nsh.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readPpp } from "./ppp.ts";
import { readRawIp } from "./raw_ip.ts";
import {
  readInner,
  type ReadLayer,
  TUNNEL_GENEVE,
  TUNNEL_GRE,
  TUNNEL_GTP_U,
  TUNNEL_L2TP,
  TUNNEL_LISP,
  TUNNEL_MPLS,
  TUNNEL_NSH,
  TUNNEL_TEREDO,
  TUNNEL_VXLAN,
} from "./tunnel.ts";

/** Ports of tunnels (IANA, "Service Name and Transport Protocol Port Number Registry"). */
const PORT_L2TP = 1701;
const PORT_GTP_U = 2152;
const PORT_TEREDO = 3544;
const PORT_LISP = 4341;
const PORT_LISP_CONTROL = 4342;
const PORT_GRE = 4754;
const PORT_VXLAN = 4789;
const PORT_VXLAN_GPE = 4790;
const PORT_GENEVE = 6081;
/** Of no registry: where NSH in UDP is found (Wireshark). */
const PORT_NSH = 6633;
const PORT_MPLS = 6635;
/** Linux's default for VXLAN, from before it had a number (ip-link(8)). */
const PORT_VXLAN_LINUX = 8472;

/** Ports that packets in packets go to. */
export const TUNNEL_PORTS: readonly number[] = [
  PORT_L2TP,
  PORT_GTP_U,
  PORT_TEREDO,
  PORT_LISP,
  PORT_LISP_CONTROL,
  PORT_GRE,
  PORT_VXLAN,
  PORT_VXLAN_GPE,
  PORT_GENEVE,
  PORT_NSH,
  PORT_MPLS,
  PORT_VXLAN_LINUX,
];
/**
 * Of these, those that packets in packets also come from: their ends answer from where they were sent to.
 * In all others the source port is made of what is inside (RFC 7348, section 5; RFC 8926, section 3.3;
 * RFC 8086, section 3.2.1; RFC 7510, section 3; RFC 9300, section 5.1), so that a client that happens to
 * have such a port is no tunnel.
 */
const ANSWERING_PORTS: readonly number[] = [PORT_L2TP, PORT_GTP_U, PORT_TEREDO, PORT_LISP_CONTROL];
const IS_TUNNEL_PORT = new Uint8Array(1 << 16);
const IS_ANSWERING_PORT = new Uint8Array(1 << 16);
for (const port of TUNNEL_PORTS) IS_TUNNEL_PORT[port] = 1;
for (const port of ANSWERING_PORTS) IS_ANSWERING_PORT[port] = 1;

/** Flags, VNI (RFC 7348, section 5). */
const VXLAN_HEADER = 8;
const VXLAN_HAS_VNI = 0x08;
/** VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe). */
const VXLAN_HAS_NEXT_PROTOCOL = 0x04;
/** RFC 8926, section 3.4. */
const GENEVE_HEADER = 8;
const GENEVE_OPTIONS_MASK = 0x3f;
/** 3GPP TS 29.281, section 5.1: version 1 and protocol type; message type; length; TEID. */
const GTP_HEADER = 8;
const GTP_VERSION_MASK = 0xf0;
const GTP_VERSION_1 = 0x30;
const GTP_HAS_MORE = 0x07;
const GTP_HAS_EXTENSION = 0x04;
const GTP_MORE = 4;
const G_PDU = 255;
/** RFC 4380, section 5.1.1: what begins with these comes before the packet. */
const TEREDO_AUTHENTICATION = 0x0001;
const TEREDO_AUTHENTICATION_HEADER = 13;
const TEREDO_ORIGIN = 0x0000;
const TEREDO_ORIGIN_HEADER = 8;
/** RFC 2661, section 3.1. */
const L2TP_VERSION_MASK = 0x000f;
const L2TP_VERSION_2 = 2;
const L2TP_IS_CONTROL = 0x8000;
const L2TP_HAS_LENGTH = 0x4000;
const L2TP_HAS_SEQUENCE = 0x0800;
const L2TP_HAS_OFFSET = 0x0200;
/** RFC 9300, section 5.1. */
const LISP_HEADER = 8;
const LISP_HAS_INSTANCE = 0x08;
/** RFC 9301, section 5.8: a type and flags, then the packet of a control message. */
const LISP_CONTROL_HEADER = 4;
const LISP_ENCAPSULATED = 8;

/** Whether a datagram between these UDP ports may carry a packet. */
export function hasTunnelPort(sourcePort: number, destinationPort: number): boolean {
  return IS_TUNNEL_PORT[destinationPort] === 1 || IS_ANSWERING_PORT[sourcePort] === 1;
}

/**
 * Reads the packet that a UDP datagram carries whose ports are such: {@linkcode hasTunnelPort}.
 *
 * @param header Has the datagram's fields. It has the inner packet's if that could be read.
 * @returns What became of the inner packet, or `TRANSPORT` where the datagram carries none.
 */
export function readUdpTunnel(view: DataView, header: PacketHeader): number {
  const { destinationPort, sourcePort, payloadOffset, payloadEnd } = header;
  const port = IS_TUNNEL_PORT[destinationPort] === 1 ? destinationPort : sourcePort;
  switch (port) {
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX:
    case PORT_VXLAN_GPE:
      return readVxlan(view, payloadOffset, payloadEnd, header);
    case PORT_GENEVE:
      return readGeneve(view, payloadOffset, payloadEnd, header);
    case PORT_GTP_U:
      return readGtpU(view, payloadOffset, payloadEnd, header);
    case PORT_TEREDO:
      return readTeredo(view, payloadOffset, payloadEnd, header);
    case PORT_L2TP:
      return readL2tp(view, payloadOffset, payloadEnd, header);
    case PORT_LISP:
      return readLisp(view, payloadOffset, payloadEnd, header);
    case PORT_LISP_CONTROL:
      return readLispControl(view, payloadOffset, payloadEnd, header);
    case PORT_NSH:
      return inner(view, payloadOffset, payloadEnd, header, TUNNEL_NSH, 0, readNsh);
    case PORT_MPLS:
      return inner(view, payloadOffset, payloadEnd, header, TUNNEL_MPLS, 0, readMpls);
    default:
      return inner(view, payloadOffset, payloadEnd, header, TUNNEL_GRE, 0, readGre);
  }
}

function inner(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
  tunnel: number,
  id: number,
  read: ReadLayer,
): number {
  return readInner(view, start, end, header, tunnel, id, read, TRANSPORT);
}

function readVxlan(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (end - start < VXLAN_HEADER) return TRANSPORT;
  const flags = view.getUint8(start);
  if ((flags & VXLAN_HAS_VNI) === 0) return TRANSPORT;
  const hasNext = (flags & VXLAN_HAS_NEXT_PROTOCOL) !== 0;
  const read = hasNext ? nextProtocol(view.getUint8(start + 3)) : readEthernet;
  if (read === null) return TRANSPORT;
  const vni = view.getUint32(start + 4) >>> 8;
  return inner(view, start + VXLAN_HEADER, end, header, TUNNEL_VXLAN, vni, read);
}

/** What {@linkcode readAnnounced} reads. */
let etherType = 0;

function readAnnounced(view: DataView, start: number, end: number, header: PacketHeader): number {
  return readEtherType(view, etherType, start, end, header);
}

function readGeneve(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (end - start < GENEVE_HEADER) return TRANSPORT;
  const first = view.getUint8(start);
  // Its version is in the first two bits.
  if (first > GENEVE_OPTIONS_MASK) return TRANSPORT;
  etherType = view.getUint16(start + 2);
  const vni = view.getUint32(start + 4) >>> 8;
  const read = etherType === ETHERTYPE_BRIDGED ? readEthernet : readAnnounced;
  return inner(view, start + GENEVE_HEADER + first * 4, end, header, TUNNEL_GENEVE, vni, read);
}

function readGtpU(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (end - start < GTP_HEADER) return TRANSPORT;
  const flags = view.getUint8(start);
  if ((flags & GTP_VERSION_MASK) !== GTP_VERSION_1) return TRANSPORT;
  if (view.getUint8(start + 1) !== G_PDU) return TRANSPORT;
  const teid = view.getUint32(start + 4);
  let next = start + GTP_HEADER;
  if ((flags & GTP_HAS_MORE) !== 0) {
    next += GTP_MORE;
    if (next > end) return TRANSPORT;
    let type = (flags & GTP_HAS_EXTENSION) !== 0 ? view.getUint8(next - 1) : 0;
    while (type !== 0) {
      // Section 5.2.1: the length in words of four bytes; the last byte is the next type.
      const size = next < end ? view.getUint8(next) * 4 : 0;
      if (size === 0 || next + size > end) return TRANSPORT;
      next += size;
      type = view.getUint8(next - 1);
    }
  }
  return inner(view, next, end, header, TUNNEL_GTP_U, teid, readRawIp);
}

function readTeredo(view: DataView, start: number, end: number, header: PacketHeader): number {
  let next = start;
  if (
    end - next >= TEREDO_AUTHENTICATION_HEADER && view.getUint16(next) === TEREDO_AUTHENTICATION
  ) {
    next += TEREDO_AUTHENTICATION_HEADER + view.getUint8(next + 2) + view.getUint8(next + 3);
  }
  if (end - next >= TEREDO_ORIGIN_HEADER && view.getUint16(next) === TEREDO_ORIGIN) {
    next += TEREDO_ORIGIN_HEADER;
  }
  return inner(view, next, end, header, TUNNEL_TEREDO, 0, readIpv6);
}

function readL2tp(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (end - start < 2) return TRANSPORT;
  const flags = view.getUint16(start);
  if ((flags & L2TP_VERSION_MASK) !== L2TP_VERSION_2) return TRANSPORT;
  if ((flags & L2TP_IS_CONTROL) !== 0) return TRANSPORT;
  let next = start + 2;
  if ((flags & L2TP_HAS_LENGTH) !== 0) next += 2;
  if (next + 4 > end) return TRANSPORT;
  const id = view.getUint32(next);
  next += 4;
  if ((flags & L2TP_HAS_SEQUENCE) !== 0) next += 4;
  if ((flags & L2TP_HAS_OFFSET) !== 0) {
    if (next + 2 > end) return TRANSPORT;
    next += 2 + view.getUint16(next);
  }
  return inner(view, next, end, header, TUNNEL_L2TP, id, readPpp);
}

function readLisp(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (end - start < LISP_HEADER) return TRANSPORT;
  const hasInstance = (view.getUint8(start) & LISP_HAS_INSTANCE) !== 0;
  const instance = hasInstance ? view.getUint32(start + 4) >>> 8 : 0;
  return inner(view, start + LISP_HEADER, end, header, TUNNEL_LISP, instance, readRawIp);
}

function readLispControl(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (end - start < LISP_CONTROL_HEADER) return TRANSPORT;
  if (view.getUint8(start) >>> 4 !== LISP_ENCAPSULATED) return TRANSPORT;
  return inner(view, start + LISP_CONTROL_HEADER, end, header, TUNNEL_LISP, 0, readRawIp);
}
