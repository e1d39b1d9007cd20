/** A clock that goes back further than this was set; less is packets that came out of order. */
const CLOCK_SET_BACK_SECONDS = 30;

/**
 * Whether a packet is of a second a little before the present one, as packets of several interfaces
 * may be: time then stays where it is.
 */
export function isOutOfOrder(second: number, present: number): boolean {
  return second < present && present - second <= CLOCK_SET_BACK_SECONDS;
}
