/* Who is client and who is server: what is due is judged, and becomes keys. */
import {
  CELL_LAST_SEEN,
  CELL_UNTIL,
  cellOf,
  COLD_JUDGEMENT,
  COLD_OUTCOME,
  coldOf,
  DUE_DIRECTION,
  DUE_IPV6,
  DUE_NUMBER_SHIFT,
  PROTOCOL_TCP,
  UNJUDGED,
} from "./cells";
import { addMeanwhile, clearDue, due, dueCount } from "./due";
import { meetDue, readDue, readEnds, strengthOf, STRONGEST } from "./evidence";
import {
  FACTS_DESTINATION,
  FACTS_IS_IPV6,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  readFacts,
} from "./facts";
import { readEvidence } from "./gathering";
import { corrected, forgetRepeats, handOn, judgeOwn } from "./host";
import { commit, FLOWS_AT_ONCE, stageFlow, untilOf } from "./keys";
import {
  CLIENT_IS_DESTINATION,
  decide,
  DROP,
  FLOW,
  hasNoNetwork,
  isIgnored,
  isSuppressed,
  usesEvidence,
  VERDICT_MASK,
} from "./mapping";
import {
  countAs,
  DROPPED,
  GAVE_FLOW,
  IGNORED,
  NO_NETWORK_IPV4,
  NO_NETWORK_IPV6,
  NO_RULE,
  OWN_CONNECTION,
  SUPPRESSED,
} from "./no_flow";
import { second, window } from "./time";

// `src/flow/own_connections.ts`.
const OURS: u32 = 1;
const MAYBE_OURS: u32 = 2;
/** `src/flow/held_keys.ts`. */
const WINDOWS_HELD: u32 = 3;
/** Observations that one flow may lead to: client, flow, and both peers. */
const MOST_OBSERVATIONS: u32 = 4;

/** Where what is known of the ends of those goes that are judged together. */
let readings: usize = 0;
/** Which of the due ones the staged flows are. */
let stagedDue: usize = 0;
/** Observations that have room until they are handed on. */
let capacity: u32 = 0;
let hasOwn: bool = false;

let stagedCount: u32 = 0;
let observed: u32 = 0;
/** Counts how often what was due was judged. */
let judgement: u32 = 0;
/** What the mapping said last, whether or not that was taken. */
let answer: u32 = UNJUDGED;
/** Why that is no flow, where it is none. */
let why: u32 = NO_RULE;

/** Says where things lie, and whether there are connections of the sensor's own. */
export function setUpJudging(
  itsReadings: usize,
  itsStagedDue: usize,
  itsCapacity: u32,
  itHasOwn: bool,
): void {
  readings = itsReadings;
  stagedDue = itsStagedDue;
  capacity = itsCapacity;
  hasOwn = itHasOwn;
}

/**
 * Judges all that is due, and writes the keys.
 *
 * @param itsObserved How many observations there are; {@linkcode observations} says how many afterwards.
 */
export function judgeDue(itsObserved: u32): void {
  observed = itsObserved;
  // What was staged when something went wrong before is due still.
  stagedCount = 0;
  judgement++;
  meetDue(due, dueCount, second);
  // Corrections are added to what is due while it is judged.
  for (let from: u32 = 0; from < dueCount;) {
    const to = min(from + FLOWS_AT_ONCE, dueCount);
    const at = due + (<usize> from << 2);
    if (usesEvidence) readDue(at, to - from, readings, second);
    for (let i: u32 = 0; i < to - from; i++) {
      judgeOne(load<u32>(at + (<usize> i << 2)), readings + (<usize> i << 3));
    }
    commitFlows();
    from = to;
  }
  clearDue();
}

/** How many observations there are, also after a judgement that came to no end. */
export function observations(): u32 {
  return observed;
}

/** Reads all that is known of one direction of a conversation into the facts. */
export function readAll(isIpv6: bool, number: u32, direction: u32): void {
  readFacts(isIpv6, cellOf(isIpv6, number), direction);
  readEnds(isIpv6, number, readings, second);
  readEvidence(isIpv6, number, direction, readings);
}

function judgeOne(word: u32, reading: usize): void {
  const isIpv6 = (word & DUE_IPV6) !== 0;
  const number = word >>> DUE_NUMBER_SHIFT;
  const direction = word & DUE_DIRECTION;
  const cell = cellOf(isIpv6, number);
  const until = cell + CELL_UNTIL + (<usize> direction << 2);
  const cold = coldOf(isIpv6, number);
  const remembered = cold + COLD_OUTCOME + (<usize> direction << 2);
  let outcome = load<u32>(remembered);
  let isAsked = false;
  let itsWhy = NO_RULE;
  readFacts(isIpv6, cell, direction);
  if (outcome === UNJUDGED || mayChange(outcome)) {
    const isFirst = outcome === UNJUDGED;
    const far = 1 - direction;
    const other = load<u32>(cold + COLD_OUTCOME + (<usize> far << 2));
    const strength = max(strengthHeld(outcome), strengthHeld(other));
    outcome = askAgain(isIpv6, number, direction, reading, strength);
    isAsked = true;
    itsWhy = why;
    // Both directions are decided with the same evidence, or their keys would contradict.
    const isOtherUpToDate = load<u32>(cold + COLD_JUDGEMENT) === judgement;
    store<u32>(cold + COLD_JUDGEMENT, answer === outcome ? judgement : 0);
    if (other !== UNJUDGED && !isOtherUpToDate && mayChange(other)) {
      readFacts(isIpv6, cell, far);
      const held = askAgain(isIpv6, number, far, reading, strength);
      if (held !== other) judgeAgain(isIpv6, number, far);
      else if (isFirst && contradict(outcome, held) && !contradict(outcome, answer)) {
        // What spoke for the other decision has gone since. It holds for both directions.
        outcome = held ^ CLIENT_IS_DESTINATION;
        store<u32>(remembered, outcome);
      }
      readFacts(isIpv6, cell, direction);
    }
  }
  if (outcome === UNJUDGED) askAgainSoon(until);
  else if (verdictOf(outcome) === FLOW) stage(outcome, word);
  else {
    store<u32>(until, window + WINDOWS_HELD);
    // It was asked about this direction last, or long before.
    if (isAsked) countAs(isIpv6, number, itsWhy);
  }
}

/** Has what was just corrected written in this round, though its direction may send nothing now. */
function judgeAgain(isIpv6: bool, number: u32, direction: u32): void {
  if (addMeanwhile(isIpv6, number, direction)) return;
  askAgainSoon(cellOf(isIpv6, number) + CELL_UNTIL + (<usize> direction << 2));
}

/** Has the next packet of a direction lead to another judgement. */
function askAgainSoon(until: usize): void {
  store<u32>(until, 0);
  forgetRepeats();
}

/**
 * Asks the mapping about one direction, the facts of which were read. What was remembered gives
 * way only to what is stronger.
 *
 * @param strength That of what is remembered of both directions.
 */
function askAgain(
  isIpv6: bool,
  number: u32,
  direction: u32,
  reading: usize,
  strength: u32,
): u32 {
  const remembered = coldOf(isIpv6, number) + COLD_OUTCOME + (<usize> direction << 2);
  const before = load<u32>(remembered);
  if (usesEvidence) readEvidence(isIpv6, number, direction, reading);
  const after = askMapping(before !== UNJUDGED);
  answer = after;
  if (before === UNJUDGED) {
    store<u32>(remembered, after);
    return after;
  }
  if (strengthHeld(after) <= strength) return before;
  store<u32>(remembered, after);
  if (verdictOf(before) === FLOW && !isSameAttribution(before, after)) corrected(before, after);
  return after;
}

/**
 * @param isAgain Whether it was asked about this direction before.
 * @returns What is to be remembered, or `UNJUDGED` where it is too early to say.
 */
function askMapping(isAgain: bool): u32 {
  if (hasOwn && load<u32>(FACTS_PROTOCOL) === PROTOCOL_TCP) {
    const own = judgeOwn();
    why = OWN_CONNECTION;
    if (own === OURS) return DROP;
    if (own === MAYBE_OURS) return UNJUDGED;
  }
  why = SUPPRESSED;
  if (isSuppressed()) return DROP;
  const outcome = decide(isAgain);
  if (verdictOf(outcome) === DROP) why = DROPPED;
  else if (!hasNoNetwork()) why = NO_RULE;
  else why = load<u32>(FACTS_IS_IPV6) !== 0 ? NO_NETWORK_IPV6 : NO_NETWORK_IPV4;
  return outcome;
}

function stage(outcome: u32, word: u32): void {
  const isTurned = (outcome & CLIENT_IS_DESTINATION) !== 0;
  const isIpv6 = (word & DUE_IPV6) !== 0;
  const number = word >>> DUE_NUMBER_SHIFT;
  const isItIgnored = isIgnored();
  countAs(isIpv6, number, isItIgnored ? IGNORED : GAVE_FLOW);
  stageFlow(
    stagedCount,
    isIpv6,
    isTurned ? FACTS_DESTINATION : FACTS_SOURCE,
    isTurned ? FACTS_SOURCE : FACTS_DESTINATION,
    outcome >>> 16,
    byOf(outcome) | (load<u32>(FACTS_PROTOCOL) << 8),
    isItIgnored,
    load<u32>(cellOf(isIpv6, number) + CELL_LAST_SEEN),
  );
  store<u32>(stagedDue + (<usize> stagedCount << 2), word);
  stagedCount++;
}

function commitFlows(): void {
  if (stagedCount === 0) return;
  if (observed + stagedCount * MOST_OBSERVATIONS > capacity) {
    handOn(observed);
    observed = 0;
  }
  observed = commit(stagedCount, observed, window);
  for (let i: u32 = 0; i < stagedCount; i++) {
    const word = load<u32>(stagedDue + (<usize> i << 2));
    const cell = cellOf((word & DUE_IPV6) !== 0, word >>> DUE_NUMBER_SHIFT);
    store<u32>(cell + CELL_UNTIL + (<usize> (word & DUE_DIRECTION) << 2), untilOf(i));
  }
  stagedCount = 0;
}

@inline
function verdictOf(outcome: u32): u32 {
  return outcome & VERDICT_MASK;
}

@inline
function byOf(outcome: u32): u32 {
  return (outcome >>> 8) & 0xff;
}

function mayChange(outcome: u32): bool {
  return usesEvidence && strengthOf(outcome) < STRONGEST;
}

function strengthHeld(outcome: u32): u32 {
  return outcome === UNJUDGED ? 0 : strengthOf(outcome);
}

/** Whether the outcomes of the two directions of a conversation name different clients. */
function contradict(one: u32, other: u32): bool {
  return verdictOf(one) === FLOW && verdictOf(other) === FLOW &&
    ((one ^ other) & CLIENT_IS_DESTINATION) === 0;
}

function isSameAttribution(one: u32, other: u32): bool {
  // All but what decided.
  return ((one ^ other) & ~0xff00) === 0;
}
