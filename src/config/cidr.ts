import ipaddr from "ipaddr.js";
import { addressText } from "../model/address_text.ts";
import { type Address, parseAddress } from "../model/address.ts";
import { bareAddress } from "./bare_address.ts";
import { ConfigError } from "./config_error.ts";
import { bitsOf, maskWords } from "./prefix_mask.ts";
import { shown } from "./shown.ts";

/** An address prefix in the notation of RFC 4632, section 3.1, and RFC 4291, section 2.3. */
export interface Cidr {
  /** 4 or 6. */
  readonly family: 4 | 6;
  /** The first address: four words in network order, IPv4 in the last of them, the others 0. */
  readonly words: Uint32Array;
  /** How many leading bits count: 0 to 32, or 0 to 128. */
  readonly prefixLength: number;
}

/** What a text means that names an address and, perhaps, a prefix length. */
interface Interface {
  readonly address: Address;
  readonly prefixLength: number;
}

/** IPv4-mapped addresses are ::ffff:0:0/96: RFC 4291, section 2.5.5.2. */
const MAPPED_PREFIX_LENGTH = 96;
const MAPPED_GROUP = 0xffff;

/** The prefix as text, `10.0.0.0/8`. */
export function cidrText(cidr: Cidr): string {
  return `${addressText(cidr.words, 0, cidr.family === 6)}/${cidr.prefixLength}`;
}

/**
 * Reads a prefix. A bare address is the prefix of that address alone.
 *
 * @throws {ConfigError} when it is none, or when bits beyond the prefix are set, which is more often
 * a slip than meant.
 */
export function parseCidr(text: unknown): Cidr {
  const parsed = parseInterface(text);
  const cidr = prefixOf(parsed);
  if (setsHostBits(parsed)) {
    throw new ConfigError(
      `${shown(text)} has bits set beyond /${cidr.prefixLength}`,
      `write "${cidrText(cidr)}", or "${addressOf(parsed)}" for the one address`,
    );
  }
  return cidr;
}

/**
 * Reads a prefix as {@linkcode parseCidr} does, but takes an address of an interface with its prefix
 * length (`10.0.11.23/16`, as `ip addr` shows it) for the prefix that it is in.
 *
 * @throws {ConfigError} when it is neither.
 */
export function parseInterfacePrefix(text: string): Cidr {
  return prefixOf(parseInterface(text));
}

/**
 * Whether the text of a prefix has bits set beyond its prefix length.
 *
 * @throws {ConfigError} when it is no prefix.
 */
export function hasHostBits(text: string): boolean {
  return setsHostBits(parseInterface(text));
}

function setsHostBits(parsed: Interface): boolean {
  return prefixOf(parsed).words.some((word, i) => word !== parsed.address.words[i]);
}

function addressOf(parsed: Interface): string {
  return addressText(parsed.address.words, 0, parsed.address.family === 6);
}

function prefixOf({ address, prefixLength }: Interface): Cidr {
  const masks = maskWords(address.family, prefixLength);
  const words = address.words.map((word, i) => word & masks[i]);
  return { family: address.family, words, prefixLength };
}

function parseInterface(text: unknown): Interface {
  if (typeof text !== "string") {
    throw new ConfigError(`${shown(text)} is not a prefix`, 'write it as text, "10.0.0.0/8"');
  }
  if (text.includes(",")) {
    const parts = text.split(",").map((part) => `"${part.trim()}"`);
    throw new ConfigError(`"${text}" is a list in one text`, `write ${parts.join(", ")}`);
  }
  const slash = text.indexOf("/");
  const addressPart = slash < 0 ? text : text.slice(0, slash);
  const address = parseAddress(addressPart);
  if (address === null) throw badAddress(text, addressPart);
  const prefixLength = slash < 0
    ? bitsOf(address.family)
    : parsePrefixLength(text, address, addressPart, text.slice(slash + 1));
  refuseMapped(text, address, prefixLength);
  return { address, prefixLength };
}

function badAddress(text: string, address: string): ConfigError {
  const bare = bareAddress(text);
  if (address.includes("%")) {
    return new ConfigError(`"${text}" has a zone, which packets do not carry`, `write "${bare}"`);
  }
  if (bare !== text) {
    return new ConfigError(`"${text}" is in brackets, as in a URL`, `write "${bare}"`);
  }
  const meantAddress = meantIpv4(address, text !== address);
  if (meantAddress !== null) {
    const meant = `${meantAddress}${text.slice(address.length)}`;
    return new ConfigError(
      `"${text}" is not an address of four decimal numbers`,
      `if "${meant}" is meant, write that`,
    );
  }
  return new ConfigError(
    `"${text}" is not an IPv4 or IPv6 prefix`,
    'write it as "10.0.0.0/8", "2001:db8::/32" or a single address',
  );
}

/**
 * What a shortened, octal or hexadecimal IPv4 address means. In front of a prefix length the numbers
 * that are missing are the last ones, as in `net 192.168` of pcap-filter(7), and zeros in front are
 * what a table was filled up with; an address by itself is read as inet_aton(3) does.
 */
function meantIpv4(address: string, isPrefix: boolean): string | null {
  if (!/^[\da-fx.]+$/i.test(address) || !ipaddr.IPv4.isValid(address)) return null;
  if (!isPrefix || !/^\d+(\.\d+){0,3}$/.test(address)) return ipaddr.IPv4.parse(address).toString();
  const numbers = address.split(".").map(Number);
  if (numbers.some((number) => number > 255)) return ipaddr.IPv4.parse(address).toString();
  return [...numbers, 0, 0, 0].slice(0, 4).join(".");
}

function parsePrefixLength(
  text: string,
  address: Address,
  addressPart: string,
  length: string,
): number {
  const bits = bitsOf(address.family);
  if (/^\d{1,3}$/.test(length) && Number(length) <= bits) return Number(length);
  const fromMask = address.family === 4 && ipaddr.IPv4.isValidFourPartDecimal(length)
    ? ipaddr.IPv4.parse(length).prefixLengthFromSubnetMask()
    : null;
  throw new ConfigError(
    `"${text}" has no prefix length from 0 to ${bits} after the slash`,
    fromMask === null
      ? `after "${addressPart}/" write a number from 0 to ${bits}`
      : `write "${addressPart}/${fromMask}"`,
  );
}

/** A packet on the wire never has such an address, so the prefix would match nothing. */
function refuseMapped(text: string, { family, words }: Address, prefixLength: number): void {
  const isMapped = family === 6 && prefixLength >= MAPPED_PREFIX_LENGTH && words[0] === 0 &&
    words[1] === 0 && words[2] === MAPPED_GROUP;
  if (!isMapped) return;
  const ipv4 = addressText(words, 0, false);
  throw new ConfigError(
    `"${text}" is an IPv4-mapped prefix, which no packet matches`,
    `write the IPv4 prefix, "${ipv4}/${prefixLength - MAPPED_PREFIX_LENGTH}"`,
  );
}
