import type { Facts } from "../../model/facts.ts";
import { clientIsDestination, NO_MATCH, type Outcome } from "../../model/outcome.ts";
import { REASON_NAMES } from "../../model/reason.ts";
import { Action, type CompiledAction } from "../action.ts";
import { KIND_SERVICE, MARGIN } from "../mapping_layout.ts";
import { EVIDENCE } from "../service_evidence.ts";

/**
 * The end for which more speaks that it offers a service is the server: what the payload says, what
 * was learned of both ends in other conversations, and what their ports are. Close calls do not
 * match. docs/attribution.md has the evidence and its weights.
 */
export function Service(): Action {
  return new ServiceAction();
}

class ServiceAction extends Action {
  override readonly alwaysMatches = false;
  override readonly usesEvidence = true;
  override readonly compiled: CompiledAction = { kind: KIND_SERVICE };
  override describe(): string {
    return "the end for which more evidence speaks serves";
  }

  override explain(_facts: Facts, outcome: Outcome, weights: ArrayLike<number>): string {
    const found = EVIDENCE.map(({ by }, i) => ({ by, weight: weights[i] }))
      .filter(({ weight }) => weight !== 0)
      .map(({ by, weight }) => {
        const end = weight > 0 ? "source" : "destination";
        return `${REASON_NAMES[by]} +${Math.abs(weight)} for the ${end}`;
      });
    if (found.length === 0) return "nothing speaks for either end";
    if (outcome === NO_MATCH) return `${found.join(", ")}: less than ${MARGIN} apart`;
    const server = clientIsDestination(outcome) ? "source" : "destination";
    return `${found.join(", ")}, so the ${server} serves`;
  }

  override toString(): string {
    return "Service()";
  }
}
