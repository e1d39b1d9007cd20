/** Steps of time: how long they are, and until which age they are kept as they are. */
export interface Step {
  readonly seconds: number;
  /** Seconds; then they are put together to the next longer ones. */
  readonly until: number;
}

const DAY = 86_400;

/** Those of table `usage_step`, the shortest first. */
export const USAGE_STEPS: readonly Step[] = [
  { seconds: 600, until: 2 * DAY },
  { seconds: 3_600, until: 60 * DAY },
  { seconds: DAY, until: Infinity },
];

/** Those of table `volume`. */
export const VOLUME_STEPS: readonly Step[] = [
  { seconds: 10, until: DAY },
  { seconds: 300, until: 30 * DAY },
  { seconds: 3_600, until: Infinity },
];

/** When the step that holds a time begins; both in milliseconds. */
export function stepStart(time: number, seconds: number): number {
  return Math.floor(time / (seconds * 1000)) * seconds * 1000;
}
