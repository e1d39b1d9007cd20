/** What a running sensor says of itself in Redis, as JSON. */
export interface Heartbeat {
  readonly version: string;
  /** What it captures on. */
  readonly interfaces: readonly string[];
  /** When it was started, in seconds since 1970-01-01 UTC by its own clock. */
  readonly started: number;
  readonly packets: number;
  /** Since the last heartbeat. */
  readonly packetsPerSecond: number;
  /** Packets that the kernel or an interface dropped. */
  readonly dropped: number;
  /** Observations that wait to be written. */
  readonly queued: number;
  /** Observations that were given up. */
  readonly lost: number;
  /** Whether it was ended, and not killed. */
  readonly isOver: boolean;
}

/** How often there is one, in milliseconds. */
export const HEARTBEAT_INTERVAL = 10_000;
/** A sensor is late when none came for so many milliseconds. */
export const HEARTBEAT_LATE = 3 * HEARTBEAT_INTERVAL;
/** For how long one is kept, in milliseconds: a sensor that ended is forgotten then. */
export const HEARTBEAT_KEPT = 86_400_000;
/** What keys of heartbeats begin with; the sensor's name follows. */
export const HEARTBEAT_PREFIX = "sensor;";
