import type { u32 } from "../model/wasm_types.ts";

/**
 * Link types, as saved captures number them: https://www.tcpdump.org/linktypes.html.
 * libpcap's own DLT numbers are the same but for raw IP, which is 12 there, or 14 on OpenBSD.
 */
export const LINKTYPE_NULL: u32 = 0;
export const LINKTYPE_ETHERNET: u32 = 1;
export const LINKTYPE_ARCNET_BSD: u32 = 7;
export const LINKTYPE_PPP: u32 = 9;
/** DLT_RAW on Linux and most others; found in files written by old or careless programs. */
export const DLT_RAW: u32 = 12;
/** DLT_RAW on OpenBSD. */
export const DLT_RAW_OPENBSD: u32 = 14;
export const LINKTYPE_PPP_HDLC: u32 = 50;
export const LINKTYPE_PPP_ETHER: u32 = 51;
export const LINKTYPE_ATM_RFC1483: u32 = 100;
export const LINKTYPE_RAW: u32 = 101;
export const LINKTYPE_C_HDLC: u32 = 104;
export const LINKTYPE_IEEE802_11: u32 = 105;
export const LINKTYPE_FRELAY: u32 = 107;
export const LINKTYPE_LOOP: u32 = 108;
export const LINKTYPE_LINUX_SLL: u32 = 113;
export const LINKTYPE_IEEE802_11_RADIOTAP: u32 = 127;
export const LINKTYPE_ARCNET_LINUX: u32 = 129;
export const LINKTYPE_PPP_WITH_DIR: u32 = 166;
export const LINKTYPE_PPI: u32 = 192;
export const LINKTYPE_IPV4: u32 = 228;
export const LINKTYPE_IPV6: u32 = 229;
export const LINKTYPE_NFLOG: u32 = 239;
export const LINKTYPE_IPOIB: u32 = 242;
export const LINKTYPE_PKTAP: u32 = 258;
export const LINKTYPE_LINUX_SLL2: u32 = 276;
