import { cachedAddressText } from "./cached_address_text.ts";
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

function portPair(ports: number): string {
  return (ports >>> 16) + ":" + (ports & 0xffff);
}
