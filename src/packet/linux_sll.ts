import { CUT_SHORT } from "./decoded.ts";
import { readEtherType } from "./ethernet.ts";
import type { PacketHeader } from "./packet_header.ts";

/** LINKTYPE_LINUX_SLL(7): the header of version 1, and where its protocol is. */
const SLL_HEADER = 16;
const SLL_PROTOCOL = 14;
/** LINKTYPE_LINUX_SLL2(7): the header of version 2, and where its protocol is. */
const SLL2_HEADER = 20;
const SLL2_PROTOCOL = 0;

/** Reads a Linux cooked packet, version 1 (LINKTYPE_LINUX_SLL). */
export function readLinuxSll(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < SLL_HEADER) return CUT_SHORT;
  return readEtherType(view, view.getUint16(start + SLL_PROTOCOL), start + SLL_HEADER, end, header);
}

/** Reads a Linux cooked packet, version 2 (LINKTYPE_LINUX_SLL2). */
export function readLinuxSll2(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < SLL2_HEADER) return CUT_SHORT;
  const protocol = view.getUint16(start + SLL2_PROTOCOL);
  return readEtherType(view, protocol, start + SLL2_HEADER, end, header);
}
