import { BY_NAMES } from "../../flow/by.ts";
import { Action, type ActionImage, KIND_INITIATOR } from "../action.ts";
import { DESTINATION_END, NEITHER } from "../evidence.ts";
import type { Facts } from "../facts.ts";
import { flowOutcome, NO_MATCH, type Outcome } from "../outcome.ts";

/**
 * The end that was seen to open the conversation is the client: by SYN and SYN-ACK (RFC 9293,
 * section 3.5), by the QR bit of DNS (RFC 1035, section 4.1.1), or as the sender of a UDP
 * conversation's first packet. Does not match where that was not seen.
 */
export function Initiator(): Action {
  return new InitiatorAction();
}

class InitiatorAction extends Action {
  override readonly alwaysMatches = false;
  override readonly usesEvidence = true;
  override readonly image: ActionImage = { kind: KIND_INITIATOR };

  override decide({ evidence, sourcePort, destinationPort }: Facts): Outcome {
    if (evidence.opener === NEITHER) return NO_MATCH;
    const isDestination = evidence.opener === DESTINATION_END;
    return flowOutcome(
      isDestination,
      isDestination ? sourcePort : destinationPort,
      evidence.openerBy,
    );
  }

  override describe(): string {
    return "the end that was seen to open the conversation is the client";
  }

  override explain({ evidence }: Facts): string {
    if (evidence.opener === NEITHER) return "nothing was seen of who opened the conversation";
    const end = evidence.opener === DESTINATION_END ? "destination" : "source";
    const by = BY_NAMES[evidence.openerBy];
    return `the ${end} opened the conversation (${by}), so it is the client`;
  }

  override toString(): string {
    return "Initiator()";
  }
}
