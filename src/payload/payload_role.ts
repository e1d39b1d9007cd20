import { PROTOCOL_TCP } from "../packet/packet_header.ts";
import { byFirstByte, NOBODY, type Role } from "./sign.ts";
import { TCP_SIGNS } from "./tcp_signs.ts";
import { UDP_SIGNS } from "./udp_signs.ts";

const TCP_TABLE = byFirstByte(TCP_SIGNS);
const UDP_TABLE = byFirstByte(UDP_SIGNS);

/**
 * What a payload says of who sent it: the client, the server, or nothing.
 *
 * @param protocol IANA protocol number, TCP or UDP.
 * @param view Holds the payload.
 * @param start Where its first byte is.
 * @param end Where its captured bytes end.
 * @param lowerPort The lower one of the two ports.
 * @param isFirst Whether it is the first payload that was seen of the conversation, of either end.
 */
export function payloadRole(
  protocol: number,
  view: DataView,
  start: number,
  end: number,
  lowerPort: number,
  isFirst: boolean,
): Role {
  if (start >= end) return NOBODY;
  const signs = (protocol === PROTOCOL_TCP ? TCP_TABLE : UDP_TABLE)[view.getUint8(start)];
  for (let i = 0; i < signs.length; i++) {
    const sign = signs[i];
    if (end - start < sign.atLeast) continue;
    const role = sign.read(view, start, end, lowerPort, isFirst);
    if (role !== NOBODY) return role;
  }
  return NOBODY;
}
