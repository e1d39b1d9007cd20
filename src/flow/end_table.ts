import type { EndEvidence } from "../config/evidence.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { ENTRY_SECONDS, ENTRY_VALUE, RecentTable } from "./recent_table.ts";

/** 65,536 entries, 1 MiB: what is larger than the processor's cache is slow. */
const BUCKETS = 1 << 14;

/** An entry's value: the last far port, how often it changed, and what the end was seen to be. */
const PORT_MASK = 0xffff;
const FAN_IN_SHIFT = 16;
const FAN_IN_MASK = 0xff;
const HAD_ONE = 1 << 24;
const SERVED = 1 << 25;
const OPENED = 1 << 26;

/**
 * How long, in seconds, conversations count for fan-in after the last of them began. A client comes
 * back to an ephemeral port after a while, and that does not make it a server.
 */
const FAN_IN_SECONDS = 300;

/**
 * What ends, each an address and a port, were seen to be: who was talked with from many ports, who
 * served, who opened.
 */
export class EndTable extends RecentTable {
  constructor() {
    super(BUCKETS);
  }

  /** Notes that a conversation began with this end, and from which port at its far end. */
  meet(end: Fingerprint, farPort: number, seconds: number): void {
    const { words } = this;
    const at = this.findOrAdd(end);
    let value = words[at + ENTRY_VALUE];
    if (seconds - this.secondsOf(at) > FAN_IN_SECONDS) {
      value &= ~((FAN_IN_MASK << FAN_IN_SHIFT) | HAD_ONE);
    }
    const fanIn = (value >>> FAN_IN_SHIFT) & FAN_IN_MASK;
    // A client asks many servers at one port; a server is asked from many ports.
    if ((value & HAD_ONE) !== 0 && (value & PORT_MASK) !== farPort && fanIn < FAN_IN_MASK) {
      value += 1 << FAN_IN_SHIFT;
    }
    words[at + ENTRY_VALUE] = (value & ~PORT_MASK) | farPort | HAD_ONE;
    words[at + ENTRY_SECONDS] = seconds;
  }

  /** Notes that this end served, and so did not open. */
  learnServer(end: Fingerprint, seconds: number): void {
    const at = this.findOrAdd(end);
    this.words[at + ENTRY_VALUE] = (this.words[at + ENTRY_VALUE] & ~OPENED) | SERVED;
    this.words[at + ENTRY_SECONDS] = seconds;
  }

  /** Notes that this end opened a conversation. */
  learnClient(end: Fingerprint, seconds: number): void {
    const at = this.findOrAdd(end);
    this.words[at + ENTRY_VALUE] = (this.words[at + ENTRY_VALUE] & ~SERVED) | OPENED;
    this.words[at + ENTRY_SECONDS] = seconds;
  }

  /** Reads what is known of an end. */
  read(end: Fingerprint, seconds: number, into: EndEvidence): void {
    const at = this.find(end);
    const value = at < 0 ? 0 : this.words[at + ENTRY_VALUE];
    into.served = (value & SERVED) !== 0;
    into.opened = (value & OPENED) !== 0;
    const isRecent = at >= 0 && seconds - this.secondsOf(at) <= FAN_IN_SECONDS;
    into.fanIn = isRecent ? (value >>> FAN_IN_SHIFT) & FAN_IN_MASK : 0;
  }

  protected override isWorthLess(one: number, other: number): boolean {
    const difference = this.#worth(one) - this.#worth(other);
    if (difference !== 0) return difference < 0;
    return this.secondsOf(one) < this.secondsOf(other);
  }

  /** A server is worth more than any fan-in, and an end that only opened is worth nothing. */
  #worth(at: number): number {
    const value = this.words[at + ENTRY_VALUE];
    return value & (SERVED | (FAN_IN_MASK << FAN_IN_SHIFT));
  }
}
