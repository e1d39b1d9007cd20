import { BAD_LENGTH, CUT_SHORT, ENCRYPTED, NOT_IP } from "./decoded.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import { readLlc } from "./llc.ts";
import { readMpls } from "./mpls.ts";
import { readNsh } from "./nsh.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readPpp, readPppoe } from "./ppp.ts";
import { NO_OUTER, readInner, TUNNEL_PBB } from "./tunnel.ts";

const ETHERNET_HEADER = 14;
/** The bits of a tag that are the number (IEEE 802.1Q). */
const VLAN_NUMBER = 0x0fff;

/** EtherTypes (IANA, "IEEE 802 Numbers"; the IEEE's registry). */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
/** Transparent Ethernet bridging: an Ethernet frame (RFC 1701, RFC 7637). */
export const ETHERTYPE_BRIDGED = 0x6558;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_PPP = 0x880b;
export const ETHERTYPE_MPLS = 0x8847;
const ETHERTYPE_MPLS_MULTICAST = 0x8848;
const ETHERTYPE_PPPOE_SESSION = 0x8864;
const ETHERTYPE_SERVICE_VLAN = 0x88a8;
const ETHERTYPE_MACSEC = 0x88e5;
const ETHERTYPE_BACKBONE = 0x88e7;
const ETHERTYPE_CISCO_METADATA = 0x8909;
const ETHERTYPE_VN_TAG = 0x8926;
const ETHERTYPE_E_TAG = 0x893f;
export const ETHERTYPE_NSH = 0x894f;
/** In use for stacked tags before IEEE 802.1ad gave them a number of their own. */
const ETHERTYPE_OLD_SERVICE_VLAN = 0x9100;
const ETHERTYPE_OLDER_SERVICE_VLAN = 0x9200;
/** A lower number is the length of an IEEE 802.3 frame (IEEE 802.3, section 3.2.6). */
const LOWEST_ETHERTYPE = 0x0600;

/** Sizes of tags without the EtherType before them and with the one after them. */
const VLAN_TAG = 4;
/** IEEE 802.1BR. */
const E_TAG = 8;
/** The draft that became IEEE 802.1BR. */
const VN_TAG = 6;
/** Version and length; options, in words of four bytes; then the EtherType. */
const CISCO_METADATA_HEADER = 2;
const CISCO_METADATA_WORD = 4;
/** IEEE 802.1AE: information and association, short length, number; then the channel, if it is there. */
const MACSEC_TAG = 6;
const MACSEC_CHANNEL = 8;
const MACSEC_HAS_CHANNEL = 0x20;
const MACSEC_IS_CHANGED = 0x0c;
/** IEEE 802.1ah: flags and I-SID, then a whole Ethernet frame. */
const BACKBONE_TAG = 4;

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
 * Reads what an EtherType announces: IP, or any number of tags and other layers before it.
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
  for (;;) {
    let size: number;
    switch (etherType) {
      case ETHERTYPE_IPV4:
        return readIpv4(view, start, end, header);
      case ETHERTYPE_IPV6:
        return readIpv6(view, start, end, header);
      case ETHERTYPE_PPPOE_SESSION:
        return readPppoe(view, start, end, header);
      case ETHERTYPE_PPP:
        return readPpp(view, start, end, header);
      case ETHERTYPE_MPLS:
      case ETHERTYPE_MPLS_MULTICAST:
        return readMpls(view, start, end, header);
      case ETHERTYPE_NSH:
        return readNsh(view, start, end, header);
      case ETHERTYPE_BACKBONE:
        return readBackbone(view, start, end, header);
      case ETHERTYPE_VLAN:
      case ETHERTYPE_SERVICE_VLAN:
      case ETHERTYPE_OLD_SERVICE_VLAN:
      case ETHERTYPE_OLDER_SERVICE_VLAN:
        if (end - start < VLAN_TAG) return CUT_SHORT;
        if (header.vlan === 0) header.vlan = view.getUint16(start) & VLAN_NUMBER;
        size = VLAN_TAG;
        break;
      case ETHERTYPE_E_TAG:
        size = E_TAG;
        break;
      case ETHERTYPE_VN_TAG:
        size = VN_TAG;
        break;
      case ETHERTYPE_CISCO_METADATA:
        if (end - start < CISCO_METADATA_HEADER) return CUT_SHORT;
        size = CISCO_METADATA_HEADER + view.getUint8(start + 1) * CISCO_METADATA_WORD + 2;
        break;
      case ETHERTYPE_MACSEC: {
        if (end - start < MACSEC_TAG) return CUT_SHORT;
        const control = view.getUint8(start);
        if ((control & MACSEC_IS_CHANGED) !== 0) return ENCRYPTED;
        size = MACSEC_TAG + ((control & MACSEC_HAS_CHANNEL) !== 0 ? MACSEC_CHANNEL : 0) + 2;
        break;
      }
      default:
        if (etherType < LOWEST_ETHERTYPE) return readLength(view, etherType, start, end, header);
        header.notIp = etherType;
        header.payloadOffset = start;
        header.payloadEnd = end;
        return NOT_IP;
    }
    if (end - start < size) return CUT_SHORT;
    etherType = view.getUint16(start + size - 2);
    start += size;
  }
}

/** Reads an IEEE 802.3 frame, which has its length in the place of an EtherType. */
function readLength(
  view: DataView,
  length: number,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  // What follows is padding.
  if (start + length >= end) return readLlc(view, start, end, header);
  const decoded = readLlc(view, start, start + length, header);
  // All of it was captured, so it is the length that cuts what is in it.
  return decoded === CUT_SHORT ? BAD_LENGTH : decoded;
}

/** Reads a frame of a provider backbone bridge after its EtherType (IEEE 802.1ah). */
function readBackbone(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < BACKBONE_TAG) return CUT_SHORT;
  const service = view.getUint32(start) & 0x00ff_ffff;
  const frame = start + BACKBONE_TAG;
  return readInner(view, frame, end, header, TUNNEL_PBB, service, readEthernet, NO_OUTER);
}
