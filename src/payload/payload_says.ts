import { dnsRole } from "./dns_role.ts";
import { payloadRole } from "./payload_role.ts";
import { BY_QR_BIT, NOBODY } from "../model/payload_roles.ts";

export { BY_QR_BIT };

/**
 * All that a payload says of who sent it: {@linkcode NOBODY}, or a role and perhaps
 * `BY_QR_BIT`. Parameters are as of `payloadRole`; a payload that says nothing as the first
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
