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
