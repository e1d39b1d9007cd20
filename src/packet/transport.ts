import { BAD_LENGTH, TRANSPORT } from "./decoded.ts";
import { shortBy } from "./ip.ts";
import type { PacketHeader } from "./packet_header.ts";
import { hasTunnelPort, readUdpTunnel } from "./udp_tunnel.ts";

const TCP_HEADER = 20;
const UDP_HEADER = 8;

/**
 * Reads a TCP header (RFC 9293, section 3.1). Options may be cut: nothing is read from them.
 *
 * @param start Where the TCP header begins.
 * @param limit Where the bytes that are both captured and of the packet end.
 * @param packetEnd Where the packet ends by the words of its IP header.
 */
export function readTcp(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  if (start + TCP_HEADER > limit) return shortBy(start + TCP_HEADER, packetEnd);
  const ports = view.getInt32(start);
  header.sourcePort = ports >>> 16;
  header.destinationPort = ports & 0xffff;
  const offsetAndFlags = view.getUint16(start + 12);
  const headerLength = (offsetAndFlags >>> 10) & 0x3c;
  if (headerLength < TCP_HEADER || start + headerLength > packetEnd) return BAD_LENGTH;
  header.tcpFlags = offsetAndFlags & 0xff;
  header.transportOffset = start;
  const payload = start + headerLength;
  header.payloadOffset = payload < limit ? payload : limit;
  header.payloadEnd = limit;
  return TRANSPORT;
}

/**
 * Reads a UDP header (RFC 768).
 *
 * @param start Where the UDP header begins.
 * @param limit Where the bytes that are both captured and of the packet end.
 * @param packetEnd Where the packet ends by the words of its IP header.
 */
export function readUdp(
  view: DataView,
  start: number,
  limit: number,
  packetEnd: number,
  header: PacketHeader,
): number {
  if (start + UDP_HEADER > limit) return shortBy(start + UDP_HEADER, packetEnd);
  const ports = view.getInt32(start);
  header.sourcePort = ports >>> 16;
  header.destinationPort = ports & 0xffff;
  header.tcpFlags = 0;
  header.transportOffset = start;
  header.payloadOffset = start + UDP_HEADER;
  header.payloadEnd = limit;
  const length = view.getUint16(start + 4);
  if (length < UDP_HEADER) {
    // RFC 2675, section 4: 0 stands for more than the field can hold, in IPv6 only.
    return length === 0 && header.isIpv6 ? TRANSPORT : BAD_LENGTH;
  }
  // In a first fragment the datagram goes on after the packet's end, so more is nothing wrong.
  if (start + length < limit) header.payloadEnd = start + length;
  return hasTunnelPort(header.sourcePort, header.destinationPort)
    ? readUdpTunnel(view, header)
    : TRANSPORT;
}
