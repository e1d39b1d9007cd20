import type { u32 } from "./wasm_types.ts";

/** A key is suppressed in the window of time in which it was written and the two after it. */
export const WINDOWS_SUPPRESSED: u32 = 3;
/** Seconds of a window. */
export const WINDOW_SECONDS: u32 = 30;
/** The first window that can be given. */
export const FIRST_WINDOW: u32 = 1000;
