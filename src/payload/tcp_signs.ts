import { kerberosMessage, syslog } from "./common_signs.ts";
import { dceRpc } from "./dce_rpc.ts";
import { etherNetIp, finsOverTcp } from "./industrial.ts";
import { ldap } from "./ldap.ts";
import { openFlow } from "./openflow.ts";
import { jetDirect, pjl } from "./printing.ts";
import { rpcRole, rpcWords } from "./rpc.ts";
import { sip, sipOnItsPort } from "./sip.ts";
import {
  FIRST,
  FROM_CLIENT,
  FROM_SERVER,
  hasText,
  LATER,
  NOBODY,
  range,
  REPLY,
  type Sign,
  textSign,
  wordIn,
} from "./sign.ts";
import { framedStun, stun } from "./stun.ts";

/** TLS handshake in its record: RFC 8446, sections 4 and 5.1. */
const tls: Sign = {
  protocol: "TLS",
  firstBytes: [0x16],
  atLeast: 10,
  read(view, start) {
    // Both messages begin with a version, which an encrypted one would have only by chance.
    if (view.getUint8(start + 1) !== 3 || view.getUint8(start + 9) !== 3) return NOBODY;
    const type = view.getUint8(start + 5);
    if (type === 1) return FROM_CLIENT;
    return type === 2 ? FROM_SERVER : NOBODY;
  },
};

/** RFC 9110, section 9 and RFC 4918; the preface of RFC 9113, section 3.4. */
const http = textSign("HTTP", [
  "GET /",
  "POST /",
  "PUT /",
  "HEAD /",
  "DELETE /",
  "PATCH /",
  "OPTIONS /",
  "OPTIONS *",
  "TRACE /",
  "GET http",
  "POST http",
  "HEAD http",
  "CONNECT ",
  "PROPFIND ",
  "PROPPATCH ",
  "MKCOL ",
  "REPORT ",
  "LOCK ",
  "PRI * HTTP/2.0",
], ["HTTP/1."]);

/** RFC 7826, section 2.2 and RFC 3261, section 7. */
const rtsp: Sign = {
  ...textSign("RTSP", [
    "DESCRIBE rtsp",
    "SETUP rtsp",
    "PLAY rtsp",
    "OPTIONS rtsp",
    "ANNOUNCE rtsp",
  ], ["RTSP/1.0 ", "RTSP/2.0 "]),
  announces: true,
};

/** Commands of SMTP, FTP, POP3 (RFC 5321, 959, 1939) that no server sends. */
const mailCommands: Sign = {
  ...textSign("SMTP, FTP, POP3", [
    "EHLO ",
    "HELO ",
    "MAIL FROM:",
    "RCPT TO:",
    "STARTTLS\r",
    "AUTH ",
    "USER ",
    "PASS ",
    "CAPA\r",
    "STLS\r",
    "RETR ",
    "SYST\r",
    "FEAT\r",
    "PASV\r",
    "EPSV\r",
    "CWD ",
    "QUIT\r",
    "user ",
    "pass ",
    "TYPE ",
    "PORT ",
    "EPRT ",
    "LIST\r",
    "LIST ",
    "NLST",
    "MLSD",
    "STOR ",
    "SIZE ",
    "MDTM ",
    "PWD\r",
    "XPWD\r",
    "CDUP\r",
    "MKD ",
    "DELE ",
    "REST ",
    "OPTS ",
    "PBSZ ",
    "PROT ",
  ], ["+OK", "-ERR", "* OK", "* PREAUTH", "* BYE", "* CAPABILITY"]),
  announces: true,
};

/**
 * Three digits, then a space or a hyphen: SMTP, FTP and NNTP reply so (RFC 5321, section 4.2), in any
 * characters (RFC 2640).
 */
const replies: Sign = {
  protocol: "SMTP, FTP, NNTP",
  announces: true,
  firstBytes: range(0x31, 0x35),
  atLeast: 5,
  read(view, start, end) {
    const isDigit = (at: number) => (view.getUint8(at) - 0x30) >>> 0 < 10;
    if (!isDigit(start + 1) || !isDigit(start + 2)) return NOBODY;
    const separator = view.getUint8(start + 3);
    if (separator !== 0x20 && separator !== 0x2d) return NOBODY;
    // A reply is text to its end.
    const last = Math.min(end, start + 16);
    for (let at = start + 4; at < last; at++) {
      const byte = view.getUint8(at);
      if (byte < 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a) return NOBODY;
    }
    return FROM_SERVER;
  },
};

/**
 * The server speaks first, and the other end repeats it: RFC 6143, section 7.1.1. Only what comes as the
 * other end's first payload is known to be the repetition: the one before it may have been missed.
 */
const rfb: Sign = {
  protocol: "RFB",
  firstBytes: [0x52],
  atLeast: 12,
  read(view, start, end, _port, order) {
    return order === REPLY && hasText(view, start, end, "RFB 00") ? FROM_CLIENT : NOBODY;
  },
};

/** The same on its ports: of displays 0 to 9. */
const rfbOnItsPort: Sign = {
  protocol: "RFB on its port",
  firstBytes: [0x52],
  atLeast: 12,
  ports: range(5900, 5909),
  read(view, start, end, _port, _order, portOwner) {
    return hasText(view, start, end, "RFB 00") ? portOwner : NOBODY;
  },
};

/**
 * RTMP 1.0, sections 5.2.2 and 5.2.3: the client sends version 3, a time, and four zeros, and so does the
 * server. Only what comes as the other end's first payload is known to be the server's.
 */
const rtmp: Sign = {
  protocol: "RTMP",
  firstBytes: [0x03],
  atLeast: 64,
  read(view, start, _end, _port, order) {
    return order === REPLY && view.getUint32(start + 5) === 0 ? FROM_SERVER : NOBODY;
  },
};

/** The same on its port. */
const rtmpOnItsPort: Sign = {
  protocol: "RTMP on its port",
  firstBytes: [0x03],
  atLeast: 64,
  ports: [1935],
  read(view, start, _end, _port, _order, portOwner) {
    return view.getUint32(start + 5) === 0 ? portOwner : NOBODY;
  },
};

/**
 * STOMP 1.2, section "Connecting"; AMQP 0-9-1, 4.2.2; IRC, RFC 2812; Redis serialization; NATS client
 * protocol; Java RMI wire protocol, 10.2; Subversion's protocol.
 */
const openings: Sign = {
  ...textSign("STOMP, AMQP, IRC, RESP, NATS, RMI, Subversion", [
    "CONNECT\n",
    "CONNECT\r\n",
    "STOMP\n",
    "AMQP\x00",
    "NICK ",
    "*1\r\n$",
    "*2\r\n$",
    "*3\r\n$",
    "*4\r\n$",
    "CONNECT {",
    "JRMI\x00\x02",
  ], ["CONNECTED\n", "CONNECTED\r\n", "+PONG\r", "INFO {", "( success ( "]),
  announces: true,
};

/** [MS-SMB2] 2.2.1: the size of a header, which is in it. */
const SMB2_HEADER = 64;

/** [MS-SMB] 2.2.3.1 and [MS-SMB2] 2.2.1: a bit says whether a message is a reply. */
const smb: Sign = {
  protocol: "SMB",
  firstBytes: [0x00],
  atLeast: 24,
  words: wordIn(4, [0xff534d42, 0xfe534d42]),
  read(view, start) {
    const magic = view.getUint32(start + 4);
    if (magic === 0xff534d42) {
      return (view.getUint8(start + 13) & 0x80) === 0 ? FROM_CLIENT : FROM_SERVER;
    }
    if (magic === 0xfe534d42 && view.getUint16(start + 8, true) === SMB2_HEADER) {
      return (view.getUint8(start + 20) & 1) === 0 ? FROM_CLIENT : FROM_SERVER;
    }
    return NOBODY;
  },
};

/** NetBIOS session request and its answers: RFC 1002, section 4.3. */
const netbios: Sign = {
  protocol: "NetBIOS session",
  firstBytes: [0x81, 0x82, 0x83],
  atLeast: 4,
  ports: [139],
  read(view, start, end) {
    if (view.getUint8(start + 1) > 1) return NOBODY;
    if (view.getUint16(start + 2) + 4 !== end - start) return NOBODY;
    return view.getUint8(start) === 0x81 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** Connection request and confirm of RDP, S7 and others: RFC 1006, section 6, and RFC 905, 13.3. */
const tpkt: Sign = {
  protocol: "ISO transport on TCP",
  firstBytes: [0x03],
  atLeast: 7,
  read(view, start, end) {
    // The length of a frame, and within it that of the transport's header.
    const length = view.getUint16(start + 2);
    const headerLength = view.getUint8(start + 4);
    if (view.getUint8(start + 1) !== 0 || headerLength + 5 > length) return NOBODY;
    const type = view.getUint8(start + 5);
    if (headerLength + 5 === length && type === 0xe0) return FROM_CLIENT;
    if (headerLength + 5 === length && type === 0xd0) return FROM_SERVER;
    // S7 within a data unit: a job, or what is answered to it.
    if (type !== 0xf0 || start + 9 > end || view.getUint8(start + 7) !== 0x32) return NOBODY;
    const kind = view.getUint8(start + 8);
    if (kind === 1) return FROM_CLIENT;
    return kind === 2 || kind === 3 ? FROM_SERVER : NOBODY;
  },
};

/** Greeting of MySQL: "Protocol::HandshakeV10", a whole packet with sequence number 0. */
const mysql: Sign = {
  protocol: "MySQL",
  firstBytes: range(0x20, 0xff),
  atLeast: 6,
  words: wordIn(1, [0x000a], 0xffff),
  read(view, start, end) {
    const length = view.getUint32(start, true) & 0xffffff;
    const isGreeting = length === end - start - 4 && view.getUint8(start + 3) === 0 &&
      view.getUint8(start + 4) === 10;
    return isGreeting ? FROM_SERVER : NOBODY;
  },
};

/** Start-up and SSL request of PostgreSQL ("Message Formats"). */
const postgresql: Sign = {
  protocol: "PostgreSQL",
  firstBytes: [0x00],
  atLeast: 8,
  words: wordIn(4, [0x00030000, 80877103, 80877102]),
  read(view, start, end) {
    if (view.getUint32(start) !== end - start) return NOBODY;
    const code = view.getUint32(start + 4);
    const isStart = code === 0x00030000 || code === 80877103 || code === 80877102;
    return isStart ? FROM_CLIENT : NOBODY;
  },
};

/** SMPP 3.4, section 5.1.2.1: bind requests, and their responses with the highest bit set. */
const smpp: Sign = {
  protocol: "SMPP",
  firstBytes: [0x00],
  atLeast: 16,
  words: wordIn(4, [1, 2, 9], 0x7fffffff),
  read(view, start, end) {
    if (view.getUint32(start) !== end - start) return NOBODY;
    const command = view.getUint32(start + 4);
    const bind = command & 0x7fffffff;
    if (bind !== 1 && bind !== 2 && bind !== 9) return NOBODY;
    return command >>> 31 === 0 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** Kerberos over TCP, RFC 4120, sections 5.10 and 7.2.2: a length, then a tagged message. */
const kerberos: Sign = {
  protocol: "Kerberos",
  firstBytes: [0x00],
  atLeast: 8,
  ports: [88],
  read: (view, start) => kerberosMessage(view.getUint8(start + 4)),
};

/** CONNECT and CONNACK of MQTT 3.1.1 and 5, sections 3.1 and 3.2. */
const mqtt: Sign = {
  protocol: "MQTT",
  firstBytes: [0x10, 0x20],
  atLeast: 4,
  read(view, start, end) {
    if (view.getUint8(start) === 0x20) {
      const isAnswer = view.getUint8(start + 1) === 2 && end - start === 4 &&
        view.getUint8(start + 2) <= 1 && view.getUint8(start + 3) <= 5;
      return isAnswer ? FROM_SERVER : NOBODY;
    }
    for (let at = start + 2; at < start + 5; at++) {
      if (hasText(view, at, end, "\0\x04MQTT") || hasText(view, at, end, "\0\x06MQIsdp")) {
        return FROM_CLIENT;
      }
    }
    return NOBODY;
  },
};

/** RFC 1928, section 3: the methods offered, and the one chosen. */
const socks: Sign = {
  protocol: "SOCKS",
  firstBytes: [0x05],
  atLeast: 2,
  read(view, start, end, port) {
    const size = end - start;
    const second = view.getUint8(start + 1);
    if (second > 0 && second < 10 && size === 2 + second) {
      // IANA has assigned methods up to 9.
      for (let at = start + 2; at < end; at++) if (view.getUint8(at) > 9) return NOBODY;
      return FROM_CLIENT;
    }
    return port === 1080 && size === 2 && second === 0 ? FROM_SERVER : NOBODY;
  },
};

/** DRDA: exchange of server attributes (EXCSAT, EXCSATRD) in a DSS with magic 0xd0. */
const drda: Sign = {
  protocol: "DRDA",
  firstBytes: [0x00],
  atLeast: 10,
  words: wordIn(0, [0xd000], 0xff00),
  read(view, start) {
    if (view.getUint8(start + 2) !== 0xd0) return NOBODY;
    const codepoint = view.getUint16(start + 8);
    if (codepoint === 0x1041) return FROM_CLIENT;
    return codepoint === 0x1443 ? FROM_SERVER : NOBODY;
  },
};

/** [MS-TDS] 2.2.3.1: pre-login and login from the client, tabular results from the server. */
const tds: Sign = {
  protocol: "TDS",
  firstBytes: [0x04, 0x10, 0x12],
  atLeast: 8,
  read(view, start, end) {
    const isWhole = view.getUint16(start + 2) === end - start && view.getUint8(start + 1) <= 1 &&
      view.getUint8(start + 7) === 0;
    if (!isWhole) return NOBODY;
    return view.getUint8(start) === 0x04 ? FROM_SERVER : FROM_CLIENT;
  },
};

/** MongoDB wire protocol: a message answers another one, or none. */
const mongodb: Sign = {
  protocol: "MongoDB",
  firstBytes: range(0x10, 0xff),
  atLeast: 16,
  // The operation, whose first byte is the lowest.
  words: wordIn(12, [0x01000000, 0xdd070000, 0xd4070000, 0xdc070000]),
  read(view, start, end) {
    if (view.getUint32(start, true) !== end - start) return NOBODY;
    const operation = view.getUint32(start + 12, true);
    if (operation === 1) return FROM_SERVER;
    if (operation !== 2013 && operation !== 2004 && operation !== 2012) return NOBODY;
    // Some drivers write -1 where nothing is answered.
    const answered = view.getInt32(start + 8, true);
    return answered === 0 || answered === -1 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** CQL binary protocol, section 2: the highest bit of the version is set in responses. */
const cql: Sign = {
  protocol: "CQL",
  firstBytes: [0x03, 0x04, 0x05, 0x83, 0x84, 0x85],
  atLeast: 9,
  read(view, start, end, port) {
    if (port !== 9042 || view.getUint32(start + 5) + 9 !== end - start) return NOBODY;
    return view.getUint8(start) < 0x80 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** DICOM PS3.8, section 9.3: association requested, accepted. */
const dicom: Sign = {
  protocol: "DICOM",
  firstBytes: [0x01, 0x02],
  atLeast: 10,
  read(view, start) {
    if (view.getUint8(start + 1) !== 0 || view.getUint16(start + 6) !== 1) return NOBODY;
    if (view.getUint16(start + 8) !== 0) return NOBODY;
    return view.getUint8(start) === 1 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** IEC 60870-5-104, section 5.1: start of data transfer, and its confirmation. */
const iec104: Sign = {
  protocol: "IEC 60870-5-104",
  firstBytes: [0x68],
  atLeast: 6,
  read(view, start) {
    if (view.getUint8(start + 1) !== 4 || (view.getUint32(start + 2) & 0xffffff) !== 0) {
      return NOBODY;
    }
    const control = view.getUint8(start + 2);
    if (control === 0x07 || control === 0x43) return FROM_CLIENT;
    return control === 0x0b ? FROM_SERVER : NOBODY;
  },
};

/** DNP3, IEEE 1815, section 9.2.4.1.3: the direction bit is set by the master. */
const dnp3: Sign = {
  protocol: "DNP3",
  firstBytes: [0x05],
  atLeast: 10,
  read(view, start) {
    if (view.getUint8(start + 1) !== 0x64) return NOBODY;
    return (view.getUint8(start + 3) & 0x80) !== 0 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** OPC UA, part 6, section 7.1.2.3. */
const opcua = textSign("OPC UA", ["HELF"], ["ACKF"]);

/**
 * Key exchange of SSH: RFC 4253, section 8, RFC 4419, section 5, and RFC 5656, section 7.1. What comes
 * before it, both ends send alike.
 */
const ssh: Sign = {
  protocol: "SSH",
  firstBytes: [0x00],
  atLeast: 16,
  words: wordIn(4, range(30, 34).map((message) => message << 16), 0x00ff0000),
  read(view, start, end) {
    const length = view.getUint32(start);
    const padding = view.getUint8(start + 4);
    const isPacket = length + 4 <= end - start && (length + 4) % 8 === 0 && padding >= 4 &&
      padding < length;
    if (!isPacket) return NOBODY;
    const message = view.getUint8(start + 5);
    if (message === 30 || message === 32 || message === 34) return FROM_CLIENT;
    return message === 31 || message === 33 ? FROM_SERVER : NOBODY;
  },
};

/** ONC RPC in its records: RFC 5531, section 11. */
const rpc: Sign = {
  protocol: "ONC RPC",
  firstBytes: [0x80],
  atLeast: 28,
  words: rpcWords(4),
  read: (view, start) => rpcRole(view, start + 4),
};

/** Apache's AJP 1.3, "Packet Headers": the web server sends 0x1234, the container "AB". */
const ajp: Sign = {
  protocol: "AJP",
  firstBytes: [0x12, 0x41],
  atLeast: 5,
  read(view, start, end) {
    const magic = view.getUint16(start);
    if (magic === 0x1234) {
      return view.getUint16(start + 2) + 4 === end - start ? FROM_CLIENT : NOBODY;
    }
    // Several packets come together from a container; a body's chunk, headers, end, "more", "pong".
    const type = view.getUint8(start + 4);
    const isWithin = view.getUint16(start + 2) + 4 <= end - start;
    return magic === 0x4142 && isWithin && type >= 3 && type <= 9 ? FROM_SERVER : NOBODY;
  },
};

/** X Window System protocol, chapter 8: byte order and version 11, or the answer to it. */
const x11: Sign = {
  protocol: "X11",
  firstBytes: [0x42, 0x6c, 0x01],
  atLeast: 12,
  read(view, start) {
    const first = view.getUint8(start);
    if (first === 0x6c) return view.getUint32(start) === 0x6c000b00 ? FROM_CLIENT : NOBODY;
    if (first === 0x42) return view.getUint32(start) === 0x4200000b ? FROM_CLIENT : NOBODY;
    const version = view.getUint32(start + 2);
    return view.getUint8(start + 1) === 0 && (version === 0x0b000000 || version === 0x000b0000)
      ? FROM_SERVER
      : NOBODY;
  },
};

/** RFC 2637, section 2: control message, magic cookie; start of a control connection, its reply. */
const pptp: Sign = {
  protocol: "PPTP",
  firstBytes: [0x00],
  atLeast: 12,
  words: wordIn(4, [0x1a2b3c4d]),
  read(view, start) {
    if (view.getUint16(start + 2) !== 1 || view.getUint32(start + 4) !== 0x1a2b3c4d) return NOBODY;
    const type = view.getUint16(start + 8);
    if (type === 1) return FROM_CLIENT;
    return type === 2 ? FROM_SERVER : NOBODY;
  },
};

/** Memcached's binary protocol, "Packet Structure". */
const memcached: Sign = {
  protocol: "memcached",
  firstBytes: [0x80, 0x81],
  atLeast: 24,
  read(view, start, end) {
    const body = view.getUint32(start + 8);
    // Extras and key are the beginning of the body.
    const inFront = view.getUint16(start + 2) + view.getUint8(start + 4);
    const isWhole = body + 24 === end - start && inFront <= body;
    if (!isWhole || view.getUint8(start + 5) !== 0) return NOBODY;
    return view.getUint8(start) === 0x80 ? FROM_CLIENT : FROM_SERVER;
  },
};

/** Clients use tags as "a001" and "A12"; none is longer. */
const LONGEST_TAG = 12;
const IMAP_COMMANDS = [
  "CAPABILITY\r",
  "STARTTLS\r",
  "LOGIN ",
  "AUTHENTICATE ",
  "SELECT ",
  "UID FETCH ",
  "IDLE\r",
  "NOOP\r",
];

/** RFC 9051, section 6: a tag, then a command that begins a session. */
const imapCommand: Sign = {
  protocol: "IMAP",
  firstBytes: [...range(0x30, 0x39), ...range(0x41, 0x5a), ...range(0x61, 0x7a)],
  atLeast: 6,
  read(view, start, end) {
    const last = Math.min(end, start + LONGEST_TAG);
    for (let at = start + 1; at < last; at++) {
      if (view.getUint8(at) !== 0x20) continue;
      for (let i = 0; i < IMAP_COMMANDS.length; i++) {
        if (hasText(view, at + 1, end, IMAP_COMMANDS[i])) return FROM_CLIENT;
      }
      return NOBODY;
    }
    return NOBODY;
  },
};

/**
 * BEP 3: both ends send the same, the one who connected first. What the other end sends as its first is the
 * answer; without it, the first may be an answer itself.
 */
const bitTorrent: Sign = {
  protocol: "BitTorrent",
  firstBytes: [0x13],
  atLeast: 20,
  read(view, start, end, _port, order) {
    if (order === LATER || !hasText(view, start, end, "\x13BitTorrent protocol")) return NOBODY;
    return order === FIRST ? FROM_CLIENT : FROM_SERVER;
  },
};

/** The signs of protocols over TCP. */
export const TCP_SIGNS: readonly Sign[] = [
  tls,
  http,
  rtsp,
  sip,
  sipOnItsPort,
  mailCommands,
  replies,
  rfbOnItsPort,
  rfb,
  rtmpOnItsPort,
  rtmp,
  framedStun,
  stun,
  syslog,
  openings,
  smb,
  netbios,
  tpkt,
  postgresql,
  smpp,
  kerberos,
  drda,
  ldap,
  mqtt,
  socks,
  tds,
  cql,
  dicom,
  iec104,
  dnp3,
  etherNetIp,
  finsOverTcp,
  openFlow,
  pjl,
  jetDirect,
  opcua,
  bitTorrent,
  ssh,
  rpc,
  dceRpc,
  ajp,
  x11,
  pptp,
  memcached,
  imapCommand,
  mysql,
  mongodb,
];
