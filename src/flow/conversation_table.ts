/**
 * Words of a conversation's cell, counted from the offset that {@linkcode ConversationTable} gives.
 * A conversation has two ends, the low and the high one by address and port; direction 0 is from
 * the low end to the high one. What is kept for both directions has direction 1 in the next word.
 */
export const CELL_UNTIL = 0;
/** When the last packet came, in seconds since 1970-01-01 UTC. */
export const CELL_LAST_SEEN = 2;
/** IANA protocol number in bits 0 to 7, flags of the conversation above. */
export const CELL_STATE = 3;
/** What the mapping says of each direction (`src/config/outcome.ts`), or {@linkcode UNJUDGED}. */
export const CELL_OUTCOME = 4;
const CELL_OLDER = 6;
const CELL_NEWER = 7;
const CELL_HASH = 8;
/** The low end's port in the upper half, the high end's in the lower one. */
export const CELL_PORTS = 9;
/** The low end's address, then the high end's: one word each for IPv4, four for IPv6. */
export const CELL_ADDRESSES = 10;

/** In {@linkcode CELL_OUTCOME}: the mapping was not yet asked. */
export const UNJUDGED = -1;

/** An index word has the conversation's number, from 1, in these bits and a part of its hash above. */
const NUMBER_MASK = 0x00ff_ffff;
const TAG_MASK = ~NUMBER_MASK;
/** The most conversations that an index word can number. */
export const MOST_CONVERSATIONS = NUMBER_MASK;

const FIRST_INDEX_SIZE = 1 << 14;
/** When the table is full, so many of its conversations are forgotten at once. */
const FORGOTTEN_AT_ONCE = 1 / 64;

/** Odd numbers whose bits look random, as MurmurHash3 (public domain) uses. */
const MIX_1 = 0x85ebca6b | 0;
const MIX_2 = 0xc2b2ae35 | 0;
const MIX_3 = 0x9e3779b1 | 0;

/**
 * The conversations of one address family: a hash table with open addressing over typed arrays.
 *
 * A conversation is addresses, ports and protocol, whichever end sent a packet. Its cell is a run of
 * words in `cells` and stays where it is for as long as the table remembers it. The cells have their
 * full size from the start, which costs address space only: the system gives memory when a cell is
 * first written. So the table grows without ever copying cells; only its index, 4 bytes for a
 * slot, is made anew, twice the size, from time to time.
 */
export class ConversationTable {
  /** All cells. Read and written by offset plus one of the `CELL_` numbers. */
  readonly cells: Int32Array;
  /** How many conversations there are. */
  count = 0;
  /** How many were forgotten to make room for others. */
  forgotten = 0;
  /** Which end the last {@linkcode find4} or {@linkcode find6} took for the sender: direction 0 or 1. */
  direction = 0;
  readonly #stride: number;
  readonly #addressWords: number;
  readonly #limit: number;
  readonly #seed: number;
  readonly #beforeForgetting: () => void;
  #index: Int32Array;
  #mask: number;
  /** Number of the next cell that was never used. */
  #unused = 1;
  /** Numbers of the first in lists linked by `CELL_NEWER`; 0 is none. */
  #free = 0;
  #oldest = 0;
  #newest = 0;

  /**
   * @param addressWords Words of an address: 1 for IPv4, 4 for IPv6.
   * @param limit How many conversations are remembered at most.
   * @param beforeForgetting Called before conversations are forgotten, so that what is pending about
   * them can be brought to an end.
   */
  constructor(addressWords: 1 | 4, limit: number, beforeForgetting: () => void = () => {}) {
    if (limit < 1 || limit > MOST_CONVERSATIONS) throw new RangeError(`limit ${limit}`);
    this.#addressWords = addressWords;
    this.#stride = CELL_ADDRESSES + 2 * addressWords;
    this.#limit = limit;
    this.#beforeForgetting = beforeForgetting;
    this.cells = new Int32Array((limit + 1) * this.#stride);
    this.#index = new Int32Array(FIRST_INDEX_SIZE);
    this.#mask = FIRST_INDEX_SIZE - 1;
    // Unknown to whoever sends us packets, so that they can't be made to fall into one slot.
    this.#seed = crypto.getRandomValues(new Int32Array(1))[0];
  }

  /**
   * The cell of an IPv4 packet's conversation, made if there is none. `direction` then says whether
   * the packet goes from the low end to the high one (0) or back (1).
   *
   * @returns The cell's offset. A new one has `CELL_UNTIL` 0.
   */
  find4(source: number, destination: number, ports: number, protocol: number): number {
    let low = source;
    let high = destination;
    let ordered = ports;
    let direction = 0;
    if (source > destination || (source === destination && ports >>> 16 > (ports & 0xffff))) {
      low = destination;
      high = source;
      ordered = (ports << 16) | (ports >>> 16);
      direction = 1;
    }
    this.direction = direction;
    let hash = Math.imul(low ^ this.#seed, MIX_1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ high, MIX_2);
    hash = Math.imul(hash ^ (hash >>> 13) ^ ordered, MIX_3);
    hash = Math.imul(hash ^ (hash >>> 16) ^ protocol, MIX_1);
    hash ^= hash >>> 15;

    const index = this.#index;
    const mask = this.#mask;
    const cells = this.cells;
    const stride = this.#stride;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const word = index[slot];
      if (word === 0) break;
      if (((word ^ hash) & TAG_MASK) !== 0) continue;
      const cell = (word & NUMBER_MASK) * stride;
      if (
        cells[cell + CELL_PORTS] === ordered && cells[cell + CELL_ADDRESSES] === low &&
        cells[cell + CELL_ADDRESSES + 1] === high && (cells[cell + CELL_STATE] & 0xff) === protocol
      ) return cell;
    }
    const cell = this.#add(hash, ordered, protocol);
    cells[cell + CELL_ADDRESSES] = low;
    cells[cell + CELL_ADDRESSES + 1] = high;
    return cell;
  }

  /**
   * The same for IPv6.
   *
   * @param addresses Source, then destination, four words each.
   */
  find6(addresses: Int32Array, ports: number, protocol: number): number {
    let direction = 0;
    for (let word = 0; word < 4; word++) {
      const difference = addresses[word] - addresses[word + 4];
      if (difference !== 0) {
        direction = difference > 0 ? 1 : 0;
        break;
      }
      if (word === 3 && ports >>> 16 > (ports & 0xffff)) direction = 1;
    }
    this.direction = direction;
    const low = direction * 4;
    const high = 4 - low;
    const ordered = direction === 0 ? ports : (ports << 16) | (ports >>> 16);
    let hash = this.#seed;
    for (let word = 0; word < 4; word++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ addresses[low + word], MIX_1);
      hash = Math.imul(hash ^ (hash >>> 13) ^ addresses[high + word], MIX_2);
    }
    hash = Math.imul(hash ^ (hash >>> 13) ^ ordered, MIX_3);
    hash = Math.imul(hash ^ (hash >>> 16) ^ protocol, MIX_1);
    hash ^= hash >>> 15;

    const index = this.#index;
    const mask = this.#mask;
    const cells = this.cells;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const word = index[slot];
      if (word === 0) break;
      if (((word ^ hash) & TAG_MASK) !== 0) continue;
      const cell = (word & NUMBER_MASK) * this.#stride;
      if (
        cells[cell + CELL_PORTS] === ordered && (cells[cell + CELL_STATE] & 0xff) === protocol &&
        this.#hasAddresses(cell + CELL_ADDRESSES, addresses, low, high)
      ) return cell;
    }
    const cell = this.#add(hash, ordered, protocol);
    for (let word = 0; word < 4; word++) {
      cells[cell + CELL_ADDRESSES + word] = addresses[low + word];
      cells[cell + CELL_ADDRESSES + 4 + word] = addresses[high + word];
    }
    return cell;
  }

  /** Says that a conversation is alive: of those that are not, the longest idle are forgotten first. */
  touch(cell: number): void {
    const number = cell / this.#stride;
    if (number === this.#newest) return;
    this.#unlink(cell);
    this.#linkNewest(cell, number);
  }

  /** Calls `visit` with the offset of each cell, the longest idle first. It must not add any. */
  forEach(visit: (cell: number) => void): void {
    for (let number = this.#oldest; number !== 0;) {
      const cell = number * this.#stride;
      number = this.cells[cell + CELL_NEWER];
      visit(cell);
    }
  }

  #hasAddresses(at: number, addresses: Int32Array, low: number, high: number): boolean {
    const cells = this.cells;
    return cells[at + 3] === addresses[low + 3] && cells[at + 7] === addresses[high + 3] &&
      cells[at + 2] === addresses[low + 2] && cells[at + 6] === addresses[high + 2] &&
      cells[at + 1] === addresses[low + 1] && cells[at + 5] === addresses[high + 1] &&
      cells[at] === addresses[low] && cells[at + 4] === addresses[high];
  }

  #add(hash: number, ports: number, protocol: number): number {
    if (this.count === this.#limit) this.#forget();
    if ((this.count + 1) * 2 > this.#mask) this.#growIndex();
    let number = this.#free;
    if (number === 0) number = this.#unused++;
    else this.#free = this.cells[number * this.#stride + CELL_NEWER];
    const cell = number * this.#stride;
    const { cells } = this;
    cells.fill(0, cell, cell + CELL_HASH);
    cells[cell + CELL_STATE] = protocol;
    cells[cell + CELL_OUTCOME] = UNJUDGED;
    cells[cell + CELL_OUTCOME + 1] = UNJUDGED;
    cells[cell + CELL_HASH] = hash;
    cells[cell + CELL_PORTS] = ports;
    this.#linkNewest(cell, number);
    this.#insert(number, hash);
    this.count++;
    return cell;
  }

  #insert(number: number, hash: number): void {
    const index = this.#index;
    const mask = this.#mask;
    let slot = hash & mask;
    while (index[slot] !== 0) slot = (slot + 1) & mask;
    index[slot] = (hash & TAG_MASK) | number;
  }

  #growIndex(): void {
    const old = this.#index;
    this.#index = new Int32Array(old.length * 2);
    this.#mask = this.#index.length - 1;
    for (let slot = 0; slot < old.length; slot++) {
      const number = old[slot] & NUMBER_MASK;
      if (number !== 0) this.#insert(number, this.cells[number * this.#stride + CELL_HASH]);
    }
  }

  #forget(): void {
    this.#beforeForgetting();
    const { cells } = this;
    const wanted = Math.max(1, Math.floor(this.#limit * FORGOTTEN_AT_ONCE));
    for (let done = 0; done < wanted && this.#oldest !== 0; done++) {
      const number = this.#oldest;
      const cell = number * this.#stride;
      this.#unlink(cell);
      this.#removeFromIndex(number, cells[cell + CELL_HASH]);
      cells[cell + CELL_NEWER] = this.#free;
      this.#free = number;
      this.count--;
      this.forgotten++;
    }
  }

  /** Takes a number out of the index and moves up those that were put after it for want of room. */
  #removeFromIndex(number: number, hash: number): void {
    const index = this.#index;
    const mask = this.#mask;
    let slot = hash & mask;
    while ((index[slot] & NUMBER_MASK) !== number) slot = (slot + 1) & mask;
    for (let next = (slot + 1) & mask; index[next] !== 0; next = (next + 1) & mask) {
      const home = this.cells[(index[next] & NUMBER_MASK) * this.#stride + CELL_HASH] & mask;
      // May it stand in the free slot, that is, is its home not between that slot and itself?
      if (((next - home) & mask) >= ((next - slot) & mask)) {
        index[slot] = index[next];
        slot = next;
      }
    }
    index[slot] = 0;
  }

  #linkNewest(cell: number, number: number): void {
    const { cells } = this;
    cells[cell + CELL_OLDER] = this.#newest;
    cells[cell + CELL_NEWER] = 0;
    if (this.#newest === 0) this.#oldest = number;
    else cells[this.#newest * this.#stride + CELL_NEWER] = number;
    this.#newest = number;
  }

  #unlink(cell: number): void {
    const { cells } = this;
    const older = cells[cell + CELL_OLDER];
    const newer = cells[cell + CELL_NEWER];
    if (older === 0) this.#oldest = newer;
    else cells[older * this.#stride + CELL_NEWER] = newer;
    if (newer === 0) this.#newest = older;
    else cells[newer * this.#stride + CELL_OLDER] = older;
  }

  /** Words of an address in a cell. */
  get addressWords(): number {
    return this.#addressWords;
  }
}
