import type { u32, usize } from "./wasm_types.ts";

/* A frame of the kernel's ring: `struct tpacket3_hdr` of <linux/if_packet.h>, in bytes. */

/** How far the next frame is. */
export const FRAME_NEXT: usize = 0;
export const FRAME_SECONDS: usize = 4;
export const FRAME_NANOSECONDS: usize = 8;
export const FRAME_CAPTURED: usize = 12;
export const FRAME_LENGTH: usize = 16;
/** Bits, among them that a VLAN tag was taken off the packet. */
export const FRAME_STATUS: usize = 20;
/** Where the packet begins. */
export const FRAME_START: usize = 24;
/** The tag that was taken off, and its EtherType: both in the host's byte order. */
export const FRAME_VLAN_TAG: usize = 32;
export const FRAME_VLAN_TYPE: usize = 36;
/** The `struct sockaddr_ll` after it. */
export const FRAME_LINK: usize = 48;

/** In {@linkcode FRAME_STATUS}: there is a VLAN tag, and its EtherType, which older kernels don't say. */
export const VLAN_IS_VALID: u32 = 1 << 4;
export const VLAN_TYPE_IS_VALID: u32 = 1 << 6;
