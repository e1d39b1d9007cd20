import {
  FROM_CLIENT,
  FROM_SERVER,
  hasText,
  NOBODY,
  range,
  type Role,
  type Sign,
  textSign,
} from "./sign.ts";
import { berContent, kerberosMessage, syslog } from "./common_signs.ts";
import { dceRpcDatagram } from "./dce_rpc.ts";
import { dnsElsewhere } from "./dns_elsewhere.ts";
import { netFlow, sFlow } from "./flow_export.ts";
import { gtpControl } from "./gtp.ts";
import { bacnet, etherNetIp, fins } from "./industrial.ts";
import { ldap } from "./ldap.ts";
import { netbiosDatagram, slp } from "./local_discovery.ts";
import {
  bjnp,
  bootp,
  dhcpv6,
  knxNetIp,
  portControl,
  rmcp,
  rx,
  sqlBrowser,
  xdmcp,
} from "./management.ts";
import { gquic, quic } from "./quic.ts";
import { rpcRole, rpcWords } from "./rpc.ts";
import { sip, sipOnItsPort } from "./sip.ts";
import { stun } from "./stun.ts";
import { classicStun, l2tp, mgcp, ras } from "./telephony.ts";

/** First bytes of BER's sequence: SNMP and LDAP messages are one. */
const SEQUENCE = 0x30;

/** Handshakes of servers, with what they send of their keys, and of clients: RFC 6347, section 4.3.2. */
const OF_DTLS_SERVERS = [2, 3, 4, 12, 13, 14];
const OF_DTLS_CLIENTS = [1, 15, 16];

/** RFC 6347, sections 4.1 and 4.3.2, of the first epoch: later ones are encrypted. */
const dtls: Sign = {
  protocol: "DTLS",
  firstBytes: [0x16],
  atLeast: 14,
  read(view, start) {
    if (view.getUint8(start + 1) !== 0xfe || view.getUint16(start + 3) !== 0) return NOBODY;
    const type = view.getUint8(start + 13);
    if (OF_DTLS_CLIENTS.includes(type)) return FROM_CLIENT;
    return OF_DTLS_SERVERS.includes(type) ? FROM_SERVER : NOBODY;
  },
};

/** RFC 5905, section 7.3: mode 3 is a client's, mode 4 a server's. */
const ntp: Sign = {
  protocol: "NTP",
  firstBytes: range(0x00, 0xff),
  atLeast: 12,
  ports: [123],
  read(view, start) {
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

/** RFC 3412, section 6.4: whoever sends what may be reported to it has asked. */
const SNMP_VERSION_3 = 3;
const REPORTABLE = 0x04;
/** RFC 3417, section 3.1: notifications go to another port than requests. */
const NOTIFICATIONS = 162;

/**
 * RFC 3416, section 3: version, community, and a unit whose tag says what it is; version 3, RFC 3412,
 * section 6: a header with flags, as what follows may be encrypted.
 */
const snmp: Sign = {
  protocol: "SNMP",
  firstBytes: [SEQUENCE],
  atLeast: 12,
  read(view, start, end, port) {
    const at = berContent(view, start);
    if (at + 5 > end || view.getUint8(at) !== 2 || view.getUint8(at + 1) !== 1) return NOBODY;
    if (view.getUint8(at + 2) === SNMP_VERSION_3) return version3Role(view, at + 3, end, port);
    if (view.getUint8(at + 2) > 1 || view.getUint8(at + 3) !== 4) return NOBODY;
    const unit = at + 5 + view.getUint8(at + 4);
    if (unit >= end) return NOBODY;
    const tag = view.getUint8(unit);
    if (tag === 0xa2 || tag === 0xa8) return FROM_SERVER;
    return tag >= 0xa0 && tag <= 0xa7 ? FROM_CLIENT : NOBODY;
  },
};

/** The header of version 3 is a sequence: identifier, longest message, flags of one byte, a model. */
function version3Role(view: DataView, start: number, end: number, port: number): Role {
  if (start + 2 > end || view.getUint8(start) !== SEQUENCE) return NOBODY;
  let at = berContent(view, start);
  for (let i = 0; i < 2; i++) {
    if (at + 2 > end || view.getUint8(at) !== 2) return NOBODY;
    at += 2 + view.getUint8(at + 1);
  }
  if (at + 3 > end || view.getUint16(at) !== 0x0401) return NOBODY;
  if ((view.getUint8(at + 2) & REPORTABLE) !== 0 || port === NOTIFICATIONS) return FROM_CLIENT;
  return port === 161 ? FROM_SERVER : NOBODY;
}

/** RFC 2865, section 3, RFC 2866, RFC 5997 and RFC 5176: requests, and the answers to them. */
const radius: Sign = {
  protocol: "RADIUS",
  firstBytes: [1, 2, 3, 4, 5, 11, 12, 40, 41, 42, 43, 44, 45],
  atLeast: 20,
  read(view, start, end) {
    if (view.getUint16(start + 2) !== end - start) return NOBODY;
    const code = view.getUint8(start);
    const isRequest = code === 1 || code === 4 || code === 12 || code === 40 || code === 43;
    return isRequest ? FROM_CLIENT : FROM_SERVER;
  },
};

/** RFC 7296, section 3.1: a bit says which messages are of who initiated the association. */
const ike: Sign = {
  protocol: "IKE",
  firstBytes: range(0x00, 0xff),
  atLeast: 28,
  ports: [500, 4500],
  read(view, start, _end, port) {
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

/** WireGuard, section 5.4: initiation, response and the reply with a cookie have one length each. */
const wireguard: Sign = {
  protocol: "WireGuard",
  firstBytes: [1, 2, 3],
  atLeast: 64,
  read(view, start, end) {
    const type = view.getUint32(start, true);
    // Who is asked for too much answers with a cookie.
    if (type === 3 && end - start === 64) return FROM_SERVER;
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
  read(view, start) {
    return view.getUint8(start) === 0x40 ? FROM_SERVER : FROM_CLIENT;
  },
};

const kerberos: Sign = {
  protocol: "Kerberos",
  firstBytes: [0x6a, 0x6b, 0x6c, 0x6d, 0x7e],
  atLeast: 4,
  ports: [88],
  read: (view, start) => kerberosMessage(view.getUint8(start)),
};

/** RFC 7252, section 3: a code of class 0 is a request. */
const coap: Sign = {
  protocol: "CoAP",
  firstBytes: range(0x40, 0x7f),
  atLeast: 4,
  ports: [5683, 5684],
  read(view, start) {
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
  read(view, start) {
    const operation = view.getUint16(start);
    return operation === 1 || operation === 2 ? FROM_CLIENT : NOBODY;
  },
};

/** UPnP device architecture, sections 1.2 and 1.3. */
const ssdp = textSign("SSDP", ["M-SEARCH * ", "NOTIFY * ", "BT-SEARCH * "], ["HTTP/1.1 200"]);

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

/** Memcached's protocol, "UDP protocol": a request's number, two of datagrams, and zeros in front. */
const memcached: Sign = {
  protocol: "memcached",
  firstBytes: range(0x00, 0xff),
  atLeast: 12,
  ports: [11211],
  read(view, start, end) {
    if (view.getUint16(start + 6) !== 0 || view.getUint16(start + 4) === 0) return NOBODY;
    const first = view.getUint8(start + 8);
    if (first === 0x80 || first === 0x81) return first === 0x80 ? FROM_CLIENT : FROM_SERVER;
    const at = start + 8;
    for (const text of ["get ", "gets ", "set ", "add ", "incr ", "stats", "version\r"]) {
      if (hasText(view, at, end, text)) return FROM_CLIENT;
    }
    for (const text of ["VALUE ", "END\r", "STAT ", "STORED", "ERROR", "VERSION "]) {
      if (hasText(view, at, end, text)) return FROM_SERVER;
    }
    return NOBODY;
  },
};

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
  sipOnItsPort,
  ldap,
  dceRpcDatagram,
  gtpControl,
  etherNetIp,
  fins,
  bacnet,
  netbiosDatagram,
  slp,
  memcached,
  dhcpv6,
  bootp,
  rmcp,
  xdmcp,
  portControl,
  sqlBrowser,
  rx,
  bjnp,
  knxNetIp,
  mgcp,
  ras,
  l2tp,
  classicStun,
  netFlow,
  sFlow,
  dnsElsewhere,
];
