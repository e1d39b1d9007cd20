import type { PacketBatch } from "./packet_batch.ts";

/** What a source knows of the packets it gave and of those it could not give. */
export interface SourceStatistics {
  /** Packets that were seen, those dropped included (`ps_recv` of pcap_stats(3PCAP)). */
  received: number;
  /** Packets that the source gave. Of an interface, libpcap counts some as received before it filters. */
  given: number;
  /** Packets dropped because the sensor did not keep up (`ps_drop`). */
  droppedByKernel: number;
  /** Packets dropped by the interface or its driver (`ps_ifdrop`). */
  droppedByInterface: number;
}

/** Where packets come from: an interface, or a saved capture. */
export interface PacketSource {
  /** What the user called it: the interface's name, or the file's. */
  readonly name: string;

  /**
   * The next packets, or `null` when there will be none.
   *
   * A live source resolves at the latest after its time-out, with an empty batch when nothing came,
   * and does not block the event loop while it waits. The batch is the same object each time.
   *
   * @throws {UserError} when the source can't go on, after everything before that was given.
   */
  next(): Promise<PacketBatch | null>;

  /** What was counted up to now. */
  statistics(): SourceStatistics;

  /** Gives back what the source holds. A pending {@linkcode PacketSource.next} resolves with `null`. */
  close(): void;
}
