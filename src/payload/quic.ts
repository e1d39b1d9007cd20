import {
  FIRST,
  FROM_CLIENT,
  FROM_SERVER,
  hasText,
  NOBODY,
  range,
  type Role,
  type Sign,
  wordIn,
} from "./sign.ts";

/** RFC 9000, section 7.2: the client makes up the first destination identifier, so long at least. */
const SHORTEST_FIRST_ID = 8;
/** RFC 9000, section 14.1. */
const SHORTEST_FIRST_DATAGRAM = 1200;
/** RFC 9369, sections 3.1 and 3.2: version 2, which numbers the types in another way. */
const QUIC_VERSION_2 = 0x6b3343cf;
/** RFC 9000, section 17.2: the bit of long headers. The one below it need not be set (RFC 9287). */
const LONG = 0x80;
/** Types of long headers: RFC 9000, sections 17.2.2 to 17.2.5. */
const INITIAL = 0;
const ZERO_RTT = 1;
const HANDSHAKE = 2;
const RETRY = 3;
/** A ServerHello in its CRYPTO frame is longer than this (RFC 8446, section 4.1.3), an ACK is not. */
const SHORTEST_HELLO = 100;

/** Long headers of QUIC: RFC 9000, section 17.2. */
export const quic: Sign = {
  protocol: "QUIC",
  // Version negotiation has any bits but the first (RFC 8999, section 6).
  firstBytes: range(0x80, 0xff),
  atLeast: 7,
  words: [...wordIn(1, [0, 1, QUIC_VERSION_2]), ...wordIn(1, [0xff000000], 0xffffff00)],
  read(view, start, end, _port, order) {
    const version = view.getUint32(start + 1);
    // Only a server sends version 0: it negotiates (section 17.2.1).
    if (version === 0) return isVersionNegotiation(view, start, end) ? FROM_SERVER : NOBODY;
    const isKnown = version === 1 || version === QUIC_VERSION_2 || version >>> 8 === 0xff0000;
    if (!isKnown) return NOBODY;
    switch (typeOf(view.getUint8(start), version)) {
      case INITIAL:
        return initialRole(view, start, end, version, order);
      case ZERO_RTT:
        return FROM_CLIENT;
      case RETRY:
        return FROM_SERVER;
      default:
        return NOBODY;
    }
  },
};

function typeOf(first: number, version: number): number {
  return ((first >>> 4) + (version === QUIC_VERSION_2 ? 3 : 0)) & 3;
}

/** Two identifiers of up to 20 bytes, then versions of 4 bytes. */
function isVersionNegotiation(view: DataView, start: number, end: number): boolean {
  const destination = view.getUint8(start + 5);
  const sourceAt = start + 6 + destination;
  if (destination > 20 || sourceAt >= end) return false;
  const source = view.getUint8(sourceAt);
  const versions = end - sourceAt - 1 - source;
  return source <= 20 && versions >= 4 && versions % 4 === 0;
}

/**
 * Who sent an Initial packet: RFC 9000, section 17.2.2.
 *
 * Only a client has a token. Its first destination identifier has 8 bytes or more, and what it wants for
 * itself is often shorter, or none. A server has an identifier, and the ServerHello of its first datagram
 * is followed by a Handshake packet, as section 12.2 has it.
 */
function initialRole(
  view: DataView,
  start: number,
  end: number,
  version: number,
  order: number,
): Role {
  const destination = view.getUint8(start + 5);
  const sourceAt = start + 6 + destination;
  if (destination > 20 || sourceAt >= end) return NOBODY;
  const source = view.getUint8(sourceAt);
  const tokenAt = sourceAt + 1 + source;
  if (source > 20 || tokenAt >= end) return NOBODY;
  if (view.getUint8(tokenAt) !== 0) return FROM_CLIENT;
  if (source === 0) return destination === 0 ? NOBODY : FROM_CLIENT;
  if (destination < SHORTEST_FIRST_ID) return FROM_SERVER;
  const lengthAt = tokenAt + 1;
  // RFC 9000, section 16: of two bytes in any packet that is not very short.
  if (lengthAt + 2 > end || view.getUint8(lengthAt) >>> 6 !== 1) return NOBODY;
  const length = view.getUint16(lengthAt) & 0x3fff;
  const nextAt = lengthAt + 2 + length;
  if (nextAt < end) {
    const next = view.getUint8(nextAt);
    if (next < LONG) return NOBODY;
    const type = typeOf(next, version);
    if (type === ZERO_RTT) return FROM_CLIENT;
    return type === HANDSHAKE && length >= SHORTEST_HELLO ? FROM_SERVER : NOBODY;
  }
  // A client makes its datagrams so long. Of what is cut it can't be told what follows.
  const isAlone = nextAt === end && end - start >= SHORTEST_FIRST_DATAGRAM;
  return isAlone && order === FIRST ? FROM_CLIENT : NOBODY;
}

/**
 * Google's QUIC before RFC 9000, on its ports. Up to version 43 only clients set the version flag. Version
 * 46 has the lengths of both identifiers in a byte, later ones a byte each: the server has one, and the
 * client none.
 */
export const gquic: Sign = {
  protocol: "gQUIC",
  firstBytes: [0x09, 0x0d, ...range(0xc0, 0xff)],
  atLeast: 13,
  ports: [443, 80],
  read(view, start, end, _port, order) {
    if (view.getUint8(start) < LONG) {
      return hasText(view, start + 9, end, "Q0") && order === FIRST ? FROM_CLIENT : NOBODY;
    }
    const isEarly = hasText(view, start + 1, end, "Q046");
    const isLate = hasText(view, start + 1, end, "Q05") || hasText(view, start + 1, end, "T05");
    if (!isEarly && !isLate) return NOBODY;
    const lengths = view.getUint8(start + 5);
    const hasDestination = isEarly ? lengths >>> 4 !== 0 : lengths !== 0;
    return hasDestination ? FROM_CLIENT : FROM_SERVER;
  },
};
