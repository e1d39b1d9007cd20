import { CUT_SHORT } from "./decoded.ts";
import { readEtherType } from "./ethernet.ts";
import { readLlc } from "./llc.ts";
import type { PacketHeader } from "./packet_header.ts";

/** LINKTYPE_LINUX_SLL(7): the header of version 1, and where its protocol is. */
const SLL_HEADER = 16;
const SLL_PROTOCOL = 14;
/** LINKTYPE_LINUX_SLL2(7): the header of version 2, and where its protocol is. */
const SLL2_HEADER = 20;
const SLL2_PROTOCOL = 0;
/** In place of an EtherType: IEEE 802.2 (linux/if_ether.h, ETH_P_802_2). */
const LINUX_802_2 = 4;

/** Reads a Linux cooked packet, version 1 (LINKTYPE_LINUX_SLL). */
export function readLinuxSll(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < SLL_HEADER) return CUT_SHORT;
  return readProtocol(view, view.getUint16(start + SLL_PROTOCOL), start + SLL_HEADER, end, header);
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
  return readProtocol(view, protocol, start + SLL2_HEADER, end, header);
}

function readProtocol(
  view: DataView,
  protocol: number,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  return protocol === LINUX_802_2
    ? readLlc(view, start, end, header)
    : readEtherType(view, protocol, start, end, header);
}
