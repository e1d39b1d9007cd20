import { PROTOCOL_TCP } from "../packet/packet_header.ts";
import { FROM_CLIENT, FROM_SERVER, NOBODY, type Role } from "./sign.ts";

/** Ports of DNS, NetBIOS names, mDNS and LLMNR, which share one header (RFC 1035, section 4.1.1). */
export const DNS_PORTS: readonly number[] = [53, 137, 5353, 5355];
const IS_DNS = new Uint8Array(65_536);
for (const port of DNS_PORTS) IS_DNS[port] = 1;
const HEADER = 12;
/** A message over TCP has its length before it (RFC 1035, section 4.2.2). */
const LENGTH_PREFIX = 2;
/** Opcodes up to 6 are assigned, and NetBIOS uses some up to 9; no other is in use. */
const MOST_OPCODE = 9;
/** More questions than this are in no message that is one. */
const MOST_QUESTIONS = 16;

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
  const at = protocol === PROTOCOL_TCP ? start + LENGTH_PREFIX : start;
  if (at + HEADER > end) return NOBODY;
  const flags = view.getUint16(at + 2);
  if (((flags >>> 11) & 15) > MOST_OPCODE || view.getUint16(at + 4) > MOST_QUESTIONS) return NOBODY;
  return flags >>> 15 === 0 ? FROM_CLIENT : FROM_SERVER;
}
