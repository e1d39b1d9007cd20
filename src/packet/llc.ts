import { CUT_SHORT, NOT_IP } from "./decoded.ts";
import { readEtherType } from "./ethernet.ts";
import { readIpv4 } from "./ip.ts";
import { NOT_IP_LLC, type PacketHeader } from "./packet_header.ts";

/** Destination and source access point, control (IEEE 802.2). */
const LLC_HEADER = 3;
/** An organisation and a protocol of its own, after that (IEEE 802). */
const SNAP_HEADER = 5;
/** Both access points of SNAP; both of IP (RFC 948). */
const SNAP = 0xaaaa;
const IP = 0x0606;
const UNNUMBERED_INFORMATION = 0x03;
/** Organisations whose protocols are EtherTypes: RFC 1042, and IEEE 802.1H for bridges. */
const ENCAPSULATED_ETHERNET = 0x000000;
const BRIDGE_TUNNEL = 0x0000f8;

/** Reads an IEEE 802.2 header, and what it announces where that is IP. */
export function readLlc(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < LLC_HEADER) return CUT_SHORT;
  const accessPoints = view.getUint16(start);
  header.notIp = NOT_IP_LLC | accessPoints;
  if (view.getUint8(start + 2) !== UNNUMBERED_INFORMATION) return NOT_IP;
  if (accessPoints === IP) return readIpv4(view, start + LLC_HEADER, end, header);
  return accessPoints === SNAP ? readSnap(view, start + LLC_HEADER, end, header) : NOT_IP;
}

/** Reads an organisation and its protocol, and what they announce where that is IP. */
export function readSnap(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < SNAP_HEADER) return CUT_SHORT;
  const organisation = view.getUint32(start) >>> 8;
  if (organisation !== ENCAPSULATED_ETHERNET && organisation !== BRIDGE_TUNNEL) return NOT_IP;
  return readEtherType(view, view.getUint16(start + 3), start + SNAP_HEADER, end, header);
}
