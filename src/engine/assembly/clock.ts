/** The present time: seconds since 1970-01-01 UTC, the milliseconds beyond, and the window. */
export let second: u32 = 0;
export let window: u32 = 0;
/** The clock's milliseconds, where {@linkcode hasClock}. */
export let millisecond: u32 = 0;
/** Whether time is that of a clock, and not that of packets. */
export let hasClock: bool = false;

/** Sets it. */
export function setTime(itsSecond: u32, itsMillisecond: u32, itsWindow: u32): void {
  second = itsSecond;
  millisecond = itsMillisecond;
  window = itsWindow;
}

/** Says that time is that of a clock. */
export function useClock(): void {
  hasClock = true;
}
