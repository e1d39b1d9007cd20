/*
 * Directions of conversations about which only guesses are known so far: of a TCP connection picked up in the
 * middle, of which only a bare ACK was seen. A key that is wrong stays in Redis for its whole time to live,
 * so what guesses say is held until a payload came, or some seconds have passed.
 */
import { BY_EPHEMERAL, BY_FAN_IN, BY_LOWER_PORT, BY_REGISTERED } from "../../model/reason_numbers";
import { PROTOCOL_TCP } from "../../model/protocol_numbers";
import { COLD_FIRST_SECONDS, HELD, MOST_HELD, PROTOCOL_MASK, STATE_WANTS_PAYLOAD } from "../layout";
import { coldOf, stateOf } from "./cells";
import { second } from "./clock";
import { inspectedOf } from "./gathering";
import { addMeanwhile, PENDING_DIRECTION, PENDING_IPV6, PENDING_NUMBER_SHIFT } from "./pending";

/** How long a guess is held, in seconds. */
const LONGEST_HELD_SECONDS: i64 = 5;

let heldCount: u32 = 0;

/** Whether a reason is a guess by ports, or by how often they change. */
export function isGuess(reason: u32): bool {
  return reason === BY_LOWER_PORT || reason === BY_FAN_IN || reason === BY_REGISTERED ||
    reason === BY_EPHEMERAL;
}

/** Holds something pending, if more may be known of its conversation soon. @returns Whether it does. */
export function hold(word: u32): bool {
  if (heldCount === MOST_HELD || !mayTellMore(word)) return false;
  store<u32>(HELD + (<usize> heldCount << 2), word);
  heldCount++;
  return true;
}

/** Has all pending that is held and due. @param isAll Whether all of it is. */
export function releaseHeld(isAll: bool): void {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < heldCount; i++) {
    const word = load<u32>(HELD + (<usize> i << 2));
    const isDue = isAll || !mayTellMore(word);
    const isIpv6 = (word & PENDING_IPV6) !== 0;
    // Where there is no room, it waits for the next time.
    if (isDue && addMeanwhile(isIpv6, word >>> PENDING_NUMBER_SHIFT, word & PENDING_DIRECTION)) {
      continue;
    }
    store<u32>(HELD + (<usize> kept << 2), word);
    kept++;
  }
  heldCount = kept;
}

function mayTellMore(word: u32): bool {
  const isIpv6 = (word & PENDING_IPV6) !== 0;
  const number = word >>> PENDING_NUMBER_SHIFT;
  const state = load<u32>(stateOf(isIpv6, number));
  const isUntold = (state & PROTOCOL_MASK) === PROTOCOL_TCP &&
    (state & STATE_WANTS_PAYLOAD) !== 0 &&
    inspectedOf(state) === 0;
  const age = <i64> second - <i64> load<u32>(coldOf(isIpv6, number), COLD_FIRST_SECONDS);
  return isUntold && age >= 0 && age < LONGEST_HELD_SECONDS;
}
