const IPV4_BITS = 32;
const IPV6_BITS = 128;

/** How many bits an address of the family has. */
export function bitsOf(family: 4 | 6): number {
  return family === 4 ? IPV4_BITS : IPV6_BITS;
}

/** The mask of a prefix length, in the layout of the addresses. */
export function maskWords(family: 4 | 6, prefixLength: number): Uint32Array {
  const words = new Uint32Array(4);
  const leading = prefixLength + IPV6_BITS - bitsOf(family);
  for (let i = 0; i < words.length; i++) {
    const bits = Math.min(32, Math.max(0, leading - 32 * i));
    // A shift by 32 is a shift by 0 in JavaScript.
    words[i] = bits === 0 ? 0 : 0xffffffff << (32 - bits);
  }
  if (family === 4) words.fill(0, 0, 3);
  return words;
}
