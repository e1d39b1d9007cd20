import { BAD_LENGTH, CUT_SHORT } from "./decoded.ts";
import type { PacketHeader } from "./packet_header.ts";
import { readRawIp } from "./raw_ip.ts";

/** Address family, version, resource (linux/netfilter/nfnetlink.h). */
const NFLOG_HEADER = 4;
/** Length, with that of this header; type (linux/netlink.h). */
const ATTRIBUTE_HEADER = 4;
/** NFULA_PAYLOAD (linux/netfilter/nfnetlink_log.h). */
const PAYLOAD = 9;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE_MASK = 0x3fff;

/**
 * Reads a packet that netfilter has logged (LINKTYPE_NFLOG). Attributes are in the byte order of the
 * machine that captured, which no header tells: the first length fits in one of the two only.
 */
export function readNflog(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  let next = start + NFLOG_HEADER;
  if (next + ATTRIBUTE_HEADER > end) return CUT_SHORT;
  // Attributes are short at first, so the byte that is not zero is the low one.
  const isLittleEndian = view.getUint16(next, true) <= view.getUint16(next);
  while (next + ATTRIBUTE_HEADER <= end) {
    const length = view.getUint16(next, isLittleEndian);
    if (length < ATTRIBUTE_HEADER) return BAD_LENGTH;
    if ((view.getUint16(next + 2, isLittleEndian) & TYPE_MASK) === PAYLOAD) {
      const packetEnd = Math.min(next + length, end);
      return readRawIp(view, next + ATTRIBUTE_HEADER, packetEnd, header);
    }
    next += (length + 3) & ~3;
  }
  return CUT_SHORT;
}
