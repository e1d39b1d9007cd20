import { ipv6Of } from "./address_of.ts";
import type { Announcement } from "./announcement.ts";
import { readLabels } from "./dhcp.ts";
import { HARDWARE_BYTES, hardwareText } from "./hardware_address.ts";

/** Type, transaction (RFC 8415, section 8); of a relay's also hops and two addresses (section 9). */
const HEADER = 4;
const RELAY_HEADER = 34;
const REPLY = 7;
const RELAY_FORWARD = 12;
const RELAY_REPLY = 13;
/** Relays hand each other's messages on (section 7.6). */
const MOST_RELAYS = 8;

/** Options (section 21; RFC 4704 for the last). */
const CLIENT_ID = 1;
const NON_TEMPORARY = 3;
const TEMPORARY = 4;
const ADDRESS = 5;
const RELAYED = 9;
const CLIENT_FQDN = 39;
const NON_TEMPORARY_FIXED = 12;
const TEMPORARY_FIXED = 4;
const ADDRESS_FIXED = 24;
const VALID_LIFETIME = 20;
/** Identifiers that hold a hardware address (section 11). */
const BY_LINK_AND_TIME = 1;
const BY_LINK = 3;
const ETHERNET = 1;

/** What is gathered of a message. */
interface Gathered {
  hardware: string | null;
  name: string | null;
  addresses: string[];
  lease: number | null;
}

/**
 * Reads a DHCPv6 message (RFC 8415), also one that relays hand on: a client's name, and the addresses
 * that a server replies with.
 *
 * @returns `null` if it says nothing of a host, or is no such message.
 */
export function readDhcpv6(bytes: Uint8Array, start: number, end: number): Announcement | null {
  const gathered: Gathered = { hardware: null, name: null, addresses: [], lease: null };
  readMessage(bytes, start, end, gathered, MOST_RELAYS);
  const { hardware, name, addresses, lease } = gathered;
  if (hardware === null || (addresses.length === 0 && name === null)) return null;
  return { by: "dhcpv6", hardware, addresses, name, lease };
}

function readMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  gathered: Gathered,
  relays: number,
): void {
  if (end - start < HEADER) return;
  const type = bytes[start];
  const isRelayed = type === RELAY_FORWARD || type === RELAY_REPLY;
  const first = start + (isRelayed ? RELAY_HEADER : HEADER);
  visitOptions(bytes, first, end, (option, from, to) => {
    if (isRelayed) {
      if (option === RELAYED && relays > 0) readMessage(bytes, from, to, gathered, relays - 1);
    } else if (option === CLIENT_ID) {
      gathered.hardware = hardwareOf(bytes, from, to);
    } else if (option === CLIENT_FQDN && type !== REPLY && to - from > 1) {
      gathered.name = readLabels(bytes, from + 1, to);
    } else if (type === REPLY && (option === NON_TEMPORARY || option === TEMPORARY)) {
      const fixed = option === TEMPORARY ? TEMPORARY_FIXED : NON_TEMPORARY_FIXED;
      visitOptions(bytes, from + fixed, to, (inner, at, innerEnd) => {
        if (inner === ADDRESS && innerEnd - at >= ADDRESS_FIXED) readAddress(bytes, at, gathered);
      });
    }
  });
}

function readAddress(bytes: Uint8Array, at: number, gathered: Gathered): void {
  const address = ipv6Of(bytes, at);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const lease = view.getUint32(VALID_LIFETIME);
  // With a lifetime of 0 a server takes an address back.
  if (address === null || lease === 0) return;
  gathered.addresses.push(address);
  gathered.lease = lease;
}

function visitOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (option: number, from: number, to: number) => void,
): void {
  for (let at = start; at + 4 <= end;) {
    const from = at + 4;
    const to = from + ((bytes[at + 2] << 8) | bytes[at + 3]);
    if (to > end) return;
    visit((bytes[at] << 8) | bytes[at + 1], from, to);
    at = to;
  }
}

function hardwareOf(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start < 4) return null;
  const kind = (bytes[start] << 8) | bytes[start + 1];
  const isEthernet = bytes[start + 2] === 0 && bytes[start + 3] === ETHERNET;
  const at = kind === BY_LINK_AND_TIME ? start + 8 : kind === BY_LINK ? start + 4 : end;
  return isEthernet && at + HARDWARE_BYTES <= end ? hardwareText(bytes, at) : null;
}
