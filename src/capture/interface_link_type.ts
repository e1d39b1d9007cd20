import { PacketSocket } from "../../ffi/af_packet.ts";
import { CaptureError } from "../../ffi/capture_error.ts";
import type { Device } from "../../ffi/device.ts";
import { PcapHandle } from "../../ffi/pcap_handle.ts";
import { hardwareLinkType } from "./hardware_link_type.ts";
import { preferredLinkType } from "./preferred_link_type.ts";
import type { SourceKind } from "./source_kind.ts";

/** An interface's link type, and whether the process was permitted to ask. */
export interface InterfaceLinkType {
  /** `null` when it can't be known. */
  readonly linkType: number | null;
  readonly isPermitted: boolean;
}

/**
 * The link type that a capture on an interface would have: libpcap says so if it may open it;
 * otherwise it follows from the hardware.
 */
export function interfaceLinkType(kind: SourceKind, device: Device): InterfaceLinkType {
  try {
    const linkType = kind === "libpcap" ? openedLinkType(device.name) : ringLinkType(device.name);
    return { linkType, isPermitted: true };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { linkType: hardwareLinkType(device.name), isPermitted: !error.isPermission };
  }
}

function openedLinkType(name: string): number {
  const handle = PcapHandle.create(name);
  try {
    handle.activate();
    return preferredLinkType(handle);
  } finally {
    handle.close();
  }
}

function ringLinkType(name: string): number | null {
  const linkType = hardwareLinkType(name);
  // Opened for nothing but to see whether that is permitted.
  new PacketSocket(name, true).close();
  return linkType;
}
