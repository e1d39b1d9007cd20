import { hardwareType } from "../../ffi/interface_state.ts";
import type { Device } from "../../ffi/device.ts";
import { PcapError } from "../../ffi/pcap_error.ts";
import { PcapHandle } from "../../ffi/pcap_handle.ts";
import { DLT_RAW, LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL } from "../packet/link_type.ts";
import { preferredLinkType } from "./preferred_link_type.ts";

/** What libpcap makes of a kind of hardware, `ARPHRD_` of `<linux/if_arp.h>`, where that is sure. */
const LINK_TYPE_OF_HARDWARE: ReadonlyMap<number, number> = new Map([
  [1, LINKTYPE_ETHERNET], // ARPHRD_ETHER
  [772, LINKTYPE_ETHERNET], // ARPHRD_LOOPBACK
  [512, LINKTYPE_LINUX_SLL], // ARPHRD_PPP
  [65534, DLT_RAW], // ARPHRD_NONE, as tun(4) and WireGuard have
  [801, 105], // ARPHRD_IEEE80211, LINKTYPE_IEEE802_11
  [803, 127], // ARPHRD_IEEE80211_RADIOTAP, LINKTYPE_IEEE802_11_RADIOTAP
]);

/** An interface's link type, and whether the process was permitted to ask. */
export interface InterfaceLinkType {
  /** `null` when it can't be known. */
  readonly linkType: number | null;
  readonly isPermitted: boolean;
}

/** The link type that a capture on an interface would have, by opening it; else by its hardware. */
export function interfaceLinkType(device: Device): InterfaceLinkType {
  const handle = PcapHandle.create(device.name);
  try {
    handle.activate();
    return { linkType: preferredLinkType(handle), isPermitted: true };
  } catch (error) {
    if (!(error instanceof PcapError)) throw error;
    const linkType = LINK_TYPE_OF_HARDWARE.get(hardwareType(device.name)) ?? null;
    return { linkType, isPermitted: !error.isPermission };
  } finally {
    handle.close();
  }
}
