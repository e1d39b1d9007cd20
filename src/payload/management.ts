/* What hosts are managed and configured with, over UDP. */
import {
  FROM_CLIENT,
  FROM_SERVER,
  hasText,
  NOBODY,
  range,
  type Role,
  type Sign,
  wordIn,
} from "./sign.ts";

/** Of clients: RFC 8415, section 7.3. A relay asks for others. */
const OF_DHCPV6_CLIENTS = [1, 3, 4, 5, 6, 8, 9, 11, 12];
const OF_DHCPV6_SERVERS = [2, 7, 10, 13];

/** DHCPv6, on its ports. */
export const dhcpv6: Sign = {
  protocol: "DHCPv6",
  firstBytes: range(1, 13),
  atLeast: 4,
  ports: [546, 547],
  read(view, start) {
    const type = view.getUint8(start);
    if (OF_DHCPV6_CLIENTS.includes(type)) return FROM_CLIENT;
    return OF_DHCPV6_SERVERS.includes(type) ? FROM_SERVER : NOBODY;
  },
};

/** BOOTP without options: RFC 951, section 3: operation, Ethernet, and the length of its addresses. */
export const bootp: Sign = {
  protocol: "BOOTP",
  firstBytes: [1, 2],
  atLeast: 236,
  ports: [67, 68, 4011],
  words: wordIn(0, [0x0001_0600], 0x00ff_ff00),
  read(view, start) {
    if (view.getUint16(start + 1) !== 0x0106) return NOBODY;
    return view.getUint8(start) === 1 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** RMCP, ASF 2.0, section 3.2.2.2: version 1.0, and the class of a message. */
const ASF = 6;
const IPMI = 7;
const ASF_PONG = 0x40;
const ASF_PING = 0x80;
/** IPMI 2.0, section 13.6: a session of RMCP+. */
const RMCP_PLUS = 6;

/** IPMI over a LAN, and the ping of ASF before it. */
export const rmcp: Sign = {
  protocol: "RMCP",
  firstBytes: [6],
  atLeast: 12,
  ports: [623, 664],
  read(view, start, end) {
    if (view.getUint8(start + 1) !== 0) return NOBODY;
    const messageClass = view.getUint8(start + 3) & 0x1f;
    if (messageClass === ASF) {
      const type = view.getUint8(start + 8);
      return type === ASF_PING ? FROM_CLIENT : type === ASF_PONG ? FROM_SERVER : NOBODY;
    }
    return messageClass === IPMI ? ipmiRole(view, start + 4, end) : NOBODY;
  },
};

/**
 * Requests to open a session and their answers alternate: IPMI 2.0, section 13.17. Of a message without
 * authentication the network function (section 5.1) says whether it is a response.
 */
function ipmiRole(view: DataView, start: number, end: number): Role {
  const authentication = view.getUint8(start);
  if (authentication === RMCP_PLUS) {
    const type = view.getUint8(start + 1) & 0x3f;
    if (type < 0x10 || type > 0x15) return NOBODY;
    return type % 2 === 0 ? FROM_CLIENT : FROM_SERVER;
  }
  // Authentication has a code of 16 bytes.
  const functionAt = start + (authentication === 0 ? 0 : 16) + 11;
  if (functionAt >= end) return NOBODY;
  return (view.getUint8(functionAt) & 0x04) === 0 ? FROM_CLIENT : FROM_SERVER;
}

/** X Display Manager Control Protocol, section 5: what a display sends, and its manager. */
const OF_DISPLAYS = [1, 2, 3, 7, 10, 13];
const OF_MANAGERS = [5, 6, 8, 9, 11, 12, 14];

/** XDMCP: version, operation, and the length of what follows. */
export const xdmcp: Sign = {
  protocol: "XDMCP",
  firstBytes: [0],
  atLeast: 6,
  ports: [177],
  read(view, start, end) {
    if (view.getUint16(start) !== 1 || view.getUint16(start + 4) + 6 !== end - start) return NOBODY;
    const operation = view.getUint16(start + 2);
    if (OF_DISPLAYS.includes(operation)) return FROM_CLIENT;
    return OF_MANAGERS.includes(operation) ? FROM_SERVER : NOBODY;
  },
};

/** NAT-PMP, RFC 6886, section 3.5, and PCP, RFC 6887, section 7: a bit says what is a response. */
export const portControl: Sign = {
  protocol: "NAT-PMP, PCP",
  firstBytes: [0, 2],
  atLeast: 2,
  ports: [5351],
  read: (view, start) => (view.getUint8(start + 1) & 0x80) === 0 ? FROM_CLIENT : FROM_SERVER,
};

/** [MC-SQLR], section 2.2: which instances there are is asked, and answered. */
export const sqlBrowser: Sign = {
  protocol: "SQL Server browser",
  firstBytes: [2, 3, 4, 5, 15],
  atLeast: 1,
  ports: [1434],
  read: (view, start) => view.getUint8(start) === 5 ? FROM_SERVER : FROM_CLIENT,
};

/** Rx of AFS: `rx/rx_packet.h` of OpenAFS has a header of 28 bytes, and a bit for who opened the call. */
export const rx: Sign = {
  protocol: "Rx",
  firstBytes: range(0x00, 0xff),
  atLeast: 28,
  ports: range(7000, 7009),
  read(view, start) {
    const type = view.getUint8(start + 20);
    if (type < 1 || type > 13) return NOBODY;
    return (view.getUint8(start + 21) & 1) !== 0 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** Canon's BJNP: what is a response has the highest bit of its type set. */
export const bjnp: Sign = {
  protocol: "BJNP",
  firstBytes: [0x42, 0x4d],
  atLeast: 16,
  ports: [8610, 8611, 8612, 8613],
  read(view, start, end) {
    const isKnown = hasText(view, start, end, "BJNP") || hasText(view, start, end, "BJNB") ||
      hasText(view, start, end, "MFNP");
    if (!isKnown) return NOBODY;
    return view.getUint8(start + 4) < 0x80 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** KNXnet/IP, ISO 22510, section 2: requests for a search, a description, a connection, and its state. */
export const knxNetIp: Sign = {
  protocol: "KNXnet/IP",
  firstBytes: [6],
  atLeast: 6,
  ports: [3671],
  read(view, start) {
    if (view.getUint8(start + 1) !== 0x10 || view.getUint8(start + 2) !== 2) return NOBODY;
    const type = view.getUint8(start + 3);
    if (type < 1 || type > 8) return NOBODY;
    return type % 2 === 1 ? FROM_CLIENT : FROM_SERVER;
  },
};
