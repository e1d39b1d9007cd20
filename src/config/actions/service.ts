import { BY_NAMES } from "../../flow/by.ts";
import { Action, type ActionImage, KIND_SERVICE } from "../action.ts";
import type { Facts } from "../facts.ts";
import { clientIsDestination, flowOutcome, NO_MATCH, type Outcome } from "../outcome.ts";
import { EVIDENCE, MARGIN } from "../service_evidence.ts";

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
  override readonly image: ActionImage = { kind: KIND_SERVICE };
  /** What each kind of evidence weighs, for the source. */
  readonly #weights = new Int32Array(EVIDENCE.length);

  override decide(facts: Facts): Outcome {
    const weights = this.#weights;
    let balance = 0;
    for (let i = 0; i < weights.length; i++) balance += weights[i] = EVIDENCE[i].weigh(facts);
    if (balance > -MARGIN && balance < MARGIN) return NO_MATCH;
    const sourceServes = balance > 0;
    const port = sourceServes ? facts.sourcePort : facts.destinationPort;
    return flowOutcome(sourceServes, port, heaviest(weights, sourceServes));
  }

  override describe(): string {
    return "the end for which more evidence speaks serves";
  }

  override explain(facts: Facts): string {
    const found = EVIDENCE.map((evidence) => ({ evidence, weight: evidence.weigh(facts) }))
      .filter(({ weight }) => weight !== 0)
      .map(({ evidence, weight }) => {
        const end = weight > 0 ? "source" : "destination";
        return `${BY_NAMES[evidence.by]} +${Math.abs(weight)} for the ${end}`;
      });
    if (found.length === 0) return "nothing speaks for either end";
    const outcome = this.decide(facts);
    if (outcome === NO_MATCH) return `${found.join(", ")}: less than ${MARGIN} apart`;
    const server = clientIsDestination(outcome) ? "source" : "destination";
    return `${found.join(", ")}, so the ${server} serves`;
  }

  override toString(): string {
    return "Service()";
  }
}

/** What weighs most of all that speaks for the end that serves. */
function heaviest(weights: Int32Array, sourceServes: boolean): number {
  let most = 0;
  let by = 0;
  for (let i = 0; i < weights.length; i++) {
    const speaks = sourceServes ? weights[i] : -weights[i];
    if (speaks > most) {
      most = speaks;
      by = EVIDENCE[i].by;
    }
  }
  return by;
}
