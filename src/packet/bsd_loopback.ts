import { CUT_SHORT, NOT_IP } from "./decoded.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import { NOT_IP_FAMILY, type PacketHeader } from "./packet_header.ts";

const LOOPBACK_HEADER = 4;
const AF_INET = 2;
/** AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin. */
const AF_INET6 = [10, 24, 28, 30];

/**
 * Reads a packet of BSD's loopback interface: the address family, then IP. LINKTYPE_NULL has the
 * family in the byte order of the machine that captured, LINKTYPE_LOOP in network order. Families
 * are small numbers, so whichever end of the word is not zero has it.
 */
export function readBsdLoopback(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < LOOPBACK_HEADER) return CUT_SHORT;
  let family = view.getUint32(start);
  if (family > 0xffff) family = view.getUint32(start, true);
  if (family === AF_INET) return readIpv4(view, start + LOOPBACK_HEADER, end, header);
  if (AF_INET6.includes(family)) return readIpv6(view, start + LOOPBACK_HEADER, end, header);
  header.notIp = NOT_IP_FAMILY | Math.min(family, 0xffff);
  return NOT_IP;
}
