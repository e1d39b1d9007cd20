import { dnsRole } from "./dns_role.ts";
import { payloadRole } from "./payload_role.ts";
import { BY_QR_BIT, NOBODY } from "../model/payload_roles.ts";

export { BY_QR_BIT };

/**
 * All that a payload says of who sent it: {@linkcode NOBODY}, or a role and perhaps
 * `BY_QR_BIT`. Parameters are as of `payloadRole`.
 */
export function payloadSays(
  protocol: number,
  view: DataView<ArrayBufferLike>,
  start: number,
  end: number,
  sourcePort: number,
  destinationPort: number,
  order: number,
): number {
  const asked = dnsRole(protocol, view, start, end, sourcePort, destinationPort);
  if (asked !== NOBODY) return asked | BY_QR_BIT;
  return payloadRole(protocol, view, start, end, sourcePort, destinationPort, order);
}
