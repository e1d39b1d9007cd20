import { hostName } from "../host_name.ts";
import { ipv4Of } from "./address_of.ts";
import type { Announcement } from "./announcement.ts";

/** RFC 1002, section 4.2.1: the header; flags, with the operation in four bits. */
const HEADER = 12;
const FLAGS = 2;
const ADDITIONALS = 10;
const RESPONSE = 0x8000;
const OPERATION_SHIFT = 11;
const OPERATION_MASK = 0x0f;
const REGISTRATION = 5;
const REFRESH = 8;
const OTHER_REFRESH = 9;
/** A name in two bytes for each of its sixteen (RFC 1001, section 14.1). */
const ENCODED = 32;
const LETTER_A = 0x41;
const SPACE = 0x20;
/** Type and class of a question; those of a record with time to live and length. */
const QUESTION_FIXED = 4;
const RECORD_FIXED = 10;
const POINTER = 0xc0;
/** Of a record's data: flags, of which this one says that the name is a group's. */
const GROUP = 0x80;
const FLAGS_AND_ADDRESS = 6;
/** The last of the sixteen bytes: what the name stands for. These are a host's own. */
const WORKSTATION = 0x00;
const FILE_SERVER = 0x20;

/**
 * Reads a NetBIOS name that a host registers or refreshes for itself (RFC 1002, section 4.2.2).
 *
 * @returns `null` if it is something else.
 */
export function readNetbios(bytes: Uint8Array, start: number, end: number): Announcement | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  const question = start + HEADER;
  // Its length, the name, the end of names.
  const afterName = question + 1 + ENCODED + 1;
  const record = afterName + QUESTION_FIXED;
  if (record + 2 + RECORD_FIXED + FLAGS_AND_ADDRESS > end) return null;
  const flags = view.getUint16(start + FLAGS);
  const operation = (flags >>> OPERATION_SHIFT) & OPERATION_MASK;
  const isAnnounced = operation === REGISTRATION || operation === REFRESH ||
    operation === OTHER_REFRESH;
  if ((flags & RESPONSE) !== 0 || !isAnnounced) return null;
  if (view.getUint16(start + ADDITIONALS) !== 1 || bytes[question] !== ENCODED) return null;
  const name = decoded(bytes, question + 1);
  if (name === null || (bytes[record] & POINTER) !== POINTER) return null;
  const data = record + 2 + RECORD_FIXED;
  if ((bytes[data] & GROUP) !== 0) return null;
  const address = ipv4Of(bytes, data + 2);
  return address === null
    ? null
    : { by: "netbios", hardware: null, addresses: [address], name, lease: null };
}

function decoded(bytes: Uint8Array, at: number): string | null {
  const name = new Uint8Array(ENCODED / 2);
  for (let i = 0; i < name.length; i++) {
    const high = bytes[at + 2 * i] - LETTER_A;
    const low = bytes[at + 2 * i + 1] - LETTER_A;
    if (high < 0 || high > 15 || low < 0 || low > 15) return null;
    name[i] = (high << 4) | low;
  }
  const kind = name[name.length - 1];
  if (kind !== WORKSTATION && kind !== FILE_SERVER) return null;
  let size = name.length - 1;
  while (size > 0 && name[size - 1] === SPACE) size--;
  return hostName(name, 0, size);
}
