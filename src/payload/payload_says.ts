import { dnsRole } from "./dns_role.ts";
import { payloadRole } from "./payload_role.ts";
import { NOBODY } from "./sign.ts";

/** In what {@linkcode payloadSays} returns, above the role: it is that of the QR bit of DNS. */
export const BY_QR_BIT = 4;

/**
 * All that a payload says of who sent it: {@linkcode NOBODY}, or a role and perhaps
 * {@linkcode BY_QR_BIT}. Parameters are as of `payloadRole`; a payload that says nothing as the first
 * one says nothing as a later one.
 */
export function payloadSays(
  protocol: number,
  view: DataView<ArrayBufferLike>,
  start: number,
  end: number,
  sourcePort: number,
  destinationPort: number,
  isFirst: boolean,
): number {
  const asked = dnsRole(protocol, view, start, end, sourcePort, destinationPort);
  if (asked !== NOBODY) return asked | BY_QR_BIT;
  const lowerPort = Math.min(sourcePort, destinationPort);
  return payloadRole(protocol, view, start, end, lowerPort, isFirst);
}
