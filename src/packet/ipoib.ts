import { CUT_SHORT } from "./decoded.ts";
import { readEtherType } from "./ethernet.ts";
import type { PacketHeader } from "./packet_header.ts";

/** A global routing header, as captured (LINKTYPE_IPOIB), before what RFC 4391 has. */
const ROUTING_HEADER = 40;
/** EtherType, reserved (RFC 4391, section 6). */
const IPOIB_HEADER = 4;

/** Reads a packet of IP over InfiniBand (LINKTYPE_IPOIB). */
export function readIpoib(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  const type = start + ROUTING_HEADER;
  if (type + IPOIB_HEADER > end) return CUT_SHORT;
  return readEtherType(view, view.getUint16(type), type + IPOIB_HEADER, end, header);
}
