import type { LongPackets } from "./live_options.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { SourceStatistics } from "./packet_source.ts";

/** Longest time that a packet waits in the kernel, and that a source is asked in vain. */
export const TIMEOUT_MILLISECONDS = 100;

/** An interface that is open: from when packets begin to be taken to its end. */
export interface OpenInterface {
  /** poll(2) says that it is readable when there are packets. */
  readonly fd: number;
  /** The interface's number when it was opened; 0 for one that the kernel has no number for. */
  readonly index: number;
  /** What is not as it was asked for, or `null`. */
  readonly warning: string | null;
  /** Where its packets lie. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  /**
   * Puts the packets that are there into a batch, without waiting.
   *
   * @returns Whether there are more.
   * @throws {CaptureError} when the interface can't be read any more.
   */
  read(batch: PacketBatch): boolean;

  /**
   * Takes more of these packets, and of no others.
   *
   * @throws {CaptureError} when the interface can't be captured on any more.
   */
  setLongPackets(long: LongPackets): void;

  /** Takes nothing any more: what is there already can be read, and then it is empty. */
  stop(): void;

  /** Adds what was counted since the last time. */
  countInto(sum: SourceStatistics): void;

  /** Gives back what it holds. */
  close(): void;
}
