/**
 * What an action says of one direction of a conversation, in one number, so that nothing is
 * allocated for it: the verdict in bits 0 and 1, which end is the client in bit 2, what decided in
 * bits 8 to 15, the port of interest in bits 16 to 31.
 */
export type Outcome = number;

/** The action has no opinion: the next rule is asked. */
export const NO_MATCH: Outcome = 0;
/** The conversation makes no flow, and no further rule is asked. */
export const DROP: Outcome = 1;
/** The verdict of an outcome that names client, server and port. */
export const FLOW = 2;

const VERDICT_MASK = 3;
const CLIENT_IS_DESTINATION = 4;

/**
 * An outcome that names client, server and port.
 *
 * @param clientIsDestination Whether the client is the packet's destination.
 * @param port The port of interest, 0 to 65535.
 * @param by What decided, a number of `src/flow/by.ts`.
 */
export function flowOutcome(clientIsDestination: boolean, port: number, by: number): Outcome {
  return (port << 16) | (by << 8) | (clientIsDestination ? CLIENT_IS_DESTINATION : 0) | FLOW;
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
  return outcome >>> 16;
}

/** What decided, a number of `src/flow/by.ts`. */
export function byOf(outcome: Outcome): number {
  return (outcome >>> 8) & 0xff;
}
