import { BY_NAMES } from "./by.ts";
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
/** Words of a key: kind, two addresses, ports. */
const IPV4_KEY = 4;
const IPV6_KEY = 10;

/** Makes observations of what the meter found, and holds back those that were made lately. */
export class KeyWriter {
  /** Flow observations made. */
  flows = 0;
  /** The same by what decided them. */
  readonly flowsBy: Float64Array = new Float64Array(BY_NAMES.length);
  /** Observations made. */
  written = 0;
  readonly #batch = new ObservationBatch(BATCH);
  readonly #emit: (batch: ObservationBatch) => void;
  readonly #ipv4: HeldKeys;
  readonly #ipv6: HeldKeys;
  readonly #ipv4Key = new Int32Array(IPV4_KEY);
  readonly #ipv6Key = new Int32Array(IPV6_KEY);
  readonly #none = new Uint32Array(4);
  #seconds = 0;
  #window = 0;

  /**
   * @param limit How many keys of each address family are held back at most.
   * @param emit Takes a batch, which is used again as soon as this returns.
   */
  constructor(limit: number, emit: (batch: ObservationBatch) => void) {
    this.#ipv4 = new HeldKeys(IPV4_KEY, limit);
    this.#ipv6 = new HeldKeys(IPV6_KEY, limit);
    this.#emit = emit;
  }

  /** Sets the time and the window (see {@linkcode HeldKeys}) of what is written next. */
  setTime(seconds: number, window: number): void {
    this.#seconds = seconds;
    this.#window = window;
  }

  /**
   * Writes the keys of a flow: client, both peers, and the flow unless it is ignored.
   *
   * @param about What decided it and the protocol, as in an observation's `WORD_ABOUT`.
   * @returns The window in which one of them may be written again.
   */
  writeFlow(
    isIpv6: boolean,
    client: Uint32Array,
    server: Uint32Array,
    port: number,
    about: number,
    isIgnored: boolean,
  ): number {
    let until = this.writeClient(isIpv6, client);
    if (!isIgnored) {
      const flow = this.#admit(KIND_FLOW, isIpv6, client, server, port);
      if (flow === 0) {
        this.#push(KIND_FLOW, isIpv6, client, server, port, about);
        this.flows++;
        this.flowsBy[about & 0xff]++;
      }
      until = Math.min(until, this.#nextWindow(flow));
    }
    // Both are written together always, so one of them stands for both in the set of held keys.
    const order = compare(client, server);
    const peer = this.#admit(
      KIND_PEER,
      isIpv6,
      order <= 0 ? client : server,
      order <= 0 ? server : client,
      0,
    );
    if (peer === 0) {
      this.#push(KIND_PEER, isIpv6, client, server, 0, 0);
      // An address that talks with itself has one key, which is written once.
      if (order !== 0) this.#push(KIND_PEER, isIpv6, server, client, 0, 0);
    }
    return Math.min(until, this.#nextWindow(peer));
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
    if (this.#admit(kindAndCode, isIpv6, client, other, ports) === 0) {
      this.#push(kindAndCode, isIpv6, client, other, ports, protocol << 8);
    }
  }

  /** Hands on what was written. */
  flush(): void {
    if (this.#batch.count === 0) return;
    this.#emit(this.#batch);
    this.#batch.clear();
  }

  /**
   * Writes the key of a client.
   *
   * @returns The window in which it may be written again.
   */
  writeClient(isIpv6: boolean, client: Uint32Array): number {
    const held = this.#admit(KIND_CLIENT, isIpv6, client, this.#none, 0);
    if (held === 0) this.#push(KIND_CLIENT, isIpv6, client, this.#none, 0, 0);
    return this.#nextWindow(held);
  }

  #nextWindow(held: number): number {
    return held === 0 ? this.#window + WINDOWS_HELD : held;
  }

  #admit(kind: number, isIpv6: boolean, a: Uint32Array, b: Uint32Array, ports: number): number {
    if (isIpv6) {
      const key = this.#ipv6Key;
      key[0] = kind;
      for (let word = 0; word < 4; word++) {
        key[1 + word] = a[word];
        key[5 + word] = b[word];
      }
      key[9] = ports;
      return this.#ipv6.admit(key, this.#window);
    }
    const key = this.#ipv4Key;
    key[0] = kind;
    key[1] = a[3];
    key[2] = b[3];
    key[3] = ports;
    return this.#ipv4.admit(key, this.#window);
  }

  #push(
    kind: number,
    isIpv6: boolean,
    a: Uint32Array,
    b: Uint32Array,
    ports: number,
    about: number,
  ): void {
    if (this.#batch.isFull) this.flush();
    const { words } = this.#batch;
    const at = this.#batch.count++ * OBSERVATION_WORDS;
    words[at + WORD_KIND] = isIpv6 ? kind | IPV6_BIT : kind;
    for (let word = 0; word < 4; word++) {
      words[at + WORD_A + word] = isIpv6 || word === 3 ? a[word] : 0;
      words[at + WORD_B + word] = isIpv6 || word === 3 ? b[word] : 0;
    }
    words[at + WORD_PORTS] = ports;
    words[at + WORD_ABOUT] = about;
    words[at + WORD_SECONDS] = this.#seconds;
    this.written++;
  }
}

function compare(a: Uint32Array, b: Uint32Array): number {
  for (let word = 0; word < 4; word++) {
    if (a[word] !== b[word]) return a[word] < b[word] ? -1 : 1;
  }
  return 0;
}
