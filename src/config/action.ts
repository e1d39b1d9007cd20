import type { Facts } from "../model/facts.ts";
import type { Outcome } from "../model/outcome.ts";
import type { PortSet } from "./port_set.ts";

/** An action as the engine's program knows it, which decides by it. */
export interface CompiledAction {
  /** One of the `KIND_` numbers of `mapping_layout.ts`. */
  readonly kind: number;
  /** Those of the `FLAG_` bits that hold. @default 0 */
  readonly flags?: number;
  /** The ports that it names. @default none */
  readonly ports?: PortSet | null;
}

/**
 * What a rule does with the flows between its two networks. Made by the functions of the vocabulary,
 * such as `LowerPort()`.
 */
export abstract class Action {
  /** Makes it a type of its own: what merely has the same form is no action. */
  declare protected readonly itself: "action";

  /** Whether it decides about every flow, so that no rule after it is asked. */
  abstract readonly alwaysMatches: boolean;

  /** Whether its answer depends on what is seen of a conversation besides addresses and ports. */
  readonly usesEvidence: boolean = false;

  /**
   * What it is for the program that asks it about each conversation.
   *
   * @internal
   */
  abstract readonly compiled: CompiledAction;

  /** What it does, in one sentence without a full stop. */
  abstract describe(): string;

  /**
   * Why it has decided so about these facts, in one sentence without a full stop.
   *
   * @param outcome What it has decided.
   * @param weights What each of `EVIDENCE` weighs, for the source.
   * @internal
   */
  abstract explain(facts: Facts, outcome: Outcome, weights: ArrayLike<number>): string;

  /** The action as config.ts writes it. */
  abstract toString(): string;
}
