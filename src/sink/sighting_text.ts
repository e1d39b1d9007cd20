import { printable } from "../printable.ts";
import { compileProgram, startProgram } from "../wasm_program.ts";
import { PROGRAM } from "./text_program.ts";

/** What `assembly/text.ts` exports. */
interface TextProgram {
  setUp(
    families: number,
    order: number,
    texts: number,
    times: number,
    measures: number,
    scratch: number,
  ): void;
  sort(): number;
  measure(): void;
  write(from: number, into: number, end: number, hasNames: boolean): number;
  nextRow(): number;
}

const WORD = 4;
/** For each row of a family, the words that sorting both families needs. */
export const ORDER_PER_ROW = 3;

/** Texts of protocols, then of notes: a length and up to 15 bytes each. */
const TEXT = 16;
const KNOWN_TEXTS = 2 * 256 * TEXT;
/** Seconds whose texts are kept: the second, a length, and up to 24 bytes. */
const TIMES = 256 * 32;
const TIME = 24;
const MEASURES = 64;
const SCRATCH = 64;
/** So many bytes of lines are made at once; the last of them may end after that. */
const LINES = 128 * 1024;
const LINE = 256;
/** A domain name of 255 bytes (RFC 1035, section 2.3.4), each of them written as `\DDD`. */
const NAME = 1024;

/** Bytes that a {@linkcode SightingText} needs. */
export const TEXT_ROOM = KNOWN_TEXTS + TIMES + MEASURES + SCRATCH + LINES + LINE + NAME;

/** Words of what is measured; first come the widths, and room for that of times. */
const WIDTHS = 4;
const CLIENTS = 5;
const FIRST = 6;
const LAST = 7;

/** What a table has of its rows. */
export interface SightingRows {
  readonly memory: WebAssembly.Memory;
  /** Where things are in it, in bytes. */
  readonly families: number;
  readonly order: number;
  readonly room: number;
  /** Names by the numbers of rows, for each address family. */
  readonly names: readonly [readonly (string | undefined)[], readonly (string | undefined)[]];
}

/** Texts that rows are made of: ASCII, up to 15 characters, by their numbers below 256. */
export interface KnownTexts {
  readonly protocols: readonly string[];
  readonly notes: readonly string[];
}

// Where it is wanted, nothing else is left to do meanwhile.
compileProgram(PROGRAM);

/**
 * The rows of a `SightingTable` in the order of their addresses, IPv4 first, and as lines of text with
 * both addresses, what of them as a port with the protocol, the note, the first and the last time, and
 * the name.
 *
 * In WebAssembly, as this is run once, for up to 20,000 rows, and takes as long as the rest of the end.
 */
export class SightingText {
  readonly #program: TextProgram;
  readonly #bytes: Uint8Array;
  readonly #measures: DataView;
  readonly #lines: number;
  readonly #encoder = new TextEncoder();
  #timeText: (seconds: number) => string = String;
  /** How many rows there are. */
  readonly count: number;
  /** Whether one of them has a name. */
  readonly hasNames: boolean;

  /** @param rows Stay as they are as long as this is used. */
  constructor({ memory, families, order, room, names }: SightingRows, texts: KnownTexts) {
    const times = room + KNOWN_TEXTS;
    const measures = times + TIMES;
    const scratch = measures + MEASURES;
    this.#lines = scratch + SCRATCH;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#measures = new DataView(memory.buffer, measures, MEASURES);
    // Times of an earlier text may be written in another way.
    this.#bytes.fill(0, room, scratch);
    this.#putKnown(texts.protocols, room);
    this.#putKnown(texts.notes, room + KNOWN_TEXTS / 2);
    this.#program = startProgram<TextProgram>(PROGRAM, memory, {
      timeText: (second: number, into: number) =>
        this.#put(this.#timeText(second >>> 0), into, TIME),
      nameText: (isIpv6: number, row: number, into: number) =>
        this.#put(printable(names[isIpv6][row] ?? ""), into, NAME),
    });
    this.#program.setUp(families, order, room, times, measures, scratch);
    this.count = this.#program.sort();
    this.#program.measure();
    this.hasNames = names.some((some) => some.some((name) => name !== undefined));
  }

  /** How many different first addresses the rows have. */
  get clients(): number {
    return this.#measured(CLIENTS);
  }

  /** Seconds since 1970-01-01 UTC, the least of all rows. */
  get first(): number {
    return this.#measured(FIRST);
  }

  /** The greatest of all rows. */
  get last(): number {
    return this.#measured(LAST);
  }

  /** Characters that columns need: both addresses, port, note. */
  get widths(): number[] {
    return Array.from({ length: WIDTHS }, (_, i) => this.#measured(i));
  }

  /**
   * The lines, many at a time, each with its end of line. They are valid until the next are asked for.
   *
   * @param widths As {@linkcode SightingText.widths} at least, and that of times.
   * @param timeText Gives the text of a second: ASCII, up to 24 characters.
   */
  *lines(widths: readonly number[], timeText: (seconds: number) => string): Generator<Uint8Array> {
    this.#timeText = timeText;
    for (let i = 0; i <= WIDTHS; i++) this.#measures.setUint32(i * WORD, widths[i], true);
    for (let row = 0; row < this.count; row = this.#program.nextRow()) {
      const from = this.#lines;
      const end = this.#program.write(row, from, from + LINES, this.hasNames);
      yield this.#bytes.subarray(from, end);
    }
  }

  #measured(word: number): number {
    return this.#measures.getUint32(word * WORD, true);
  }

  #putKnown(texts: readonly string[], into: number): void {
    texts.forEach((text, i) => {
      const at = into + i * TEXT;
      this.#bytes[at] = this.#put(text, at + 1, TEXT - 1);
    });
  }

  #put(text: string, into: number, most: number): number {
    return this.#encoder.encodeInto(text, this.#bytes.subarray(into, into + most)).written;
  }
}
