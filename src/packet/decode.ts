import { readArcnetBsd, readArcnetLinux } from "./arcnet.ts";
import { readBsdLoopback } from "./bsd_loopback.ts";
import { UNSUPPORTED_LINK_TYPE } from "./decoded.ts";
import { readEthernet } from "./ethernet.ts";
import { readFrameRelay } from "./frame_relay.ts";
import { readIeee80211, readPpi, readRadiotap } from "./ieee802_11.ts";
import { readIpoib } from "./ipoib.ts";
import {
  DLT_RAW,
  DLT_RAW_OPENBSD,
  LINKTYPE_ARCNET_BSD,
  LINKTYPE_ARCNET_LINUX,
  LINKTYPE_ATM_RFC1483,
  LINKTYPE_C_HDLC,
  LINKTYPE_ETHERNET,
  LINKTYPE_FRELAY,
  LINKTYPE_IEEE802_11,
  LINKTYPE_IEEE802_11_RADIOTAP,
  LINKTYPE_IPOIB,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_LOOP,
  LINKTYPE_NFLOG,
  LINKTYPE_NULL,
  LINKTYPE_PKTAP,
  LINKTYPE_PPI,
  LINKTYPE_PPP,
  LINKTYPE_PPP_ETHER,
  LINKTYPE_PPP_HDLC,
  LINKTYPE_PPP_WITH_DIR,
  LINKTYPE_RAW,
} from "./link_type.ts";
import { readLinuxSll, readLinuxSll2 } from "./linux_sll.ts";
import { readLlc } from "./llc.ts";
import { readNflog } from "./nflog.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readPktap } from "./pktap.ts";
import { readPpp, readPppoe, readPppWithDirection } from "./ppp.ts";
import { readRawIp } from "./raw_ip.ts";
import { NO_TUNNEL } from "./tunnel.ts";

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
  header.notIp = 0;
  header.protocol = 0;
  header.isFragment = false;
  header.nested = 0;
  header.tunnel = NO_TUNNEL;
  header.tunnelId = 0;
  return readLinkType(view, start, end, linkType, header);
}

/** Reads a packet of a link type that stands by itself, or inside of another one (PPI, PKTAP). */
export function readLinkType(
  view: DataView,
  start: number,
  end: number,
  linkType: number,
  header: PacketHeader,
): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return readEthernet(view, start, end, header);
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
    // Its frames begin with Cisco HDLC's addresses, by which `readPpp` tells them.
    case LINKTYPE_C_HDLC:
    case LINKTYPE_PPP:
    case LINKTYPE_PPP_HDLC:
      return readPpp(view, start, end, header);
    case LINKTYPE_PPP_ETHER:
      return readPppoe(view, start, end, header);
    case LINKTYPE_PPP_WITH_DIR:
      return readPppWithDirection(view, start, end, header);
    case LINKTYPE_FRELAY:
      return readFrameRelay(view, start, end, header);
    case LINKTYPE_IEEE802_11:
      return readIeee80211(view, start, end, header);
    case LINKTYPE_IEEE802_11_RADIOTAP:
      return readRadiotap(view, start, end, header);
    case LINKTYPE_PPI:
      return readPpi(view, start, end, header);
    case LINKTYPE_NFLOG:
      return readNflog(view, start, end, header);
    case LINKTYPE_IPOIB:
      return readIpoib(view, start, end, header);
    case LINKTYPE_PKTAP:
      return readPktap(view, start, end, header);
    case LINKTYPE_ATM_RFC1483:
      return readLlc(view, start, end, header);
    case LINKTYPE_ARCNET_BSD:
      return readArcnetBsd(view, start, end, header);
    case LINKTYPE_ARCNET_LINUX:
      return readArcnetLinux(view, start, end, header);
    default:
      header.notIp = linkType;
      return UNSUPPORTED_LINK_TYPE;
  }
}
