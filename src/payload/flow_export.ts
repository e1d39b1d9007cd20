/* What exports flows and samples: whoever measures sends, and gets no answer. */
import { FROM_CLIENT, NOBODY, type Sign, wordIn } from "./sign.ts";

/** "NetFlow Export Datagram Format": version 5 has a header of 24 bytes and up to 30 records of 48. */
const V5_HEADER = 24;
const V5_RECORD = 48;
const V5_MOST_RECORDS = 30;
/** RFC 3954, section 5.1: version 9 has seconds since 1970 at this place. */
const V9_SECONDS = 8;
/** 2000-01-01, since there is such. */
const FIRST_SECONDS = 946_684_800;

/** NetFlow 5 and 9, and IPFIX (RFC 7011, section 3.1), whose length is that of the message. */
export const netFlow: Sign = {
  protocol: "NetFlow, IPFIX",
  firstBytes: [0x00],
  atLeast: 20,
  words: wordIn(0, [0x0005_0000, 0x0009_0000, 0x000a_0000], 0xffff_0000),
  read(view, start, end) {
    const size = end - start;
    const count = view.getUint16(start + 2);
    switch (view.getUint16(start)) {
      case 5: {
        const isWhole = count > 0 && count <= V5_MOST_RECORDS &&
          size === V5_HEADER + count * V5_RECORD;
        return isWhole ? FROM_CLIENT : NOBODY;
      }
      case 9: {
        const seconds = view.getUint32(start + V9_SECONDS);
        return count > 0 && count < 256 && seconds > FIRST_SECONDS && size % 4 === 0 &&
            size >= 24 && view.getUint16(start + 22) <= size - 20
          ? FROM_CLIENT
          : NOBODY;
      }
      case 10:
        return count === size && view.getUint32(start + 4) > FIRST_SECONDS ? FROM_CLIENT : NOBODY;
      default:
        return NOBODY;
    }
  },
};

/** sFlow 5, "sFlow Datagram": version, the kind of the agent's address, and the address. */
export const sFlow: Sign = {
  protocol: "sFlow",
  firstBytes: [0x00],
  atLeast: 28,
  ports: [6343],
  words: wordIn(0, [2, 4, 5]),
  read(view, start) {
    const kind = view.getUint32(start + 4);
    return kind === 1 || kind === 2 ? FROM_CLIENT : NOBODY;
  },
};
