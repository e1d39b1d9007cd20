/* Who is client and who is server: what is pending is classified, and becomes keys. */
import {
  CLIENT_IS_DESTINATION,
  DROP,
  FLOW,
  PORT_SHIFT,
  REASON_SHIFT,
  VERDICT_MASK,
} from "../../model/outcome_layout";
import { MAYBE_OURS, OURS } from "../../model/own_answers";
import {
  DROPPED,
  GAVE_FLOW,
  IGNORED,
  NO_NETWORK_IPV4,
  NO_NETWORK_IPV6,
  NO_RULE,
  OWN_CONNECTION,
  SUPPRESSED,
} from "../../model/no_flow_numbers";
import { PROTOCOL_TCP } from "../../model/protocol_numbers";
import { STRONGEST } from "../../model/reason_numbers";
import {
  CELL_SECONDS,
  CELL_STATE,
  COLD_ROUND,
  FACTS_DESTINATION,
  FACTS_IS_IPV6,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FLOWS_AT_ONCE,
  IS_OUTER,
  PENDING,
  READINGS,
  STAGED_PENDING,
  UNCLASSIFIED,
} from "../layout";
import { WINDOWS_SUPPRESSED } from "../../model/windows";
import { cellOf, coldOf, outcomeOf, untilOf } from "./cells";
import { second, window } from "./clock";
import { addPeersOfPending, readEnds, readPending, strengthOf } from "./evidence";
import { readFacts } from "./facts";
import { readEvidence } from "./gathering";
import { isGuess, postpone, takePostponed } from "./postponing";
import { corrected, judgeOwn } from "./host";
import {
  decide,
  findNetworks,
  hasFunction,
  hasNoNetwork,
  isIgnored,
  isSuppressed,
  usesEvidence,
} from "./mapping";
import { countAs } from "./no_flow";
import { commit, stageFlow, untilOfFlow } from "./observations";
import {
  addMeanwhile,
  clearPending,
  PENDING_DIRECTION,
  PENDING_IPV6,
  PENDING_NUMBER_SHIFT,
  pendingCount,
} from "./pending";

/** Whether the sensor may have connections of its own. */
export let hasOwn: bool = false;

let stagedCount: u32 = 0;
/** Counts how often what was pending was classified. */
let round: u32 = 0;
/** What the mapping said last, whether or not that was taken. */
let answer: u32 = UNCLASSIFIED;
/** Whether guesses are postponed. A function is asked once, so where there is one they are not. */
let isPostponing: bool = false;
/** Why that is no flow, where it is none. */
let why: u32 = NO_RULE;

/** Says that the sensor may have connections of its own, about which is asked. */
export function useOwn(): void {
  hasOwn = true;
}

/**
 * Classifies all that is pending, and writes the keys.
 *
 * @param isLast Whether what is postponed is classified too: see `postponing.ts`.
 */
export function classifyPending(isLast: bool): void {
  // What was staged when something went wrong before is pending still.
  stagedCount = 0;
  isPostponing = !isLast && usesEvidence && !hasFunction();
  takePostponed(isLast);
  round++;
  addPeersOfPending(PENDING, pendingCount, second);
  // Corrections are added to what is pending while it is classified.
  for (let from: u32 = 0; from < pendingCount;) {
    const to = min(from + FLOWS_AT_ONCE, pendingCount);
    const at = PENDING + (<usize> from << 2);
    if (usesEvidence) readPending(at, to - from, READINGS, second);
    for (let i: u32 = 0; i < to - from; i++) {
      classify(load<u32>(at + (<usize> i << 2)), READINGS + (<usize> i << 3));
    }
    commitFlows();
    from = to;
  }
  clearPending();
}

/** Reads all that is known of one direction of a conversation into the facts. */
export function readAll(isIpv6: bool, number: u32, direction: u32): void {
  readFacts(isIpv6, cellOf(isIpv6, number), direction);
  readEnds(isIpv6, number, READINGS, second);
  readEvidence(isIpv6, number, direction, READINGS);
}

function classify(word: u32, reading: usize): void {
  const isIpv6 = (word & PENDING_IPV6) !== 0;
  const number = word >>> PENDING_NUMBER_SHIFT;
  const direction = word & PENDING_DIRECTION;
  const cell = cellOf(isIpv6, number);
  const until = untilOf(cell, direction);
  if ((load<u32>(cell, CELL_STATE) & IS_OUTER) !== 0) {
    return stageOuter(isIpv6, cell, direction, word);
  }
  const cold = coldOf(isIpv6, number);
  const remembered = outcomeOf(cold, direction);
  let outcome = load<u32>(remembered);
  let isAsked = false;
  let itsWhy: u32 = NO_RULE;
  readFacts(isIpv6, cell, direction);
  if (outcome === UNCLASSIFIED || mayChange(outcome)) {
    const isFirst = outcome === UNCLASSIFIED;
    const far = 1 - direction;
    const other = load<u32>(outcomeOf(cold, far));
    const strength = max(strengthKept(outcome), strengthKept(other));
    outcome = askAgain(isIpv6, number, direction, reading, strength);
    if (
      isFirst && isPostponing && other === UNCLASSIFIED && isFlowByGuess(outcome) && postpone(word)
    ) {
      store<u32>(remembered, UNCLASSIFIED);
      return;
    }
    isAsked = true;
    itsWhy = why;
    // Both directions are decided with the same evidence, or their keys would contradict.
    const isOtherUpToDate = load<u32>(cold + COLD_ROUND) === round;
    store<u32>(cold + COLD_ROUND, answer === outcome ? round : 0);
    if (other !== UNCLASSIFIED && !isOtherUpToDate && mayChange(other)) {
      readFacts(isIpv6, cell, far);
      const kept = askAgain(isIpv6, number, far, reading, strength);
      if (kept !== other) classifyAgain(isIpv6, number, far);
      else if (isFirst && contradict(outcome, kept) && !contradict(outcome, answer)) {
        // What spoke for the other decision has gone since. It holds for both directions.
        outcome = kept ^ CLIENT_IS_DESTINATION;
        store<u32>(remembered, outcome);
      }
      readFacts(isIpv6, cell, direction);
    }
  }
  if (outcome === UNCLASSIFIED) askAgainSoon(until);
  else if (verdictOf(outcome) === FLOW) stage(outcome, word);
  else {
    store<u32>(until, window + WINDOWS_SUPPRESSED);
    // It was asked about this direction last, or long before.
    if (isAsked) countAs(isIpv6, number, itsWhy);
  }
}

/** Has what was just corrected written in this round, though its direction may send nothing now. */
function classifyAgain(isIpv6: bool, number: u32, direction: u32): void {
  if (addMeanwhile(isIpv6, number, direction)) return;
  askAgainSoon(untilOf(cellOf(isIpv6, number), direction));
}

/** Has a direction pending again with its next packet. */
function askAgainSoon(until: usize): void {
  store<u32>(until, 0);
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
  const remembered = outcomeOf(coldOf(isIpv6, number), direction);
  const before = load<u32>(remembered);
  if (usesEvidence) readEvidence(isIpv6, number, direction, reading);
  const after = askMapping(before !== UNCLASSIFIED);
  answer = after;
  if (before === UNCLASSIFIED) {
    store<u32>(remembered, after);
    return after;
  }
  if (strengthKept(after) <= strength) return before;
  store<u32>(remembered, after);
  if (verdictOf(before) === FLOW && !isSameAttribution(before, after)) corrected(before, after);
  return after;
}

/**
 * @param isAgain Whether it was asked about this direction before.
 * @returns What is to be remembered, or `UNCLASSIFIED` where it is too early to say.
 */
export function askMapping(isAgain: bool): u32 {
  if (hasOwn && load<u32>(FACTS_PROTOCOL) === PROTOCOL_TCP) {
    const own = judgeOwn();
    why = OWN_CONNECTION;
    if (own === OURS) return DROP;
    if (own === MAYBE_OURS) return UNCLASSIFIED;
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
  const isIpv6 = (word & PENDING_IPV6) !== 0;
  const number = word >>> PENDING_NUMBER_SHIFT;
  const isItIgnored = isIgnored();
  countAs(isIpv6, number, isItIgnored ? IGNORED : GAVE_FLOW);
  stageFlow(
    stagedCount,
    isIpv6,
    isTurned ? FACTS_DESTINATION : FACTS_SOURCE,
    isTurned ? FACTS_SOURCE : FACTS_DESTINATION,
    outcome >>> PORT_SHIFT,
    reasonOf(outcome) | (load<u32>(FACTS_PROTOCOL) << 8),
    isItIgnored,
    load<u32>(cellOf(isIpv6, number), CELL_SECONDS),
    word,
  );
  store<u32>(STAGED_PENDING + (<usize> stagedCount << 2), word);
  stagedCount++;
}

/** Stages the peers that the ends of a tunnel are, which no rule is asked about. */
function stageOuter(isIpv6: bool, cell: usize, direction: u32, word: u32): void {
  readFacts(isIpv6, cell, direction);
  findNetworks();
  if (hasNoNetwork() || isSuppressed()) {
    store<u32>(untilOf(cell, direction), window + WINDOWS_SUPPRESSED);
    return;
  }
  const seconds = load<u32>(cell, CELL_SECONDS);
  stageFlow(stagedCount, isIpv6, FACTS_SOURCE, FACTS_DESTINATION, 0, 0, true, seconds, 0);
  store<u32>(STAGED_PENDING + (<usize> stagedCount << 2), word);
  stagedCount++;
}

function commitFlows(): void {
  if (stagedCount === 0) return;
  commit(stagedCount);
  for (let i: u32 = 0; i < stagedCount; i++) {
    const word = load<u32>(STAGED_PENDING + (<usize> i << 2));
    const cell = cellOf((word & PENDING_IPV6) !== 0, word >>> PENDING_NUMBER_SHIFT);
    store<u32>(untilOf(cell, word & PENDING_DIRECTION), untilOfFlow(i));
  }
  stagedCount = 0;
}

// @inline
export function verdictOf(outcome: u32): u32 {
  return outcome & VERDICT_MASK;
}

// @inline
export function reasonOf(outcome: u32): u32 {
  return (outcome >>> REASON_SHIFT) & 0xff;
}

function isFlowByGuess(outcome: u32): bool {
  return verdictOf(outcome) === FLOW && isGuess(reasonOf(outcome));
}

function mayChange(outcome: u32): bool {
  return usesEvidence && strengthOf(outcome) < STRONGEST;
}

function strengthKept(outcome: u32): u32 {
  return outcome === UNCLASSIFIED ? 0 : strengthOf(outcome);
}

/** Whether the outcomes of the two directions of a conversation name different clients. */
function contradict(one: u32, other: u32): bool {
  return verdictOf(one) === FLOW && verdictOf(other) === FLOW &&
    ((one ^ other) & CLIENT_IS_DESTINATION) === 0;
}

function isSameAttribution(one: u32, other: u32): bool {
  // All but what decided.
  return ((one ^ other) & ~(0xff << REASON_SHIFT)) === 0;
}
