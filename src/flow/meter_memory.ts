import { STRENGTHS } from "./by.ts";
import { MAPPING_ROOM } from "../config/mapping_image.ts";
import { PORT_WEIGHTS } from "../config/service_evidence.ts";
import { MOST_OF_A_BATCH } from "../sieve/sieve_memory.ts";
import { startProgram } from "../wasm_program.ts";
import {
  COLD_SHIFT,
  type ConversationCells,
  IPV4_HOT_SHIFT,
  IPV6_HOT_SHIFT,
} from "./conversation_table.ts";
import { type HeldKeysMemory, heldKeysPlaces, type KeyProgram } from "./held_keys.ts";
import { FLOWS_AT_ONCE, KEY_WRITER_ROOM, OBSERVATIONS_AT_ONCE } from "./key_writer.ts";
import { PROGRAM } from "./meter_program.ts";
import { BECAME_NAMES } from "./no_flow.ts";

/** What a meter's program asks of JavaScript. Addresses are places in its memory. */
export interface MeterHost {
  /** Judges what is due. */
  judge(): void;
  /** Takes all observations, so that there is room for others. */
  handOn(count: number): void;
  /** The packets that come next are of this second since 1970-01-01 UTC. */
  followTime(second: number): void;
  /** A sieve forgets conversations for want of room. */
  prepareForgetting(): void;
  /** Takes a packet that a sieve has sent on as a whole, by its place among the words. */
  takeOther(word: number): void;
  /**
   * Whether a packet with RST is taken by the rst rule.
   *
   * @param addresses Where the low end's address is, followed by the high end's.
   */
  takeReset(isIpv6: number, direction: number, ports: number, addresses: number): boolean;
  /** What `OwnConnections` say of the ends in the facts. */
  judgeOwn(): number;
  /** Whether the host listens at an end of a conversation: 0 is the low one. */
  isListening(isIpv6: number, number: number, end: number): boolean;
  /** What a rule that is a function says of the facts. */
  askFunction(rule: number): number;
  /** The attribution of what is in the facts gave way to stronger evidence. */
  corrected(before: number, after: number): void;
  /** Packets that repeat what was seen are to be looked at again. */
  forgetRepeats(): void;
}

/** What `assembly/meter.ts` exports. Times are seconds since 1970-01-01 UTC. */
export interface MeterProgram extends KeyProgram {
  setUpCells(hot4: number, cold4: number, hot6: number, cold6: number): void;
  setUpDue(due: number, most: number, room: number): void;
  setUpEvidence(
    halfOpen: number,
    ends: number,
    most: number,
    staged: number,
    strengths: number,
  ): void;
  setUpGathering(hasListening: boolean): void;
  setUpJudging(readings: number, stagedDue: number, capacity: number, hasOwn: boolean): void;
  setMapping(mapping: number, portWeights: number): void;
  decide(isAgain: boolean): number;
  isIgnored(): number;
  isSuppressed(): number;
  setTime(second: number, window: number): void;
  noteGap(seconds: number): void;
  takeSightings(from: number, end: number): void;
  placedEnd(isIpv6: boolean): number;
  noteControl(isIpv6: boolean, number: number, about: number): void;
  gather(isIpv6: boolean, number: number, about: number): number;
  noteLook(isIpv6: boolean, number: number, direction: number, says: number): void;
  addDue(isIpv6: boolean, number: number, direction: number): void;
  judgeDue(observed: number): void;
  observations(): number;
  readAll(isIpv6: boolean, number: number, direction: number): void;
  noteHalfOpen(first: number, second: number, bits: number, seconds: number): number;
  takeHalfOpen(first: number, second: number, seconds: number): number;
  learnServer(first: number, second: number, seconds: number): void;
  learnClient(first: number, second: number, seconds: number): void;
  meet(first: number, second: number, farPort: number, seconds: number): void;
  read(first: number, second: number, seconds: number): number;
  fingerprintOf(isIpv6: boolean, number: number): bigint;
  forgottenHalfOpen(): number;
  forgottenEnds(): number;
  setUpBecame(at: number): void;
  onlyOpenedCount(): number;
  listSeen(
    isIpv6: boolean,
    number: number,
    end: number,
    since: number,
    into: number,
    already: number,
    room: number,
  ): number;
  seenListed(): number;
}

/** What is known of an end: how many far ports it has had, and what it was seen to be. */
export const FAN_IN_SHIFT = 16;
export const FAN_IN_MASK = 0xff;
export const SERVED = 1 << 25;
export const OPENED = 1 << 26;
export const LISTENS = 1 << 27;

/** What `gather` answers: whether a payload is wanted, and as what. */
export const LOOK_NOT = 0;
export const LOOK_FIRST = 1;

const PAGE = 64 * 1024;
const WORD = 4;
/** The facts, in words: see `assembly/facts.ts`. */
const FACTS_AT = 64;
const FACTS = 32;
export const FACT_IS_IPV6 = 0;
export const FACT_PROTOCOL = 1;
export const FACT_SOURCE = 4;
export const FACT_DESTINATION = 8;
export const FACT_SOURCE_PORT = 12;
export const FACT_DESTINATION_PORT = 13;
export const FACT_SOURCE_NETWORK = 14;
export const FACT_DESTINATION_NETWORK = 15;
export const FACT_OPENER = 16;
export const FACT_OPENER_BY = 17;
export const FACT_PAYLOAD_SERVER = 18;
export const FACT_FIRST_SENDER = 19;
export const FACT_SOURCE_END = 20;
export const FACT_DESTINATION_END = 21;

/** Half-open connections that are remembered, and ends: 2.3 MiB each. Bigger tables are slow. */
export const MOST_REMEMBERED = 1 << 16;
/** Bytes of such a table: see `assembly/aged_table.ts`. */
const REMEMBERED = 128 + MOST_REMEMBERED * (WORD + 32);
const CACHE_LINE = 64;
/** Numbers that {@linkcode BECAME_NAMES} may have, and the words of the facts of an example. */
const MOST_BECAME = 16;
const EXAMPLE = 16;
/** Ends that wait for memory together, and the words of each. */
const STAGED = 256 * 3;
/** Numbers that decisions can have (`by.ts`). */
const MOST_BY = 256;
/** Keys that are held back at the same time, for each address family. */
const MOST_HELD_KEYS = 1_000_000;
/** Directions that may wait for their judgement; then all are judged at once. */
const MOST_DUE = 1 << 16;
/** Those that may be corrected meanwhile, besides: the other direction of each. */
const MOST_CORRECTED = MOST_DUE;

/** How a {@linkcode MeterMemory} is made. */
export interface MeterMemoryOptions {
  /** Conversations of each address family that are remembered. */
  readonly maxConversations: number;
  /** In how many windows a key is held back. */
  readonly windowsHeld: number;
  readonly host: MeterHost;
  /** Whether the host is to be asked about connections of the sensor's own. */
  readonly hasOwn: boolean;
  /** Whether it is to be asked what it listens on. */
  readonly hasListening: boolean;
}

/**
 * The memory that a meter's program works in: its conversations, what is remembered of half-open
 * connections and of ends, the keys that are held back, the mapping, and what is due to be judged. It
 * has its full size from the start, which costs address space only: the system gives memory when it is
 * first used.
 */
export class MeterMemory {
  readonly program: MeterProgram;
  readonly ipv4: ConversationCells;
  readonly ipv6: ConversationCells;
  /** What is known of the direction of a conversation that the mapping is asked about. */
  readonly facts: Int32Array;
  /** How many conversations became what, in the order of {@linkcode BECAME_NAMES}. */
  readonly became: Float64Array;
  /** The facts of the first that became it; all 0 where there is none. */
  readonly examples: readonly Uint32Array[];
  /** Room for what a sieve sends on. */
  readonly sightings: Int32Array;
  /** All of it. */
  readonly words: Int32Array;
  /** Of the keys that are held back. */
  readonly keys: HeldKeysMemory;
  readonly #mapping: number;
  readonly #portWeights: number;
  #end = FACTS_AT + FACTS * WORD;

  constructor(options: MeterMemoryOptions) {
    const { maxConversations, windowsHeld, host, hasOwn, hasListening } = options;
    const halfOpen = this.#take(REMEMBERED);
    const ends = this.#take(REMEMBERED);
    const became = this.#take(MOST_BECAME * (8 + EXAMPLE * WORD));
    const staged = this.#take(STAGED * WORD);
    const strengths = this.#take(MOST_BY);
    const due = this.#take((MOST_DUE + MOST_CORRECTED) * WORD);
    const readings = this.#take(2 * FLOWS_AT_ONCE * WORD);
    const stagedDue = this.#take(FLOWS_AT_ONCE * WORD);
    const sightings = this.#take(MOST_OF_A_BATCH);
    this.#mapping = this.#take(MAPPING_ROOM);
    this.#portWeights = this.#take(PORT_WEIGHTS.length);
    const keys = heldKeysPlaces(this.#end, MOST_HELD_KEYS, windowsHeld, KEY_WRITER_ROOM);
    this.#end = keys.end;
    const cells = maxConversations + 1;
    const hot4 = this.#take((cells << IPV4_HOT_SHIFT) * WORD);
    const cold4 = this.#take((cells << COLD_SHIFT) * WORD);
    const hot6 = this.#take((cells << IPV6_HOT_SHIFT) * WORD);
    const cold6 = this.#take((cells << COLD_SHIFT) * WORD);
    const pages = Math.ceil(this.#end / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = memory;
    const program = startProgram<MeterProgram>(PROGRAM, memory, { ...host });
    program.setUpCells(hot4, cold4, hot6, cold6);
    program.setUpDue(due, MOST_DUE, MOST_DUE + MOST_CORRECTED);
    program.setUpEvidence(halfOpen, ends, MOST_REMEMBERED, staged, strengths);
    program.setUpBecame(became);
    program.setUpGathering(hasListening);
    program.setUpJudging(readings, stagedDue, OBSERVATIONS_AT_ONCE, hasOwn);
    new Uint8Array(buffer, strengths, MOST_BY).set(STRENGTHS);
    new Int8Array(buffer, this.#portWeights, PORT_WEIGHTS.length).set(PORT_WEIGHTS);
    this.program = program;
    this.keys = keys.setUp(program, buffer);
    this.words = new Int32Array(buffer);
    this.facts = new Int32Array(buffer, FACTS_AT, FACTS);
    this.became = new Float64Array(buffer, became, BECAME_NAMES.length);
    this.examples = BECAME_NAMES.map((_, kind) =>
      new Uint32Array(buffer, became + MOST_BECAME * 8 + kind * EXAMPLE * WORD, EXAMPLE)
    );
    this.sightings = new Int32Array(buffer, sightings, MOST_OF_A_BATCH / WORD);
    this.ipv4 = {
      hot: new Int32Array(buffer, hot4, cells << IPV4_HOT_SHIFT),
      cold: new Int32Array(buffer, cold4, cells << COLD_SHIFT),
    };
    this.ipv6 = {
      hot: new Int32Array(buffer, hot6, cells << IPV6_HOT_SHIFT),
      cold: new Int32Array(buffer, cold6, cells << COLD_SHIFT),
    };
  }

  /** Has the program ask this mapping, given as `Mapping.image` is. */
  setMapping(image: Int32Array): void {
    this.words.set(image, this.#mapping / WORD);
    this.program.setMapping(this.#mapping, this.#portWeights);
  }

  #take(size: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + size) / CACHE_LINE) * CACHE_LINE;
    return at;
  }
}
