import { readBsdLoopback } from "./bsd_loopback.ts";
import { UNSUPPORTED_LINK_TYPE } from "./decoded.ts";
import { readEthernet } from "./ethernet.ts";
import {
  DLT_RAW,
  DLT_RAW_OPENBSD,
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_LOOP,
  LINKTYPE_NULL,
  LINKTYPE_PPP,
  LINKTYPE_PPP_ETHER,
  LINKTYPE_PPP_HDLC,
  LINKTYPE_RAW,
} from "./link_type.ts";
import { readLinuxSll, readLinuxSll2 } from "./linux_sll.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readPpp, readPppoe } from "./ppp.ts";
import { readRawIp } from "./raw_ip.ts";

/**
 * Reads the headers of one packet. Nothing outside `start` to `end` is read, and nothing is
 * allocated.
 *
 * @param view The batch's buffer.
 * @param start Where the packet begins in it.
 * @param end Where its captured bytes end.
 * @param linkType One of the numbers of `link_type.ts`.
 * @param header Takes the fields. What is in it is meaningful only if the answer is
 * `TRANSPORT` or `UNREACHABLE`.
 * @returns One of the numbers of `decoded.ts`.
 */
export function decode(
  view: DataView,
  start: number,
  end: number,
  linkType: number,
  header: PacketHeader,
): number {
  header.vlan = 0;
  if (linkType === LINKTYPE_ETHERNET) return readEthernet(view, start, end, header);
  switch (linkType) {
    case LINKTYPE_LINUX_SLL:
      return readLinuxSll(view, start, end, header);
    case LINKTYPE_LINUX_SLL2:
      return readLinuxSll2(view, start, end, header);
    case LINKTYPE_RAW:
    case DLT_RAW:
    case DLT_RAW_OPENBSD:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
      return readRawIp(view, start, end, header);
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return readBsdLoopback(view, start, end, header);
    case LINKTYPE_PPP:
    case LINKTYPE_PPP_HDLC:
      return readPpp(view, start, end, header);
    case LINKTYPE_PPP_ETHER:
      return readPppoe(view, start, end, header);
    default:
      return UNSUPPORTED_LINK_TYPE;
  }
}
