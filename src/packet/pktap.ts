import { BAD_LENGTH, CUT_SHORT, NOT_IP } from "./decoded.ts";
import { readLinkType } from "./decode.ts";
import { MOST_NESTED, type PacketHeader } from "./packet_header.ts";

/** Length, type, link type; little-endian, as are the machines that write it. */
const PKTAP_START = 12;
/** In place of a record that has a packet. */
const HAS_PACKET = 1;

/** Reads a packet with a PKTAP header of macOS (LINKTYPE_PKTAP), which says of which link type it is. */
export function readPktap(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < PKTAP_START) return CUT_SHORT;
  const length = view.getUint32(start, true);
  if (length < PKTAP_START) return BAD_LENGTH;
  if (start + length > end) return CUT_SHORT;
  if (view.getUint32(start + 4, true) !== HAS_PACKET) return NOT_IP;
  // A header may announce another one.
  if (header.nested === MOST_NESTED) return NOT_IP;
  header.enter();
  return readLinkType(view, start + length, end, view.getUint32(start + 8, true), header);
}
