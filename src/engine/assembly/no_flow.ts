/*
 * Counts what became of conversations: a flow, or why none; and keeps the first of each kind as an
 * example. That is done when they are classified, and costs packets nothing.
 */
import { DROPPED, GAVE_FLOW, NO_RULE } from "../../model/no_flow_numbers";
import { BECAME, COLD_EVIDENCE, EXAMPLE, EXAMPLES, FACTS } from "../layout";
import { coldOf } from "./cells";

/** Among the evidence bits of a conversation, which start again with it: what it is counted as, and 1. */
const COUNTED_SHIFT: u32 = 24;
const COUNTED_MASK: u32 = 15;
/** Counts a conversation that was just classified, whose facts were read, or counts it as something else. */
export function countAs(isIpv6: bool, number: u32, kind: u32): void {
  const at = coldOf(isIpv6, number) + COLD_EVIDENCE;
  const bits = load<u32>(at);
  const before = (bits >>> COUNTED_SHIFT) & COUNTED_MASK;
  if (before === kind + 1 || before === GAVE_FLOW + 1) return;
  // Of two directions one may have no rule that matches.
  if (kind === NO_RULE && before === DROPPED + 1) return;
  store<u32>(at, (bits & ~(COUNTED_MASK << COUNTED_SHIFT)) | ((kind + 1) << COUNTED_SHIFT));
  if (before !== 0) addTo(before - 1, -1);
  addTo(kind, 1);
  keepExample(kind);
}

/** Keeps the facts as an example, if there is none of its kind. */
export function keepExample(kind: u32): void {
  const example = EXAMPLES + <usize> kind * EXAMPLE;
  // A protocol is not 0.
  if (load<u32>(example + 4) === 0) memory.copy(example, FACTS, EXAMPLE);
}

// @inline
function addTo(kind: u32, change: f64): void {
  const at = BECAME + (<usize> kind << 3);
  store<f64>(at, load<f64>(at) + change);
}
