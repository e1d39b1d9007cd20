/** Who asked, as keys have it. */
export interface ClientAddress {
  readonly isIpv6: boolean;
  /** Four words in network order, IPv4 in the last of them, the others 0. */
  readonly client: Uint32Array;
}

/** The third word of an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2). */
const MAPPED_WORD = 0xffff;

/**
 * The address of a client as its packets have it. Name servers that listen for both families at one
 * socket see IPv4 clients by IPv4-mapped IPv6 addresses, and some say them so, whatever family they
 * say beside it.
 *
 * @param words Four words in network order, IPv4 in the last of them, the others 0.
 */
export function clientAddress(isIpv6: boolean, words: Uint32Array): ClientAddress {
  const isMapped = isIpv6 && words[0] === 0 && words[1] === 0 && words[2] === MAPPED_WORD;
  return isMapped
    ? { isIpv6: false, client: Uint32Array.of(0, 0, 0, words[3]) }
    : { isIpv6, client: words };
}
