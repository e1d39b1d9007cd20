import type { Socket } from "node:net";
import { parseAddress } from "../model/address.ts";
import {
  KnownConnections,
  type OwnAttempts,
  type OwnConnection,
  type OwnConnectionsState,
  type OwnEnd,
} from "../model/own_connections.ts";
import { socketsMadeBy } from "./sockets_made_by.ts";

/** The two ends of a TCP connection of ours, addresses as text. */
export interface TcpEndpoints {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** The far end of a connection of ours. */
export interface Remote {
  readonly address: string;
  readonly port: number;
}

interface Connection extends OwnConnection {
  readonly endpoints: TcpEndpoints;
  /** When it was closed, in milliseconds, or `Infinity` while it is open. */
  closedAt: number;
}

/**
 * How long, in milliseconds, a failed attempt may still be seen in packets: what was captured waits
 * in the kernel's buffer and in ours, a fraction of a second each.
 */
const FAILED_SEEN = 2_000;

/**
 * How long, in milliseconds, a closed connection may still be seen: where the far end does not answer,
 * the kernel sends what is left for two minutes, and five minutes of silence later its conversation is
 * told of as one that is over.
 */
const CLOSED_SEEN = 600_000;

/** How many of them are known at most: over a link that is cut again and again there are many. */
const MOST_CLOSED = 500;

/** A conversation that came to nothing is told of at most so many milliseconds after it began. */
const ATTEMPTS_SEEN = 300_000;

/** How far, in seconds, times of packets may be from those of the clock. */
const ATTEMPT_MARGIN = 1;

/**
 * The sockets with which the sensor talks to a store, so that they are never reported as flows.
 *
 * The local port of a connection is known only once it is made, a moment after its first packets
 * may have been captured, and that of a failed attempt never. So for that moment every conversation
 * with the same far end might be ours. The far end is known before the first packet is sent.
 */
export class OwnSockets extends KnownConnections {
  readonly #connections = new Map<Socket, Connection>();
  readonly #remotes = new Map<string, Remote & OwnEnd>();
  /** Those whose local port is not known yet, with when they began, in seconds since 1970. */
  readonly #settling = new Map<Socket, number>();
  /** The oldest first; none begins before another one ends. */
  #attempts: OwnAttempts[] = [];
  readonly #now: () => number;
  readonly #clock: () => number;
  #lastFailure = -Infinity;
  /** Called when a connection begins, is made, fails, or ends, and when its far end becomes known. */
  onEndpointsChanged: () => void = () => {};

  /**
   * @param now A clock in milliseconds.
   * @param clock One that packets have their times from, in milliseconds since 1970-01-01 UTC.
   */
  constructor(now: () => number = () => performance.now(), clock: () => number = Date.now) {
    super();
    this.#now = now;
    this.#clock = clock;
  }

  /** The ends of all TCP connections that are open. */
  endpoints(): readonly TcpEndpoints[] {
    return [...this.#connections.values()]
      .filter(({ closedAt }) => closedAt === Infinity)
      .map(({ endpoints }) => endpoints);
  }

  /** All far ends that were connected to, or tried. */
  remotes(): readonly Remote[] {
    return [...this.#remotes.values()].map(({ address, port }) => ({ address, port }));
  }

  /** Whether a connection is being made whose local port is not known yet. */
  get isSettling(): boolean {
    return this.#settling.size > 0;
  }

  protected override connectionsSeen(): Iterable<OwnConnection> {
    return this.#connections.values();
  }

  protected override farEnds(): Iterable<OwnEnd> {
    return this.#remotes.values();
  }

  protected override attempts(): Iterable<OwnAttempts> {
    return this.#attempts;
  }

  protected override isUnsettled(): boolean {
    return this.#unsettledFor() > 0;
  }

  /** What is known now, for other threads. */
  state(): OwnConnectionsState {
    return {
      connections: [...this.#connections.values()].map(({ local, remote }) => ({ local, remote })),
      remotes: [...this.#remotes.values()].map(({ isIpv6, words, port }) => ({
        isIpv6,
        words,
        port,
      })),
      attempts: this.#attempts,
      unsettledFor: this.#unsettledFor(),
    };
  }

  /** For how many milliseconds more a conversation with one of the far ends may be ours. */
  #unsettledFor(): number {
    return this.isSettling ? Infinity : this.#lastFailure + FAILED_SEEN - this.#now();
  }

  /**
   * Follows the socket that a library makes in `start`, before that returns.
   *
   * @param host The name or address that is connected to.
   * @param port The port there.
   */
  track<T>(host: string, port: number, start: () => T): T {
    return socketsMadeBy(start, (socket) => this.follow(socket, host, port));
  }

  /**
   * Follows a socket from its beginning, which is now, to its end.
   *
   * @param host The name or address that it connects to.
   * @param port The port there.
   */
  follow(socket: Socket, host: string, port: number): void {
    this.#forgetClosed();
    this.#settling.set(socket, this.#clock() / 1000);
    // An address is not looked up, so there is no event that tells it.
    this.#addRemote(host, port);
    this.onEndpointsChanged();
    socket.on("lookup", (_error, address) => this.#learnRemote(address, port));
    socket.on("connectionAttempt", (address) => this.#learnRemote(address, port));
    socket.once("connect", () => this.#connected(socket));
    socket.once("close", () => this.#closed(socket));
  }

  /** A far end that was looked up, before the first packet is sent there. */
  #learnRemote(address: string | undefined, port: number): void {
    if (this.#addRemote(address, port)) this.onEndpointsChanged();
  }

  /** @returns Whether it was not known. A name is passed over. */
  #addRemote(address: string | undefined, port: number): boolean {
    if (!address || this.#remotes.has(`${address} ${port}`)) return false;
    const end = endOf(address, port);
    if (end !== null) this.#remotes.set(`${address} ${port}`, { address, ...end });
    return end !== null;
  }

  #connected(socket: Socket): void {
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (localAddress && localPort && remoteAddress && remotePort) {
      this.#addRemote(remoteAddress, remotePort);
      const local = endOf(localAddress, localPort);
      const remote = endOf(remoteAddress, remotePort);
      const endpoints = { localAddress, localPort, remoteAddress, remotePort };
      if (local !== null && remote !== null) {
        this.#connections.set(socket, { endpoints, local, remote, closedAt: Infinity });
      }
    }
    // Of a name with several addresses, others may have been tried in vain.
    this.#settled(socket);
    this.onEndpointsChanged();
  }

  /** @returns Whether it was not, until now. */
  #settled(socket: Socket): boolean {
    const began = this.#settling.get(socket);
    if (began === undefined) return false;
    this.#settling.delete(socket);
    const now = this.#clock() / 1000;
    const from = Math.floor(began) - ATTEMPT_MARGIN;
    const until = Math.floor(now) + ATTEMPT_MARGIN;
    const attempts = this.#attempts.filter((it) => it.until > now - ATTEMPTS_SEEN / 1000);
    const last = attempts.at(-1);
    if (last !== undefined && from <= last.until) {
      attempts.pop();
      attempts.push({ from: Math.min(from, last.from), until: Math.max(until, last.until) });
    } else {
      attempts.push({ from, until });
    }
    this.#attempts = attempts;
    return true;
  }

  #closed(socket: Socket): void {
    if (this.#settled(socket)) this.#lastFailure = this.#now();
    const connection = this.#connections.get(socket);
    if (connection !== undefined) connection.closedAt = this.#now();
    this.onEndpointsChanged();
  }

  #forgetClosed(): void {
    const now = this.#now();
    const closed = [...this.#connections].filter(([, { closedAt }]) => closedAt !== Infinity);
    closed.forEach(([socket, { closedAt }], i) => {
      const isTooMany = i < closed.length - MOST_CLOSED;
      if (isTooMany || now - closedAt > CLOSED_SEEN) this.#connections.delete(socket);
    });
  }
}

function endOf(text: string, port: number): OwnEnd | null {
  const address = parseAddress(text.replace(/%.*$/, ""));
  return address === null ? null : { isIpv6: address.family === 6, words: address.words, port };
}
