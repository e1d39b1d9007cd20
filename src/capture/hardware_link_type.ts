import { ANY_DEVICE } from "../../ffi/device.ts";
import { hardwareType } from "../../ffi/interface_state.ts";
import {
  DLT_RAW,
  LINKTYPE_ETHERNET,
  LINKTYPE_IEEE802_11,
  LINKTYPE_IEEE802_11_RADIOTAP,
  LINKTYPE_LINUX_SLL2,
} from "../packet/link_type.ts";

/**
 * Kinds of hardware, `ARPHRD_` of `<linux/if_arp.h>`, whose packets are taken with the header that
 * they come with, or have none. As libpcap has it, of those that carry IP.
 */
const LINK_TYPE_OF_HARDWARE: ReadonlyMap<number, number> = new Map([
  [1, LINKTYPE_ETHERNET], // ARPHRD_ETHER
  [772, LINKTYPE_ETHERNET], // ARPHRD_LOOPBACK
  [256, DLT_RAW], // ARPHRD_SLIP
  [257, DLT_RAW], // ARPHRD_CSLIP
  [258, DLT_RAW], // ARPHRD_SLIP6
  [259, DLT_RAW], // ARPHRD_CSLIP6
  [264, DLT_RAW], // ARPHRD_ADAPT
  [518, DLT_RAW], // ARPHRD_RAWHDLC
  [519, DLT_RAW], // ARPHRD_RAWIP
  [768, DLT_RAW], // ARPHRD_TUNNEL
  [776, DLT_RAW], // ARPHRD_SIT
  [65534, DLT_RAW], // ARPHRD_NONE, as tun(4) and WireGuard have
  [801, LINKTYPE_IEEE802_11], // ARPHRD_IEEE80211
  [803, LINKTYPE_IEEE802_11_RADIOTAP], // ARPHRD_IEEE80211_RADIOTAP
]);

/** Names that tcpdump has for these link types. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [LINKTYPE_ETHERNET, "EN10MB"],
  [DLT_RAW, "RAW"],
  [LINKTYPE_IEEE802_11, "IEEE802_11"],
  [LINKTYPE_IEEE802_11_RADIOTAP, "IEEE802_11_RADIO"],
  [LINKTYPE_LINUX_SLL2, "LINUX_SLL2"],
]);

/**
 * The link type that packets of an interface have, by its kind of hardware: what is not known well,
 * as PPP of so many sorts, and all interfaces together, is cooked (LINKTYPE_LINUX_SLL2).
 *
 * @returns `null` when there is no such interface.
 */
export function hardwareLinkType(name: string): number | null {
  if (name === ANY_DEVICE) return LINKTYPE_LINUX_SLL2;
  const hardware = hardwareType(name);
  return hardware < 0 ? null : LINK_TYPE_OF_HARDWARE.get(hardware) ?? LINKTYPE_LINUX_SLL2;
}

/** The name of a link type that {@linkcode hardwareLinkType} gives. */
export function hardwareLinkTypeName(linkType: number): string {
  return NAMES.get(linkType) ?? String(linkType);
}
