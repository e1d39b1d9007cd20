import {
  BAD_LENGTH,
  BAD_VERSION,
  CUT_SHORT,
  ENCRYPTED,
  LATER_FRAGMENT,
  NOT_IP,
} from "./decoded.ts";
import { readLinkType } from "./decode.ts";
import { readLlc } from "./llc.ts";
import { MOST_NESTED, NOT_IP_80211, type PacketHeader } from "./packet_header.ts";

/** Frame control, duration, three addresses, sequence control (IEEE 802.11, section 9.3.2.1). */
const FRAME_HEADER = 24;
const FOURTH_ADDRESS = 6;
const QOS_CONTROL = 2;
const HT_CONTROL = 4;
const SEQUENCE_CONTROL = 22;
const FRAGMENT_MASK = 0x0f;
/** The first byte of frame control: type and subtype. */
const TYPE_MASK = 0x0c;
const TYPE_DATA = 0x08;
const HAS_NO_DATA = 0x40;
const HAS_QOS = 0x80;
/** The second: flags. */
const TO_AND_FROM_SYSTEM = 0x03;
const IS_PROTECTED = 0x40;
const HAS_HT_CONTROL = 0x80;
/** Of QoS control: several frames in one, each with addresses and length before it. */
const IS_AGGREGATE = 0x80;
const SUBFRAME_HEADER = 14;

/** https://www.radiotap.org: version, padding, length, then words that say what is there. */
const RADIOTAP_HEADER = 8;
const RADIOTAP_PRESENT = 4;
const HAS_TIME = 1 << 0;
const HAS_FLAGS = 1 << 1;
const HAS_MORE_WORDS = 1 << 31;
const TIME = 8;
/** Of the flags: between header and data there is padding to a multiple of four bytes. */
const IS_PADDED = 0x20;

/** Version, flags, length, link type (CACE's "PPI Packet Header Format"). */
const PPI_HEADER = 8;

/** Reads an IEEE 802.11 frame (LINKTYPE_IEEE802_11). Of an aggregate the first subframe is read. */
export function readIeee80211(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  return readFrame(view, start, end, header, false);
}

/** Reads an IEEE 802.11 frame with a radiotap header (LINKTYPE_IEEE802_11_RADIOTAP). */
export function readRadiotap(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < RADIOTAP_HEADER) return CUT_SHORT;
  if (view.getUint8(start) !== 0) return BAD_VERSION;
  const length = view.getUint16(start + 2, true);
  if (length < RADIOTAP_HEADER) return BAD_LENGTH;
  const frame = start + length;
  if (frame > end) return CUT_SHORT;
  return readFrame(view, frame, end, header, (radiotapFlags(view, start, frame) & IS_PADDED) !== 0);
}

/** Reads a packet with a PPI header (LINKTYPE_PPI), which says of which link type it is. */
export function readPpi(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
): number {
  if (end - start < PPI_HEADER) return CUT_SHORT;
  const length = view.getUint16(start + 2, true);
  if (length < PPI_HEADER) return BAD_LENGTH;
  if (start + length > end) return CUT_SHORT;
  // A header may announce another one.
  if (header.nested === MOST_NESTED) return NOT_IP;
  header.enter();
  return readLinkType(view, start + length, end, view.getUint32(start + 4, true), header);
}

/** The byte of flags, 0 where there is none. */
function radiotapFlags(view: DataView, start: number, end: number): number {
  const present = view.getUint32(start + RADIOTAP_PRESENT, true);
  if ((present & HAS_FLAGS) === 0) return 0;
  let next = start + RADIOTAP_PRESENT;
  for (let word = present;; word = view.getUint32(next, true)) {
    next += 4;
    if ((word & HAS_MORE_WORDS) === 0) break;
    if (next + 4 > end) return 0;
  }
  if ((present & HAS_TIME) !== 0) {
    // It is aligned, counted from the header's start.
    next = start + ((next - start + TIME - 1) & -TIME) + TIME;
  }
  return next < end ? view.getUint8(next) : 0;
}

function readFrame(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
  isPadded: boolean,
): number {
  if (end - start < 2) return CUT_SHORT;
  const type = view.getUint8(start);
  const flags = view.getUint8(start + 1);
  if ((type & TYPE_MASK) !== TYPE_DATA || (type & HAS_NO_DATA) !== 0) {
    header.notIp = NOT_IP_80211 | type;
    return NOT_IP;
  }
  if ((flags & IS_PROTECTED) !== 0) return ENCRYPTED;
  let size = FRAME_HEADER;
  if ((flags & TO_AND_FROM_SYSTEM) === TO_AND_FROM_SYSTEM) size += FOURTH_ADDRESS;
  const qos = start + size;
  const hasQos = (type & HAS_QOS) !== 0;
  if (hasQos) size += QOS_CONTROL;
  if (hasQos && (flags & HAS_HT_CONTROL) !== 0) size += HT_CONTROL;
  if (isPadded) size = (size + 3) & ~3;
  let data = start + size;
  if (data > end) return CUT_SHORT;
  if ((view.getUint8(start + SEQUENCE_CONTROL) & FRAGMENT_MASK) !== 0) return LATER_FRAGMENT;
  if (hasQos && (view.getUint8(qos) & IS_AGGREGATE) !== 0) data += SUBFRAME_HEADER;
  return readLlc(view, data, end, header);
}
