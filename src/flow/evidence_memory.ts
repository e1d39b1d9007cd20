import { startProgram } from "../wasm_program.ts";
import {
  COLD_SHIFT,
  type ConversationCells,
  IPV4_HOT_SHIFT,
  IPV6_HOT_SHIFT,
} from "./conversation_table.ts";
import { isFinal } from "./by.ts";
import { PROGRAM } from "./evidence_program.ts";
import { FINGERPRINT_SEEDS } from "./fingerprint.ts";

/** What `assembly/evidence.ts` exports. Times are seconds since 1970-01-01 UTC. */
export interface EvidenceProgram {
  setUp(
    halfOpen: number,
    ends: number,
    buckets: number,
    staged: number,
    finals: number,
    hot4: number,
    cold4: number,
    hot6: number,
    cold6: number,
    firstSeed: number,
    secondSeed: number,
  ): void;
  noteHalfOpen(first: number, second: number, bits: number, seconds: number): number;
  takeHalfOpen(first: number, second: number, seconds: number): number;
  takeHalfOpenOf(isIpv6: boolean, number: number, seconds: number): number;
  meetDue(due: number, count: number, seconds: number): void;
  readDue(due: number, count: number, into: number, seconds: number): void;
  readEnds(isIpv6: boolean, number: number, into: number, seconds: number): void;
  learn(isIpv6: boolean, number: number, server: number, seconds: number): void;
  learnServer(first: number, second: number, seconds: number): void;
  learnClient(first: number, second: number, seconds: number): void;
  meet(first: number, second: number, farPort: number, seconds: number): void;
  read(first: number, second: number, seconds: number): number;
}

/** What is known of an end: how many far ports it has had, and what it was seen to be. */
export const FAN_IN_SHIFT = 16;
export const FAN_IN_MASK = 0xff;
export const SERVED = 1 << 25;
export const OPENED = 1 << 26;

const PAGE = 64 * 1024;
const WORD = 4;
/** Of each table: 65,536 entries, 1 MiB. What is larger than the processor's cache is slow. */
const BUCKETS = 1 << 14;
const BUCKET = 64;
/** Ends that wait for memory together, and the words of each. */
const STAGED = 256 * 3;
/** Numbers that decisions can have (`by.ts`). */
const MOST_BY = 256;

/**
 * The memory that the evidence of a meter is in: its conversations, what is remembered of half-open
 * connections and of ends, and what is due to be judged. It has its full size from the start, which
 * costs address space only: the system gives memory when it is first used.
 */
export class EvidenceMemory {
  readonly program: EvidenceProgram;
  readonly ipv4: ConversationCells;
  readonly ipv6: ConversationCells;
  /** Conversations that are due: number times 4, plus 2 for IPv6, plus the direction. */
  readonly due: Int32Array;
  /** What was read of those that are due: of each conversation the low end's, the high one's. */
  readonly readings: Int32Array;
  #end = BUCKET;

  /**
   * @param maxConversations Of each address family.
   * @param mostDue How many may be due.
   * @param mostReadings Of how many the evidence may be read at once.
   */
  constructor(maxConversations: number, mostDue: number, mostReadings: number) {
    const halfOpen = this.#take(BUCKETS * BUCKET);
    const ends = this.#take(BUCKETS * BUCKET);
    const staged = this.#take(STAGED * WORD);
    const finals = this.#take(MOST_BY);
    const due = this.#take(mostDue * WORD);
    const readings = this.#take(2 * mostReadings * WORD);
    const cells = maxConversations + 1;
    const hot4 = this.#take((cells << IPV4_HOT_SHIFT) * WORD);
    const cold4 = this.#take((cells << COLD_SHIFT) * WORD);
    const hot6 = this.#take((cells << IPV6_HOT_SHIFT) * WORD);
    const cold6 = this.#take((cells << COLD_SHIFT) * WORD);
    const pages = Math.ceil(this.#end / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = memory;
    this.program = startProgram<EvidenceProgram>(PROGRAM, memory);
    const [firstSeed, secondSeed] = FINGERPRINT_SEEDS;
    this.program.setUp(
      halfOpen,
      ends,
      BUCKETS,
      staged,
      finals,
      hot4,
      cold4,
      hot6,
      cold6,
      firstSeed,
      secondSeed,
    );
    new Uint8Array(buffer, finals, MOST_BY).set(
      Array.from({ length: MOST_BY }, (_, by) => isFinal(by) ? 1 : 0),
    );
    this.due = new Int32Array(buffer, due, mostDue);
    this.readings = new Int32Array(buffer, readings, 2 * mostReadings);
    this.ipv4 = {
      hot: new Int32Array(buffer, hot4, cells << IPV4_HOT_SHIFT),
      cold: new Int32Array(buffer, cold4, cells << COLD_SHIFT),
    };
    this.ipv6 = {
      hot: new Int32Array(buffer, hot6, cells << IPV6_HOT_SHIFT),
      cold: new Int32Array(buffer, cold6, cells << COLD_SHIFT),
    };
  }

  /** Has the ends of the first `count` conversations that are due meet, if they have not yet. */
  meetDue(count: number, seconds: number): void {
    this.program.meetDue(this.due.byteOffset, count, seconds);
  }

  /** Reads what is known of the ends of those that are due, as far as a mapping will be asked. */
  readDue(from: number, to: number, seconds: number): void {
    const at = this.due.byteOffset + from * WORD;
    this.program.readDue(at, to - from, this.readings.byteOffset, seconds);
  }

  /** The same for one conversation in any case: it is the first reading then. */
  readEnds(isIpv6: boolean, number: number, seconds: number): void {
    this.program.readEnds(isIpv6, number, this.readings.byteOffset, seconds);
  }

  #take(size: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + size) / BUCKET) * BUCKET;
    return at;
  }
}
