import { hostName } from "../host_name.ts";
import { ipv4Of } from "./address_of.ts";
import type { Announcement } from "./announcement.ts";
import { HARDWARE_BYTES, hardwareText } from "./hardware_address.ts";

/** RFC 2131, section 2. */
const FIXED = 236;
const COOKIE = 0x63825363;
const HARDWARE_TYPE = 1;
const HARDWARE_SIZE = 2;
const CLIENT_ADDRESS = 12;
const YOUR_ADDRESS = 16;
const CLIENT_HARDWARE = 28;
const ETHERNET = 1;
const REQUEST = 1;
const REPLY = 2;

/** Options (RFC 2132; RFC 4702 for the last). */
const PAD = 0;
const HOST_NAME = 12;
const LEASE = 51;
const MESSAGE_TYPE = 53;
const END = 255;
const CLIENT_FQDN = 81;
const FQDN_FLAGS = 3;
const IS_ENCODED = 0x04;
const DHCP_ACK = 5;

/**
 * Reads a DHCP message (RFC 2131): a client's name, and the address that a server acknowledges.
 *
 * @returns `null` if it says nothing of a host, or is no such message.
 */
export function readDhcp(bytes: Uint8Array, start: number, end: number): Announcement | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  let at = start + FIXED + 4;
  if (at > end || view.getUint32(start + FIXED) !== COOKIE) return null;
  const operation = bytes[start];
  if (operation !== REQUEST && operation !== REPLY) return null;
  if (bytes[start + HARDWARE_TYPE] !== ETHERNET) return null;
  if (bytes[start + HARDWARE_SIZE] !== HARDWARE_BYTES) return null;
  let name: string | null = null;
  let fullName: string | null = null;
  let lease: number | null = null;
  let type = 0;
  while (at < end) {
    const option = bytes[at++];
    if (option === PAD) continue;
    if (option === END || at >= end) break;
    const content = at + 1;
    const next = content + bytes[at];
    if (next > end) break;
    const size = next - content;
    if (option === HOST_NAME) name = hostName(bytes, content, next);
    else if (option === CLIENT_FQDN) fullName = readFqdn(bytes, content, next);
    else if (option === MESSAGE_TYPE && size === 1) type = bytes[content];
    else if (option === LEASE && size === 4) lease = view.getUint32(content);
    at = next;
  }
  const isAcknowledged = operation === REPLY && type === DHCP_ACK;
  // A client that has an address renews it, and says so.
  const own = ipv4Of(bytes, start + CLIENT_ADDRESS);
  const address = isAcknowledged ? ipv4Of(bytes, start + YOUR_ADDRESS) ?? own : own;
  const hardware = hardwareText(bytes, start + CLIENT_HARDWARE);
  if (hardware === null) return null;
  const addresses = address === null ? [] : [address];
  const itsName = operation === REQUEST ? fullName ?? name : null;
  if (addresses.length === 0 && itsName === null) return null;
  return { by: "dhcp", hardware, addresses, name: itsName, lease: isAcknowledged ? lease : null };
}

/** A client's full name, as text or in the form of DNS (RFC 4702, section 2). */
function readFqdn(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start <= FQDN_FLAGS) return null;
  const isEncoded = (bytes[start] & IS_ENCODED) !== 0;
  return isEncoded
    ? readLabels(bytes, start + FQDN_FLAGS, end)
    : hostName(bytes, start + FQDN_FLAGS, end);
}

/** A name in labels that are not compressed, whole or a part of one (RFC 1035, section 3.1). */
export function readLabels(bytes: Uint8Array, start: number, end: number): string | null {
  const labels: string[] = [];
  for (let at = start; at < end && bytes[at] !== 0;) {
    const next = at + 1 + bytes[at];
    const label = next > end ? null : hostName(bytes, at + 1, next);
    if (label === null) return null;
    labels.push(label);
    at = next;
  }
  return labels.length === 0 ? null : labels.join(".");
}
