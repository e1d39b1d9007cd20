/** The present time, in seconds since 1970-01-01 UTC, and the window in which that is. */
export let second: u32 = 0;
export let window: u32 = 0;

/** Sets it. */
export function setTime(itsSecond: u32, itsWindow: u32): void {
  second = itsSecond;
  window = itsWindow;
}
