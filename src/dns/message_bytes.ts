import { labelText } from "../model/domain_name.ts";

/**
 * Most compression pointers that are followed for one name. It has at most 127 labels, so more are
 * there to cost time. (dns-packet has them point backwards always, so that they end; but in a message
 * of 64 KiB that may be 32,000 for each of 5,000 names.)
 */
const MOST_POINTERS = 127;

/**
 * The bytes of a DNS message, with as much of Node's `Buffer` as dns-packet reads names with. It asks
 * `toString` for the text of a label: that is given as keys have it, so that a dot or a `;` within a
 * label can't be taken for one that ends it, and bytes that are not UTF-8 are not lost.
 */
export class MessageBytes extends Uint8Array<ArrayBufferLike> {
  /** Pointers followed since this was set to 0. */
  pointers = 0;

  /** A label from `start` to `end`. */
  override toString(_encoding?: unknown, start: number = 0, end: number = this.length): string {
    return labelText(this, start, end);
  }

  /** A pointer. */
  readUInt16BE(offset: number): number {
    if (++this.pointers > MOST_POINTERS) throw new RangeError("too many compression pointers");
    if (offset + 2 > this.length) throw new RangeError("a pointer is cut");
    return (this[offset] << 8) | this[offset + 1];
  }
}
