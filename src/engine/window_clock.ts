import { FIRST_WINDOW, WINDOW_SECONDS, WINDOWS_SUPPRESSED } from "../model/windows.ts";

/**
 * Counts the windows of time in which keys are suppressed, in one direction only. Where time makes a
 * leap, forward over more windows than a key is suppressed or back, all keys are free again, as they would
 * be in a new process.
 */
export class WindowClock {
  /** The present window. */
  window = FIRST_WINDOW;
  #realWindow = 0;

  /** Sets the time, in seconds since 1970-01-01 UTC. */
  set(seconds: number): void {
    const window = Math.floor(seconds / WINDOW_SECONDS);
    if (window === this.#realWindow) return;
    const step = window - this.#realWindow;
    // Packets may be a little out of order.
    if (step < 0 && step >= -1) return;
    this.window += step < 0 || step > WINDOWS_SUPPRESSED ? WINDOWS_SUPPRESSED : step;
    this.#realWindow = window;
  }
}
