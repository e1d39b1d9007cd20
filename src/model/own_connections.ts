import { MAYBE_OURS, NOT_OURS, OURS } from "./own_answers.ts";

/**
 * Knows the sensor's own connections to its store, which are never reported. The addresses are four
 * words in network order, IPv4 in the last of them.
 */
export interface OwnConnections {
  /**
   * What to do about a packet of a TCP conversation that has these two ends, in either order.
   *
   * @returns {@linkcode NOT_OURS}, {@linkcode OURS}, or {@linkcode MAYBE_OURS} while one of our
   * connections is being made and its local port is not known yet.
   */
  judge(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
  ): number;

  /**
   * Whether a TCP conversation that came to nothing has a far end to which a connection of ours was being
   * made when it began. The local port of an attempt that failed is never known.
   *
   * @param seconds When it began, since 1970-01-01 UTC.
   */
  wasAttempt(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
    seconds: number,
  ): boolean;
}

export * from "./own_answers.ts";

/** One end of a connection as a packet has it. */
export interface OwnEnd {
  readonly isIpv6: boolean;
  readonly words: Uint32Array;
  readonly port: number;
}

/** A connection of ours. */
export interface OwnConnection {
  readonly local: OwnEnd;
  readonly remote: OwnEnd;
}

/**
 * Judges two ends: see {@linkcode OwnConnections.judge}.
 *
 * @param connections Connections of ours whose packets may still be seen.
 * @param remotes Far ends of those of which the local end may not be known; `null` when there are
 * none.
 */
export function judgeEnds(
  connections: Iterable<OwnConnection>,
  remotes: Iterable<OwnEnd> | null,
  isIpv6: boolean,
  one: Uint32Array,
  onePort: number,
  other: Uint32Array,
  otherPort: number,
): number {
  for (const { local, remote } of connections) {
    const isIt = isEnd(local, isIpv6, one, onePort) && isEnd(remote, isIpv6, other, otherPort) ||
      isEnd(remote, isIpv6, one, onePort) && isEnd(local, isIpv6, other, otherPort);
    if (isIt) return OURS;
  }
  if (remotes === null) return NOT_OURS;
  const hasRemote = hasEndOf(remotes, isIpv6, one, onePort, other, otherPort);
  return hasRemote ? MAYBE_OURS : NOT_OURS;
}

/** Whether one of two ends is one of these. */
function hasEndOf(
  remotes: Iterable<OwnEnd>,
  isIpv6: boolean,
  one: Uint32Array,
  onePort: number,
  other: Uint32Array,
  otherPort: number,
): boolean {
  for (const remote of remotes) {
    if (isEnd(remote, isIpv6, one, onePort) || isEnd(remote, isIpv6, other, otherPort)) return true;
  }
  return false;
}

/** Judges two ends by when connections of ours were being made: see {@linkcode OwnConnections.wasAttempt}. */
export function judgePast(
  attempts: Iterable<OwnAttempts>,
  remotes: Iterable<OwnEnd>,
  isIpv6: boolean,
  one: Uint32Array,
  onePort: number,
  other: Uint32Array,
  otherPort: number,
  seconds: number,
): boolean {
  for (const { from, until } of attempts) {
    if (seconds < from || seconds > until) continue;
    return hasEndOf(remotes, isIpv6, one, onePort, other, otherPort);
  }
  return false;
}

function isEnd(end: OwnEnd, isIpv6: boolean, words: Uint32Array, port: number): boolean {
  return end.port === port && end.isIpv6 === isIpv6 && end.words[3] === words[3] &&
    end.words[2] === words[2] && end.words[1] === words[1] && end.words[0] === words[0];
}

/** A time in which connections of ours were being made, in seconds since 1970-01-01 UTC. */
export interface OwnAttempts {
  readonly from: number;
  readonly until: number;
}

/** What is known of the sensor's own connections at a moment; it can be sent to a worker. */
export interface OwnConnectionsState {
  readonly connections: readonly OwnConnection[];
  readonly remotes: readonly OwnEnd[];
  /** Those of the last minutes that are over. */
  readonly attempts: readonly OwnAttempts[];
  /** For how many milliseconds from now any conversation with a far end may be ours. */
  readonly unsettledFor: number;
}

/** The sensor's own connections as another thread knows them. */
export class OwnConnectionsCopy implements OwnConnections {
  #state: OwnConnectionsState = {
    connections: [],
    remotes: [],
    attempts: [],
    unsettledFor: 0,
  };
  #settledAt = 0;

  /** Puts another state in the place of the present one. */
  set(state: OwnConnectionsState): void {
    this.#state = state;
    this.#settledAt = performance.now() + state.unsettledFor;
  }

  judge(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
  ): number {
    const { connections, remotes } = this.#state;
    const isUnsettled = performance.now() < this.#settledAt;
    return judgeEnds(
      connections,
      isUnsettled ? remotes : null,
      isIpv6,
      one,
      onePort,
      other,
      otherPort,
    );
  }

  wasAttempt(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
    seconds: number,
  ): boolean {
    const { attempts, remotes } = this.#state;
    return judgePast(attempts, remotes, isIpv6, one, onePort, other, otherPort, seconds);
  }
}
