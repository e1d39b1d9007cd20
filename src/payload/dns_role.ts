import { PROTOCOL_TCP } from "../packet/packet_header.ts";
import {
  DNS_HEADER,
  DNS_LENGTH_PREFIX,
  DNS_MOST_OPCODE,
  DNS_MOST_QUESTIONS,
  FROM_CLIENT,
  FROM_SERVER,
  NOBODY,
} from "../model/payload_roles.ts";
import type { Role } from "./sign.ts";

/** Ports of DNS, NetBIOS names, mDNS and LLMNR, which share one header (RFC 1035, section 4.1.1). */
export const DNS_PORTS: readonly number[] = [53, 137, 5353, 5355];
const IS_DNS = new Uint8Array(65_536);
for (const port of DNS_PORTS) IS_DNS[port] = 1;

/**
 * What the QR bit of a DNS message says of who sent it: RFC 1035, section 4.1.1. Nothing, if the
 * payload does not look like one.
 *
 * @param protocol IANA protocol number, TCP or UDP.
 */
export function dnsRole(
  protocol: number,
  view: DataView,
  start: number,
  end: number,
  sourcePort: number,
  destinationPort: number,
): Role {
  if ((IS_DNS[sourcePort] | IS_DNS[destinationPort]) === 0) return NOBODY;
  const at = protocol === PROTOCOL_TCP ? start + DNS_LENGTH_PREFIX : start;
  if (at + DNS_HEADER > end) return NOBODY;
  const flags = view.getUint16(at + 2);
  if (((flags >>> 11) & 15) > DNS_MOST_OPCODE) return NOBODY;
  if (view.getUint16(at + 4) > DNS_MOST_QUESTIONS) return NOBODY;
  return flags >>> 15 === 0 ? FROM_CLIENT : FROM_SERVER;
}
