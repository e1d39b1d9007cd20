/** Odd numbers whose bits look random, as MurmurHash3 (public domain) uses. */
const MIX_1 = 0x85ebca6b | 0;
const MIX_2 = 0xc2b2ae35 | 0;
const MIX_3 = 0x9e3779b1 | 0;

/**
 * The hash of an IPv4 conversation.
 *
 * @param seed Unknown to whoever sends us packets, so that they can't be made to fall into one slot.
 */
export function hash4(
  seed: number,
  low: number,
  high: number,
  ports: number,
  protocol: number,
): number {
  let hash = Math.imul(low ^ seed, MIX_1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ high, MIX_2);
  return finish(hash, ports, protocol);
}

/** The hash of an IPv6 conversation whose ends' addresses are the eight words from `at`. */
export function hash6(
  seed: number,
  addresses: Int32Array,
  at: number,
  ports: number,
  protocol: number,
): number {
  let hash = seed;
  for (let word = at; word < at + 4; word++) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ addresses[word], MIX_1);
    hash = Math.imul(hash ^ (hash >>> 13) ^ addresses[word + 4], MIX_2);
  }
  return finish(hash, ports, protocol);
}

function finish(hash: number, ports: number, protocol: number): number {
  hash = Math.imul(hash ^ (hash >>> 13) ^ ports, MIX_3);
  hash = Math.imul(hash ^ (hash >>> 16) ^ protocol, MIX_1);
  return hash ^ (hash >>> 15);
}
