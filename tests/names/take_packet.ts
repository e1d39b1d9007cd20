import type { CarriedName, CarriedNames } from "../../src/names/carried_names.ts";
import { type PacketHeader, PROTOCOL_TCP } from "../../src/packet/packet_header.ts";

/** Where a TCP header has the sequence number (RFC 9293, section 3.1). */
const TCP_SEQUENCE = 4;

/** Has a packet read that was decoded. Whoever has the greater port is taken for the client. */
export function takePacket(
  names: CarriedNames,
  view: DataView<ArrayBufferLike>,
  header: PacketHeader,
): CarriedName | null {
  const { payloadOffset: start, payloadEnd: end, protocol, sourcePort, destinationPort } = header;
  if (start >= end) return null;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const words = header.isIpv6 ? [0, 1, 2, 3, 4, 5, 6, 7] : [3, 7];
  const ends = words.map((word) => header.addresses[word]);
  const key = [protocol, sourcePort, destinationPort, ...ends].join();
  if (protocol !== PROTOCOL_TCP) return names.takeDatagram(key, bytes, start, end);
  const sequence = view.getUint32(header.transportOffset + TCP_SEQUENCE);
  const isToServer = destinationPort < sourcePort;
  return names.takeSegment(key, sequence, header.tcpFlags, isToServer, bytes, start, end);
}
