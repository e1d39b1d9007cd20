/*
 * When flows were seen last, for whoever shows it: while a key is suppressed, nothing else says that its flow
 * goes on.
 */
import { KIND_FLOW, TUNNEL_KIND_SHIFT } from "../../model/observation_layout";
import {
  CLIENT_IS_DESTINATION,
  FLOW,
  PORT_SHIFT,
  REASON_SHIFT,
  VERDICT_MASK,
} from "../../model/outcome_layout";
import {
  CELL_SECONDS,
  COLD_OUTCOME,
  FACTS_DESTINATION,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_TUNNEL,
  FACTS_TUNNEL_ID,
  TABLE_UNUSED,
} from "../layout";
import { cellOf, coldOf, tableOf } from "./cells";
import { second } from "./clock";
import { readFacts } from "./facts";
import { isIgnored } from "./mapping";
import { flushSeen, pushSeen, wantRefusalsSeen } from "./observations";

/** Of an outcome, the reason. */
const REASON_MASK: u32 = 0xff << REASON_SHIFT;

/** Whether anybody wants to know. */
let isWanted: bool = false;
/** Up to when flows were listed. */
let seenSince: u32 = 0;

/** Says that somebody wants to know. */
export function wantSeen(): void {
  isWanted = true;
  wantRefusalsSeen();
}

/** Emits when flows were seen last that were seen since it was called before. */
export function emitSeen(): void {
  if (!isWanted) return;
  for (let family: u32 = 0; family < 2; family++) {
    const isIpv6 = family !== 0;
    const end = load<u32>(tableOf(isIpv6), TABLE_UNUSED);
    for (let number: u32 = 1; number < end; number++) listSeen(isIpv6, number);
  }
  flushSeen();
  seenSince = second;
}

/** Lists a conversation, which may be forgotten next, if it was seen since that was done last. */
export function listSeen(isIpv6: bool, number: u32): void {
  if (!isWanted || load<u32>(cellOf(isIpv6, number), CELL_SECONDS) < seenSince) return;
  const outcomes = coldOf(isIpv6, number) + COLD_OUTCOME;
  const there = load<u32>(outcomes);
  const back = load<u32>(outcomes + 4);
  list(isIpv6, number, 0, there);
  // Mostly, both directions say the same.
  if (((there ^ back) & ~REASON_MASK) !== CLIENT_IS_DESTINATION) list(isIpv6, number, 1, back);
}

function list(isIpv6: bool, number: u32, direction: u32, outcome: u32): void {
  if ((outcome & VERDICT_MASK) !== FLOW) return;
  const cell = cellOf(isIpv6, number);
  readFacts(isIpv6, cell, direction);
  if (isIgnored()) return;
  const isTurned = (outcome & CLIENT_IS_DESTINATION) !== 0;
  pushSeen(
    KIND_FLOW,
    isIpv6,
    isTurned ? FACTS_DESTINATION : FACTS_SOURCE,
    isTurned ? FACTS_SOURCE : FACTS_DESTINATION,
    outcome >>> PORT_SHIFT,
    ((outcome >>> REASON_SHIFT) & 0xff) | (load<u32>(FACTS_PROTOCOL) << 8) |
      (load<u32>(FACTS_TUNNEL) << TUNNEL_KIND_SHIFT),
    load<u32>(cell, CELL_SECONDS),
    load<u32>(FACTS_TUNNEL_ID),
  );
}
