import { stepStart } from "./steps.ts";
import { Totals } from "./totals.ts";

/** What goes on for longer than so many steps is spread over so many. */
const MOST_STEPS = 360;

/**
 * Spreads what was summed up in some time evenly over the steps of that time. The sum of all parts is the
 * whole. What counts conversations is for the first step.
 *
 * @param first Milliseconds, as `last`.
 * @param take Takes the part of each step, and when it begins.
 */
export function spread(
  totals: Totals,
  first: number,
  last: number,
  seconds: number,
  take: (start: number, part: Totals) => void,
): void {
  const from = stepStart(first, seconds);
  const all = Math.max(0, Math.round((stepStart(last, seconds) - from) / (seconds * 1000))) + 1;
  const count = Math.min(all, MOST_STEPS);
  for (let i = 0; i < count; i++) {
    const share = (whole: number) =>
      Math.floor(whole * (i + 1) / count) - Math.floor(whole * i / count);
    const part = new Totals();
    if (i === 0) {
      part.observations = totals.observations;
      part.conversations = totals.conversations;
      part.unexplained = totals.unexplained;
    }
    part.packetsClient = share(totals.packetsClient);
    part.packetsServer = share(totals.packetsServer);
    part.bytesClient = share(totals.bytesClient);
    part.bytesServer = share(totals.bytesServer);
    take(from + Math.floor(i * all / count) * seconds * 1000, part);
  }
}
