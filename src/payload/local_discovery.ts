/* What finds services and names in a local network, over UDP. */
import { FROM_CLIENT, FROM_SERVER, NOBODY, range, type Sign } from "./sign.ts";

/** RFC 1002, section 4.4: datagrams are sent, and an error or a query is answered. */
export const netbiosDatagram: Sign = {
  protocol: "NetBIOS datagram",
  firstBytes: range(0x10, 0x16),
  atLeast: 10,
  ports: [138],
  read(view, start) {
    const type = view.getUint8(start);
    if (type === 0x13) return NOBODY;
    return type === 0x15 || type === 0x16 ? FROM_SERVER : FROM_CLIENT;
  },
};

/** Functions of SLP that are replies: RFC 2608, section 8; RFC 2165 has the same. */
const SLP_REPLIES = [2, 5, 7, 8, 10];

/** SLP: version 1 or 2, the function, and the length, of two and of three bytes. */
export const slp: Sign = {
  protocol: "SLP",
  firstBytes: [1, 2],
  atLeast: 12,
  ports: [427],
  read(view, start, end) {
    const length = view.getUint8(start) === 1
      ? view.getUint16(start + 2)
      : view.getUint32(start + 1) & 0xffffff;
    const type = view.getUint8(start + 1);
    if (length !== end - start || type < 1 || type > 10) return NOBODY;
    return SLP_REPLIES.includes(type) ? FROM_SERVER : FROM_CLIENT;
  },
};
