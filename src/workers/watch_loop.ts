import { LoopWatch } from "../../ffi/loop_watch.ts";
import { printable } from "../printable.ts";

/** Seconds of processor time in which nothing but one piece of code has run. */
const WARN = 10;
const END = 30;

/**
 * Sees to it that a thread in which the user's code does not end is not silent: JavaScript has no other
 * way to be heard then, not even for a signal.
 *
 * @param config Path of the configuration, if it was named.
 * @param ends Whether the process ends in the end, so that whoever started it can start it again.
 * @returns The watch, if there can be one.
 */
export function watchLoop(config = "config.ts", ends = true): LoopWatch | null {
  const what =
    `${printable(config)}: for SECONDS s of processor time nothing else has run: a function ` +
    "of it, or what stands outside of its functions, does not end";
  const text = (seconds: number) => what.replace("SECONDS", () => String(seconds));
  const way = ends
    ? `flosensor ends if that goes on to ${END} s`
    : `kill -KILL ${Deno.pid} ends it`;
  const warnings = new Map([[WARN, `warning: ${text(WARN)}; ${way}`]]);
  // A second more, so that the line is there before the end.
  if (ends) warnings.set(END, `error: ${text(END)}: ended, and what was pending is lost`);
  return LoopWatch.start("flosensor", warnings, ends ? END + 1 : null);
}
