import ipaddr from "ipaddr.js";

/** An address as numbers: four words in network order, IPv4 in the last of them, the others 0. */
export interface Address {
  readonly family: 4 | 6;
  readonly words: Uint32Array;
}

/** An IPv6 address that ends in a dotted quad: RFC 4291, section 2.2, form 3. */
const MIXED_FORM = /^(.*:)([^:]*\.[^:]*)$/;

/**
 * Reads an address in the forms of RFC 4291, section 2.2, and the dotted quad.
 *
 * Shortened, octal and hexadecimal IPv4 (`10.1`, `010.0.0.1`) is refused: what it means differs from
 * program to program. So are IPv6 zones, which packets do not carry.
 *
 * @returns `null` when the text is no such address.
 */
export function parseAddress(text: string): Address | null {
  if (!text.includes(":")) return parseIpv4(text);
  const mixed = MIXED_FORM.exec(text);
  return parseIpv6(mixed === null ? text : withoutDottedQuad(mixed[1], mixed[2]));
}

function parseIpv4(text: string): Address | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return null;
  return { family: 4, words: wordsOf([...Array(12).fill(0), ...ipaddr.IPv4.parse(text).octets]) };
}

function parseIpv6(text: string | null): Address | null {
  if (text === null || text.includes("%") || !ipaddr.IPv6.isValid(text)) return null;
  return { family: 6, words: wordsOf(ipaddr.IPv6.parse(text).toByteArray()) };
}

/** ipaddr.js reads `::1.2.3.4` as if it were `::ffff:1.2.3.4`; in hexadecimal it can't. */
function withoutDottedQuad(groups: string, quad: string): string | null {
  const ipv4 = parseIpv4(quad);
  if (ipv4 === null) return null;
  const word = ipv4.words[3];
  return `${groups}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
}

function wordsOf(bytes: number[]): Uint32Array {
  const view = new DataView(Uint8Array.from(bytes).buffer);
  return Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(4 * i));
}
