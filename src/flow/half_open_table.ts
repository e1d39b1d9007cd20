import type { Fingerprint } from "./fingerprint.ts";
import { ENTRY_SECONDS, ENTRY_VALUE, RecentTable } from "./recent_table.ts";

/** 65,536 entries, 1 MiB: enough for the handshakes of a second, with 60,000 a second. */
const BUCKETS = 1 << 14;
/** Linux gives up on a SYN after 127 s (tcp(7), tcp_syn_retries). */
const LONGEST_HANDSHAKE_SECONDS = 130;
/** An answered SYN has its ACK in the time of one way there and back; this is far more. */
const LONGEST_ANSWERED_SECONDS = 5;

/** The low end sent SYN without ACK; one bit further up, the high end did. */
export const SYN = 1 << 0;
/** The low end sent SYN with ACK; one bit further up, the high end did. */
export const SYN_ACK = 1 << 2;

/** Whether one end's SYN was answered by the other end's SYN-ACK. */
export function isAnswered(bits: number): boolean {
  const lowIs = SYN | (SYN_ACK << 1);
  const highIs = (SYN << 1) | SYN_ACK;
  return (bits & lowIs) === lowIs || (bits & highIs) === highIs;
}

/**
 * Who sent SYN and SYN-ACK of connections that have had no other packet yet.
 *
 * Such connections are not conversations: a scan or a flood of SYN packets has room here, and a
 * fixed room only, so that it can push out nothing but other half-open connections: those that nobody
 * answers before those that are about to have their first packet, then the oldest.
 */
export class HalfOpenTable extends RecentTable {
  #now = 0;

  constructor() {
    super(BUCKETS);
  }

  /**
   * Remembers what a packet with SYN shows.
   *
   * @param bits Bits as {@linkcode SYN} and {@linkcode SYN_ACK}.
   * @returns These, and those that were remembered before.
   */
  note(connection: Fingerprint, bits: number, seconds: number): number {
    this.#now = seconds;
    const at = this.findOrAdd(connection);
    const isOld = seconds - this.secondsOf(at) > LONGEST_HANDSHAKE_SECONDS;
    this.words[at + ENTRY_VALUE] = isOld ? bits : this.words[at + ENTRY_VALUE] | bits;
    this.words[at + ENTRY_SECONDS] = seconds;
    return this.words[at + ENTRY_VALUE];
  }

  /** What was remembered of a connection, which is forgotten; 0 is nothing. */
  take(connection: Fingerprint, seconds: number): number {
    const at = this.find(connection);
    if (at < 0) return 0;
    const bits = this.words[at + ENTRY_VALUE];
    const isOld = seconds - this.secondsOf(at) > LONGEST_HANDSHAKE_SECONDS;
    this.words[at + ENTRY_VALUE] = 0;
    this.words[at + ENTRY_SECONDS] = 0;
    return isOld ? 0 : bits;
  }

  protected override isWorthLess(one: number, other: number): boolean {
    const oneWaits = this.#isAboutToOpen(one);
    if (oneWaits !== this.#isAboutToOpen(other)) return !oneWaits;
    return this.secondsOf(one) < this.secondsOf(other);
  }

  #isAboutToOpen(at: number): boolean {
    return isAnswered(this.words[at + ENTRY_VALUE]) &&
      this.#now - this.secondsOf(at) <= LONGEST_ANSWERED_SECONDS;
  }
}
