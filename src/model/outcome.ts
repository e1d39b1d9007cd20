import {
  CLIENT_IS_DESTINATION,
  FLOW,
  PORT_SHIFT,
  REASON_SHIFT,
  VERDICT_MASK,
} from "./outcome_layout.ts";

export { DROP, FLOW, NO_MATCH } from "./outcome_layout.ts";

/**
 * What an action says of one direction of a conversation, in one number, so that nothing is
 * allocated for it: the verdict in bits 0 and 1, which end is the client in bit 2, what decided in
 * bits 8 to 15, the port of interest in bits 16 to 31.
 */
export type Outcome = number;

/**
 * An outcome that names client, server and port.
 *
 * @param clientIsDestination Whether the client is the packet's destination.
 * @param port The port of interest, 0 to 65535.
 * @param reason What decided, a number of `reason_numbers.ts`.
 */
export function flowOutcome(clientIsDestination: boolean, port: number, reason: number): Outcome {
  return (port << PORT_SHIFT) | (reason << REASON_SHIFT) |
    (clientIsDestination ? CLIENT_IS_DESTINATION : 0) | FLOW;
}

/** {@linkcode NO_MATCH}, {@linkcode DROP} or {@linkcode FLOW}. */
export function verdictOf(outcome: Outcome): number {
  return outcome & VERDICT_MASK;
}

/** Whether the client is the packet's destination. */
export function clientIsDestination(outcome: Outcome): boolean {
  return (outcome & CLIENT_IS_DESTINATION) !== 0;
}

/** The outcome for the other direction that names the same client and server. */
export function turned(outcome: Outcome): Outcome {
  return outcome ^ CLIENT_IS_DESTINATION;
}

/** The port of interest. */
export function portOf(outcome: Outcome): number {
  return outcome >>> PORT_SHIFT;
}

/** What decided, a number of `reason_numbers.ts`. */
export function reasonOf(outcome: Outcome): number {
  return (outcome >>> REASON_SHIFT) & 0xff;
}
