/** What a store keeps. */
export interface Retention {
  /** How long conversations are kept, in milliseconds. */
  readonly milliseconds: number;
  /** How large the file may get, in bytes. */
  readonly bytes: number;
}

/** What the store's table `run` says of a run of the sensor. */
export interface StoreRun {
  /** A replay's times are those of its captures: nothing is dropped for its age. */
  readonly mode: "capture" | "replay";
  /** Interfaces or files. */
  readonly sources: readonly string[];
  /** Prefixes, as `cidrText` writes them. */
  readonly localNetworks: readonly string[];
  readonly version: string;
  /** What the sensor is called; empty where that is not known. */
  readonly sensor?: string;
  /**
   * Whether conversation records follow, which say better than observations whether a server answered.
   */
  readonly hasRecords: boolean;
}

/** How long aggregates are kept, as a multiple of how long conversations are. */
export const AGGREGATES_KEPT = 12;

const DAY = 86_400_000;

/** What is kept where nothing else is said. */
export const DEFAULT_RETENTION: Retention = { milliseconds: 30 * DAY, bytes: 2 * 1024 ** 3 };
