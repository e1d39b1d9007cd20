/*
 * The first payloads of conversations that may carry the name of a server: TLS over TCP, QUIC, HTTP. Those
 * that begin as such are read by whoever asked for them; most conversations are done with by their first
 * packets.
 */
import { IS_NAMED, LOOK_AGAIN, READ_MORE } from "../../model/carried_answers";
import { PROTOCOL_TCP } from "../../model/protocol_numbers";
import {
  CARRIED_NAME,
  CELL_PACKETS,
  CELL_STATE,
  COLD_EVIDENCE,
  FLAGS_SHIFT,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_SIZE,
  PACKET_PORTS,
  PROTOCOL_MASK,
  STATE_READS_NAME,
  STATE_WANTS_NAME,
  TABLE_NAMES,
} from "../layout";
import { cellOf, coldOf, directionOf, tableOf } from "./cells";
import { HAS_NAME, IS_EXPECTED, isOpenedBy } from "./gathering";
import { readFirst } from "./host";

/** Of a direction: packets in which a beginning is looked for, and in which the rest of it is. */
const MOST_BEFORE: u32 = 4;
/** The former where TLS begins after a few commands (STARTTLS). */
const MOST_BEFORE_STARTTLS: u32 = 24;
const MOST_READ: u32 = 64;
/** A client's first datagrams are padded to 1,200 bytes (RFC 9000, section 14.1). */
const LEAST_INITIAL: u32 = 1000;
/** Header form and fixed bit (RFC 9000, section 17.2). */
const LONG_HEADER: u32 = 0xc0;
/** Content types and major version of TLS as they are read (RFC 8446, section 5.1). */
const HANDSHAKE: u32 = 0x0316;
const APPLICATION_DATA: u32 = 0x0317;
const CLIENT_HELLO: u32 = 1;
/** STUN (RFC 8489, sections 5 and 18.3), as it is read: its header, what all messages have, an attribute. */
const STUN_HEADER: u32 = 20;
const STUN_COOKIE: u32 = 0x42a4_1221;
const STUN_USERNAME: u32 = 0x0600;
const MOST_ATTRIBUTES: u32 = 8;
/** HTTP over UDP (UPnP Device Architecture 2.0, section 1). */
const SSDP: u32 = 1900;
const TCP_HEADER: usize = 20;
const LONGEST_TCP_HEADER: usize = 60;

/** Whether anybody reads names. */
let isWanted: bool = false;

/** Says that the first payloads of conversations are to be read. */
export function wantNames(): void {
  isWanted = true;
}

/** The bits of a new conversation's state. */
// @inline
export function newNameState(): u32 {
  return isWanted ? STATE_WANTS_NAME : 0;
}

/** The number of the names that a conversation carries, or 0. */
export function nameOf(isIpv6: bool, number: u32): u32 {
  if ((load<u32>(coldOf(isIpv6, number), COLD_EVIDENCE) & HAS_NAME) === 0) return 0;
  return load<u32>(placeOf(isIpv6, number));
}

function placeOf(isIpv6: bool, number: u32): usize {
  return <usize> load<u32>(tableOf(isIpv6), TABLE_NAMES) + (<usize> number << 2);
}

/** Has the payload of a packet read, if it may say something. */
export function readName(isIpv6: bool, number: u32, packet: usize, about: u32): void {
  const cell = cellOf(isIpv6, number);
  const state = load<u32>(cell, CELL_STATE);
  const protocol = state & PROTOCOL_MASK;
  const direction = directionOf(about);
  const packets = load<u32>(cell + (<usize> direction << 2), CELL_PACKETS);
  const payload: usize = load<u32>(packet, PACKET_PAYLOAD);
  const size = <u32> load<u16>(packet, PACKET_PAYLOAD_SIZE);
  const isFirst = (state & STATE_READS_NAME) === 0;
  const ports = load<u32>(packet, PACKET_PORTS);
  let isEarly = false;
  if (isFirst && !mayBegin(protocol, ports, payload, size)) {
    if (protocol !== PROTOCOL_TCP && isConnectivityCheck(payload, size)) {
      const cold = coldOf(isIpv6, number);
      store<u32>(cold, load<u32>(cold, COLD_EVIDENCE) | IS_EXPECTED, COLD_EVIDENCE);
      return store<u32>(cell, state & ~STATE_WANTS_NAME, CELL_STATE);
    }
    const most = isStartTls(ports) ? MOST_BEFORE_STARTTLS : MOST_BEFORE;
    if (packets > most) return store<u32>(cell, state & ~STATE_WANTS_NAME, CELL_STATE);
    isEarly = protocol === PROTOCOL_TCP && isTls(ports) && size >= 2 &&
      <u32> load<u16>(payload) !== APPLICATION_DATA && isOpenedBy(isIpv6, number, direction);
    if (!isEarly) return;
  }
  let answer: u32 = 0;
  if (packets <= MOST_READ) {
    // The source's port in the upper half.
    const turned = direction === 0 ? ports : rotl<u32>(ports, 16);
    store<u32>(CARRIED_NAME, nameOf(isIpv6, number));
    answer = readFirst(
      isIpv6,
      number,
      direction,
      protocol,
      payload,
      size,
      about >>> FLAGS_SHIFT,
      protocol === PROTOCOL_TCP ? sequenceOf(payload, turned) : 0,
      isFirst,
      isEarly,
    );
  }
  if ((answer & IS_NAMED) !== 0) {
    const cold = coldOf(isIpv6, number);
    store<u32>(cold, load<u32>(cold, COLD_EVIDENCE) | HAS_NAME, COLD_EVIDENCE);
    store<u32>(placeOf(isIpv6, number), load<u32>(CARRIED_NAME));
  }
  let wanted: u32 = 0;
  if ((answer & READ_MORE) !== 0) wanted = STATE_WANTS_NAME | STATE_READS_NAME;
  else if ((answer & LOOK_AGAIN) !== 0) wanted = STATE_WANTS_NAME;
  store<u32>(cell, (state & ~(STATE_WANTS_NAME | STATE_READS_NAME)) | wanted, CELL_STATE);
}

/** Whether a payload begins as a ClientHello, a request of HTTP, or an Initial packet of QUIC. */
function mayBegin(protocol: u32, ports: u32, payload: usize, size: u32): bool {
  if (size < 4) return false;
  const word = load<u32>(payload);
  if (protocol !== PROTOCOL_TCP) {
    if (size >= LEAST_INITIAL && (word & LONG_HEADER) === LONG_HEADER) return true;
    return (ports & 0xffff) === SSDP || ports >>> 16 === SSDP ? mayBeMethod(word) : false;
  }
  if ((word & 0xffff) === HANDSHAKE) return size < 6 || <u32> load<u8>(payload, 5) === CLIENT_HELLO;
  return mayBeMethod(word);
}

/**
 * The first letters of the methods of HTTP that are met: "GET ", "POST", "HEAD", "PUT ", "OPTI", "CONN",
 * "DELE", "PROP", "PATC", "TRAC", "REPO", "SEAR", "MKCO", "COPY", "MOVE", "LOCK", "UNLO"; of SSDP "M-SE"
 * and "NOTI".
 */
function mayBeMethod(word: u32): bool {
  return word === 0x2054_4547 || word === 0x5453_4f50 || word === 0x4441_4548 ||
    word === 0x2054_5550 || word === 0x4954_504f || word === 0x4e4e_4f43 ||
    word === 0x454c_4544 || word === 0x504f_5250 || word === 0x4354_4150 ||
    word === 0x4341_5254 || word === 0x4f50_4552 || word === 0x5241_4553 ||
    word === 0x4f43_4b4d || word === 0x5950_4f43 || word === 0x4556_4f4d ||
    word === 0x4b43_4f4c || word === 0x4f4c_4e55 || word === 0x4553_2d4d ||
    word === 0x4954_4f4e;
}

/**
 * Whether a datagram tries a way to somebody whose address came over another one, as calls of WebRTC do
 * (ICE, RFC 8445, section 7.1): a STUN message (RFC 8489, section 5) with a user's name. What is asked of
 * a server of STUN has none.
 */
function isConnectivityCheck(payload: usize, size: u32): bool {
  if (size < STUN_HEADER || load<u32>(payload, 4) !== STUN_COOKIE) return false;
  const end = payload + <usize> size;
  let at = payload + <usize> STUN_HEADER;
  for (let left = MOST_ATTRIBUTES; left !== 0 && at + 4 <= end; left--) {
    if (<u32> load<u16>(at) === STUN_USERNAME) return true;
    at += 4 + (<usize> (bswap<u16>(load<u16>(at, 2)) + 3) & ~3);
  }
  return false;
}

/** Whether TLS is spoken at a port from the first byte on (IANA, "Service Names and Port Numbers"). */
function isTls(ports: u32): bool {
  return isTlsPort(ports >>> 16) || isTlsPort(ports & 0xffff);
}

function isTlsPort(port: u32): bool {
  return port === 443 || port === 853 || port === 993 || port === 995 || port === 465 ||
    port === 636 || port === 990 || port === 5061 || port === 5223 || port === 8443 ||
    port === 8883 || port === 9443;
}

/** Whether TLS may begin at a port after some commands: SMTP, IMAP, POP3, LDAP, XMPP, FTP and others. */
function isStartTls(ports: u32): bool {
  return isStartTlsPort(ports >>> 16) || isStartTlsPort(ports & 0xffff);
}

function isStartTlsPort(port: u32): bool {
  return port === 25 || port === 587 || port === 143 || port === 110 || port === 389 ||
    port === 5222 || port === 5269 || port === 21 || port === 119 || port === 4190 ||
    port === 3306 || port === 5432 || port === 1433 || port === 3389 || port === 6667 ||
    // Proxies: TLS begins after CONNECT or the words of SOCKS (RFC 1928).
    port === 1080 || port === 3128 || port === 8080 || port === 80;
}

/**
 * The sequence number of a TCP segment. Its header is right before its payload; how long it is, is where
 * its words fit: the ports, and the header's length.
 */
function sequenceOf(payload: usize, ports: u32): u32 {
  const wanted = bswap<u32>(ports);
  for (let header = TCP_HEADER; header <= LONGEST_TCP_HEADER; header += 4) {
    const at = payload - header;
    if (load<u32>(at) === wanted && <usize> (load<u8>(at, 12) >>> 4) << 2 === header) {
      return bswap<u32>(load<u32>(at, 4));
    }
  }
  return 0;
}
