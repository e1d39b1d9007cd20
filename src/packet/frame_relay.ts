import { CUT_SHORT, NOT_IP } from "./decoded.ts";
import { readEtherType } from "./ethernet.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import { readSnap } from "./llc.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readPpp } from "./ppp.ts";

/** In the last byte of an address, which has two to four (ITU-T Q.922, section 3.3). */
const IS_LAST = 0x01;
const MOST_ADDRESS = 4;
const UNNUMBERED_INFORMATION = 0x03;
/** Network layer protocols (RFC 2427; ISO/IEC TR 9577). */
const NLPID_SNAP = 0x80;
const NLPID_IPV6 = 0x8e;
const NLPID_IPV4 = 0xcc;
const NLPID_PPP = 0xcf;

/** Reads a frame relay frame (LINKTYPE_FRELAY), in the IETF's encapsulation (RFC 2427) or Cisco's. */
export function readFrameRelay(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  let next = start;
  do {
    if (next === end) return CUT_SHORT;
    if (next - start === MOST_ADDRESS) return NOT_IP;
  } while ((view.getUint8(next++) & IS_LAST) === 0);
  if (next + 2 > end) return CUT_SHORT;
  if (view.getUint8(next) !== UNNUMBERED_INFORMATION) {
    return readEtherType(view, view.getUint16(next), next + 2, end, header);
  }
  next++;
  // A byte that aligns what follows.
  if (view.getUint8(next) === 0) next++;
  if (next === end) return CUT_SHORT;
  const protocol = view.getUint8(next++);
  switch (protocol) {
    case NLPID_IPV4:
      return readIpv4(view, next, end, header);
    case NLPID_IPV6:
      return readIpv6(view, next, end, header);
    case NLPID_SNAP:
      return readSnap(view, next, end, header);
    case NLPID_PPP:
      return readPpp(view, next, end, header);
    default:
      return NOT_IP;
  }
}
