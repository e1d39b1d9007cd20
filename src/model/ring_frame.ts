import type { usize } from "./wasm_types.ts";

/* A frame of the kernel's ring: `struct tpacket3_hdr` of <linux/if_packet.h>, in bytes. */

/** How far the next frame is. */
export const FRAME_NEXT: usize = 0;
export const FRAME_SECONDS: usize = 4;
export const FRAME_NANOSECONDS: usize = 8;
export const FRAME_CAPTURED: usize = 12;
export const FRAME_LENGTH: usize = 16;
/** Where the packet begins. */
export const FRAME_START: usize = 24;
/** The `struct sockaddr_ll` after it. */
export const FRAME_LINK: usize = 48;
