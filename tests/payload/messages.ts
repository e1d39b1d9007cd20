/**
 * Messages of each protocol whose payload says who sent it, made by the documents that the signs
 * name.
 */
import { FIRST, REPLY } from "../../src/payload/sign.ts";
import { type Bytes, bytes, u16, u32 } from "../packets.ts";

/** A message, and what it says. */
export interface Message {
  /** The protocol as its sign names it. */
  readonly protocol: string;
  readonly transport: "tcp" | "udp";
  readonly from: "client" | "server" | "nobody";
  /** The server's port; that of who receives it, where it says nothing. */
  readonly port: number;
  readonly payload: Bytes;
  /** As which payload of a conversation it says so, where not as any. */
  readonly order?: number;
  /** The client's port. */
  readonly clientPort?: number;
}

const u16le = (number: number) => u16(number).reverse();
const u32le = (number: number) => u32(number).reverse();
const zeros = (length: number) => new Uint8Array(length);

/** TLS: record header, handshake header, version, random. */
function tlsHandshake(type: number): Bytes {
  const body = bytes(u16(0x0303), zeros(32), 0, u16(2), u16(0x1301), 1, 0);
  const handshake = bytes(type, 0, u16(body.length), body);
  return bytes(0x16, u16(0x0301), u16(handshake.length), handshake);
}

/** DTLS: record header with epoch and sequence number, handshake header with its fragment. */
function dtlsHandshake(type: number): Bytes {
  const body = bytes(u16(0xfefd), zeros(32));
  const handshake = bytes(type, 0, u16(body.length), u16(0), zeros(3), 0, u16(body.length), body);
  return bytes(0x16, u16(0xfefd), zeros(8), u16(handshake.length), handshake);
}

/** With a token of so many bytes, and a source identifier; what follows is the length. */
function quicLong(
  first: number,
  version: number,
  destination: number,
  token: number,
  source = 4,
  length = 1200,
  next: Bytes = bytes(),
): Bytes {
  return bytes(
    first,
    u32(version),
    destination,
    zeros(destination),
    source,
    zeros(source),
    token,
    zeros(token),
    u16(0x4000 | length),
    zeros(length),
    next,
  );
}

function stun(type: number, attributes: Bytes = bytes()): Bytes {
  return bytes(u16(type), u16(attributes.length), u32(0x2112a442), zeros(12), attributes);
}

function rpcCall(): Bytes {
  return bytes(u32(77), u32(0), u32(2), u32(100_003), u32(3), u32(0), zeros(16));
}

function rpcReply(): Bytes {
  return bytes(u32(77), u32(1), u32(0), u32(0), u32(0), u32(0));
}

function rpcRecord(message: Bytes): Bytes {
  return bytes(u32(0x80000000 + message.length), message);
}

function ntp(first: number, second = 0): Bytes {
  return bytes(first, second, zeros(46));
}

function dhcp(operation: number): Bytes {
  return bytes(operation, zeros(235), u32(0x63825363), 53, 1, 1);
}

function snmp(tag: number): Bytes {
  const unit = bytes(tag, 2, 2, 1, 7);
  const body = bytes(2, 1, 1, 4, 6, "public", unit);
  return bytes(0x30, body.length, body);
}

function snmp3(flags: number): Bytes {
  const header = bytes(2, 1, 9, 2, 2, u16(1500), 4, 1, flags, 2, 1, 3);
  const body = bytes(2, 1, 3, 0x30, header.length, header, 4, 0, 4, 0);
  return bytes(0x30, body.length, body);
}

function ike(version: number, flags: number, responderCookie: number): Bytes {
  return bytes(zeros(7), 1, zeros(7), responderCookie, 33, version, 34, flags, u32(0), u32(28));
}

function dceRpcDatagram(type: number, order: number): Bytes {
  const length = order === 0 ? u16(8) : u16le(8);
  return bytes(4, type, 0x20, 0, order, 0, 0, 0, zeros(66), length, zeros(4), zeros(8));
}

function dceRpc(type: number, order = 0x10): Bytes {
  const length = order === 0 ? u16(24) : u16le(24);
  return bytes(5, 0, type, 3, order, zeros(3), length, zeros(14));
}

function enip(command: number, session: number, data: Bytes = bytes()): Bytes {
  return bytes(u16le(command), u16le(data.length), u32le(session), zeros(16), data);
}

/** A message of CIP in the item of what is unconnected, behind an empty address. */
function cip(service: number): Bytes {
  return bytes(zeros(6), u16le(2), u16le(0), u16le(0), u16le(0xb2), u16le(2), service, 0);
}

/** The same in a connection. */
function connectedCip(service: number): Bytes {
  return bytes(
    zeros(6),
    u16le(2),
    u16le(0xa1),
    u16le(4),
    zeros(4),
    u16le(0xb1),
    u16le(4),
    u16le(1),
    service,
    0,
  );
}

function fins(control: number): Bytes {
  return bytes(control, 0, 2, zeros(9), 1, 1, zeros(6));
}

function finsOverTcp(command: number, frame: Bytes = bytes()): Bytes {
  return bytes("FINS", u32(8 + frame.length), u32(command), u32(0), frame);
}

function smb2Header(size: number): Bytes {
  return bytes(u32(64), u32(0xfe534d42), u16le(size), zeros(58));
}

/** A message with the question for a name of one label, and so many answers as its header says. */
function dnsMessage(flags: number, answers: number, label = "example"): Bytes {
  return bytes(
    u16(7),
    u16(flags),
    u16(1),
    u16(answers),
    u32(0),
    label.length,
    label,
    0,
    u16(1),
    u16(1),
  );
}

function ldap(operation: number): Bytes {
  return bytes(0x30, 10, 2, 1, 1, operation, 5, zeros(5));
}

function smb1(flags: number): Bytes {
  return bytes(u32(32), 0xff, "SMB", 0x72, u32(0), flags, zeros(22));
}

function smb2(flags: number): Bytes {
  return bytes(u32(64), 0xfe, "SMB", u16le(64), zeros(10), u32le(flags), zeros(44));
}

function tpkt(header: readonly number[], rest: Uint8Array = bytes()): Bytes {
  return bytes(3, 0, u16(4 + header.length + rest.length), header, rest);
}

function smpp(command: number): Bytes {
  return bytes(u32(20), u32(command), u32(0), u32(1), u32(0));
}

function tds(type: number): Bytes {
  return bytes(type, 1, u16(20), u16(0), 1, 0, zeros(12));
}

function mongo(operation: number, responseTo: number): Bytes {
  return bytes(u32le(36), u32le(5), u32le(responseTo), u32le(operation), zeros(20));
}

function drda(codepoint: number): Bytes {
  return bytes(u16(16), 0xd0, 0x41, u16(1), u16(10), u16(codepoint), zeros(6));
}

function cql(version: number): Bytes {
  return bytes(version, 0, u16(1), 1, u32(4), zeros(4));
}

function sshPacket(message: number): Bytes {
  return bytes(u32(36), 6, message, zeros(34));
}

function memcached(magic: number): Bytes {
  return bytes(magic, 0, u16(3), 0, 0, u16(0), u32(3), zeros(12), "key");
}

function pptp(type: number): Bytes {
  return bytes(u16(156), u16(1), u32(0x1a2b3c4d), u16(type), zeros(146));
}

function kerberos(tag: number): Bytes {
  return bytes(tag, 0x81, 0x80, 0x30, zeros(128));
}

function dnp3(control: number): Bytes {
  return bytes(0x05, 0x64, 5, control, u16le(1), u16le(2), u16(0));
}

const tcp = (protocol: string, from: Message["from"], payload: Bytes | string, port = 4000) =>
  message("tcp", protocol, from, payload, port);
const udp = (protocol: string, from: Message["from"], payload: Bytes | string, port = 4000) =>
  message("udp", protocol, from, payload, port);

function message(
  transport: "tcp" | "udp",
  protocol: string,
  from: Message["from"],
  payload: Bytes | string,
  port: number,
): Message {
  return { transport, protocol, from, payload: bytes(payload), port };
}

const onlyFirst = (it: Message): Message => ({ ...it, order: FIRST });
const onlyReply = (it: Message): Message => ({ ...it, order: REPLY });
/** Both ends have the same port. */
const betweenPeers = (it: Message): Message => ({ ...it, clientPort: it.port });

const INVITE = "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP example.com\r\n\r\n";
const HTTP_REQUEST = "GET /index.html HTTP/1.1\r\nHost: example.com\r\n\r\n";
const RTSP = "RTSP";
const MAIL = "SMTP, FTP, POP3";
const REPLIES = "SMTP, FTP, NNTP";
const OPENINGS = "STOMP, AMQP, IRC, RESP, NATS, RMI, Subversion";
const ISO = "ISO transport on TCP";

export const MESSAGES: readonly Message[] = [
  tcp("TLS", "client", tlsHandshake(1)),
  tcp("TLS", "server", tlsHandshake(2)),
  tcp("TLS", "nobody", tlsHandshake(11)),
  // Finished, encrypted, of which one byte happens to be that of a ClientHello.
  tcp("TLS", "nobody", bytes(0x16, u16(0x0303), u16(40), 1, new Uint8Array(39).fill(0xa5))),
  tcp("HTTP", "client", HTTP_REQUEST),
  tcp("HTTP", "client", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  tcp("HTTP", "client", "CONNECT example.com:443 HTTP/1.1\r\n\r\n"),
  tcp("HTTP", "server", "HTTP/1.1 200 OK\r\n\r\n"),
  tcp(RTSP, "client", "DESCRIBE rtsp://example.com/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
  tcp(RTSP, "server", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
  tcp("SIP", "client", "REGISTER sip:example.com SIP/2.0\r\n"),
  tcp("SIP", "nobody", "INVITE sip:bob@example.com SIP/2.0\r\n"),
  tcp("SIP", "nobody", "SIP/2.0 200 OK\r\n"),
  tcp(MAIL, "client", "EHLO client.example.com\r\n"),
  tcp(MAIL, "client", "USER bob\r\n"),
  tcp(MAIL, "server", "+OK POP3 ready\r\n"),
  tcp(MAIL, "server", "* OK IMAP4rev1 ready\r\n"),
  tcp(REPLIES, "server", "220 mail.example.com ESMTP\r\n"),
  tcp(REPLIES, "server", "230-Welcome\r\n"),
  tcp(REPLIES, "nobody", bytes("220 ", 1, 2, 3, 4)),
  onlyReply(tcp("RFB", "client", "RFB 003.008\n")),
  tcp("RFB on its port", "server", "RFB 003.008\n", 5901),
  tcp("RFB on its port", "client", "RFB 003.008\n", 5901),
  onlyReply(tcp("RTMP", "server", bytes(3, u32(5), zeros(1532)))),
  tcp("RTMP on its port", "client", bytes(3, u32(5), zeros(1532)), 1935),
  tcp("RTMP on its port", "server", bytes(3, u32(5), zeros(1532)), 1935),
  onlyFirst(
    tcp(
      "STUN in frames",
      "client",
      bytes(u16(32), stun(1, bytes(u16(0x24), u16(4), u32(9), zeros(4)))),
    ),
  ),
  tcp("STUN in frames", "client", bytes(u16(20), stun(0x0003))),
  tcp("STUN in frames", "server", bytes(u16(20), stun(0x0103))),
  tcp("STUN", "client", stun(0x0003)),
  tcp("STUN", "server", stun(0x0113)),
  tcp("syslog", "client", "<34>1 2026-01-01T00:00:00Z host su - - - failed"),
  tcp(OPENINGS, "client", "CONNECT\naccept-version:1.2\n\n\0"),
  tcp(OPENINGS, "client", bytes("AMQP", 0, 0, 9, 1)),
  tcp(OPENINGS, "client", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"),
  tcp(OPENINGS, "client", "CONNECT {}\r\n"),
  tcp(OPENINGS, "client", bytes("JRMI", 0, 2, 0x4b)),
  tcp(OPENINGS, "server", "CONNECTED\nversion:1.2\n\n\0"),
  tcp(OPENINGS, "server", 'INFO {"server_id":"a"}\r\n'),
  tcp(OPENINGS, "server", "+PONG\r\n"),
  tcp(OPENINGS, "server", "( success ( 2 2 ( ) ( ) ) ) "),
  tcp("SMB", "client", smb1(0x18)),
  tcp("SMB", "server", smb1(0x98)),
  tcp("SMB", "client", smb2(0)),
  tcp("SMB", "server", smb2(1)),
  tcp("NetBIOS session", "client", bytes(0x81, 0, u16(4), u32(0)), 139),
  tcp("NetBIOS session", "server", bytes(0x82, 0, u16(0)), 139),
  tcp("NetBIOS session", "nobody", bytes(0x82, 0, u16(0))),
  tcp(ISO, "client", tpkt([6, 0xe0, 0, 0, 0, 1, 0])),
  tcp(ISO, "server", tpkt([6, 0xd0, 0, 1, 0, 2, 0])),
  tcp(ISO, "client", tpkt([2, 0xf0, 0x80], bytes(0x32, 1, zeros(10)))),
  tcp(ISO, "server", tpkt([2, 0xf0, 0x80], bytes(0x32, 3, zeros(10)))),
  tcp("PostgreSQL", "client", bytes(u32(8), u32(80_877_103))),
  tcp("PostgreSQL", "client", bytes(u32(17), u32(0x00030000), "user\0bob\0")),
  tcp("SMPP", "client", smpp(9)),
  tcp("SMPP", "server", smpp(0x80000009)),
  tcp("Kerberos", "client", bytes(u32(132), kerberos(0x6a)), 88),
  tcp("Kerberos", "server", bytes(u32(132), kerberos(0x6b)), 88),
  tcp("DRDA", "client", drda(0x1041)),
  tcp("DRDA", "server", drda(0x1443)),
  tcp("LDAP", "client", ldap(0x60)),
  tcp("LDAP", "client", bytes(0x30, 0x84, u32(10), 2, 1, 1, 0x63, 5, zeros(5))),
  tcp("LDAP", "server", ldap(0x61)),
  tcp("MQTT", "client", bytes(0x10, 16, u16(4), "MQTT", 4, 2, u16(60), u16(4), "id42")),
  tcp("MQTT", "client", bytes(0x10, 0x90, 1, u16(4), "MQTT", 5, 2, u16(60))),
  tcp("MQTT", "server", bytes(0x20, 2, 0, 0)),
  tcp("MQTT", "nobody", bytes(0x20, 2, 7, 77)),
  tcp("SOCKS", "client", bytes(5, 2, 0, 2)),
  tcp("SOCKS", "server", bytes(5, 0), 1080),
  tcp("SOCKS", "nobody", bytes(5, 2, 0x41, 2)),
  tcp("TDS", "client", tds(0x12)),
  tcp("TDS", "server", tds(0x04)),
  tcp("MongoDB", "client", mongo(2013, 0)),
  tcp("MongoDB", "server", mongo(2013, 5)),
  tcp("MongoDB", "server", mongo(1, 5)),
  tcp("CQL", "client", cql(4), 9042),
  tcp("CQL", "server", cql(0x84), 9042),
  tcp("DICOM", "client", bytes(1, 0, u32(68), u16(1), u16(0), zeros(64))),
  tcp("DICOM", "server", bytes(2, 0, u32(68), u16(1), u16(0), zeros(64))),
  tcp("IEC 60870-5-104", "client", bytes(0x68, 4, 0x07, 0, 0, 0)),
  tcp("IEC 60870-5-104", "server", bytes(0x68, 4, 0x0b, 0, 0, 0)),
  tcp("DNP3", "client", dnp3(0xc4)),
  tcp("DNP3", "server", dnp3(0x44)),
  tcp("OPC UA", "client", bytes("HELF", u32le(32), zeros(24))),
  tcp("OPC UA", "server", bytes("ACKF", u32le(28), zeros(20))),
  tcp("OPC UA", "nobody", bytes("OPNF", u32le(28), zeros(20))),
  onlyFirst(tcp("BitTorrent", "client", bytes(19, "BitTorrent protocol", zeros(48)))),
  onlyReply(tcp("BitTorrent", "server", bytes(19, "BitTorrent protocol", zeros(48)))),
  tcp("SSH", "client", sshPacket(30), 22),
  tcp("SSH", "server", sshPacket(31), 22),
  tcp("SSH", "nobody", sshPacket(20), 22),
  tcp("ONC RPC", "client", rpcRecord(rpcCall())),
  tcp("ONC RPC", "server", rpcRecord(rpcReply())),
  tcp("DCE RPC", "client", dceRpc(11)),
  tcp("DCE RPC", "client", dceRpc(0)),
  tcp("DCE RPC", "server", dceRpc(12)),
  tcp("DCE RPC", "server", dceRpc(2)),
  tcp("AJP", "client", bytes(u16(0x1234), u16(3), 2, u16(0))),
  tcp("AJP", "server", bytes("AB", u16(2), 5, 1)),
  tcp("X11", "client", bytes("l", 0, u16le(11), u16le(0), zeros(6))),
  tcp("X11", "client", bytes("B", 0, u16(11), u16(0), zeros(6))),
  tcp("X11", "server", bytes(1, 0, u16le(11), u16le(0), zeros(6))),
  tcp("PPTP", "client", pptp(1)),
  tcp("PPTP", "server", pptp(2)),
  tcp("memcached", "client", memcached(0x80)),
  tcp("memcached", "server", memcached(0x81)),
  tcp("IMAP", "client", "a001 LOGIN bob secret\r\n"),
  tcp("IMAP", "client", "1 CAPABILITY\r\n"),
  tcp("IMAP", "nobody", "a001 something else\r\n"),
  tcp("MySQL", "server", bytes(u16le(74), 0, 0, 10, "8.0.36\0", zeros(66))),

  tcp("SMB", "nobody", smb2Header(65), 445),
  tcp("DCE RPC", "client", dceRpc(11, 0x00), 135),
  tcp("DCE RPC", "server", dceRpc(12, 0x00), 135),
  tcp("DCE RPC", "nobody", dceRpc(11, 0x20), 135),
  tcp(REPLIES, "server", "226 Übertragung beendet\r\n", 21),
  tcp(MAIL, "client", "PORT 10,0,0,7,200,1\r\n", 21),
  tcp("SIP", "client", "REGISTER sip:example.com SIP/2.0\r\n", 5060),
  tcp("SIP on its port", "server", "SIP/2.0 200 OK\r\n", 5060),
  tcp("EtherNet/IP", "client", enip(0x65, 0, zeros(4)), 44818),
  tcp("EtherNet/IP", "server", enip(0x65, 7, zeros(4)), 44818),
  tcp("EtherNet/IP", "client", enip(0x6f, 7, cip(0x0e)), 44818),
  tcp("EtherNet/IP", "server", enip(0x6f, 7, cip(0x8e)), 44818),
  tcp("EtherNet/IP", "client", enip(0x70, 7, connectedCip(0x4c)), 44818),
  tcp("EtherNet/IP", "server", enip(0x70, 7, connectedCip(0xcc)), 44818),
  tcp("FINS over TCP", "client", finsOverTcp(0), 9600),
  tcp("FINS over TCP", "server", finsOverTcp(1), 9600),
  tcp("FINS over TCP", "client", finsOverTcp(2, fins(0x80)), 9600),
  tcp("FINS over TCP", "server", finsOverTcp(2, fins(0xc0)), 9600),
  tcp("OpenFlow", "server", bytes(4, 5, u16(8), u32(1)), 6653),
  tcp("OpenFlow", "client", bytes(4, 6, u16(32), zeros(28)), 6653),
  tcp("OpenFlow", "nobody", bytes(4, 0, u16(8), u32(1)), 6653),
  tcp("PJL", "client", "\x1b%-12345X@PJL INFO STATUS\r\n", 9100),
  tcp("PJL", "server", "@PJL INFO STATUS\r\nCODE=10001\r\n", 9100),
  tcp("JetDirect", "client", "%!PS-Adobe-3.0\n", 9100),
  tcp("JetDirect", "client", "\x1bE\x1b&l0O", 9100),

  udp("DTLS", "client", dtlsHandshake(1)),
  udp("DTLS", "server", dtlsHandshake(2)),
  udp("DTLS", "server", dtlsHandshake(3)),
  udp("DTLS", "server", dtlsHandshake(12)),
  udp("DTLS", "client", dtlsHandshake(16)),
  // Of a later epoch it is encrypted.
  udp("DTLS", "nobody", bytes(0x16, u16(0xfefd), u16(1), zeros(8), 1, zeros(40))),
  onlyFirst(udp("QUIC", "client", quicLong(0xc3, 1, 8, 0))),
  onlyFirst(udp("QUIC", "client", quicLong(0xd3, 0x6b3343cf, 8, 0))),
  udp("QUIC", "client", quicLong(0xc3, 1, 8, 40)),
  udp("QUIC", "client", quicLong(0xd0, 1, 8, 0)),
  udp("QUIC", "server", quicLong(0xf0, 1, 8, 0)),
  udp("QUIC", "server", quicLong(0xc0, 0x6b3343cf, 8, 0)),
  udp("QUIC", "server", bytes(0x80 | 0x40, u32(0), 8, zeros(8), 8, zeros(8), u32(1))),
  // Version negotiation may have any other bits.
  udp("QUIC", "server", bytes(0x80, u32(0), 0, 8, zeros(8), u32(1), u32(0xff00001d))),
  // What is always set may be greased.
  udp("QUIC", "server", quicLong(0x89, 1, 8, 0, 8, 150, quicLong(0xa3, 1, 8, 0, 8))),
  // A server's Initial packets to clients that want no connection identifier, or a short one, and a client's.
  udp("QUIC", "server", quicLong(0xc3, 1, 0, 0)),
  udp("QUIC", "server", quicLong(0xc3, 1, 3, 0, 8)),
  udp("QUIC", "client", quicLong(0xc3, 1, 8, 0, 0)),
  udp("QUIC", "nobody", quicLong(0xc3, 1, 0, 0, 0)),
  // Both have long ones: a Handshake packet comes with the ServerHello.
  udp("QUIC", "server", quicLong(0xc3, 1, 8, 0, 8, 150, quicLong(0xe3, 1, 8, 0, 8))),
  udp("QUIC", "nobody", quicLong(0xc3, 1, 8, 0, 8, 25, quicLong(0xe3, 1, 8, 0, 8))),
  udp("QUIC", "client", quicLong(0xc3, 1, 8, 0, 8, 300, quicLong(0xd3, 1, 8, 0, 8))),
  udp("QUIC", "nobody", quicLong(0xe3, 1, 8, 0)),
  onlyFirst(udp("gQUIC", "client", bytes(0x0d, zeros(8), "Q043", 1, zeros(12)), 443)),
  udp("gQUIC", "client", bytes(0xc3, "Q046", 0x50, zeros(40)), 443),
  udp("gQUIC", "server", bytes(0xc3, "Q046", 0x05, zeros(40)), 443),
  udp("gQUIC", "client", bytes(0xc3, "T051", 8, zeros(8), 0, zeros(40)), 443),
  udp("gQUIC", "server", bytes(0xc3, "T051", 0, 8, zeros(48)), 443),
  udp("STUN", "client", stun(0x0001)),
  udp("STUN", "server", stun(0x0101, bytes(u16(0x20), u16(8), zeros(8)))),
  udp("STUN", "nobody", stun(0x0001, bytes(u16(6), u16(3), "a:b", 0, u16(0x24), u16(4), u32(1)))),
  udp("STUN", "nobody", stun(0x0101, bytes(u16(8), u16(20), zeros(20)))),
  udp("STUN", "nobody", stun(0x0011)),
  udp("NTP", "client", ntp(0x23), 123),
  udp("NTP", "server", ntp(0x24), 123),
  udp("NTP", "client", ntp(0x16, 2), 123),
  udp("NTP", "server", ntp(0x16, 0x82), 123),
  udp("NTP", "nobody", ntp(0x21), 123),
  udp("DHCP", "client", dhcp(1), 67),
  udp("DHCP", "server", dhcp(2), 67),
  udp("SNMP", "client", snmp(0xa0), 161),
  udp("SNMP", "server", snmp(0xa2), 161),
  udp("SNMP", "server", snmp(0xa8), 161),
  udp("SNMP", "client", snmp3(4), 161),
  udp("SNMP", "server", snmp3(0), 161),
  udp("SNMP", "client", snmp3(0), 162),
  udp("RADIUS", "client", bytes(12, 7, u16(20), zeros(16)), 1812),
  udp("RADIUS", "server", bytes(44, 7, u16(20), zeros(16)), 3799),
  udp("RADIUS", "client", bytes(1, 7, u16(20), zeros(16)), 1812),
  udp("RADIUS", "server", bytes(2, 7, u16(20), zeros(16)), 1812),
  udp("IKE", "client", ike(0x20, 0x08, 0), 500),
  udp("IKE", "server", ike(0x20, 0x20, 1), 500),
  udp("IKE", "client", ike(0x10, 0, 0), 500),
  udp("IKE", "client", bytes(u32(0), ike(0x20, 0x08, 1)), 4500),
  udp("WireGuard", "client", bytes(u32le(1), zeros(144))),
  udp("WireGuard", "server", bytes(u32le(2), zeros(88))),
  udp("WireGuard", "server", bytes(u32le(3), zeros(60))),
  udp("OpenVPN", "client", bytes(0x38, zeros(13)), 1194),
  udp("OpenVPN", "server", bytes(0x40, zeros(25)), 1194),
  udp("Kerberos", "client", kerberos(0x6a), 88),
  udp("Kerberos", "server", kerberos(0x7e), 88),
  udp("CoAP", "client", bytes(0x40, 1, u16(1)), 5683),
  udp("CoAP", "server", bytes(0x60, 0x45, u16(1)), 5683),
  udp("CoAP", "nobody", bytes(0x60, 0, u16(1)), 5683),
  udp("TFTP", "client", bytes(u16(1), "file\0octet\0"), 69),
  udp("SSDP", "client", "M-SEARCH * HTTP/1.1\r\n\r\n", 1900),
  udp("SSDP", "server", "HTTP/1.1 200 OK\r\n\r\n", 1900),
  udp("DHT", "client", "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe"),
  udp("DHT", "server", "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:aa1:y1:re"),
  udp("ONC RPC", "client", rpcCall()),
  udp("ONC RPC", "server", rpcReply()),
  udp("syslog", "client", "<165>Jan  1 00:00:00 host app: text", 514),
  udp("SIP", "client", "SUBSCRIBE sip:example.com SIP/2.0\r\n", 5060),
  udp("SIP on its port", "client", INVITE, 5060),
  udp("SIP on its port", "server", INVITE, 5060),
  udp("SIP on its port", "server", "SIP/2.0 200 OK\r\n", 5060),
  udp("SIP on its port", "client", "SIP/2.0 200 OK\r\n", 5060),
  onlyFirst(betweenPeers(udp("SIP on its port", "client", INVITE, 5060))),
  onlyFirst(betweenPeers(udp("SIP on its port", "server", "SIP/2.0 200 OK\r\n", 5060))),
  udp("SIP on its port", "nobody", "INVITE somebody to a party\r\n", 5060),
  udp("LDAP", "client", ldap(0x63), 389),
  udp("LDAP", "server", ldap(0x64), 389),
  udp("DCE RPC datagrams", "client", dceRpcDatagram(0, 0x10)),
  udp("DCE RPC datagrams", "client", dceRpcDatagram(0, 0x00)),
  udp("DCE RPC datagrams", "server", dceRpcDatagram(2, 0x10)),
  udp("DCE RPC datagrams", "nobody", dceRpcDatagram(9, 0x10)),
  udp("GTP-C", "client", bytes(0x48, 32, u16(8), zeros(8)), 2123),
  udp("GTP-C", "server", bytes(0x48, 33, u16(8), zeros(8)), 2123),
  udp("GTP-C", "server", bytes(0x48, 97, u16(8), zeros(8)), 2123),
  udp("GTP-C", "client", bytes(0x32, 16, u16(4), zeros(8)), 2123),
  udp("GTP-C", "server", bytes(0x32, 17, u16(4), zeros(8)), 2123),
  udp("EtherNet/IP", "client", enip(0x63, 0), 44818),
  udp("EtherNet/IP", "server", enip(0x63, 0, zeros(40)), 44818),
  udp("FINS", "client", fins(0x80), 9600),
  udp("FINS", "server", fins(0xc0), 9600),
  udp("BACnet", "client", bytes(0x81, 0x0a, u16(17), 1, 4, 0, 5, 1, 12, zeros(7)), 47808),
  udp("BACnet", "server", bytes(0x81, 0x0a, u16(14), 1, 0, 0x30, 1, 12, zeros(5)), 47808),
  udp("BACnet", "client", bytes(0x81, 0x0b, u16(12), 1, 0x20, u16(0xffff), 0, 255, 0x10, 8), 47808),
  udp("BACnet", "server", bytes(0x81, 0x0a, u16(8), 1, 0x08, u16(5), 1, 7, 0x10, 0), 47808),
  udp("BACnet", "nobody", bytes(0x81, 0x0a, u16(12), 1, 0x80, 0, 0, zeros(4)), 47808),
  betweenPeers(udp("NetBIOS datagram", "client", bytes(0x11, zeros(20)), 138)),
  betweenPeers(udp("NetBIOS datagram", "server", bytes(0x15, zeros(20)), 138)),
  udp("SLP", "client", bytes(2, 1, 0, u16(16), zeros(11)), 427),
  udp("SLP", "server", bytes(2, 2, 0, u16(16), zeros(11)), 427),
  udp("SLP", "server", bytes(1, 2, u16(16), zeros(12)), 427),
  udp("memcached", "client", bytes(zeros(5), 1, u16(0), "get key\r\n"), 11211),
  udp("memcached", "server", bytes(zeros(5), 1, u16(0), "VALUE key 0 1\r\n"), 11211),
  udp("memcached", "client", bytes(zeros(5), 1, u16(0), memcached(0x80)), 11211),
  udp("ONC RPC", "server", bytes(u32(7), u32(1), u32(1), u32(0), u32(2), u32(2))),
  udp("DHCPv6", "client", bytes(1, 0, 0, 7, zeros(20)), 547),
  udp("DHCPv6", "server", bytes(7, 0, 0, 7, zeros(20)), 547),
  udp("DHCPv6", "nobody", bytes(20, 0, 0, 7, zeros(20)), 547),
  udp("BOOTP", "client", bytes(1, 1, 6, zeros(233)), 67),
  udp("BOOTP", "server", bytes(2, 1, 6, zeros(233)), 67),
  udp("RMCP", "client", bytes(6, 0, 0xff, 6, u32(0x11be), 0x80, zeros(3)), 623),
  udp("RMCP", "server", bytes(6, 0, 0xff, 6, u32(0x11be), 0x40, zeros(19)), 623),
  udp("RMCP", "client", bytes(6, 0, 0xff, 7, zeros(10), 0x20, 0x18, zeros(7)), 623),
  udp("RMCP", "server", bytes(6, 0, 0xff, 7, zeros(10), 0x81, 0x1c, zeros(7)), 623),
  udp("RMCP", "client", bytes(6, 0, 0xff, 7, 6, 0x10, zeros(20)), 623),
  udp("RMCP", "server", bytes(6, 0, 0xff, 7, 6, 0x11, zeros(20)), 623),
  udp("XDMCP", "client", bytes(u16(1), u16(2), u16(1), 0), 177),
  udp("XDMCP", "server", bytes(u16(1), u16(5), u16(6), zeros(6)), 177),
  udp("NAT-PMP, PCP", "client", bytes(0, 0), 5351),
  udp("NAT-PMP, PCP", "server", bytes(0, 128, zeros(10)), 5351),
  udp("SQL Server browser", "client", bytes(3), 1434),
  udp("SQL Server browser", "server", bytes(5, u16le(3), "abc"), 1434),
  udp("Rx", "client", bytes(zeros(20), 1, 5, zeros(6)), 7003),
  udp("Rx", "server", bytes(zeros(20), 1, 4, zeros(6)), 7003),
  udp("BJNP", "client", bytes("BJNP", 0x01, zeros(11)), 8612),
  udp("BJNP", "server", bytes("BJNP", 0x81, zeros(11)), 8612),
  udp("KNXnet/IP", "client", bytes(6, 0x10, 2, 5, u16(26), zeros(20)), 3671),
  udp("KNXnet/IP", "server", bytes(6, 0x10, 2, 6, u16(20), zeros(14)), 3671),
  udp("MGCP", "client", "AUEP 1200 aaln/1@rgw.example.net MGCP 1.0\r\n", 2427),
  udp("MGCP", "server", "200 1200 OK\r\n", 2427),
  udp("H.225 RAS", "client", bytes(0x0e, 0x80, 0x00), 1719),
  udp("H.225 RAS", "server", bytes(0x12, 0x80, 0x00), 1719),
  udp("L2TP", "client", bytes(u16(0xc802), u16(20), zeros(8), u16(0x8008), u32(0), u16(1)), 1701),
  udp("L2TP", "server", bytes(u16(0xc802), u16(20), zeros(8), u16(0x8008), u32(0), u16(2)), 1701),
  udp("Classic STUN", "client", bytes(u16(1), u16(0), zeros(16)), 3478),
  udp("Classic STUN", "server", bytes(u16(0x101), u16(0), zeros(16)), 3478),
  udp("NetFlow, IPFIX", "client", bytes(u16(5), u16(1), zeros(68)), 2055),
  udp(
    "NetFlow, IPFIX",
    "client",
    bytes(u16(9), u16(1), u32(0), u32(1_700_000_000), zeros(8), u16(256), u16(8), zeros(4)),
    2055,
  ),
  udp("NetFlow, IPFIX", "client", bytes(u16(10), u16(20), u32(1_700_000_000), zeros(12)), 4739),
  udp("NetFlow, IPFIX", "nobody", bytes(u16(5), u16(2), zeros(68)), 2055),
  udp("sFlow", "client", bytes(u32(5), u32(1), [192, 0, 2, 1], zeros(20)), 6343),
  udp("DNS elsewhere", "client", dnsMessage(0x0100, 0), 5333),
  udp("DNS elsewhere", "server", dnsMessage(0x8180, 1), 5333),
  udp("DNS elsewhere", "nobody", dnsMessage(0x0100, 1), 5333),
  udp("DNS elsewhere", "nobody", dnsMessage(0x0100, 0, "\xc3\x28"), 5333),
];
