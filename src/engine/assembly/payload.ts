/* What payloads say of who sent them: what their first bytes tell at once, and whether to ask. */
import {
  BY_QR_BIT,
  DNS_HEADER,
  DNS_LENGTH_PREFIX,
  DNS_MOST_OPCODE,
  DNS_MOST_QUESTIONS,
  FROM_CLIENT,
  FROM_SERVER,
  NOBODY,
} from "../../model/payload_roles";
import { PROTOCOL_TCP } from "../../model/protocol_numbers";
import {
  ENTRY_AT,
  ENTRY_MASK,
  ENTRY_PORT_SHIFT,
  ENTRY_VALUE,
  ENTRY_WORDS,
  LISTS,
  LISTS_UDP,
} from "../../payload/sign_filter_layout";
import {
  PACKET_ABOUT,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_SIZE,
  PACKET_PORTS,
  PROTOCOL_MASK,
  SIGN_FILTER,
} from "../layout";
import { directionOf } from "./cells";
import { payloadRole } from "./host";

const DNS_FLAGS: usize = 2;
const DNS_QUESTIONS: usize = 4;

/** What the payload of a packet says: `payloadSays()` of src/payload. */
export function payloadSays(packet: usize, order: u32): u32 {
  const payload: usize = load<u32>(packet, PACKET_PAYLOAD);
  const end = payload + <usize> load<u16>(packet, PACKET_PAYLOAD_SIZE);
  const ports = load<u32>(packet, PACKET_PORTS);
  const protocol = load<u32>(packet, PACKET_ABOUT) & PROTOCOL_MASK;
  const asked = dnsRole(payload, end, ports, protocol);
  if (asked !== NOBODY) return asked | BY_QR_BIT;
  if (!hasSign(payload, end, ports, protocol)) return NOBODY;
  const isTurned = directionOf(load<u32>(packet, PACKET_ABOUT)) !== 0;
  // The source's port in the upper half.
  return payloadRole(protocol, payload, end, isTurned ? rotl<u32>(ports, 16) : ports, order);
}

/** Whether a payload has what a sign needs, by the filter of `src/payload/sign_filter.ts`. */
function hasSign(payload: usize, end: usize, ports: u32, protocol: u32): bool {
  const size = <u32> (end - payload);
  const lists = SIGN_FILTER + ((protocol === PROTOCOL_TCP ? LISTS : LISTS_UDP) << 2);
  const list: usize = load<u32>(lists + (<usize> load<u8>(payload) << 2));
  let entry = SIGN_FILTER + (list << 2);
  for (let needs = load<u32>(entry); needs !== 0; needs = load<u32>(entry)) {
    const word = load<u32>(payload + <usize> load<u32>(entry + ENTRY_AT * 4));
    const difference = (word ^ load<u32>(entry + ENTRY_VALUE * 4)) &
      load<u32>(entry + ENTRY_MASK * 4);
    if (difference === 0 && size >= (needs & 0xffff)) {
      const port = needs >>> ENTRY_PORT_SHIFT;
      if (port === 0 || port === ports >>> 16 || port === (ports & 0xffff)) return true;
    }
    entry += ENTRY_WORDS * 4;
  }
  return false;
}

/** `dnsRole()` of src/payload. */
function dnsRole(payload: usize, end: usize, ports: u32, protocol: u32): u32 {
  if (!isDns(ports >>> 16) && !isDns(ports & 0xffff)) return NOBODY;
  const at = payload + (protocol === PROTOCOL_TCP ? <usize> DNS_LENGTH_PREFIX : 0);
  if (at + <usize> DNS_HEADER > end) return NOBODY;
  const flags = <u32> bswap<u16>(load<u16>(at + DNS_FLAGS));
  const questions = <u32> bswap<u16>(load<u16>(at + DNS_QUESTIONS));
  if (((flags >>> 11) & 15) > DNS_MOST_OPCODE || questions > DNS_MOST_QUESTIONS) return NOBODY;
  return flags >>> 15 === 0 ? FROM_CLIENT : FROM_SERVER;
}

/** Whether this is a port of DNS. */
// @inline
function isDns(port: u32): bool {
  return ((load<u32>(SIGN_FILTER + (<usize> (port >>> 5) << 2)) >>> (port & 31)) & 1) !== 0;
}
