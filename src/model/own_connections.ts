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

/** Judges ends by what is known of the sensor's own connections, wherever that is from. */
export abstract class KnownConnections implements OwnConnections {
  judge(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
  ): number {
    for (const { local, remote } of this.connectionsSeen()) {
      const isIt = isEnd(local, isIpv6, one, onePort) && isEnd(remote, isIpv6, other, otherPort) ||
        isEnd(remote, isIpv6, one, onePort) && isEnd(local, isIpv6, other, otherPort);
      if (isIt) return OURS;
    }
    const mayBe = this.isUnsettled() && this.#hasFarEnd(isIpv6, one, onePort, other, otherPort);
    return mayBe ? MAYBE_OURS : NOT_OURS;
  }

  wasAttempt(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
    seconds: number,
  ): boolean {
    for (const { from, until } of this.attempts()) {
      if (seconds < from || seconds > until) continue;
      return this.#hasFarEnd(isIpv6, one, onePort, other, otherPort);
    }
    return false;
  }

  /** Those whose packets may still be seen. */
  protected abstract connectionsSeen(): Iterable<OwnConnection>;

  /** All far ends that were connected to, or tried. */
  protected abstract farEnds(): Iterable<OwnEnd>;

  /** When connections were being made, in the last minutes. */
  protected abstract attempts(): Iterable<OwnAttempts>;

  /** Whether there may be a connection of which the local end is not known. */
  protected abstract isUnsettled(): boolean;

  /** Whether one of two ends is a far end. */
  #hasFarEnd(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
  ): boolean {
    for (const end of this.farEnds()) {
      if (isEnd(end, isIpv6, one, onePort) || isEnd(end, isIpv6, other, otherPort)) return true;
    }
    return false;
  }
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
export class OwnConnectionsCopy extends KnownConnections {
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

  protected override connectionsSeen(): Iterable<OwnConnection> {
    return this.#state.connections;
  }

  protected override farEnds(): Iterable<OwnEnd> {
    return this.#state.remotes;
  }

  protected override attempts(): Iterable<OwnAttempts> {
    return this.#state.attempts;
  }

  protected override isUnsettled(): boolean {
    return performance.now() < this.#settledAt;
  }
}
