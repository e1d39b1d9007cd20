import { BY_NAMES } from "./by.ts";
import { HeldKeys, type HeldKeysMemory, type KeyProgram } from "./held_keys.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
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
export const OBSERVATIONS_AT_ONCE = 4096;
/** Flows that are asked about at once: `assembly/keys.ts` has the same. */
export const FLOWS_AT_ONCE = 128;
/** Numbers of `BY_NAMES` fit in the byte that a flow has for them. */
const MOST_BY = 256;

const WORD = 4;
/** Words of a staged flow. */
const STAGED = 16;
/** Fingerprints of three keys, of two words each. */
const FINGERPRINTS = 3 * 2;

/** Observations that one flow may lead to: client, flow, and both peers. */
const MOST_OBSERVATIONS = 4;

/** What lies where in the program's room, in bytes from its beginning. */
const FLOWS_BY_AT = 0;
const STAGED_AT = FLOWS_BY_AT + MOST_BY * 8;
const FINGERPRINTS_AT = STAGED_AT + FLOWS_AT_ONCE * STAGED * WORD;
const OBSERVATIONS_AT = FINGERPRINTS_AT + FLOWS_AT_ONCE * FINGERPRINTS * WORD;
const SEEN_AT = OBSERVATIONS_AT + OBSERVATIONS_AT_ONCE * OBSERVATION_WORDS * WORD;
/** Bytes that it needs in the memory of the keys that are held back. */
export const KEY_WRITER_ROOM = SEEN_AT + OBSERVATIONS_AT_ONCE * OBSERVATION_WORDS * WORD;

/**
 * Makes observations of what the meter found, and holds back those that were made lately.
 *
 * In a meter's memory its program writes the keys of flows besides. Flows are staged first, then
 * committed together: asking whether a key is held back is mostly waiting for memory, and so they wait
 * together.
 */
export class KeyWriter {
  /** Flow observations made, by what decided them. */
  readonly flowsBy: Float64Array;

  readonly #batch: ObservationBatch;
  /** What was seen again though its key is held back, and where that is. */
  readonly seen: ObservationBatch;
  readonly seenAt: number;
  readonly #onSeen: ((batch: ObservationBatch) => void) | null;
  readonly #emit: (batch: ObservationBatch) => void;
  readonly #program: KeyProgram;
  /** The words that tell one key from another. */
  readonly #identity: Uint32Array;
  readonly #identityAt: number;
  #emitted = 0;
  #seconds = 0;
  #window = 0;

  /**
   * @param held Where keys are that are held back, or how many at most.
   * @param emit Takes a batch, which is used again as soon as this returns.
   * @param onSeen The same of what was seen again while its key is held back.
   */
  constructor(
    held: HeldKeysMemory | number,
    emit: (batch: ObservationBatch) => void,
    onSeen: ((batch: ObservationBatch) => void) | null = null,
  ) {
    const { program, buffer, room, identity, identityAt } = typeof held === "number"
      ? new HeldKeys(held, undefined, KEY_WRITER_ROOM).memory
      : held;
    this.#program = program;
    this.#emit = emit;
    this.#onSeen = onSeen;
    this.flowsBy = new Float64Array(buffer, room + FLOWS_BY_AT, BY_NAMES.length);
    this.#identityAt = identityAt;
    this.#identity = identity;
    const words = OBSERVATIONS_AT_ONCE * OBSERVATION_WORDS;
    const observations = new Uint32Array(buffer, room + OBSERVATIONS_AT, words);
    this.#batch = new ObservationBatch(OBSERVATIONS_AT_ONCE, observations);
    this.seenAt = room + SEEN_AT;
    this.seen = new ObservationBatch(
      OBSERVATIONS_AT_ONCE,
      new Uint32Array(buffer, this.seenAt, words),
    );
    program.setUpWriter(
      room + STAGED_AT,
      room + FINGERPRINTS_AT,
      room + OBSERVATIONS_AT,
      room + FLOWS_BY_AT,
    );
  }

  /** Flow observations made. */
  get flows(): number {
    return this.flowsBy.reduce((sum, flows) => sum + flows, 0);
  }

  /** Observations made. */
  get written(): number {
    return this.#emitted + this.#batch.count;
  }

  /** Sets the time and the window (see {@linkcode HeldKeys}) of what is written next. */
  setTime(seconds: number, window: number): void {
    this.#seconds = seconds;
    this.#window = window;
  }

  /**
   * Has others write.
   *
   * @param write Is told how many observations there are. What it has written when it throws is kept.
   * @param written Says how many there are then.
   */
  writeWith(write: (count: number) => void, written: () => number): void {
    try {
      write(this.#batch.count);
    } finally {
      this.#batch.count = written();
    }
  }

  /** Hands on what others have written meanwhile. */
  handOn(count: number): void {
    this.#batch.count = count;
    this.flush();
  }

  /** Writes the key of a client. */
  writeClient(isIpv6: boolean, client: Uint32Array): void {
    if (this.#admit(KIND_CLIENT, isIpv6, client, null, 0)) {
      this.#push(KIND_CLIENT, isIpv6, client, null, 0, 0);
    }
  }

  /**
   * Writes the keys of a flow: client, both peers, and the flow unless it is ignored.
   *
   * @param about What decided it and the protocol, as in an observation's `WORD_ABOUT`.
   */
  writeFlow(
    isIpv6: boolean,
    client: Uint32Array,
    server: Uint32Array,
    port: number,
    about: number,
    isIgnored: boolean,
  ): void {
    const batch = this.#batch;
    if (batch.count + MOST_OBSERVATIONS > batch.capacity) this.flush();
    this.#identity.set(client);
    this.#identity.set(server, 4);
    const at = this.#identityAt;
    const serverAt = at + 4 * WORD;
    this.#program.stageFlow(0, isIpv6, at, serverAt, port, about, isIgnored, this.#seconds);
    batch.count = this.#program.commit(1, batch.count, this.#window);
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
    const isFree = this.#admit(kindAndCode, isIpv6, client, other, ports);
    if (!isFree && this.#onSeen === null) return;
    const batch = isFree ? this.#batch : this.seen;
    this.#push(kindAndCode, isIpv6, client, other, ports, protocol << 8, batch);
  }

  /** Hands on what was written. */
  flush(): void {
    if (this.#batch.count === 0) return;
    this.#emit(this.#batch);
    this.#emitted += this.#batch.count;
    this.#batch.clear();
  }

  /** Hands on what was seen again. */
  flushSeen(): void {
    if (this.seen.count === 0) return;
    this.#onSeen?.(this.seen);
    this.seen.clear();
  }

  /** @param b The second address, or `null` where there is none. */
  #admit(
    kind: number,
    isIpv6: boolean,
    a: Uint32Array,
    b: Uint32Array | null,
    ports: number,
  ): boolean {
    const identity = this.#identity;
    identity[WORD_KIND] = isIpv6 ? kind | IPV6_BIT : kind;
    for (let word = 0; word < 4; word++) {
      const counts = isIpv6 || word === 3;
      identity[WORD_A + word] = counts ? a[word] : 0;
      identity[WORD_B + word] = counts && b !== null ? b[word] : 0;
    }
    identity[WORD_PORTS] = ports;
    return this.#program.admitObservation(this.#identityAt, this.#window) === 0;
  }

  /** @param b The second address, or `null` where there is none. */
  #push(
    kind: number,
    isIpv6: boolean,
    a: Uint32Array,
    b: Uint32Array | null,
    ports: number,
    about: number,
    batch: ObservationBatch = this.#batch,
  ): void {
    if (batch.isFull) {
      if (batch === this.#batch) this.flush();
      else this.flushSeen();
    }
    const { words } = batch;
    const at = batch.count++ * OBSERVATION_WORDS;
    words[at + WORD_KIND] = isIpv6 ? kind | IPV6_BIT : kind;
    for (let word = 0; word < 4; word++) {
      const counts = isIpv6 || word === 3;
      words[at + WORD_A + word] = counts ? a[word] : 0;
      words[at + WORD_B + word] = counts && b !== null ? b[word] : 0;
    }
    words[at + WORD_PORTS] = ports;
    words[at + WORD_ABOUT] = about;
    words[at + WORD_SECONDS] = this.#seconds;
  }
}
