import { BY_NAMES } from "./by.ts";
import { Fingerprint } from "./fingerprint.ts";
import { HeldKeys, WINDOWS_HELD } from "./held_keys.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_PEER,
  OBSERVATION_WORDS,
  ObservationBatch,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
} from "./observation_batch.ts";

/** Observations that are handed on at once. */
const BATCH = 4096;
/** Flows that are asked about at once. */
export const FLOWS_AT_ONCE = 128;

/** The keys of a flow that are held back, and the two words of each one's fingerprint. */
const CLIENT = 0;
const FLOW = 1;
/** Both peer keys are written together always, so one of them stands for both. */
const PEER = 2;
const KEYS = 3;

/** Words of a staged flow: client and server, four words each. */
const ADDRESSES = 8;
const SERVER = 4;

/** Flags of a staged flow. */
const IS_IPV6 = 1;
const IS_IGNORED = 2;

/**
 * Makes observations of what the meter found, and holds back those that were made lately.
 *
 * Flows are staged first, then committed together: asking whether a key is held back is mostly
 * waiting for memory, and so they wait together.
 */
export class KeyWriter {
  /** Flow observations made. */
  flows = 0;
  /** The same by what decided them. */
  readonly flowsBy: Float64Array = new Float64Array(BY_NAMES.length);
  /** Observations made. */
  written = 0;
  /** For each committed flow, the window in which one of its keys may be written again. */
  readonly until: Int32Array = new Int32Array(FLOWS_AT_ONCE);

  readonly #batch = new ObservationBatch(BATCH);
  readonly #emit: (batch: ObservationBatch) => void;
  readonly #held: HeldKeys;
  readonly #windowsHeld: number;
  readonly #fingerprint = new Fingerprint();
  #seconds = 0;
  #window = 0;

  #staged = 0;
  /** Signed: an unsigned word may be more than the engine keeps without allocating. */
  readonly #addresses = new Int32Array(FLOWS_AT_ONCE * ADDRESSES);
  readonly #port = new Int32Array(FLOWS_AT_ONCE);
  readonly #about = new Int32Array(FLOWS_AT_ONCE);
  readonly #flags = new Int32Array(FLOWS_AT_ONCE);
  readonly #firstHalves = new Int32Array(FLOWS_AT_ONCE * KEYS);
  readonly #secondHalves = new Int32Array(FLOWS_AT_ONCE * KEYS);
  #sum = 0;

  /**
   * @param limit How many keys are held back at most.
   * @param emit Takes a batch, which is used again as soon as this returns.
   * @param windowsHeld In how many windows a key is held back.
   */
  constructor(
    limit: number,
    emit: (batch: ObservationBatch) => void,
    windowsHeld: number = WINDOWS_HELD,
  ) {
    this.#held = new HeldKeys(limit, windowsHeld);
    this.#windowsHeld = windowsHeld;
    this.#emit = emit;
  }

  /** Sets the time and the window (see {@linkcode HeldKeys}) of what is written next. */
  setTime(seconds: number, window: number): void {
    this.#seconds = seconds;
    this.#window = window;
  }

  /** How many flows are staged. There is room for {@linkcode FLOWS_AT_ONCE}. */
  get staged(): number {
    return this.#staged;
  }

  /**
   * Stages a flow, whose keys are client, both peers, and the flow unless it is ignored.
   *
   * @param about What decided it and the protocol, as in an observation's `WORD_ABOUT`.
   */
  stageFlow(
    isIpv6: boolean,
    client: Uint32Array,
    server: Uint32Array,
    port: number,
    about: number,
    isIgnored: boolean,
  ): void {
    const at = this.#staged++;
    const addresses = this.#addresses;
    const base = at * ADDRESSES;
    for (let word = 0; word < 4; word++) {
      addresses[base + word] = client[word];
      addresses[base + SERVER + word] = server[word];
    }
    this.#port[at] = port;
    this.#about[at] = about;
    this.#flags[at] = (isIpv6 ? IS_IPV6 : 0) | (isIgnored ? IS_IGNORED : 0);
    this.#identify(at * KEYS + CLIENT, KIND_CLIENT, isIpv6, base, -1, 0);
    this.#identify(at * KEYS + FLOW, KIND_FLOW, isIpv6, base, base + SERVER, port);
    const isOrdered = compare(client, server) <= 0;
    const low = isOrdered ? base : base + SERVER;
    const high = isOrdered ? base + SERVER : base;
    this.#identify(at * KEYS + PEER, KIND_PEER, isIpv6, low, high, 0);
  }

  /** Writes the keys of the staged flows that are not held back, and fills `until`. */
  commit(): void {
    this.#sum ^= this.#held.prefetch(this.#firstHalves, this.#staged * KEYS);
    for (let at = 0; at < this.#staged; at++) this.until[at] = this.#commitFlow(at);
    this.#staged = 0;
  }

  #commitFlow(at: number): number {
    const flags = this.#flags[at];
    const isIpv6 = (flags & IS_IPV6) !== 0;
    const client = at * ADDRESSES;
    const server = client + SERVER;
    const addresses = this.#addresses;
    const clientHeld = this.#admit(at * KEYS + CLIENT);
    if (clientHeld === 0) this.#push(KIND_CLIENT, isIpv6, addresses, client, addresses, -1, 0, 0);
    let until = this.#nextWindow(clientHeld);
    if ((flags & IS_IGNORED) === 0) {
      const flowHeld = this.#admit(at * KEYS + FLOW);
      if (flowHeld === 0) {
        const about = this.#about[at];
        const port = this.#port[at];
        this.#push(KIND_FLOW, isIpv6, addresses, client, addresses, server, port, about);
        this.flows++;
        this.flowsBy[about & 0xff]++;
      }
      until = Math.min(until, this.#nextWindow(flowHeld));
    }
    const peerHeld = this.#admit(at * KEYS + PEER);
    if (peerHeld === 0) {
      this.#push(KIND_PEER, isIpv6, addresses, client, addresses, server, 0, 0);
      // An address that talks with itself has one peer key: both ways are the same.
      if (!areEqual(addresses, client, server)) {
        this.#push(KIND_PEER, isIpv6, addresses, server, addresses, client, 0, 0);
      }
    }
    return Math.min(until, this.#nextWindow(peerHeld));
  }

  /** Writes the key of a client. */
  writeClient(isIpv6: boolean, client: Uint32Array): void {
    if (this.#admitNow(KIND_CLIENT, isIpv6, client, null, 0) === 0) {
      this.#push(KIND_CLIENT, isIpv6, client, 0, client, -1, 0, 0);
    }
  }

  /** Writes the keys of a refused connection or an unreachable port: client, and the key itself. */
  writeRefusal(
    kind: number,
    isIpv6: boolean,
    client: Uint32Array,
    other: Uint32Array,
    ports: number,
    code: number,
    protocol: number,
  ): void {
    this.writeClient(isIpv6, client);
    const kindAndCode = kind | (code << 16);
    if (this.#admitNow(kindAndCode, isIpv6, client, other, ports) === 0) {
      this.#push(kindAndCode, isIpv6, client, 0, other, 0, ports, protocol << 8);
    }
  }

  /** Hands on what was written. */
  flush(): void {
    if (this.#batch.count === 0) return;
    this.#emit(this.#batch);
    this.#batch.clear();
  }

  #admit(key: number): number {
    return this.#held.admit(this.#firstHalves[key], this.#secondHalves[key], this.#window);
  }

  #nextWindow(held: number): number {
    return held === 0 ? this.#window + this.#windowsHeld : held;
  }

  /** Makes the fingerprint of a key of a staged flow; `b` is -1 where it has one address only. */
  #identify(
    key: number,
    kind: number,
    isIpv6: boolean,
    a: number,
    b: number,
    ports: number,
  ): void {
    const addresses = this.#addresses;
    const fingerprint = this.#fingerprint;
    fingerprint.begin();
    fingerprint.add(isIpv6 ? kind | IPV6_BIT : kind);
    for (let word = isIpv6 ? 0 : 3; word < 4; word++) fingerprint.add(addresses[a + word]);
    if (b >= 0) {
      for (let word = isIpv6 ? 0 : 3; word < 4; word++) fingerprint.add(addresses[b + word]);
    }
    fingerprint.add(ports);
    this.#firstHalves[key] = fingerprint.first;
    this.#secondHalves[key] = fingerprint.second;
  }

  #admitNow(
    kind: number,
    isIpv6: boolean,
    a: Uint32Array,
    b: Uint32Array | null,
    ports: number,
  ): number {
    const fingerprint = this.#fingerprint;
    fingerprint.begin();
    fingerprint.add(isIpv6 ? kind | IPV6_BIT : kind);
    for (let word = isIpv6 ? 0 : 3; word < 4; word++) fingerprint.add(a[word] | 0);
    if (b !== null) {
      for (let word = isIpv6 ? 0 : 3; word < 4; word++) {
        fingerprint.add(b[word] | 0);
      }
    }
    fingerprint.add(ports);
    return this.#held.admitKey(fingerprint, this.#window);
  }

  /** @param bAt Where the second address is in `b`, or -1 where there is none. */
  #push(
    kind: number,
    isIpv6: boolean,
    a: Uint32Array | Int32Array,
    aAt: number,
    b: Uint32Array | Int32Array,
    bAt: number,
    ports: number,
    about: number,
  ): void {
    if (this.#batch.isFull) this.flush();
    const { words } = this.#batch;
    const at = this.#batch.count++ * OBSERVATION_WORDS;
    words[at + WORD_KIND] = isIpv6 ? kind | IPV6_BIT : kind;
    for (let word = 0; word < 4; word++) {
      const counts = isIpv6 || word === 3;
      words[at + WORD_A + word] = counts ? a[aAt + word] : 0;
      words[at + WORD_B + word] = counts && bAt >= 0 ? b[bAt + word] : 0;
    }
    words[at + WORD_PORTS] = ports;
    words[at + WORD_ABOUT] = about;
    words[at + WORD_SECONDS] = this.#seconds;
    this.written++;
  }
}

function areEqual(words: Int32Array, a: number, b: number): boolean {
  for (let word = 0; word < 4; word++) {
    if (words[a + word] !== words[b + word]) return false;
  }
  return true;
}

function compare(a: Uint32Array, b: Uint32Array): number {
  for (let word = 0; word < 4; word++) {
    if (a[word] !== b[word]) return a[word] < b[word] ? -1 : 1;
  }
  return 0;
}
