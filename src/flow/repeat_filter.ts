import { TCP_FIN, TCP_RST, TCP_SYN } from "../packet/packet_header.ts";
import { MOST_LOOKED_AT } from "./evidence_gatherer.ts";
import { FLAGS_SHIFT, HAS_PAYLOAD } from "./packet_list.ts";

/** Entries, as a power of two: what a thread has of them stays in the processor's second cache. */
const IPV4_ENTRIES_SHIFT = 12;
const IPV6_ENTRIES_SHIFT = 11;
/** Words of an entry: addresses, ports, state. */
const IPV4_ENTRY = 4;
const IPV6_ENTRY = 10;

/**
 * An entry's state: in bits 0 to 7 how many packets with payload have passed, in bits 8 to 15 the
 * protocol, above the lower half of the second in which the last packet passed.
 */
const PROTOCOL_MASK = 0xff00;
const PROTOCOL_SHIFT = 8;
const SECOND_SHIFT = 16;
const PASSED_MASK = 0xff;

const CONTROL = (TCP_SYN | TCP_FIN | TCP_RST) << FLAGS_SHIFT;

/** Odd numbers whose bits look random, as MurmurHash3 (public domain) uses. */
const MIX_1 = 0x85ebca6b | 0;
const MIX_2 = 0xc2b2ae35 | 0;
const MIX_3 = 0x9e3779b1 | 0;

/**
 * Tells the packets that add nothing to what was seen: another one of the same ends, in the same
 * direction and the same second, after those whose payloads are looked at, and without SYN, FIN or
 * RST. In most traffic these are most packets.
 *
 * It remembers a few thousand directions, each in one place, where a new one takes the place of the
 * old: whatever is not remembered is no repetition.
 */
export class RepeatFilter {
  readonly #ipv4 = new Int32Array(IPV4_ENTRY << IPV4_ENTRIES_SHIFT);
  readonly #ipv6 = new Int32Array(IPV6_ENTRY << IPV6_ENTRIES_SHIFT);

  /** Forgets all that has passed. */
  clear(): void {
    this.#ipv4.fill(0);
    this.#ipv6.fill(0);
  }

  /**
   * Asks about an IPv4 packet, which counts as passed if it is no repetition.
   *
   * @param ports The source port in the upper half, the destination port in the lower one.
   * @param about As in a `PacketList`, without the direction.
   */
  isRepeat4(
    source: number,
    destination: number,
    ports: number,
    about: number,
    second: number,
  ): boolean {
    if ((about & CONTROL) !== 0) {
      this.#forget4(source, destination, ports);
      this.#forget4(destination, source, (ports << 16) | (ports >>> 16));
      return false;
    }
    const entries = this.#ipv4;
    const at = place4(source, destination, ports);
    if (
      entries[at] !== source || entries[at + 1] !== destination || entries[at + 2] !== ports
    ) {
      entries[at] = source;
      entries[at + 1] = destination;
      entries[at + 2] = ports;
      entries[at + 3] = 0;
    }
    const state = entries[at + 3];
    const next = stateAfter(state, about, second);
    entries[at + 3] = next;
    return next === state;
  }

  /** The same for IPv6. @param addresses Four words of the source, then the destination's. */
  isRepeat6(addresses: Int32Array, ports: number, about: number, second: number): boolean {
    if ((about & CONTROL) !== 0) {
      this.#forget6(addresses, 0, ports);
      this.#forget6(addresses, 4, (ports << 16) | (ports >>> 16));
      return false;
    }
    const entries = this.#ipv6;
    const at = place6(addresses, 0, ports);
    if (!this.#is6(at, addresses, 0, ports)) {
      for (let word = 0; word < 8; word++) entries[at + word] = addresses[word];
      entries[at + 8] = ports;
      entries[at + 9] = 0;
    }
    const state = entries[at + 9];
    const next = stateAfter(state, about, second);
    entries[at + 9] = next;
    return next === state;
  }

  #forget4(source: number, destination: number, ports: number): void {
    const at = place4(source, destination, ports);
    const entries = this.#ipv4;
    if (entries[at] === source && entries[at + 1] === destination && entries[at + 2] === ports) {
      entries[at + 3] = 0;
    }
  }

  /** @param source Where the source is in `addresses`, 0 or 4; the destination is at the other. */
  #forget6(addresses: Int32Array, source: number, ports: number): void {
    const at = place6(addresses, source, ports);
    if (this.#is6(at, addresses, source, ports)) this.#ipv6[at + 9] = 0;
  }

  #is6(at: number, addresses: Int32Array, source: number, ports: number): boolean {
    const entries = this.#ipv6;
    if (entries[at + 8] !== ports) return false;
    for (let word = 0; word < 8; word++) {
      if (entries[at + word] !== addresses[word ^ source]) return false;
    }
    return true;
  }
}

/**
 * The state of an entry after a packet: the same if nothing was new. A state is never 0 then, as its
 * protocol is none.
 */
function stateAfter(state: number, about: number, second: number): number {
  const protocol = (about & 0xff) << PROTOCOL_SHIFT;
  // Of another protocol, on the same ports: it takes the entry.
  let passed = ((state ^ protocol) & PROTOCOL_MASK) === 0 ? state & PASSED_MASK : 0;
  if ((about & HAS_PAYLOAD) !== 0 && passed < MOST_LOOKED_AT) passed++;
  return (second << SECOND_SHIFT) | protocol | passed;
}

function place4(source: number, destination: number, ports: number): number {
  const hash = Math.imul(source ^ Math.imul(destination, MIX_1) ^ Math.imul(ports, MIX_2), MIX_3);
  return (hash >>> (32 - IPV4_ENTRIES_SHIFT)) * IPV4_ENTRY;
}

function place6(addresses: Int32Array, source: number, ports: number): number {
  let hash = Math.imul(ports, MIX_2);
  for (let word = 0; word < 8; word++) hash = Math.imul(hash ^ addresses[word ^ source], MIX_1);
  return (Math.imul(hash ^ (hash >>> 15), MIX_3) >>> (32 - IPV6_ENTRIES_SHIFT)) * IPV6_ENTRY;
}
