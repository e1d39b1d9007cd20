import { addressText } from "../model/address_text.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_PEER,
  KIND_RST,
  WORD_A,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
} from "../model/observation_batch.ts";

/** A power of two. Keys that are written one after another are mostly of a few addresses. */
const CACHE_SIZE = 4096;
const CACHE_MASK = CACHE_SIZE - 1;
/** Four words for each text of `cacheTexts`, and 1 for IPv6. */
const CACHE_STRIDE = 5;
const cacheWords = new Uint32Array(CACHE_SIZE * CACHE_STRIDE);
const cacheTexts = new Array<string>(CACHE_SIZE).fill("");

/**
 * The Redis key of one observation: the text that ShoDoHFlo's agents write and its viewer reads.
 *
 * | kind | key |
 * |---|---|
 * | client | `client;<client>` |
 * | flow | `<client>;<server>;<service port>;flow` |
 * | peer | `<a>;<b>;peer` |
 * | rst | `<destination>;<source>;<destination port>:<source port>;rst` |
 * | icmp | `<destination>;<bounced destination>;<source port>:<destination port>;<code>;icmp` |
 *
 * @param words Observations, as in an `ObservationBatch`.
 * @param offset Where the observation's first word is.
 * @throws {RangeError} when the observation is of no known kind.
 */
export function keyText(words: Uint32Array, offset: number): string {
  const head = words[offset + WORD_KIND];
  const isIpv6 = (head & IPV6_BIT) !== 0;
  const a = cachedAddressText(words, offset + WORD_A, isIpv6);
  const kind = head & 0xff;
  if (kind === KIND_CLIENT) return "client;" + a;
  const b = cachedAddressText(words, offset + WORD_B, isIpv6);
  const ports = words[offset + WORD_PORTS];
  switch (kind) {
    case KIND_FLOW:
      return a + ";" + b + ";" + ports + ";flow";
    case KIND_PEER:
      return a + ";" + b + ";peer";
    case KIND_RST:
      return a + ";" + b + ";" + portPair(ports) + ";rst";
    case KIND_ICMP:
      return a + ";" + b + ";" + portPair(ports) + ";" + ((head >>> 16) & 0xff) + ";icmp";
  }
  throw new RangeError(`observation of unknown kind ${kind}`);
}

/** Most of a key's cost is its addresses, and each conversation writes its two several times. */
function cachedAddressText(words: Uint32Array, offset: number, isIpv6: boolean): string {
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

function portPair(ports: number): string {
  return (ports >>> 16) + ":" + (ports & 0xffff);
}
