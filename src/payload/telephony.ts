/* Calls, and tunnels that are set up as calls are, over UDP. */
import { FROM_CLIENT, FROM_SERVER, hasText, NOBODY, range, type Sign, wordIn } from "./sign.ts";

/** Commands of MGCP: RFC 3435, section 2.1. */
const COMMANDS = ["EPCF ", "CRCX ", "MDCX ", "DLCX ", "RQNT ", "NTFY ", "AUEP ", "AUCX ", "RSIP "];

/** MGCP: a command, or a response, which begins with three digits. */
export const mgcp: Sign = {
  protocol: "MGCP",
  firstBytes: [...range(0x30, 0x39), ...new Set(COMMANDS.map((text) => text.charCodeAt(0)))],
  atLeast: 5,
  ports: [2427, 2727],
  read(view, start, end) {
    for (let i = 0; i < COMMANDS.length; i++) {
      if (hasText(view, start, end, COMMANDS[i])) return FROM_CLIENT;
    }
    for (let at = start; at < start + 3; at++) {
      if ((view.getUint8(at) - 0x30) >>> 0 > 9) return NOBODY;
    }
    return view.getUint8(start + 3) === 0x20 ? FROM_SERVER : NOBODY;
  },
};

/** The last of the kinds of messages of RAS that come in threes: a request, a confirmation, a rejection. */
const LAST_OF_THREE = 20;

/** RAS, ITU-T H.225.0, section 7.6: which message it is are the five bits after the first (X.691, 23). */
export const ras: Sign = {
  protocol: "H.225 RAS",
  firstBytes: range(0x00, 0x53),
  atLeast: 3,
  ports: [1718, 1719],
  read(view, start) {
    const kind = view.getUint8(start) >>> 2;
    if (kind > LAST_OF_THREE) return NOBODY;
    return kind % 3 === 0 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** Messages of control connections: RFC 2661, section 3.2. Who asks for one confirms it in the end. */
const OF_L2TP_CLIENTS = [1, 3, 10, 12];
const OF_L2TP_SERVERS = [2, 11];
/** In front of the type: the control header with a length and sequence numbers, and that of an attribute. */
const L2TP_TYPE = 18;

/** L2TP: the first attribute of a control message is its type (section 4.4.1). */
export const l2tp: Sign = {
  protocol: "L2TP",
  firstBytes: [0xc8],
  atLeast: L2TP_TYPE + 2,
  ports: [1701],
  words: wordIn(0, [0xc802_0000], 0xffff_0000),
  read(view, start) {
    if (view.getUint16(start) !== 0xc802 || view.getUint32(start + 14) !== 0) return NOBODY;
    const type = view.getUint16(start + L2TP_TYPE);
    if (OF_L2TP_CLIENTS.includes(type)) return FROM_CLIENT;
    return OF_L2TP_SERVERS.includes(type) ? FROM_SERVER : NOBODY;
  },
};

/** STUN before it had a magic cookie: RFC 3489, section 11.1, on its port. */
export const classicStun: Sign = {
  protocol: "Classic STUN",
  firstBytes: [0x00, 0x01],
  atLeast: 20,
  ports: [3478],
  read(view, start, end) {
    if (view.getUint16(start + 2) + 20 !== end - start) return NOBODY;
    const type = view.getUint16(start);
    if (type === 0x0001 || type === 0x0002) return FROM_CLIENT;
    return type === 0x0101 || type === 0x0102 || type === 0x0111 || type === 0x0112
      ? FROM_SERVER
      : NOBODY;
  },
};
