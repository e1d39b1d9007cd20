import { PROTOCOL_UDP } from "../packet/packet_header.ts";
import { dnsRole } from "../payload/dns_role.ts";
import { FROM_CLIENT, FROM_SERVER, NOBODY, type Role } from "../payload/sign.ts";

/** A client pads the first datagram at least so far: RFC 9000, section 14.1. */
const SHORTEST_FIRST_DATAGRAM = 1200;
/** Bytes at least of the connection identifier that a client makes up: RFC 9000, section 7.2. */
const SHORTEST_FIRST_ID = 8;
const QUIC_VERSION_1 = 1;
const QUIC_VERSION_2 = 0x6b3343cf;
const QUIC_DRAFTS = 0xff0000;

/** RFC 6347, sections 4.1 and 4.3.2. */
const DTLS_HANDSHAKE = 22;
const DTLS_MAJOR_VERSION = 0xfe;
const DTLS_HEADERS = 14;
const CLIENT_HELLO = 1;

/**
 * Who is the client of a UDP conversation for certain, by one packet of it. This is what attribution
 * is measured against, so it is a rule of its own, and a narrow one:
 *
 * 1. DNS, with mDNS, LLMNR and NetBIOS names: whoever sends a message without the QR bit asks, and
 *    whoever is sent one with it had asked. What is sent to a group is a use of the group, with
 *    either bit.
 * 2. QUIC, when the conversation's first packet of the capture is a client's first one: an Initial
 *    packet of a known version, with a connection identifier of 8 bytes or more, in 1200 bytes or
 *    more.
 * 3. DTLS, when that first packet is a ClientHello.
 *
 * @param length Bytes of the payload on the wire.
 * @param isFirst Whether the capture has no earlier packet of the conversation.
 * @param isToGroup Whether its destination is a group or broadcast address.
 */
export function udpClient(
  view: DataView,
  start: number,
  end: number,
  length: number,
  sourcePort: number,
  destinationPort: number,
  isFirst: boolean,
  isToGroup: boolean,
): Role {
  const dns = dnsRole(PROTOCOL_UDP, view, start, end, sourcePort, destinationPort);
  if (dns === FROM_SERVER) return isToGroup ? FROM_CLIENT : FROM_SERVER;
  if (dns === FROM_CLIENT) return FROM_CLIENT;
  if (!isFirst) return NOBODY;
  const isFromClient = isFirstInitial(view, start, end, length) || isClientHello(view, start, end);
  return isFromClient ? FROM_CLIENT : NOBODY;
}

/** RFC 9000, section 17.2.2, and RFC 9369, section 3.2. */
function isFirstInitial(view: DataView, start: number, end: number, length: number): boolean {
  if (length < SHORTEST_FIRST_DATAGRAM || end - start < 6) return false;
  const first = view.getUint8(start);
  if (first < 0xc0 || view.getUint8(start + 5) < SHORTEST_FIRST_ID) return false;
  const version = view.getUint32(start + 1);
  const type = (first >>> 4) & 3;
  if (version === QUIC_VERSION_2) return type === 1;
  return type === 0 && (version === QUIC_VERSION_1 || version >>> 8 === QUIC_DRAFTS);
}

function isClientHello(view: DataView, start: number, end: number): boolean {
  return end - start >= DTLS_HEADERS && view.getUint8(start) === DTLS_HANDSHAKE &&
    view.getUint8(start + 1) === DTLS_MAJOR_VERSION && view.getUint8(start + 13) === CLIENT_HELLO;
}
