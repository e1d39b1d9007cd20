import type { SourceStatistics } from "../capture/packet_source.ts";
import type { MetersStatistics } from "./meters.ts";

/** What was counted of packets, from their sources to their keys. */
export interface WorkStatistics {
  readonly sources: readonly SourceStatistics[];
  readonly meters: MetersStatistics;
  /** For each source, why it has no packets now; `null` where it may have. */
  readonly away: readonly (string | null)[];
}

/** The work of a capture: packets are read and go through meters, in this thread or in others. */
export interface PacketWork {
  /**
   * Reads packets until {@linkcode PacketWork.end}.
   *
   * @throws {UserError} when no packets can be taken any more.
   */
  run(): Promise<void>;

  /** Has the meters classify what is pending, and hand on all that was observed. */
  flush(): Promise<void>;

  /** Reads what the kernel still has; then {@linkcode PacketWork.run} is over. */
  end(): void;

  /** What was counted up to now, or in other threads up to the last flush. */
  statistics(): WorkStatistics;

  /** Gives back what it holds. Closing twice is harmless. */
  close(): void;
}
