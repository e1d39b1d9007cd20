import { BY_LOWER_PORT } from "../../flow/by.ts";
import { Action, type ActionImage, FLAG_SOURCE_FIRST, KIND_LOWER_PORT } from "../action.ts";
import { type End, endName, endWord, requireEnd, SRC } from "../end.ts";
import type { Facts } from "../facts.ts";
import { flowOutcome, type Outcome } from "../outcome.ts";

/**
 * The end with the lower port is the server, and that port the port of interest. Always matches.
 *
 * @param tie The end that is the server when both ports are the same.
 * @throws {ConfigError} when `tie` is neither SRC nor DST.
 */
export function LowerPort(tie: End = SRC): Action {
  return new LowerPortAction(requireEnd(tie, "tie of LowerPort"));
}

class LowerPortAction extends Action {
  override readonly alwaysMatches = true;
  override readonly image: ActionImage;
  readonly #sourceServesOnTie: boolean;

  constructor(readonly tie: End) {
    super();
    this.#sourceServesOnTie = tie === SRC;
    this.image = { kind: KIND_LOWER_PORT, flags: tie === SRC ? FLAG_SOURCE_FIRST : 0 };
  }

  override decide(facts: Facts): Outcome {
    const { sourcePort, destinationPort } = facts;
    const sourceServes = sourcePort === destinationPort
      ? this.#sourceServesOnTie
      : sourcePort < destinationPort;
    return flowOutcome(sourceServes, sourceServes ? sourcePort : destinationPort, BY_LOWER_PORT);
  }

  override describe(): string {
    return `the end with the lower port serves, on a tie the ${endWord(this.tie)}`;
  }

  override explain({ sourcePort, destinationPort }: Facts): string {
    if (sourcePort === destinationPort) {
      return `both ports are ${sourcePort}, and on a tie the ${endWord(this.tie)} serves`;
    }
    return sourcePort < destinationPort
      ? `source port ${sourcePort} is lower than ${destinationPort}, so the source serves`
      : `destination port ${destinationPort} is lower than ${sourcePort}, so the destination serves`;
  }

  override toString(): string {
    return `LowerPort(${endName(this.tie)})`;
  }
}
