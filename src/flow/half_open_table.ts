import type { Fingerprint } from "./fingerprint.ts";
import { ENTRY_SECONDS, ENTRY_VALUE, RecentTable } from "./recent_table.ts";

/** 65,536 entries, 1 MiB: enough for the handshakes of a second, with 60,000 a second. */
const BUCKETS = 1 << 14;
/** Linux gives up on a SYN after 127 s (tcp(7), tcp_syn_retries). */
const LONGEST_HANDSHAKE_SECONDS = 130;

/**
 * Who sent SYN and SYN-ACK of connections that have had no other packet yet.
 *
 * Such connections are not conversations: a scan or a flood of SYN packets has room here, and a
 * fixed room only, so that it can push out nothing but other half-open connections, oldest first.
 */
export class HalfOpenTable extends RecentTable {
  constructor() {
    super(BUCKETS);
  }

  /**
   * Remembers what a packet with SYN shows.
   *
   * @param bits Evidence bits of a conversation, added to those that are remembered.
   */
  note(connection: Fingerprint, bits: number, seconds: number): void {
    const at = this.findOrAdd(connection);
    const isOld = seconds - this.words[at + ENTRY_SECONDS] > LONGEST_HANDSHAKE_SECONDS;
    this.words[at + ENTRY_VALUE] = isOld ? bits : this.words[at + ENTRY_VALUE] | bits;
    this.words[at + ENTRY_SECONDS] = seconds;
  }

  /** What was remembered of a connection, which is forgotten; 0 is nothing. */
  take(connection: Fingerprint, seconds: number): number {
    const at = this.find(connection);
    if (at < 0) return 0;
    const bits = this.words[at + ENTRY_VALUE];
    const isOld = seconds - this.words[at + ENTRY_SECONDS] > LONGEST_HANDSHAKE_SECONDS;
    this.words[at + ENTRY_VALUE] = 0;
    this.words[at + ENTRY_SECONDS] = 0;
    return isOld ? 0 : bits;
  }

  protected override isWorthLess(one: number, other: number): boolean {
    return this.words[one + ENTRY_SECONDS] < this.words[other + ENTRY_SECONDS];
  }
}
