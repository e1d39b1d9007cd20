import type { Facts } from "./facts.ts";
import type { Outcome } from "./outcome.ts";
import type { PortSet } from "./port_set.ts";

/*
 * What an action is, for the program that asks it about each conversation:
 * `src/flow/assembly/mapping.ts` has the same numbers.
 */
export const KIND_FUNCTION = 0;
export const KIND_LOWER_PORT = 1;
export const KIND_PORT_MATCH = 2;
export const KIND_ASSIGN = 3;
export const KIND_INITIATOR = 4;
export const KIND_SERVICE = 5;

/** The source is tried first, or serves on a tie. */
export const FLAG_SOURCE_FIRST = 1;
/** A flow that matches is dropped. */
export const FLAG_DROP = 2;
export const FLAG_CLIENT_IS_DESTINATION = 4;
export const FLAG_PORT_IS_SOURCE = 8;

/** An action as that program knows it. */
export interface ActionImage {
  /** One of the `KIND_` numbers. */
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
   * What it is for the program that asks it about each conversation, and decides as it does.
   *
   * @internal
   */
  abstract readonly image: ActionImage;

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
