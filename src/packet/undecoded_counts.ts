import { NOT_IP, OTHER_PROTOCOL, UNSUPPORTED_LINK_TYPE } from "./decoded.ts";
import type { PacketHeader } from "./packet_header.ts";

/** Packets that were not decoded for one reason. */
export interface UndecodedCount {
  /** One of the numbers of `decoded.ts`. */
  readonly outcome: number;
  /**
   * The link type with `UNSUPPORTED_LINK_TYPE`, the IP protocol with `OTHER_PROTOCOL`, with `NOT_IP` as
   * `PacketHeader.notIp`.
   */
  readonly number: number;
  /** How many. */
  readonly packets: number;
}

/** Different numbers that are counted; what comes after them is not. No link carries so many. */
const MOST_NUMBERS = 64;
/** Of each, what tells it from others, and how many packets. */
const COLUMNS = 2;
/** Above any number. */
const OUTCOME = 1 << 20;

/** Elements of the array that a {@linkcode UndecodedCounts} needs. */
export const UNDECODED_COUNTS_SIZE: number = MOST_NUMBERS * COLUMNS;

/** Counts, by their numbers, link types and protocols of which packets were not decoded. */
export class UndecodedCounts {
  readonly #counts: Float64Array;

  /**
   * Makes one that has counted nothing, or shows what another one has.
   *
   * @param counts Where they are, of {@linkcode UNDECODED_COUNTS_SIZE}; all are 0 at first.
   */
  constructor(counts: Float64Array = new Float64Array(UNDECODED_COUNTS_SIZE)) {
    this.#counts = counts;
  }

  /** Takes a packet that was not decoded, whose header was read up to there. */
  note(outcome: number, header: PacketHeader): void {
    if (outcome === NOT_IP || outcome === UNSUPPORTED_LINK_TYPE) this.#count(outcome, header.notIp);
    else if (outcome === OTHER_PROTOCOL) this.#count(outcome, header.protocol);
  }

  #count(outcome: number, number: number): void {
    const counts = this.#counts;
    const key = outcome * OUTCOME + number;
    for (let at = 0; at < UNDECODED_COUNTS_SIZE; at += COLUMNS) {
      if (counts[at] === 0) counts[at] = key;
      if (counts[at] !== key) continue;
      counts[at + 1]++;
      return;
    }
  }

  /** What was counted, the most first. */
  list(): UndecodedCount[] {
    const list = [];
    for (let at = 0; at < UNDECODED_COUNTS_SIZE && this.#counts[at] !== 0; at += COLUMNS) {
      const key = this.#counts[at];
      const [outcome, number] = [Math.floor(key / OUTCOME), key % OUTCOME];
      list.push({ outcome, number, packets: this.#counts[at + 1] });
    }
    return sortedCounts(list);
  }
}

/** Adds up what several have counted. */
export function addedCounts(lists: readonly (readonly UndecodedCount[])[]): UndecodedCount[] {
  const sums = new Map<number, UndecodedCount>();
  for (const { outcome, number, packets } of lists.flat()) {
    const key = outcome * OUTCOME + number;
    sums.set(key, { outcome, number, packets: packets + (sums.get(key)?.packets ?? 0) });
  }
  return sortedCounts([...sums.values()]);
}

function sortedCounts(list: UndecodedCount[]): UndecodedCount[] {
  return list.sort((one, other) =>
    other.packets - one.packets || one.outcome - other.outcome || one.number - other.number
  );
}
