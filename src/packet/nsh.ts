import { BAD_LENGTH, CUT_SHORT, NOT_IP } from "./decoded.ts";
import { ETHERTYPE_NSH, readEthernet } from "./ethernet.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import { readMpls } from "./mpls.ts";
import type { PacketHeader } from "./packet_header.ts";
import { NO_OUTER, readInner, type ReadLayer, TUNNEL_NSH } from "./tunnel.ts";

/** Base header and service path (RFC 8300, section 2). */
const NSH_HEADER = 8;
/** Low six bits of the first two bytes: words of four bytes. */
const LENGTH_MASK = 0x3f;
const NEXT_PROTOCOL = 3;
const SERVICE_PATH = 4;

/** Next protocols (IANA, "NSH Next Protocol"); those of VXLAN-GPE are the same. */
const NEXT_IPV4 = 1;
const NEXT_IPV6 = 2;
const NEXT_ETHERNET = 3;
const NEXT_NSH = 4;
const NEXT_MPLS = 5;

/** Reads a network service header (RFC 8300) and what it carries. */
export function readNsh(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < NSH_HEADER) return CUT_SHORT;
  const size = (view.getUint16(start) & LENGTH_MASK) * 4;
  if (size < NSH_HEADER) return BAD_LENGTH;
  if (start + size > end) return CUT_SHORT;
  const read = nextProtocol(view.getUint8(start + NEXT_PROTOCOL));
  if (read === null) {
    header.notIp = ETHERTYPE_NSH;
    return NOT_IP;
  }
  const path = view.getUint32(start + SERVICE_PATH) >>> 8;
  return readInner(view, start + size, end, header, TUNNEL_NSH, path, read, NO_OUTER);
}

/** What reads a next protocol of NSH or of VXLAN-GPE, if it may lead to IP. */
export function nextProtocol(number: number): ReadLayer | null {
  switch (number) {
    case NEXT_IPV4:
      return readIpv4;
    case NEXT_IPV6:
      return readIpv6;
    case NEXT_ETHERNET:
      return readEthernet;
    case NEXT_NSH:
      return readNsh;
    case NEXT_MPLS:
      return readMpls;
    default:
      return null;
  }
}
