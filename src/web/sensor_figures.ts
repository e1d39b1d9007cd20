/** What a capture says of itself. */
export interface SensorFigures {
  /** Packets that were taken, and that the kernel dropped for want of room. */
  readonly packets: number;
  readonly dropped: number;
  /** Observations that wait to be written. */
  readonly pending: number;
}
