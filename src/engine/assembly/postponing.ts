/*
 * Directions of conversations about which only guesses are known so far: of a TCP connection picked up in the
 * middle, of which only a bare ACK was seen. A key that is wrong stays in Redis for its whole time to live,
 * so what guesses say is postponed until a payload came, or some seconds have passed.
 */
import { BY_EPHEMERAL, BY_FAN_IN, BY_LOWER_PORT, BY_REGISTERED } from "../../model/reason_numbers";
import { PROTOCOL_TCP } from "../../model/protocol_numbers";
import {
  COLD_FIRST_SECONDS,
  MOST_POSTPONED,
  POSTPONED,
  PROTOCOL_MASK,
  STATE_WANTS_PAYLOAD,
} from "../layout";
import { coldOf, stateOf } from "./cells";
import { second } from "./clock";
import { inspectedOf } from "./gathering";
import { addMeanwhile, PENDING_DIRECTION, PENDING_IPV6, PENDING_NUMBER_SHIFT } from "./pending";

/** How long a guess is postponed, in seconds. */
const LONGEST_POSTPONED_SECONDS: i64 = 5;

let postponedCount: u32 = 0;

/** Whether a reason is a guess by ports, or by how often they change. */
export function isGuess(reason: u32): bool {
  return reason === BY_LOWER_PORT || reason === BY_FAN_IN || reason === BY_REGISTERED ||
    reason === BY_EPHEMERAL;
}

/** Postpones something pending, if more may be known of its conversation soon. @returns Whether it does. */
export function postpone(word: u32): bool {
  if (postponedCount === MOST_POSTPONED || !mayTellMore(word)) return false;
  store<u32>(POSTPONED + (<usize> postponedCount << 2), word);
  postponedCount++;
  return true;
}

/** Has all pending that is postponed and over its time. @param isAll Whether all of it is. */
export function takePostponed(isAll: bool): void {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < postponedCount; i++) {
    const word = load<u32>(POSTPONED + (<usize> i << 2));
    const isOver = isAll || !mayTellMore(word);
    const isIpv6 = (word & PENDING_IPV6) !== 0;
    // Where there is no room, it waits for the next time.
    if (isOver && addMeanwhile(isIpv6, word >>> PENDING_NUMBER_SHIFT, word & PENDING_DIRECTION)) {
      continue;
    }
    store<u32>(POSTPONED + (<usize> kept << 2), word);
    kept++;
  }
  postponedCount = kept;
}

function mayTellMore(word: u32): bool {
  const isIpv6 = (word & PENDING_IPV6) !== 0;
  const number = word >>> PENDING_NUMBER_SHIFT;
  const state = load<u32>(stateOf(isIpv6, number));
  const isUntold = (state & PROTOCOL_MASK) === PROTOCOL_TCP &&
    (state & STATE_WANTS_PAYLOAD) !== 0 &&
    inspectedOf(state) === 0;
  const age = <i64> second - <i64> load<u32>(coldOf(isIpv6, number), COLD_FIRST_SECONDS);
  return isUntold && age >= 0 && age < LONGEST_POSTPONED_SECONDS;
}
