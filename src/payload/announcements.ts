import { PROTOCOL_TCP, PROTOCOL_UDP } from "../packet/packet_header.ts";
import { hasText } from "./sign.ts";

/** Whose address is announced with a port. */
export const OF_SENDER = 0;
export const IPV4 = 4;
export const IPV6 = 6;

/** What a payload announces. One object is used for all, and none is made for a packet. */
export interface AnnouncementTaker {
  /** The address that is announced: four words in network order, IPv4 in the last of them. */
  readonly address: Uint32Array;
  /**
   * Takes an announcement: somebody will connect, or send, to this port.
   *
   * @param family {@linkcode IPV4} or {@linkcode IPV6} where `address` is filled in, or {@linkcode OF_SENDER}.
   * @param protocol IANA protocol number, TCP or UDP.
   */
  announce(family: number, port: number, protocol: number): void;
}

/** Announcements are in the beginning of a message; SDP comes after a header. */
const MOST_READ = 4096;
/** More ports than this are in no message of those that are read. */
const MOST_PORTS = 16;

const LINE_FEED = 0x0a;
const COMMA = 0x2c;
const DOT = 0x2e;
const COLON = 0x3a;
const SPACE = 0x20;

// Where the number that was read last ended. Numbers are read without making strings.
let next = 0;
let announced = 0;

/**
 * Reads what a message of a control connection announces: replies 227 and 229 and the commands PORT and
 * EPRT of FTP (RFC 959, sections 4.1.2 and 4.2; RFC 2428), direct connections of IRC clients (DCC), the SDP
 * of who answers a call (RFC 8866; RFC 3264, section 6) in SIP, and the server's ports in RTSP (RFC 2326,
 * section 12.39).
 *
 * Of a call the one who is called serves: what the caller offers is not taken.
 */
export function readAnnouncements(
  protocol: number,
  view: DataView,
  start: number,
  end: number,
  taker: AnnouncementTaker,
): void {
  announced = 0;
  const last = Math.min(end, start + MOST_READ);
  if (hasText(view, start, last, "SIP/2.0 ")) readSdp(view, start, last, taker);
  if (protocol !== PROTOCOL_TCP) return;
  if (hasText(view, start, last, "227 ")) readCommaNumbers(view, start + 4, last, taker);
  else if (hasText(view, start, last, "PORT ")) readCommaNumbers(view, start + 5, last, taker);
  else if (hasText(view, start, last, "229 ")) readExtendedReply(view, start + 4, last, taker);
  else if (hasText(view, start, last, "EPRT ")) readExtendedPort(view, start + 5, last, taker);
  else if (hasText(view, start, last, "RTSP/")) readTransport(view, start, last, taker);
  else if (isChat(view, start, last)) readDirectConnections(view, start, last, taker);
}

function take(taker: AnnouncementTaker, family: number, port: number, protocol: number): void {
  if (port < 1 || port > 65_535 || announced >= MOST_PORTS) return;
  announced++;
  taker.announce(family, port, protocol);
}

/** A decimal number; -1 where there is none, or one beyond 32 bits. */
function numberAt(view: DataView, at: number, end: number): number {
  let value = 0;
  next = at;
  while (next < end && next - at < 10) {
    const digit = view.getUint8(next) - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    next++;
  }
  return next === at || value > 0xffff_ffff ? -1 : value;
}

function isDigit(view: DataView, at: number): boolean {
  return (view.getUint8(at) - 0x30) >>> 0 < 10;
}

/** Four bytes of an address, then two of a port, with commas between them, wherever the first one is. */
function readCommaNumbers(
  view: DataView,
  start: number,
  end: number,
  taker: AnnouncementTaker,
): void {
  for (let at = start; at < end && view.getUint8(at) !== LINE_FEED; at++) {
    if (!isDigit(view, at)) continue;
    if (readsSix(view, at, end, taker)) return;
    while (at + 1 < end && isDigit(view, at + 1)) at++;
  }
}

function readsSix(view: DataView, start: number, end: number, taker: AnnouncementTaker): boolean {
  let address = 0;
  let port = 0;
  next = start;
  for (let i = 0; i < 6; i++) {
    if (i > 0 && (next >= end || view.getUint8(next++) !== COMMA)) return false;
    const number = numberAt(view, next, end);
    if (number < 0 || number > 255) return false;
    if (i < 4) address = (address << 8) | number;
    else port = (port << 8) | number;
  }
  takeIpv4(taker, address, port, PROTOCOL_TCP);
  return true;
}

/** An address, and the sender's own: behind a translator what is written is another one. */
function takeIpv4(
  taker: AnnouncementTaker,
  address: number,
  port: number,
  protocol: number,
): void {
  taker.address.fill(0);
  taker.address[3] = address;
  take(taker, IPV4, port, protocol);
  take(taker, OF_SENDER, port, protocol);
}

/** `(|||6446|)`: RFC 2428, section 3. */
function readExtendedReply(
  view: DataView,
  start: number,
  end: number,
  taker: AnnouncementTaker,
): void {
  for (let at = start; at + 4 < end && view.getUint8(at) !== LINE_FEED; at++) {
    const delimiter = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0x28 || view.getUint8(at + 2) !== delimiter) continue;
    if (view.getUint8(at + 3) !== delimiter) continue;
    const port = numberAt(view, at + 4, end);
    if (next < end && view.getUint8(next) === delimiter) take(taker, OF_SENDER, port, PROTOCOL_TCP);
    return;
  }
}

/** `|1|132.235.1.2|6275|`, `|2|1080::8:800:200C:417A|5282|`: RFC 2428, section 2. */
function readExtendedPort(
  view: DataView,
  start: number,
  end: number,
  taker: AnnouncementTaker,
): void {
  if (start + 4 > end) return;
  const delimiter = view.getUint8(start);
  const family = view.getUint8(start + 1);
  if (view.getUint8(start + 2) !== delimiter) return;
  const isRead = family === 0x31
    ? readIpv4(view, start + 3, end, taker.address)
    : family === 0x32 && readIpv6(view, start + 3, end, taker.address);
  if (!isRead || next >= end || view.getUint8(next) !== delimiter) return;
  const port = numberAt(view, next + 1, end);
  take(taker, family === 0x31 ? IPV4 : IPV6, port, PROTOCOL_TCP);
  take(taker, OF_SENDER, port, PROTOCOL_TCP);
}

/** A dotted quad. */
function readIpv4(view: DataView, start: number, end: number, into: Uint32Array): boolean {
  let address = 0;
  next = start;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && (next >= end || view.getUint8(next++) !== DOT)) return false;
    const number = numberAt(view, next, end);
    if (number < 0 || number > 255) return false;
    address = (address << 8) | number;
  }
  into.fill(0);
  into[3] = address;
  return true;
}

/** RFC 4291, section 2.2, forms 1 and 2. */
function readIpv6(view: DataView, start: number, end: number, into: Uint32Array): boolean {
  let groups = 0;
  let gapAt = -1;
  into.fill(0);
  next = start;
  while (next < end && groups < 8) {
    if (view.getUint8(next) === COLON && next + 1 < end && view.getUint8(next + 1) === COLON) {
      if (gapAt >= 0) return false;
      gapAt = groups;
      next += 2;
    } else if (groups > 0 && gapAt !== groups) {
      if (view.getUint8(next) !== COLON) break;
      next++;
    }
    const from = next;
    let value = 0;
    for (; next < end && next - from < 4; next++) {
      const digit = hexDigit(view.getUint8(next));
      if (digit < 0) break;
      value = (value << 4) | digit;
    }
    if (next === from) break;
    into[groups >>> 1] |= value << ((groups & 1) === 0 ? 16 : 0);
    groups++;
  }
  if (gapAt < 0) return groups === 8;
  // What comes after the gap is at the end.
  for (let i = groups - 1, to = 7; i >= gapAt; i--, to--) {
    if (to === i) break;
    const value = (into[i >>> 1] >>> ((i & 1) === 0 ? 16 : 0)) & 0xffff;
    into[i >>> 1] &= (i & 1) === 0 ? 0x0000ffff : 0xffff0000;
    into[to >>> 1] |= value << ((to & 1) === 0 ? 16 : 0);
  }
  return true;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Where the line after this one begins. */
function nextLine(view: DataView, at: number, end: number): number {
  while (at < end && view.getUint8(at) !== LINE_FEED) at++;
  return at + 1;
}

/**
 * The addresses and ports of media. That of a session stands before its media, that of a medium after its
 * port: RFC 8866, section 5.7. The control protocol of RTP has the next port (RFC 3550, section 11).
 */
function readSdp(view: DataView, start: number, end: number, taker: AnnouncementTaker): void {
  let family = OF_SENDER;
  let port = 0;
  for (let at = nextLine(view, start, end); at < end; at = nextLine(view, at, end)) {
    if (hasText(view, at, end, "c=IN IP4 ")) {
      family = readIpv4(view, at + 9, end, taker.address) ? IPV4 : OF_SENDER;
    } else if (hasText(view, at, end, "c=IN IP6 ")) {
      family = readIpv6(view, at + 9, end, taker.address) ? IPV6 : OF_SENDER;
    } else if (hasText(view, at, end, "m=")) {
      port = mediaPort(view, at + 2, end);
      takeMedia(taker, OF_SENDER, port);
    } else continue;
    if (family !== OF_SENDER) takeMedia(taker, family, port);
  }
}

function takeMedia(taker: AnnouncementTaker, family: number, port: number): void {
  if (port <= 0) return;
  take(taker, family, port, PROTOCOL_UDP);
  take(taker, family, port + 1, PROTOCOL_UDP);
}

/** `audio 49170 RTP/AVP 0`; 0 where the medium is refused, or not of UDP. */
function mediaPort(view: DataView, start: number, end: number): number {
  let at = start;
  while (at < end && view.getUint8(at) > SPACE) at++;
  const port = numberAt(view, at + 1, end);
  return hasText(view, next, end, " TCP") ? 0 : port;
}

/** `Transport: RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257` of an answer. */
function readTransport(view: DataView, start: number, end: number, taker: AnnouncementTaker): void {
  for (let at = nextLine(view, start, end); at < end; at = nextLine(view, at, end)) {
    if (!hasText(view, at, end, "Transport:") && !hasText(view, at, end, "transport:")) continue;
    for (let i = at; i < end && view.getUint8(i) !== LINE_FEED; i++) {
      if (view.getUint8(i) !== 0x73 || !hasText(view, i, end, "server_port=")) continue;
      take(taker, OF_SENDER, numberAt(view, i + 12, end), PROTOCOL_UDP);
      if (next < end && view.getUint8(next) === 0x2d) {
        take(taker, OF_SENDER, numberAt(view, next + 1, end), PROTOCOL_UDP);
      }
    }
  }
}

/** Lines of IRC: RFC 2812, section 2.3. Those with a prefix come from a server. */
function isChat(view: DataView, start: number, end: number): boolean {
  return start < end && view.getUint8(start) === COLON || hasText(view, start, end, "PRIVMSG ") ||
    hasText(view, start, end, "NOTICE ");
}

/** `\x01DCC SEND file 3232235521 4000 12345\x01`: the address is a number. */
function readDirectConnections(
  view: DataView,
  start: number,
  end: number,
  taker: AnnouncementTaker,
): void {
  for (let at = start; at < end; at++) {
    if (view.getUint8(at) !== 0x01 || !hasText(view, at + 1, end, "DCC ")) continue;
    readDirectConnection(view, at + 5, end, taker);
  }
}

/** A number behind a word or two, and another one: names of files may have spaces. */
function readDirectConnection(
  view: DataView,
  start: number,
  end: number,
  taker: AnnouncementTaker,
): void {
  for (let at = start; at < end && view.getUint8(at) >= SPACE; at++) {
    if (view.getUint8(at) !== SPACE) continue;
    const address = numberAt(view, at + 1, end);
    if (address < 0x0100_0000 || next >= end || view.getUint8(next) !== SPACE) continue;
    const port = numberAt(view, next + 1, end);
    if (port > 0 && port <= 65_535) return takeIpv4(taker, address, port, PROTOCOL_TCP);
  }
}
