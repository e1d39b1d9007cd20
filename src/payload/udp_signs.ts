import {
  FROM_CLIENT,
  FROM_SERVER,
  hasText,
  NOBODY,
  range,
  type Role,
  type Sign,
  textSign,
  wordIn,
} from "./sign.ts";
import { berContent, kerberosMessage, sip, syslog } from "./common_signs.ts";
import { rpcRole, rpcWords } from "./rpc.ts";
import { stun } from "./stun.ts";

/** First bytes of BER's sequence: SNMP and LDAP messages are one. */
const SEQUENCE = 0x30;

/** RFC 9000, section 7.2: the client makes up the first destination identifier, so long at least. */
const SHORTEST_FIRST_ID = 8;
/** RFC 9369, sections 3.1 and 3.2: version 2, which numbers the types in another way. */
const QUIC_VERSION_2 = 0x6b3343cf;

/** Long headers of QUIC: RFC 9000, section 17.2. */
const quic: Sign = {
  protocol: "QUIC",
  firstBytes: range(0xc0, 0xff),
  atLeast: 7,
  words: [...wordIn(1, [0, 1, QUIC_VERSION_2]), ...wordIn(1, [0xff000000], 0xffffff00)],
  read(view, start, end, _port, isFirst) {
    const version = view.getUint32(start + 1);
    // Only a server sends version 0: it negotiates (section 17.2.1).
    if (version === 0) return isVersionNegotiation(view, start, end) ? FROM_SERVER : NOBODY;
    const isKnown = version === 1 || version === QUIC_VERSION_2 || version >>> 8 === 0xff0000;
    if (!isKnown) return NOBODY;
    const shift = version === QUIC_VERSION_2 ? 3 : 0;
    switch (((view.getUint8(start) >>> 4) + shift) & 3) {
      case 0:
        return initialRole(view, start, end, isFirst);
      case 1: // 0-RTT
        return FROM_CLIENT;
      case 3: // Retry
        return FROM_SERVER;
      default:
        return NOBODY;
    }
  },
};

/** Two identifiers of up to 20 bytes, then versions of 4 bytes. */
function isVersionNegotiation(view: DataView, start: number, end: number): boolean {
  const destination = view.getUint8(start + 5);
  const sourceAt = start + 6 + destination;
  if (destination > 20 || sourceAt >= end) return false;
  const source = view.getUint8(sourceAt);
  const versions = end - sourceAt - 1 - source;
  return source <= 20 && versions >= 4 && versions % 4 === 0;
}

/** RFC 9000, section 17.2.2: only a client has a token to send. */
function initialRole(view: DataView, start: number, end: number, isFirst: boolean): Role {
  const destination = view.getUint8(start + 5);
  const sourceAt = start + 6 + destination;
  const tokenAt = sourceAt < end ? sourceAt + 1 + view.getUint8(sourceAt) : end;
  if (tokenAt < end && view.getUint8(tokenAt) !== 0) return FROM_CLIENT;
  return isFirst && destination >= SHORTEST_FIRST_ID ? FROM_CLIENT : NOBODY;
}

/** Google's QUIC before RFC 9000: the version flag is set by clients only, and port 443. */
const gquic: Sign = {
  protocol: "gQUIC",
  firstBytes: [0x09, 0x0d, ...range(0xc0, 0xff)],
  atLeast: 13,
  ports: [443, 80],
  read(view, start, end, port, isFirst) {
    if (port !== 443 && port !== 80) return NOBODY;
    const isVersion = hasText(view, start + 9, end, "Q0") || hasText(view, start + 1, end, "Q0") ||
      hasText(view, start + 1, end, "T05");
    return isVersion && isFirst ? FROM_CLIENT : NOBODY;
  },
};

/** RFC 6347, sections 4.1 and 4.3.2: ClientHello; ServerHello and HelloVerifyRequest. */
const dtls: Sign = {
  protocol: "DTLS",
  firstBytes: [0x16],
  atLeast: 14,
  read(view, start) {
    if (view.getUint8(start + 1) !== 0xfe) return NOBODY;
    const type = view.getUint8(start + 13);
    if (type === 1) return FROM_CLIENT;
    return type === 2 || type === 3 ? FROM_SERVER : NOBODY;
  },
};

/** RFC 5905, section 7.3: mode 3 is a client's, mode 4 a server's. */
const ntp: Sign = {
  protocol: "NTP",
  firstBytes: range(0x00, 0xff),
  atLeast: 12,
  ports: [123],
  read(view, start, _end, port) {
    if (port !== 123) return NOBODY;
    const mode = view.getUint8(start) & 7;
    if (mode === 3) return FROM_CLIENT;
    if (mode === 4) return FROM_SERVER;
    // Control messages (RFC 9327, section 2) and their predecessor: a bit says which are responses.
    if (mode === 6) return (view.getUint8(start + 1) & 0x80) === 0 ? FROM_CLIENT : FROM_SERVER;
    if (mode === 7) return (view.getUint8(start) & 0x80) === 0 ? FROM_CLIENT : FROM_SERVER;
    return NOBODY;
  },
};

/** RFC 2131, section 2, with its magic cookie. */
const dhcp: Sign = {
  protocol: "DHCP",
  firstBytes: [1, 2],
  atLeast: 240,
  read(view, start) {
    if (view.getUint32(start + 236) !== 0x63825363) return NOBODY;
    return view.getUint8(start) === 1 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** RFC 3416, section 3: version, community, and a unit whose tag says what it is. */
const snmp: Sign = {
  protocol: "SNMP",
  firstBytes: [SEQUENCE],
  atLeast: 12,
  read(view, start, end) {
    const at = berContent(view, start);
    if (at + 5 > end || view.getUint8(at) !== 2 || view.getUint8(at + 1) !== 1) return NOBODY;
    if (view.getUint8(at + 2) > 1 || view.getUint8(at + 3) !== 4) return NOBODY;
    const unit = at + 5 + view.getUint8(at + 4);
    if (unit >= end) return NOBODY;
    const tag = view.getUint8(unit);
    if (tag === 0xa2) return FROM_SERVER;
    return tag >= 0xa0 && tag <= 0xa7 ? FROM_CLIENT : NOBODY;
  },
};

/** RFC 2865, section 3, and RFC 2866: requests, and the answers to them. */
const radius: Sign = {
  protocol: "RADIUS",
  firstBytes: [1, 2, 3, 4, 5, 11],
  atLeast: 20,
  read(view, start, end) {
    if (view.getUint16(start + 2) !== end - start) return NOBODY;
    const code = view.getUint8(start);
    return code === 1 || code === 4 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** RFC 7296, section 3.1: a bit says which messages are of who initiated the association. */
const ike: Sign = {
  protocol: "IKE",
  firstBytes: range(0x00, 0xff),
  atLeast: 28,
  ports: [500, 4500],
  read(view, start, _end, port) {
    if (port !== 500 && port !== 4500) return NOBODY;
    const at = port === 4500 && view.getUint32(start) === 0 ? start + 4 : start;
    const version = view.getUint8(at + 17);
    if (version === 0x20) {
      return (view.getUint8(at + 19) & 0x08) !== 0 ? FROM_CLIENT : FROM_SERVER;
    }
    // RFC 2408, section 3.1: the responder's cookie is zero in the initiator's first message.
    if (version !== 0x10) return NOBODY;
    const hasResponder = view.getUint32(at + 8) !== 0 || view.getUint32(at + 12) !== 0;
    return hasResponder ? NOBODY : FROM_CLIENT;
  },
};

/** WireGuard, section 5.4: initiation and response have one length each. */
const wireguard: Sign = {
  protocol: "WireGuard",
  firstBytes: [1, 2],
  atLeast: 92,
  read(view, start, end) {
    const type = view.getUint32(start, true);
    if (type === 1 && end - start === 148) return FROM_CLIENT;
    return type === 2 && end - start === 92 ? FROM_SERVER : NOBODY;
  },
};

/** OpenVPN protocol: hard resets of the client and of the server, operation codes 7, 8 and 10. */
const openvpn: Sign = {
  protocol: "OpenVPN",
  firstBytes: [0x38, 0x40, 0x50],
  atLeast: 14,
  ports: [1194],
  read(view, start, _end, port) {
    if (port !== 1194) return NOBODY;
    return view.getUint8(start) === 0x40 ? FROM_SERVER : FROM_CLIENT;
  },
};

const kerberos: Sign = {
  protocol: "Kerberos",
  firstBytes: [0x6a, 0x6b, 0x6c, 0x6d, 0x7e],
  atLeast: 4,
  ports: [88],
  read(view, start, _end, port) {
    return port === 88 ? kerberosMessage(view.getUint8(start)) : NOBODY;
  },
};

/** RFC 7252, section 3: a code of class 0 is a request. */
const coap: Sign = {
  protocol: "CoAP",
  firstBytes: range(0x40, 0x7f),
  atLeast: 4,
  ports: [5683, 5684],
  read(view, start, _end, port) {
    if (port !== 5683 && port !== 5684) return NOBODY;
    const code = view.getUint8(start + 1);
    if (code === 0) return NOBODY;
    return code < 32 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** RFC 1350, section 5: read and write requests. */
const tftp: Sign = {
  protocol: "TFTP",
  firstBytes: [0x00],
  atLeast: 4,
  ports: [69],
  read(view, start, _end, port) {
    const operation = view.getUint16(start);
    return port === 69 && (operation === 1 || operation === 2) ? FROM_CLIENT : NOBODY;
  },
};

/** UPnP device architecture, sections 1.2 and 1.3. */
const ssdp = textSign("SSDP", ["M-SEARCH * ", "NOTIFY * "], ["HTTP/1.1 200"]);

/** RFC 5531, section 9. */
const rpc: Sign = {
  protocol: "ONC RPC",
  firstBytes: range(0x00, 0xff),
  atLeast: 24,
  words: rpcWords(0),
  read: rpcRole,
};

/** BEP 5: queries and responses of Mainline DHT. */
const dht = textSign("DHT", ["d1:ad2:id20:"], ["d1:rd2:id20:"]);

/** The signs of protocols over UDP. */
export const UDP_SIGNS: readonly Sign[] = [
  dtls,
  quic,
  gquic,
  stun,
  ntp,
  dhcp,
  snmp,
  radius,
  ike,
  wireguard,
  openvpn,
  kerberos,
  coap,
  tftp,
  ssdp,
  dht,
  rpc,
  syslog,
  sip,
];
