import { TCP_FIN, TCP_RST, TCP_SYN } from "../packet/packet_header.ts";
import { MOST_LOOKED_AT } from "./most_looked_at.ts";
import { isLate } from "./late.ts";
import { DIRECTION_SHIFT, FLAGS_SHIFT, HAS_PAYLOAD, type PacketList } from "./packet_list.ts";

/** Conversations that are remembered: they stay in the processor's second cache. */
const IPV4_ENTRIES = 2048;
const IPV6_ENTRIES = 1024;
/** Words of an entry: both addresses, ports, protocol, the state of each direction. */
const IPV4_ENTRY = 8;
const IPV6_ENTRY = 16;
/** Words of both addresses. */
const IPV4_ENDS = 2;
const IPV6_ENDS = 8;

/**
 * The state of a direction: how many packets with payload have passed, this bit where any packet has,
 * and above them the second in which the last one did. 0 where none has passed.
 */
const HAS_PASSED = 1 << 7;
const PAYLOADS_MASK = HAS_PASSED - 1;
const SECOND_SHIFT = 8;
const SECOND_BITS = 24;

/** After so many packets it is seen whether it was of use. */
export const TRIED_PACKETS = 1 << 16;
/** Of so many packets one at least must be a repetition for it to be of use. */
const WORTHWHILE = 32;
/** Otherwise it rests for so many packets. */
export const RESTED_PACKETS = 1 << 20;

const CONTROL = (TCP_SYN | TCP_FIN | TCP_RST) << FLAGS_SHIFT;

/**
 * Whether all is new in a second, whatever has passed before: after a leap back, and where it has the
 * same bits as a second of half a year ago.
 */
function makesAllNew(second: number, before: number): boolean {
  return second < before || (second >>> SECOND_BITS) !== (before >>> SECOND_BITS);
}

/**
 * Tells the packets that change nothing for a `FlowMeter`: another one of the same direction of a
 * conversation in the same second, after those whose payloads are looked at, and without SYN, FIN or
 * RST. In most traffic these are most packets.
 *
 * It remembers some thousand conversations, each in one place, where a new one takes the place of the
 * old: whatever is not remembered is no repetition. Where more conversations than that take turns it
 * finds nothing, and rests most of the time.
 */
export class RepeatFilter {
  readonly #ipv4 = new Int32Array(IPV4_ENTRIES * IPV4_ENTRY);
  readonly #ipv6 = new Int32Array(IPV6_ENTRIES * IPV6_ENTRY);
  #second = 0;
  /** Packets that it is asked about before it is seen whether it is of use, and repetitions found. */
  #left = TRIED_PACKETS;
  #found = 0;
  #rests = false;

  /** Forgets all that has passed. */
  clear(): void {
    this.#ipv4.fill(0);
    this.#ipv6.fill(0);
  }

  /**
   * Sets the second of the packets that are asked about next. Where it is a little earlier than the one
   * before, time stays where it is, as it does for the meter.
   */
  setTime(second: number): void {
    if (second === this.#second || isLate(second, this.#second)) return;
    if (makesAllNew(second, this.#second)) this.clear();
    this.#second = second;
  }

  /** Asks about a packet of a list of IPv4 packets, which counts as passed if it is no repetition. */
  isRepeat4(list: PacketList, packet: number): boolean {
    if (!this.#looks()) return false;
    const { hash, addresses, ports, about } = list;
    const entries = this.#ipv4;
    const at = (hash[packet] & (IPV4_ENTRIES - 1)) * IPV4_ENTRY;
    const low = addresses[IPV4_ENDS * packet];
    const high = addresses[IPV4_ENDS * packet + 1];
    if (
      entries[at] !== low || entries[at + 1] !== high || entries[at + 2] !== ports[packet] ||
      entries[at + 3] !== (about[packet] & 0xff)
    ) {
      entries[at] = low;
      entries[at + 1] = high;
      entries[at + 2] = ports[packet];
      entries[at + 3] = about[packet] & 0xff;
      entries[at + 4] = entries[at + 5] = 0;
    }
    return this.#pass(entries, at + 4, about[packet]);
  }

  /** The same for IPv6. */
  isRepeat6(list: PacketList, packet: number): boolean {
    if (!this.#looks()) return false;
    const { hash, addresses, ports, about } = list;
    const entries = this.#ipv6;
    const at = (hash[packet] & (IPV6_ENTRIES - 1)) * IPV6_ENTRY;
    const states = at + IPV6_ENDS + 2;
    let isKnown = entries[at + IPV6_ENDS] === ports[packet] &&
      entries[at + IPV6_ENDS + 1] === (about[packet] & 0xff);
    for (let word = 0; isKnown && word < IPV6_ENDS; word++) {
      isKnown = entries[at + word] === addresses[IPV6_ENDS * packet + word];
    }
    if (!isKnown) {
      for (let word = 0; word < IPV6_ENDS; word++) {
        entries[at + word] = addresses[IPV6_ENDS * packet + word];
      }
      entries[at + IPV6_ENDS] = ports[packet];
      entries[at + IPV6_ENDS + 1] = about[packet] & 0xff;
      entries[states] = entries[states + 1] = 0;
    }
    return this.#pass(entries, states, about[packet]);
  }

  /** Notes a packet in the states of its conversation. @returns Whether it was a repetition. */
  #pass(entries: Int32Array, states: number, about: number): boolean {
    if ((about & CONTROL) !== 0) {
      entries[states] = entries[states + 1] = 0;
      return false;
    }
    const at = states + ((about >>> DIRECTION_SHIFT) & 1);
    const state = entries[at];
    let payloads = state & PAYLOADS_MASK;
    if ((about & HAS_PAYLOAD) !== 0 && payloads < MOST_LOOKED_AT) payloads++;
    const next = (this.#second << SECOND_SHIFT) | HAS_PASSED | payloads;
    entries[at] = next;
    if (next !== state) return false;
    this.#found++;
    return true;
  }

  /** Whether it looks at the next packet, and does not rest. */
  #looks(): boolean {
    if (this.#left-- === 0) this.#weigh();
    return !this.#rests;
  }

  /** Sees whether it was of use, and rests if it was not, or has rested enough. */
  #weigh(): void {
    const hasRested = this.#rests;
    this.#rests = !hasRested && this.#found * WORTHWHILE < TRIED_PACKETS;
    this.#left = this.#rests ? RESTED_PACKETS : TRIED_PACKETS;
    this.#found = 0;
    // What has opened or ended meanwhile is not known.
    if (hasRested) this.clear();
  }
}
