import { DNS_HEADER } from "../model/payload_roles.ts";
import { FROM_CLIENT, FROM_SERVER, NOBODY, range, type Sign, wordIn } from "./sign.ts";

/** RFC 1035, section 4.1.1: a query or its response, with one question; bit 6 of the flags is zero. */
const QUERY = 0x0000_0001;
const RESPONSE = 0x8000_0001;
const MUST_BE = 0xf840_ffff;
/** Longer labels begin otherwise: RFC 1035, section 2.3.4. */
const LONGEST_LABEL = 63;
const LONGEST_NAME = 255;
/** Classes IN and ANY: RFC 1035, sections 3.2.4 and 3.2.5. */
const CLASSES = [1, 255];
/** Types above are not in use, but for those of RFC 6895, section 3.1, that no query has. */
const MOST_TYPE = 265;

/**
 * DNS on a port that is none of its own: a header with one question, a name of printable characters, and a
 * type and class that there are. A query has no answers.
 */
export const dnsElsewhere: Sign = {
  protocol: "DNS elsewhere",
  firstBytes: range(0x00, 0xff),
  // The root, its type and its class.
  atLeast: DNS_HEADER + 5,
  words: [...wordIn(2, [QUERY, RESPONSE], MUST_BE)],
  read(view, start, end) {
    const isResponse = (view.getUint8(start + 2) & 0x80) !== 0;
    if (((view.getUint32(start + 2) & MUST_BE) >>> 0) !== (isResponse ? RESPONSE : QUERY)) {
      return NOBODY;
    }
    const answers = view.getUint16(start + 6);
    if (!isResponse && (answers !== 0 || view.getUint16(start + 8) !== 0)) return NOBODY;
    if (view.getUint16(start + 10) > 1 && !isResponse) return NOBODY;
    const typeAt = endOfName(view, start + DNS_HEADER, end);
    if (typeAt === 0 || typeAt + 4 > end) return NOBODY;
    const type = view.getUint16(typeAt);
    if (type === 0 || type > MOST_TYPE || !CLASSES.includes(view.getUint16(typeAt + 2))) {
      return NOBODY;
    }
    return isResponse ? FROM_SERVER : FROM_CLIENT;
  },
};

/** Where what follows a name begins, or 0. */
function endOfName(view: DataView, start: number, end: number): number {
  for (let at = start; at < end && at - start <= LONGEST_NAME;) {
    const length = view.getUint8(at);
    if (length === 0) return at + 1;
    if (length > LONGEST_LABEL || at + 1 + length > end) return 0;
    for (let i = 1; i <= length; i++) {
      const byte = view.getUint8(at + i);
      if (byte < 0x21 || byte > 0x7e) return 0;
    }
    at += 1 + length;
  }
  return 0;
}
