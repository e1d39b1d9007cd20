import { BAD_LENGTH, BAD_VERSION, CUT_SHORT, NOT_IP } from "./decoded.ts";
import { readEtherType } from "./ethernet.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import { readMpls } from "./mpls.ts";
import { NOT_IP_PPP, type PacketHeader } from "./packet_header.ts";

/** Version and type, code, session, length (RFC 2516, section 4). */
const PPPOE_HEADER = 6;
const PPPOE_VERSION_AND_TYPE = 0x11;

/** "All stations" and "unnumbered information", which may be left out (RFC 1662, section 3.1). */
const ADDRESS_AND_CONTROL = 0xff03;
/** Cisco HDLC's addresses, unicast and multicast; an EtherType follows. */
const CISCO_UNICAST = 0x0f00;
const CISCO_MULTICAST = 0x8f00;

/** PPP protocol numbers (IANA, "PPP DLL Protocol Numbers"). */
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const PPP_MPLS = 0x0281;
const PPP_MPLS_MULTICAST = 0x0283;

/** Reads a PPPoE session packet (LINKTYPE_PPP_ETHER, or after its EtherType). */
export function readPppoe(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < PPPOE_HEADER) return CUT_SHORT;
  if (view.getUint8(start) !== PPPOE_VERSION_AND_TYPE) return BAD_VERSION;
  const packetEnd = start + PPPOE_HEADER + view.getUint16(start + 4);
  if (packetEnd > end) return readPppProtocol(view, start + PPPOE_HEADER, end, header);
  const decoded = readPppProtocol(view, start + PPPOE_HEADER, packetEnd, header);
  // All of it was captured, so it is the length in this header that cuts what is in it.
  return decoded === CUT_SHORT ? BAD_LENGTH : decoded;
}

/** Reads a PPP frame (LINKTYPE_PPP, LINKTYPE_PPP_HDLC), with or without address and control. */
export function readPpp(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < 4) return CUT_SHORT;
  const first = view.getUint16(start);
  if (first === CISCO_UNICAST || first === CISCO_MULTICAST) {
    return readEtherType(view, view.getUint16(start + 2), start + 4, end, header);
  }
  return readPppProtocol(view, first === ADDRESS_AND_CONTROL ? start + 2 : start, end, header);
}

/** Reads a PPP frame with a byte before it that says which way it went (LINKTYPE_PPP_WITH_DIR). */
export function readPppWithDirection(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  return readPpp(view, start + 1, end, header);
}

function readPppProtocol(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < 2) return CUT_SHORT;
  // An odd first byte is a protocol number compressed to one byte (RFC 1661, section 6.5).
  const isCompressed = (view.getUint8(start) & 1) === 1;
  const protocol = isCompressed ? view.getUint8(start) : view.getUint16(start);
  const next = isCompressed ? start + 1 : start + 2;
  if (protocol === PPP_IPV4) return readIpv4(view, next, end, header);
  if (protocol === PPP_IPV6) return readIpv6(view, next, end, header);
  if (protocol === PPP_MPLS || protocol === PPP_MPLS_MULTICAST) {
    return readMpls(view, next, end, header);
  }
  header.notIp = NOT_IP_PPP | protocol;
  return NOT_IP;
}
