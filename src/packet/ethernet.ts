import { CUT_SHORT, NOT_IP } from "./decoded.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readPppoe } from "./ppp.ts";

const ETHERNET_HEADER = 14;
const VLAN_TAG = 4;

/** What is less is a length (IEEE 802.3, clause 3.2.6). */
const LEAST_ETHERTYPE = 0x0600;

/** EtherTypes (IANA, "IEEE 802 Numbers"). */
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_PPPOE_SESSION = 0x8864;
const ETHERTYPE_SERVICE_VLAN = 0x88a8;
/** In use for stacked tags before IEEE 802.1ad gave them a number of their own. */
const ETHERTYPE_OLD_SERVICE_VLAN = 0x9100;

/** Reads an Ethernet frame (LINKTYPE_ETHERNET). */
export function readEthernet(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < ETHERNET_HEADER) return CUT_SHORT;
  const etherType = view.getUint16(start + 12);
  if (etherType === ETHERTYPE_IPV4) return readIpv4(view, start + ETHERNET_HEADER, end, header);
  return readEtherType(view, etherType, start + ETHERNET_HEADER, end, header);
}

/**
 * Reads what an EtherType announces: IP, or any number of VLAN tags (IEEE 802.1Q) or a PPPoE
 * session before it.
 *
 * @param start Where what follows the EtherType begins.
 */
export function readEtherType(
  view: DataView,
  etherType: number,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  while (
    etherType === ETHERTYPE_VLAN || etherType === ETHERTYPE_SERVICE_VLAN ||
    etherType === ETHERTYPE_OLD_SERVICE_VLAN
  ) {
    if (end - start < VLAN_TAG) return CUT_SHORT;
    etherType = view.getUint16(start + 2);
    start += VLAN_TAG;
  }
  switch (etherType) {
    case ETHERTYPE_IPV4:
      return readIpv4(view, start, end, header);
    case ETHERTYPE_IPV6:
      return readIpv6(view, start, end, header);
    case ETHERTYPE_PPPOE_SESSION:
      return readPppoe(view, start, end, header);
    default:
      header.notIp = etherType < LEAST_ETHERTYPE ? 0 : etherType;
      return NOT_IP;
  }
}
