import { addressText } from "../model/address_text.ts";

/** A power of two. Keys that are written one after another are mostly of a few addresses. */
const CACHE_SIZE = 4096;
const CACHE_MASK = CACHE_SIZE - 1;
/** Four words for each text of `cacheTexts`, and 1 for IPv6. */
const CACHE_STRIDE = 5;
const cacheWords = new Uint32Array(CACHE_SIZE * CACHE_STRIDE);
const cacheTexts = new Array<string>(CACHE_SIZE).fill("");

/**
 * The text of an address: `addressText`. Most of a key's cost is its addresses, and each conversation
 * writes its two several times.
 */
export function cachedAddressText(words: Uint32Array, offset: number, isIpv6: boolean): string {
  const w0 = words[offset];
  const w1 = words[offset + 1];
  const w2 = words[offset + 2];
  const w3 = words[offset + 3];
  const family = isIpv6 ? 1 : 0;
  // Fibonacci hashing: the upper bits of a product with 2^32 divided by the golden ratio.
  const slot = (Math.imul(w3 ^ w2 ^ w1 ^ w0, 0x9e3779b1) >>> 16) & CACHE_MASK;
  const at = slot * CACHE_STRIDE;
  if (
    cacheWords[at + 3] === w3 && cacheWords[at + 2] === w2 && cacheWords[at + 1] === w1 &&
    cacheWords[at] === w0 && cacheWords[at + 4] === family && cacheTexts[slot] !== ""
  ) return cacheTexts[slot];
  cacheWords[at] = w0;
  cacheWords[at + 1] = w1;
  cacheWords[at + 2] = w2;
  cacheWords[at + 3] = w3;
  cacheWords[at + 4] = family;
  return cacheTexts[slot] = addressText(words, offset, isIpv6);
}
