import type { ChunkReader } from "./chunk_reader.ts";
import type { PacketBatch } from "./packet_batch.ts";

/** One format of saved captures: knows how to find the packets in the bytes that are there. */
export interface SavefileFormat {
  /**
   * Adds to the batch's index the packets that lie whole in the reader's window, in place, and moves
   * the reader past them. Stops when the batch is full or the window has no further whole record.
   *
   * @returns How many bytes must be in the window for the next record, or 0 when the batch is full.
   * @throws {UserError} when the file is damaged. What is in the batch by then is good.
   */
  index(reader: ChunkReader, batch: PacketBatch): number;
}

/**
 * The most bytes that one record may claim: libpcap's MAXIMUM_SNAPLEN. A larger number is what
 * damaged files have.
 */
export const MAXIMUM_SNAPSHOT_LENGTH = 262_144;
