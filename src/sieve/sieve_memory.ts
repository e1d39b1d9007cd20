import { PACKETS_PER_BATCH, WINDOW_BYTES } from "../capture/savefile_source.ts";
import { PacketBatch } from "../capture/packet_batch.ts";
import type { Cidr } from "../config/cidr.ts";
import { DECODED_NAMES } from "../packet/decoded.ts";
import { UNDECODED_COUNTS_SIZE, UndecodedCounts } from "../packet/undecoded_counts.ts";
import { MOST_FILTER_WORDS } from "../payload/sign_filter.ts";
import { MOST_SIGHTING_WORDS, type SightingBatch } from "./sighting_batch.ts";

/*
 * What lies where in the memory of a sieve, which two threads see: its program knows its own memory
 * only, so all that it reads or writes is there. Sizes are in bytes.
 */

/** What a sieve has to know of the meter that it works for. */
export interface SieveSettings {
  /** Tells meters apart. */
  readonly id: number;
  /** Conversations of each address family that are remembered. */
  readonly maxConversations: number;
  /** For each of the 65536 ports whether packets that come from it are wanted, as in `PayloadReader`. */
  readonly readPorts: Uint8Array;
  /** The own networks: a refusal that goes there makes no conversation. */
  readonly ownNetworks: readonly Cidr[];
  /**
   * Counts how often all conversations were to be seen anew; for a sieve, in memory that both threads
   * see.
   */
  readonly anew: Int32Array;
}

/** Packets of a group, which are looked up together. */
export const GROUP = 256;

const PAGE = 64 * 1024;
const CACHE_LINE = 64;
const WORD = 4;

/** Of a table, the words that are set: see `T_` in `assembly/sieve.ts`. */
const TABLE = 64;
export const TABLE_CELLS = 0;
export const TABLE_INDEX = 1;
export const TABLE_LIMIT = 2;
export const TABLE_OWN = 3;
export const TABLE_OWN_COUNT = 4;
export const TABLE_COUNT = 5;
export const TABLE_FORGOTTEN = 6;

/** Words of a conversation's cell, and which of them says when it was seen last. */
const CELL4_WORDS = 8;
const CELL6_WORDS = 16;
const CELL_LAST_SEEN = 1;

const PORTS = 1 << 16;
const LISTS = GROUP * (32 + 64);
/** Of each packet: its number of either family, and what is known of one that is wanted as a whole. */
const SCRATCH = GROUP * (2 * WORD + 16);
/** A payload that is to be looked at: see `LOOKED_` in `assembly/sieve.ts`. */
export const LOOKED_HEAD = 0;
export const LOOKED_FROM = 1;
export const LOOKED_END = 2;
export const LOOKED_PORTS = 3;
export const LOOKED_WORDS = 4;
/** What hashes are made with, in bytes: five numbers, and eight for the words of IPv6 addresses. */
export const SECRETS = 13 * 8;
const FIRST_INDEX = 1 << 14;

/** Packets of a batch, and their bytes: mostly, a batch of a saved capture has no more. */
const BATCH_PACKETS = PACKETS_PER_BATCH;
const BATCH_BYTES = WINDOW_BYTES;
/** The program copies bytes in pieces of so many. */
const PIECE = 16;

/** What is sent on of a batch begins with these, of 8 and of 4 bytes. */
const HEAD_RECEIVED = 0;
const HEAD_POSITION = 1;
const HEAD_END = 4;
const HEAD_IS_LAST = 5;
const HEAD_CONVERSATIONS = 6;
const HEAD_FORGOTTEN = 7;
const HEAD_QUERIES = 8;
const HEAD_DECODED = 9;
const HEAD = 2 * CACHE_LINE;
/** The most that is sent on of a batch: of each packet all words and its bytes. */
export const MOST_OF_A_BATCH = HEAD + BATCH_PACKETS * (MOST_SIGHTING_WORDS * WORD + PIECE) +
  BATCH_BYTES;
/** So much may wait to be taken. */
const RING = 12 * 1024 * 1024;

/** Where the tables of one family are. */
interface FamilyLayout {
  readonly table: number;
  readonly cells: number;
  readonly index: number;
  readonly own: number;
}

/** Where everything is. */
export class SieveLayout {
  readonly scratch: number;
  readonly readPorts: number;
  readonly signFilter: number;
  readonly lists: number;
  readonly looked: number;
  readonly secrets: number;
  readonly undecoded: number;
  readonly families: readonly [FamilyLayout, FamilyLayout];
  readonly input: {
    readonly bytes: number;
    readonly offset: number;
    readonly captured: number;
    readonly linkType: number;
  };
  /** Where what is sent on goes. */
  readonly ring: { readonly start: number; readonly end: number };
  /** Pages of 64 KiB that it takes. The system gives memory when it is first used. */
  readonly pages: number;
  #end = CACHE_LINE;

  constructor({ maxConversations, ownNetworks }: SieveSettings) {
    // First of all, or their places might be more than a signed word can say.
    this.input = {
      bytes: this.#take(BATCH_BYTES + PIECE),
      offset: this.#take(BATCH_PACKETS * WORD),
      captured: this.#take(BATCH_PACKETS * WORD),
      linkType: this.#take(BATCH_PACKETS * 2),
    };
    const ring = this.#take(RING);
    this.ring = { start: ring, end: ring + RING };
    const tables = this.#take(2 * TABLE);
    this.scratch = this.#take(SCRATCH);
    this.readPorts = this.#take(PORTS);
    this.signFilter = this.#take(MOST_FILTER_WORDS * WORD);
    this.lists = this.#take(LISTS);
    this.looked = this.#take(BATCH_PACKETS * LOOKED_WORDS * WORD);
    this.secrets = this.#take(SECRETS);
    this.undecoded = this.#take(UNDECODED_COUNTS_SIZE * 8);
    const index = indexSize(maxConversations) * WORD;
    const family = (table: number, cell: number, own: number): FamilyLayout => ({
      table,
      cells: this.#take((maxConversations + 1) * cell),
      index: this.#take(index),
      own: this.#take(ownNetworks.length * own),
    });
    this.families = [
      family(tables, CELL4_WORDS * WORD, 8),
      family(tables + TABLE, CELL6_WORDS * WORD, 32),
    ];
    this.pages = Math.ceil(this.#end / PAGE);
  }

  get tables(): number {
    return this.families[0].table;
  }

  #take(size: number): number {
    const at = this.#end;
    this.#end = aligned(at + size);
    return at;
  }
}

/** Slots of the largest index that a table with so many conversations grows to. */
function indexSize(maxConversations: number): number {
  let size = FIRST_INDEX;
  while (maxConversations * 2 > size - 1) size *= 2;
  return size;
}

function aligned(size: number): number {
  return Math.ceil(size / CACHE_LINE) * CACHE_LINE;
}

/** What the sieve with this memory has not decoded. */
export function undecodedCounts(
  buffer: ArrayBufferLike,
  { undecoded }: SieveLayout,
): UndecodedCounts {
  return new UndecodedCounts(new Float64Array(buffer, undecoded, UNDECODED_COUNTS_SIZE));
}

/** Makes the memory of a sieve. */
export function sieveMemory(settings: SieveSettings): WebAssembly.Memory {
  const { pages } = new SieveLayout(settings);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** The memory that a sieve reads packets from, as a batch. */
export function sieveInput(buffer: ArrayBufferLike, { input }: SieveLayout): PacketBatch {
  return new PacketBatch(BATCH_PACKETS, new Uint8Array(buffer, input.bytes, BATCH_BYTES), {
    offset: new Int32Array(buffer, input.offset, BATCH_PACKETS),
    captured: new Int32Array(buffer, input.captured, BATCH_PACKETS),
    length: new Uint32Array(BATCH_PACKETS),
    seconds: new Uint32Array(BATCH_PACKETS),
    linkType: new Uint16Array(buffer, input.linkType, BATCH_PACKETS),
  });
}

/** What a sieve sends on of one batch after the other, at any place of its memory. */
export class SieveOutput implements SightingBatch {
  readonly view: DataView<ArrayBufferLike>;
  readonly words: Int32Array;
  readonly undecoded: UndecodedCounts;
  readonly lastSeen: (isIpv6: boolean, number: number) => number;
  readonly #longs: Float64Array;
  /** Word of its head. */
  #head = 0;

  constructor(buffer: ArrayBufferLike, layout: SieveLayout) {
    this.undecoded = undecodedCounts(buffer, layout);
    const [cells4, cells6] = layout.families.map(({ cells }) => cells / WORD + CELL_LAST_SEEN);
    this.lastSeen = (isIpv6, number) =>
      this.words[isIpv6 ? cells6 + number * CELL6_WORDS : cells4 + number * CELL4_WORDS];
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer);
    this.#longs = new Float64Array(buffer);
  }

  /** Goes to another place. */
  moveTo(address: number): void {
    this.#head = address / WORD;
  }

  get from(): number {
    return this.#head + HEAD / WORD;
  }

  get end(): number {
    return this.words[this.#head + HEAD_END];
  }

  /** Where the next batch may begin. */
  get endAddress(): number {
    return aligned(this.end * WORD);
  }

  /** Packets that were received, up to and with this batch. */
  get received(): number {
    return this.#longs[this.#head / 2 + HEAD_RECEIVED];
  }

  /** Bytes of the file that were used, up to and with this batch. */
  get position(): number {
    return this.#longs[this.#head / 2 + HEAD_POSITION];
  }

  /** Whether nothing comes after it, and it has no packets itself. */
  get isLast(): boolean {
    return this.words[this.#head + HEAD_IS_LAST] !== 0;
  }

  get conversations(): number {
    return this.words[this.#head + HEAD_CONVERSATIONS];
  }

  get forgotten(): number {
    return this.words[this.#head + HEAD_FORGOTTEN];
  }

  get queries(): number {
    return this.words[this.#head + HEAD_QUERIES];
  }

  get decoded(): Int32Array {
    const from = this.#head + HEAD_DECODED;
    return this.words.subarray(from, from + DECODED_NAMES.length);
  }

  /** Says how far the file was read. */
  setProgress(received: number, position: number, isLast: boolean): void {
    this.#longs[this.#head / 2 + HEAD_RECEIVED] = received;
    this.#longs[this.#head / 2 + HEAD_POSITION] = position;
    this.words[this.#head + HEAD_IS_LAST] = isLast ? 1 : 0;
  }

  /** Says where the words end, what the sieve has, and how many queries it has left out. */
  setSifted(end: number, conversations: number, forgotten: number, queries: number): void {
    this.words[this.#head + HEAD_END] = end;
    this.words[this.#head + HEAD_CONVERSATIONS] = conversations;
    this.words[this.#head + HEAD_FORGOTTEN] = forgotten;
    this.words[this.#head + HEAD_QUERIES] = queries;
  }
}
