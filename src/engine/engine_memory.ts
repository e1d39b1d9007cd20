import { PacketBatch } from "../capture/packet_batch.ts";
import { startProgram } from "../wasm_program.ts";
import {
  BATCH_PACKETS,
  CACHE_LINE,
  CELL4_SHIFT,
  CELL6_SHIFT,
  COLD_SHIFT,
  FINGERPRINT_SECRETS,
  FINGERPRINT_SECRETS_SIZE,
  FIRST_INDEX,
  FIRST_SUPPRESSED,
  FULL_AFTERWARDS,
  INDEX_CAPTURED,
  INDEX_INTERFACE,
  INDEX_LENGTH,
  INDEX_LINK_TYPE,
  INDEX_MILLISECONDS,
  INDEX_OFFSET,
  INDEX_SECONDS,
  INPUT,
  INPUT_SIZE,
  NUMBER_MASK,
  PAGE,
  SECRETS,
  SECRETS_SIZE,
  SUPPRESSED_SLOT,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  TABLE_COLD,
  TABLE_INDEX,
  TABLE_LIMIT,
  TABLE_NAMES,
  TABLE_TUNNELS,
  TUNNEL_SHIFT,
  VARIABLE,
  WORD,
} from "./layout.ts";
import { FIRST_WINDOW, WINDOWS_SUPPRESSED } from "../model/windows.ts";
import { PROGRAM } from "./program.ts";

/** The most conversations of a family: what an index word can number. */
export const MOST_CONVERSATIONS = NUMBER_MASK;
/** Keys that are suppressed at the same time, unless it is said otherwise. */
const DEFAULT_MOST_SUPPRESSED = 1_000_000;

/** What the program asks of JavaScript. Addresses are places in its memory. */
export interface EngineHost {
  /** The packets that come next are of this second since 1970-01-01 UTC. */
  followTime(second: number): void;
  /**
   * Decodes a packet that is not as most are.
   *
   * @param length Its bytes on the wire.
   */
  decode(packet: number, captured: number, linkType: number, length: number): void;
  /** Reads a packet as a whole, at its turn: one of a port whose packets are wanted, or ICMP. */
  read(packet: number, captured: number, linkType: number): void;
  /** What a payload says of who sent it, that is not DNS: `payloadRole()`. */
  payloadRole(
    protocol: number,
    payload: number,
    end: number,
    ports: number,
    order: number,
  ): number;
  /**
   * Reads one of the first payloads of a conversation: see `FirstPayloadReader`. The number of its names
   * is at `CARRIED_NAME`.
   */
  readFirst(
    isIpv6: number,
    number: number,
    direction: number,
    protocol: number,
    payload: number,
    size: number,
    flags: number,
    sequence: number,
    isFirst: number,
    isEarly: number,
  ): number;
  /** Reads which ports the payload of a control connection announces, and calls `announce` for each. */
  readAnnouncements(protocol: number, payload: number, end: number): void;
  /** Takes all observations. */
  emit(count: number): void;
  /** Takes refusals that were seen again while their keys are suppressed. */
  see(count: number): void;
  /** What `OwnConnections` say of the ends in the facts. */
  judgeOwn(): number;
  /** What they say of a conversation of these ends that began at this second and came to nothing. */
  wasOwnAttempt(seconds: number): boolean;
  /** Whether the host listens on an address and port. */
  isListening(isIpv6: number, address: number, port: number, protocol: number): boolean;
  /** What a rule that is a function says of the facts. */
  askFunction(rule: number): number;
  /** The attribution of what is in the facts gave way to stronger evidence. */
  corrected(before: number, after: number): void;
  /** A conversation, or a generation of it, is forgotten: its cells are still what they were. */
  ended(isIpv6: number, number: number): void;
  /** Takes records of conversations. */
  record(count: number): void;
}

/** What `assembly/engine.ts` exports. Times are seconds since 1970-01-01 UTC, and milliseconds. */
export interface EngineProgram {
  add4(
    source: number,
    destination: number,
    ports: number,
    about: number,
    octets: number,
    payload: number,
    payloadEnd: number,
    vlan: number,
  ): void;
  add6(
    ports: number,
    about: number,
    octets: number,
    payload: number,
    payloadEnd: number,
    vlan: number,
  ): void;
  addOuter4(source: number, destination: number, octets: number): void;
  addOuter6(octets: number): void;
  addPeer(first: number, second: number, farPort: number, seconds: number): void;
  admit(first: number, second: number, window: number): number;
  addWhole(packet: number, captured: number, linkType: number): void;
  admitObservation(observation: number, window: number): number;
  classifyPending(isLast: boolean): void;
  commit(count: number): void;
  decide(isAgain: boolean): number;
  decideByRule(rule: number): number;
  declassifyAll(): void;
  directionFound(): number;
  endRecords(from: number, most: number): boolean;
  fingerprintOf(isIpv6: boolean, number: number): bigint;
  forgottenEnds(): number;
  forgottenHalfOpen(): number;
  onlyOpenedCount(): number;
  wantSeen(): void;
  findFacts(isAdded: boolean): number;
  findNetworks(): void;
  flushObservations(): void;
  flushRecords(): void;
  flushSeen(): void;
  forgottenKeysOf(): number;
  hashOf(isIpv6: boolean, addresses: number, ports: number, protocol: number): number;
  isIgnored(): number;
  isLocal(address: number): number;
  isSuppressed(): number;
  learnClient(first: number, second: number, seconds: number): void;
  learnServer(first: number, second: number, seconds: number): void;
  nextAddresses(): number;
  noteGap(seconds: number): void;
  noteHalfOpen(first: number, second: number, bits: number, seconds: number): number;
  noteUnreachable(protocol: number): void;
  observationsLeft(): number;
  payloadSays(packet: number, order: number): number;
  queries(): number;
  readAll(isIpv6: boolean, number: number, direction: number): void;
  recordFacts(): number;
  readEnd(first: number, second: number, seconds: number): number;
  setInterface(number: number): void;
  setTunnel(kind: number, id: number): void;
  setTime(second: number, millisecond: number, window: number): void;
  setUpSuppression(
    slots: number,
    otherSlots: number,
    limit: number,
    windows: number,
    firstWindow: number,
  ): void;
  announce(family: number, port: number, protocol: number): void;
  setUpAnnounced(): void;
  setUpAskers(): void;
  setUpEvidence(): void;
  setUpTables(): void;
  stageFlow(
    place: number,
    isIpv6: boolean,
    client: number,
    server: number,
    port: number,
    about: number,
    isIgnored: boolean,
    seconds: number,
    conversation: number,
  ): void;
  taken(): number;
  takeGroup(): void;
  takeFrames(from: number, count: number, back: number, linkType: number): void;
  takeHalfOpen(first: number, second: number, seconds: number): number;
  takeIndexed(from: number, to: number): void;
  takeRecords(
    from: number,
    end: number,
    most: number,
    header: number,
    mostBytes: number,
    isBigEndian: boolean,
    perMillisecond: number,
    linkType: number,
  ): number;
  touch(isIpv6: boolean, number: number): void;
  useClock(): void;
  useListening(): void;
  useMapping(): void;
  useOwn(): void;
  useTunnels(isInnerWanted: boolean, isOuterWanted: boolean): void;
  walkRecords(): void;
  wantEnds(): void;
  wantFlowRecords(): void;
  wantNames(): void;
  wantRecords(seconds: number): void;
  wasUnknown(): number;
  weigh(): number;
  writeClient(isIpv6: boolean, client: number): void;
  writeRefusal(
    kind: number,
    isIpv6: boolean,
    client: number,
    other: number,
    ports: number,
    code: number,
    protocol: number,
  ): void;
}

/** Nobody to ask: for whoever needs a part of the program that asks nobody. */
export const NO_HOST: EngineHost = {
  followTime: notAsked,
  decode: notAsked,
  read: notAsked,
  payloadRole: notAsked,
  readFirst: notAsked,
  readAnnouncements: notAsked,
  emit: notAsked,
  see: notAsked,
  judgeOwn: notAsked,
  wasOwnAttempt: notAsked,
  isListening: notAsked,
  askFunction: notAsked,
  corrected: notAsked,
  ended: notAsked,
  record: notAsked,
};

/**
 * The memory of an engine, or of a part of it: `layout.ts` says what lies where. It has its full size from
 * the start, which costs address space only: the system gives memory when it is first used. So views of
 * it stay valid, also for the C functions that write into it.
 */
export class EngineMemory {
  /** All of it. */
  readonly buffer: ArrayBuffer;
  /** All of it as words. */
  readonly words: Int32Array<ArrayBuffer>;
  /** All of it as bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** All of it, for what has another size. */
  readonly view: DataView<ArrayBuffer>;
  readonly #memory: WebAssembly.Memory;
  readonly #mostSuppressed: number;
  readonly #slots: number;
  readonly #slotsSize: number;

  /**
   * Makes a memory, whose tables are empty.
   *
   * @param maxConversations How many of each address family are remembered.
   * @param mostSuppressed How many keys are suppressed at the same time.
   */
  constructor(maxConversations: number, mostSuppressed: number = DEFAULT_MOST_SUPPRESSED) {
    if (maxConversations < 1 || maxConversations > MOST_CONVERSATIONS) {
      throw new RangeError(`${maxConversations} conversations`);
    }
    let end = VARIABLE;
    const take = (size: number): number => {
      const at = end;
      end = Math.ceil((at + size) / CACHE_LINE) * CACHE_LINE;
      return at;
    };
    this.#mostSuppressed = mostSuppressed;
    this.#slotsSize = largestSet(mostSuppressed) * SUPPRESSED_SLOT;
    this.#slots = take(2 * this.#slotsSize);
    const cells = maxConversations + 1;
    const index = indexSize(maxConversations) * WORD;
    const tables = [[TABLE4, CELL4_SHIFT], [TABLE6, CELL6_SHIFT]].map(([table, shift]) => ({
      table,
      cells: take(cells * 2 ** shift),
      cold: take(cells * 2 ** COLD_SHIFT),
      tunnels: take(cells * 2 ** TUNNEL_SHIFT),
      names: take(cells * WORD),
      index: take(index),
    }));
    const pages = Math.ceil(end / PAGE);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.buffer = this.#memory.buffer as ArrayBuffer;
    this.words = new Int32Array(this.buffer);
    this.bytes = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
    for (const { table, cells, cold, tunnels, names, index } of tables) {
      this.view.setUint32(table + TABLE_CELLS, cells, true);
      this.view.setUint32(table + TABLE_COLD, cold, true);
      this.view.setUint32(table + TABLE_TUNNELS, tunnels, true);
      this.view.setUint32(table + TABLE_NAMES, names, true);
      this.view.setUint32(table + TABLE_INDEX, index, true);
      this.view.setUint32(table + TABLE_LIMIT, maxConversations, true);
    }
    // Unknown to whoever sends us packets, so that they can't be made to fall into one slot.
    crypto.getRandomValues(this.bytes.subarray(SECRETS, SECRETS + SECRETS_SIZE));
    // And that they can't choose what has the same fingerprint.
    const secretsEnd = FINGERPRINT_SECRETS + FINGERPRINT_SECRETS_SIZE;
    crypto.getRandomValues(this.bytes.subarray(FINGERPRINT_SECRETS, secretsEnd));
  }

  /**
   * Has the program run in it.
   *
   * @param windowsSuppressed In how many windows a key is suppressed, that in which it was written
   * included.
   * @internal
   */
  start(host: EngineHost, windowsSuppressed: number = WINDOWS_SUPPRESSED): EngineProgram {
    const program = startProgram<EngineProgram>(PROGRAM, this.#memory, { ...host });
    program.setUpTables();
    program.setUpEvidence();
    program.setUpAskers();
    program.setUpAnnounced();
    program.setUpSuppression(
      this.#slots,
      this.#slots + this.#slotsSize,
      this.#mostSuppressed,
      windowsSuppressed,
      FIRST_WINDOW,
    );
    return program;
  }

  /** Where sources put packets. */
  get input(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, INPUT, INPUT_SIZE);
  }

  /** A batch of packets that lie in the input, without any. */
  newBatch(): PacketBatch {
    const { buffer } = this;
    return new PacketBatch(BATCH_PACKETS, this.input, {
      offset: new Int32Array(buffer, INDEX_OFFSET, BATCH_PACKETS),
      captured: new Int32Array(buffer, INDEX_CAPTURED, BATCH_PACKETS),
      length: new Uint32Array(buffer, INDEX_LENGTH, BATCH_PACKETS),
      seconds: new Uint32Array(buffer, INDEX_SECONDS, BATCH_PACKETS),
      milliseconds: new Uint16Array(buffer, INDEX_MILLISECONDS, BATCH_PACKETS),
      linkType: new Uint16Array(buffer, INDEX_LINK_TYPE, BATCH_PACKETS),
      interface: new Uint16Array(buffer, INDEX_INTERFACE, BATCH_PACKETS),
    });
  }
}

function notAsked(): never {
  throw new Error("nobody to ask");
}

/** Slots of the largest set that so many keys can lead to. */
function largestSet(limit: number): number {
  let size = FIRST_SUPPRESSED;
  while (limit > size * FULL_AFTERWARDS) size *= 2;
  return size;
}

/** Slots of the largest index that a table with so many conversations grows to. */
function indexSize(maxConversations: number): number {
  let size = FIRST_INDEX;
  while (maxConversations * 2 > size - 1) size *= 2;
  return size;
}
