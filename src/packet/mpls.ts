import { CUT_SHORT, NOT_IP } from "./decoded.ts";
import { ETHERTYPE_MPLS, readEthernet } from "./ethernet.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import type { PacketHeader } from "./packet_header.ts";
import { NO_OUTER, readInner, TUNNEL_MPLS } from "./tunnel.ts";

/** Label, class, bottom of stack, time to live (RFC 3032, section 2.1). */
const LABEL = 4;
const BOTTOM_OF_STACK = 0x100;
const LABEL_SHIFT = 12;
/** Before the frame of a pseudowire (RFC 4385, section 3). */
const CONTROL_WORD = 4;

/**
 * Reads what a stack of MPLS labels carries. Labels do not say what that is: IP begins with its
 * version, and a pseudowire's control word with 0 (RFC 4928), after which there is Ethernet.
 */
export function readMpls(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  let label: number;
  do {
    if (end - start < LABEL) return CUT_SHORT;
    label = view.getUint32(start);
    start += LABEL;
  } while ((label & BOTTOM_OF_STACK) === 0);
  if (start === end) return CUT_SHORT;
  const version = view.getUint8(start) >>> 4;
  if (version === 4) return readIpv4(view, start, end, header);
  if (version === 6) return readIpv6(view, start, end, header);
  if (version !== 0) {
    header.notIp = ETHERTYPE_MPLS;
    return NOT_IP;
  }
  const frame = start + CONTROL_WORD;
  const id = label >>> LABEL_SHIFT;
  return readInner(view, frame, end, header, TUNNEL_MPLS, id, readEthernet, NO_OUTER);
}
