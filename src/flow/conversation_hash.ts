/** An odd number whose bits look random, as MurmurHash3 (public domain) uses. */
const MIX = 0x9e3779b1 | 0;
/** Secrets of a sum: for each half of the eight words of addresses, the ports', the protocol's. */
const OF_A_SUM = 16 + 2 + 1;
const PORTS = 16;
const PROTOCOL = 18;

/** Unknown to whoever sends us packets, so that they can't be made to fall into one slot. */
const SECRETS = crypto.getRandomValues(new Int32Array(2 * OF_A_SUM));

/*
 * Two sums of products of pairs of 16 bits, each number with a secret of its own added, of which the
 * upper halves are taken (D. Lemire, O. Kaser, Strongly universal string hashing is fast, The Computer
 * Journal 57, 2014, section 3): no two conversations can be chosen so that they meet more often than by
 * chance. `assembly/pair_hash.ts` does the same with 64 bits.
 */

/** The hash of an IPv4 conversation. */
export function hash4(low: number, high: number, ports: number, protocol: number): number {
  return finish(
    pair(0, low) + pair(2, high) + pair(PORTS, ports) + Math.imul(SECRETS[PROTOCOL], protocol),
    pair(OF_A_SUM, low) + pair(OF_A_SUM + 2, high) + pair(OF_A_SUM + PORTS, ports) +
      Math.imul(SECRETS[OF_A_SUM + PROTOCOL], protocol),
  );
}

/** The hash of an IPv6 conversation whose ends' addresses are the eight words from `at`. */
export function hash6(
  addresses: Int32Array,
  at: number,
  ports: number,
  protocol: number,
): number {
  let one = pair(PORTS, ports) + Math.imul(SECRETS[PROTOCOL], protocol);
  let other = pair(OF_A_SUM + PORTS, ports) + Math.imul(SECRETS[OF_A_SUM + PROTOCOL], protocol);
  for (let word = 0; word < 8; word++) {
    one += pair(2 * word, addresses[at + word]);
    other += pair(OF_A_SUM + 2 * word, addresses[at + word]);
  }
  return finish(one, other);
}

/** The product for a word, with the secrets of its two halves. */
function pair(secret: number, word: number): number {
  return Math.imul(SECRETS[secret] + (word >>> 16), SECRETS[secret + 1] + (word & 0xffff));
}

/** Puts the upper halves together, and scatters what differs in one number only, as a scan's ports. */
function finish(one: number, other: number): number {
  const hash = (one & ~0xffff) | ((other | 0) >>> 16);
  const mixed = Math.imul(hash ^ (hash >>> 15), MIX);
  return mixed ^ (mixed >>> 16);
}
