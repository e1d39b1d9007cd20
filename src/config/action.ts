import type { Facts } from "./facts.ts";
import type { Outcome } from "./outcome.ts";

/**
 * What a rule does with the flows between its two networks. Made by the functions of the vocabulary,
 * such as `LowerPort()`.
 */
export abstract class Action {
  /** Whether it decides about every flow, so that no rule after it is asked. */
  abstract readonly alwaysMatches: boolean;

  /** Whether its answer depends on what is seen of a conversation besides addresses and ports. */
  readonly usesEvidence: boolean = false;

  /**
   * Says who is client and server, or to drop the flow, or that it has no opinion.
   * Allocates nothing.
   *
   * @internal
   */
  abstract decide(facts: Facts): Outcome;

  /** What it does, in one sentence without a full stop. */
  abstract describe(): string;

  /**
   * Why it decides so about these facts, in one sentence without a full stop.
   *
   * @internal
   */
  abstract explain(facts: Facts): string;

  /** The action as config.ts writes it. */
  abstract toString(): string;
}
