import type { PacketBatch } from "../capture/packet_batch.ts";
import { PACKETS_PER_BATCH, WINDOW_BYTES } from "../capture/savefile_source.ts";
import { DecodedBatch, type PacketPlaces } from "../flow/decoded_batch.ts";
import { BufferWords } from "../words.ts";

/** Packets of a slot, and their bytes: mostly, a batch of a saved capture has no more. */
const SLOT_PACKETS = PACKETS_PER_BATCH;
const SLOT_BYTES = WINDOW_BYTES;
/** More than the arrays of a slot take. */
const ARRAY_BYTES = SLOT_PACKETS * 4 * 32;
/** Decoded packets that may wait: enough to bridge a flush, and all of them stay in the cache. */
const SLOTS = 8;

/** Words of {@linkcode SlotRing.control}: how many slots were filled and taken. */
export const FILLED = 0;
export const TAKEN = 1;
const CONTROL_WORDS = 2;
/** In {@linkcode TAKEN}: no more are wanted. */
export const NO_MORE = -1;

/** The memory that both threads see while a file is read. */
export interface SlotMemory {
  /** Made anew for each file, so that nothing of the one before can be taken for its. */
  readonly control: SharedArrayBuffer;
  readonly slots: readonly SharedArrayBuffer[];
}

/** Memory for the slots of a ring. */
export function slotBuffers(): SharedArrayBuffer[] {
  return Array.from({ length: SLOTS }, () => new SharedArrayBuffer(ARRAY_BYTES + SLOT_BYTES));
}

/** Memory for the words of a ring that say how far it was filled and taken. */
export function controlBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_WORDS * 4);
}

/** Slots that one thread fills with decoded packets and another one takes, in turn. */
export class SlotRing {
  readonly control: Int32Array;
  readonly slots: readonly Slot[];

  constructor(memory: SlotMemory) {
    this.control = new Int32Array(memory.control);
    this.slots = memory.slots.map((buffer) => new Slot(buffer));
  }
}

/** Decoded packets with their bytes, in memory that two threads see. */
export class Slot implements PacketPlaces {
  readonly decoded: DecodedBatch;
  readonly view: DataView<ArrayBufferLike>;
  readonly offset: Int32Array;
  readonly captured: Int32Array;
  readonly linkType: Uint16Array;
  /** Memory for their bytes. */
  readonly bytes: Uint8Array;
  /** Packets that were received, and bytes of the file that were used, up to and with this slot. */
  readonly #progress: Float64Array;
  readonly #isLast: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer, ARRAY_BYTES);
    this.view = new DataView(buffer, ARRAY_BYTES);
    this.#progress = new Float64Array(buffer, 0, 2);
    const words = new BufferWords(buffer, this.#progress.byteLength);
    this.offset = words.int32(SLOT_PACKETS);
    this.captured = words.int32(SLOT_PACKETS);
    this.linkType = new Uint16Array(buffer, words.int32(SLOT_PACKETS / 2).byteOffset, SLOT_PACKETS);
    this.#isLast = words.int32(1);
    this.decoded = new DecodedBatch(this, SLOT_PACKETS, words);
  }

  get received(): number {
    return this.#progress[0];
  }

  get position(): number {
    return this.#progress[1];
  }

  /** Whether nothing comes after it, and it has no packets itself. */
  get isLast(): boolean {
    return this.#isLast[0] !== 0;
  }

  /** Says how far the file was read. */
  setProgress(received: number, position: number, isLast: boolean): void {
    this.#progress[0] = received;
    this.#progress[1] = position;
    this.#isLast[0] = isLast ? 1 : 0;
  }

  /**
   * How many of a batch's packets there is room for: at least one, if there is any.
   *
   * @returns The index after them.
   */
  endOfRoom({ offset, captured, count }: PacketBatch, from: number): number {
    if (from === count) return from;
    const first = offset[from];
    // Only what is no IP packet is longer than a slot.
    captured[from] = Math.min(captured[from], SLOT_BYTES);
    let end = from + 1;
    while (end < count && offset[end] + captured[end] - first <= SLOT_BYTES) end++;
    return end;
  }

  /**
   * Takes the bytes of packets, unless they were read into its memory, and where each one lies, at its
   * index in the batch.
   */
  take({ bytes, offset, captured, linkType }: PacketBatch, from: number, end: number): void {
    if (from === end) return;
    this.offset.set(offset.subarray(from, end), from);
    this.captured.set(captured.subarray(from, end), from);
    this.linkType.set(linkType.subarray(from, end), from);
    if (bytes === this.bytes) return;
    const first = offset[from];
    const last = offset[end - 1] + captured[end - 1];
    // They keep their places, unless they come from a window that has grown for a long record.
    const moved = last > SLOT_BYTES ? first : 0;
    this.bytes.set(bytes.subarray(first, last), first - moved);
    if (moved === 0) return;
    for (let i = from; i < end; i++) this.offset[i] -= moved;
  }
}
