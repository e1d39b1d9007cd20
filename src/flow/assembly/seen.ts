/*
 * When flows were seen last, for whoever shows it: while a key is held back, nothing else says that its flow
 * goes on.
 */
import { CELL_LAST_SEEN, cellOf, COLD_OUTCOME, coldOf } from "./cells";
import { FACTS_DESTINATION, FACTS_PROTOCOL, FACTS_SOURCE, readFacts } from "./facts";
import { KIND_FLOW, putObservation } from "./keys";
import { CLIENT_IS_DESTINATION, FLOW, isIgnored, VERDICT_MASK } from "./mapping";

/** Of an outcome, what decided. */
const BY_MASK: u32 = 0xff00;

/** How many observations {@linkcode listSeen} has written. */
let listed: u32 = 0;

export function seenListed(): u32 {
  return listed;
}

/**
 * Writes observations of flows, each with the second in which its conversation was seen last.
 *
 * @param number The first conversation, of those up to `end`.
 * @param since Those are left out that were not seen in this second or later.
 * @param into Where to put them: so many are there already.
 * @param room How many have room there.
 * @returns The number of the first conversation that had none.
 */
export function listSeen(
  isIpv6: bool,
  number: u32,
  end: u32,
  since: u32,
  into: usize,
  already: u32,
  room: u32,
): u32 {
  listed = already;
  for (; number < end && listed + 2 <= room; number++) {
    if (load<u32>(cellOf(isIpv6, number) + CELL_LAST_SEEN) < since) continue;
    const outcomes = coldOf(isIpv6, number) + COLD_OUTCOME;
    const there = load<u32>(outcomes);
    const back = load<u32>(outcomes + 4);
    list(isIpv6, number, 0, there, into);
    // Mostly, both directions say the same.
    if (((there ^ back) & ~BY_MASK) !== CLIENT_IS_DESTINATION) list(isIpv6, number, 1, back, into);
  }
  return number;
}

function list(isIpv6: bool, number: u32, direction: u32, outcome: u32, into: usize): void {
  if ((outcome & VERDICT_MASK) !== FLOW) return;
  const cell = cellOf(isIpv6, number);
  readFacts(isIpv6, cell, direction);
  if (isIgnored()) return;
  const isTurned = (outcome & CLIENT_IS_DESTINATION) !== 0;
  putObservation(
    into,
    listed++,
    KIND_FLOW,
    isIpv6,
    isTurned ? FACTS_DESTINATION : FACTS_SOURCE,
    isTurned ? FACTS_SOURCE : FACTS_DESTINATION,
    outcome >>> 16,
    ((outcome >>> 8) & 0xff) | (load<u32>(FACTS_PROTOCOL) << 8),
    load<u32>(cell + CELL_LAST_SEEN),
  );
}
