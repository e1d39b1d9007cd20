import { BAD_VERSION, CUT_SHORT } from "./decoded.ts";
import { readIpv4, readIpv6 } from "./ip.ts";
import type { PacketHeader } from "./packet_header.ts";

/** Reads an IP packet without a link layer (LINKTYPE_RAW and its like): its version says which. */
export function readRawIp(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (start >= end) return CUT_SHORT;
  const version = view.getUint8(start) >>> 4;
  if (version === 4) return readIpv4(view, start, end, header);
  if (version === 6) return readIpv6(view, start, end, header);
  return BAD_VERSION;
}
