import { linkTypeName } from "../../ffi/libpcap.ts";
import { networkInterfaces } from "../../ffi/network_interfaces.ts";
import { permissionAdvice } from "../../ffi/capture_error.ts";
import type { Device } from "../../ffi/device.ts";
import { devices } from "../../ffi/pcap_devices.ts";
import { hardwareLinkTypeName } from "../capture/hardware_link_type.ts";
import { interfaceLinkType } from "../capture/interface_link_type.ts";
import { isDecoded } from "../capture/is_decoded.ts";
import { sourceKind } from "../capture/source_kind.ts";
import type { Log } from "../log.ts";
import { aligned } from "./aligned.ts";
import { printText } from "./print_text.ts";

const HEADINGS = ["NAME", "STATE", "LINK TYPE", "ADDRESSES", "DESCRIPTION"];
const NOTHING = "-";

/**
 * Prints what can be captured on: each interface's name, state, link type, addresses with the
 * length of their prefix, and what libpcap, if there is one, says of it.
 *
 * @returns The exit status.
 * @throws {UserError} when libpcap can't be used, or can't list the interfaces.
 */
export async function interfaces(log: Log): Promise<number> {
  const kind = sourceKind("auto", log);
  const list = kind === "libpcap" ? devices() : networkInterfaces();
  const nameOf = kind === "libpcap" ? linkTypeName : hardwareLinkTypeName;
  let isPermitted = true;
  const rows = list.filter((device) => device.isInterface).map((device) => {
    const found = interfaceLinkType(kind, device);
    isPermitted &&= found.isPermitted;
    return rowOf(device, found.linkType, nameOf);
  });
  await printText(aligned([HEADINGS, ...rows], "").join("\n"));
  if (!isPermitted) {
    log.warn(
      `no permission to capture; the link types are guessed from the hardware: ` +
        permissionAdvice(),
    );
  }
  return 0;
}

function rowOf(
  device: Device,
  linkType: number | null,
  nameOf: (linkType: number) => string,
): string[] {
  const name = linkType === null ? NOTHING : nameOf(linkType);
  return [
    device.name,
    !device.isUp ? "down" : device.isRunning ? "up" : "no-carrier",
    linkType === null || isDecoded(linkType) ? name : `${name} (not decoded)`,
    device.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(" ") ||
    NOTHING,
    device.description || NOTHING,
  ];
}
