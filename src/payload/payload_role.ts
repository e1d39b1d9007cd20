import { PROTOCOL_TCP } from "../packet/packet_header.ts";
import { ANNOUNCES, byFirstByte, FROM_CLIENT, FROM_SERVER, NOBODY, type Role } from "./sign.ts";
import { TCP_SIGNS } from "./tcp_signs.ts";
import { UDP_SIGNS } from "./udp_signs.ts";

const TCP_TABLE = byFirstByte(TCP_SIGNS);
const UDP_TABLE = byFirstByte(UDP_SIGNS);

/**
 * What a payload says of who sent it: the client, the server, or nothing; with `ANNOUNCES` above it where
 * others are announced in such conversations.
 *
 * @param protocol IANA protocol number, TCP or UDP.
 * @param view Holds the payload.
 * @param start Where its first byte is.
 * @param end Where its captured bytes end.
 * @param order `FIRST`, `REPLY` or `LATER`: which payload of the conversation it is.
 */
export function payloadRole(
  protocol: number,
  view: DataView,
  start: number,
  end: number,
  sourcePort: number,
  destinationPort: number,
  order: number,
): Role {
  if (start >= end) return NOBODY;
  const signs = (protocol === PROTOCOL_TCP ? TCP_TABLE : UDP_TABLE)[view.getUint8(start)];
  for (let i = 0; i < signs.length; i++) {
    const sign = signs[i];
    if (end - start < sign.atLeast) continue;
    const { ports } = sign;
    const isFromPort = ports !== undefined && ports.includes(sourcePort);
    const isToPort = ports !== undefined && ports.includes(destinationPort);
    if (ports !== undefined && !isFromPort && !isToPort) continue;
    const port = isFromPort === isToPort
      ? Math.min(sourcePort, destinationPort)
      : isFromPort
      ? sourcePort
      : destinationPort;
    const owner = isFromPort === isToPort ? NOBODY : isFromPort ? FROM_SERVER : FROM_CLIENT;
    const role = sign.read(view, start, end, port, order, owner);
    if (role !== NOBODY) return sign.announces === true ? role | ANNOUNCES : role;
  }
  return NOBODY;
}
