import { ENTRIES, ENTRY_PORT_SHIFT, FIRST_BYTES, LISTS } from "./sign_filter_layout.ts";
import { DNS_PORTS } from "./dns_role.ts";
import { byFirstByte, type Sign } from "./sign.ts";
import { TCP_SIGNS } from "./tcp_signs.ts";
import { UDP_SIGNS } from "./udp_signs.ts";

/**
 * Makes what tells at once of most payloads that `payloadSays` would say nothing of them. Of the
 * others it has to be asked: those from or to a port of DNS, whose bit is set, if their header is one
 * of DNS, and those for which one of the entries of their first byte is true.
 */
export function makeSignFilter(): Int32Array {
  const words: number[] = new Array(ENTRIES).fill(0);
  for (const port of DNS_PORTS) words[port >>> 5] |= 1 << (port & 31);
  for (const [transport, signs] of [TCP_SIGNS, UDP_SIGNS].entries()) {
    const entries = new Map(signs.map((sign) => [sign, entriesOf(sign)]));
    // Most first bytes have the same few signs.
    const lists = new Map<string, number>();
    for (const [byte, shown] of byFirstByte(signs).entries()) {
      const name = shown.map((sign) => signs.indexOf(sign)).join();
      let list = lists.get(name);
      if (list === undefined) {
        lists.set(name, list = words.length);
        for (const sign of shown) words.push(...entries.get(sign)!);
        words.push(0);
      }
      words[LISTS + transport * FIRST_BYTES + byte] = list;
    }
  }
  return Int32Array.from(words);
}

function entriesOf(
  { atLeast, ports = [0], words = [{ at: 0, mask: 0, value: 0 }] }: Sign,
): number[] {
  return ports.flatMap((port) => {
    const needs = atLeast | (port << ENTRY_PORT_SHIFT);
    return words.flatMap(({ at, mask, value }) => [needs, at, turned(mask), turned(value)]);
  });
}

/** What WebAssembly, which is little-endian, reads where this number lies in network order. */
function turned(number: number): number {
  return (number << 24) | ((number & 0xff00) << 8) | ((number >>> 8) & 0xff00) | (number >>> 24);
}
