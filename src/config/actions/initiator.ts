import { NEITHER, SOURCE_END } from "../../model/evidence.ts";
import type { Facts } from "../../model/facts.ts";
import { clientIsDestination, NO_MATCH, type Outcome, reasonOf } from "../../model/outcome.ts";
import { REASON_NAMES } from "../../model/reason.ts";
import { Action, type CompiledAction } from "../action.ts";
import { KIND_INITIATOR } from "../mapping_layout.ts";

/**
 * The end that was seen to open the conversation is the client: by SYN and SYN-ACK (RFC 9293,
 * section 3.5), by the QR bit of DNS (RFC 1035, section 4.1.1), or as the sender of a UDP
 * conversation's first packet, unless much speaks for it as the server. Does not match where that was
 * not seen.
 */
export function Initiator(): Action {
  return new InitiatorAction();
}

class InitiatorAction extends Action {
  override readonly alwaysMatches = false;
  override readonly usesEvidence = true;
  override readonly compiled: CompiledAction = { kind: KIND_INITIATOR };

  override describe(): string {
    return "the end that was seen to open the conversation is the client";
  }

  override explain(facts: Facts, outcome: Outcome): string {
    if (outcome === NO_MATCH) {
      if (facts.evidence.opener === NEITHER) {
        return "nothing was seen of who opened the conversation";
      }
      const end = facts.evidence.opener === SOURCE_END ? "source" : "destination";
      return `the ${end} sent the first packet that was seen, but too much speaks for it as the server`;
    }
    const end = clientIsDestination(outcome) ? "destination" : "source";
    const by = REASON_NAMES[reasonOf(outcome)];
    return `the ${end} opened the conversation (${by}), so it is the client`;
  }

  override toString(): string {
    return "Initiator()";
  }
}
