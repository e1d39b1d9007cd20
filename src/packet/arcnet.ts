import { CUT_SHORT, LATER_FRAGMENT, NOT_IP } from "./decoded.ts";
import { readIpv4 } from "./ip.ts";
import type { PacketHeader } from "./packet_header.ts";

/** Source, destination; on Linux also an offset. Then the protocol. */
const ADDRESSES_BSD = 2;
const ADDRESSES_LINUX = 4;
/** IP as in RFC 1051, and as in RFC 1201, after a split flag and a sequence number. */
const PROTOCOL_IP_1051 = 240;
const PROTOCOL_IP_1201 = 212;
const SPLIT = 3;
/** An exception packet has its flag, padding and the true flag (RFC 1201). */
const EXCEPTION = 0xff;
const EXCEPTION_PADDING = 4;

/** Reads an ARCNET packet as BSD saves it (LINKTYPE_ARCNET_BSD). */
export function readArcnetBsd(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  return readArcnet(view, start + ADDRESSES_BSD, end, header);
}

/** Reads an ARCNET packet as Linux saves it (LINKTYPE_ARCNET_LINUX). */
export function readArcnetLinux(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  return readArcnet(view, start + ADDRESSES_LINUX, end, header);
}

function readArcnet(view: DataView, start: number, end: number, header: PacketHeader): number {
  if (start >= end) return CUT_SHORT;
  const protocol = view.getUint8(start);
  if (protocol === PROTOCOL_IP_1051) return readIpv4(view, start + 1, end, header);
  if (protocol !== PROTOCOL_IP_1201) return NOT_IP;
  let split = start + 1;
  if (split + SPLIT > end) return CUT_SHORT;
  if (view.getUint8(split) === EXCEPTION) {
    split += EXCEPTION_PADDING;
    if (split + SPLIT > end) return CUT_SHORT;
  }
  const flag = view.getUint8(split);
  // The first of several packets has an odd flag, the others an even one.
  if (flag !== 0 && (flag & 1) === 0) return LATER_FRAGMENT;
  return readIpv4(view, split + SPLIT, end, header);
}
