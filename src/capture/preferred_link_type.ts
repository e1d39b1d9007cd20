import type { PcapHandle } from "../../ffi/pcap_handle.ts";
import { LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2 } from "../packet/link_type.ts";

/**
 * The link type that an active capture is to have, once set. Of the cooked ones it is the second
 * version where there is one: as in tcpdump, filters may then name the interface (`ifindex` of
 * pcap-filter(7)).
 */
export function preferredLinkType(handle: PcapHandle): number {
  const linkType = handle.datalink();
  return linkType === LINKTYPE_LINUX_SLL && handle.setDatalink(LINKTYPE_LINUX_SLL2)
    ? LINKTYPE_LINUX_SLL2
    : linkType;
}
