/**
 * Whether an address stands for several hosts, and so receives only: multicast (RFC 5771, and RFC
 * 4291, section 2.7) and the limited broadcast (RFC 919). That of a subnet can't be told from a host's.
 *
 * @param addressWords 1 for IPv4, 4 for IPv6.
 * @param firstWord The address's first 32 bits.
 */
export function isGroup(addressWords: number, firstWord: number): boolean {
  if (addressWords === 4) return firstWord >>> 24 === 0xff;
  return firstWord >>> 28 === 0xe || firstWord >>> 0 === 0xffffffff;
}

/** 224.0.0.0/4, 255.255.255.255 and ff00::/8, as addresses are written. */
const GROUP_TEXT = /^(22[4-9]\.|23\d\.|255\.255\.255\.255$|ff[0-9a-f]{2}:)/;

/** The same of an address as text. */
export function isGroupText(address: string): boolean {
  return GROUP_TEXT.test(address);
}
