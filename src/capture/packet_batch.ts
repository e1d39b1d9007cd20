/** The arrays of a batch's index. */
export interface PacketIndex {
  /** As {@linkcode PacketBatch.offset}. */
  readonly offset: Int32Array;
  /** As {@linkcode PacketBatch.captured}. */
  readonly captured: Int32Array;
  /** As {@linkcode PacketBatch.length}. */
  readonly length: Uint32Array;
  /** As {@linkcode PacketBatch.seconds}. */
  readonly seconds: Uint32Array;
  /** As {@linkcode PacketBatch.milliseconds}. */
  readonly milliseconds: Uint16Array;
  /** As {@linkcode PacketBatch.linkType}. */
  readonly linkType: Uint16Array;
  /** As {@linkcode PacketBatch.interface}. */
  readonly interface: Uint16Array;
}

/** How the records of a saved capture look, as pcap-savefile(5) has it. */
export interface RecordFormat {
  /** Bytes of a record's header: seconds, their fraction, captured and original length, others. */
  readonly header: number;
  /** Units of a fraction in a millisecond: microseconds or nanoseconds. */
  readonly perMillisecond: number;
  /** The order of its bytes. */
  readonly littleEndian: boolean;
  /** The link type of all packets. */
  readonly linkType: number;
  /** The most bytes that a record may have. */
  readonly most: number;
}

/**
 * Takes packets where they lie, in memory of its own into which sources put them, so that they need not
 * be in an index: an engine.
 */
export interface PacketTaker {
  /**
   * Takes the packets of records of a saved capture, from one at this place of the memory up to the last
   * that is whole and no longer than may be.
   *
   * @param packets How many at most.
   * @returns The place after the last that was taken, and how many there were.
   */
  takeRecords(
    format: RecordFormat,
    from: number,
    end: number,
    packets: number,
  ): { next: number; count: number };

  /**
   * Takes the packets of frames of the kernel's ring, `struct tpacket3_hdr`.
   *
   * @param from Where the first one lies.
   * @param back Bytes of a header that was put before each packet, and counts with it.
   */
  takeFrames(from: number, count: number, back: number, linkType: number): void;
}

/**
 * Packets in one byte buffer, and an index that says where each lies.
 *
 * The index is what lets a saved capture, libpcap's dispatch and the kernel's ring be read in place,
 * though each lays its records out in its own way. A batch is filled again and again by its source:
 * what it holds is valid until the source is asked for the next one.
 */
export class PacketBatch {
  /** The buffer. A source may put another one here with each batch. */
  bytes: Uint8Array<ArrayBufferLike>;
  /** The same buffer, for reads of more than one byte: `view` offset 0 is `bytes` offset 0. */
  view: DataView<ArrayBufferLike>;
  /** How many packets there are in the index. */
  count = 0;
  /** How many there were besides that {@linkcode PacketBatch.taker} has taken already. */
  taken = 0;
  /** Where the first byte of packet `i` is in `bytes`. */
  readonly offset: Int32Array;
  /** How many bytes of packet `i` are there. `offset + captured` never exceeds the buffer. */
  readonly captured: Int32Array;
  /** How many bytes packet `i` had on the wire. In a damaged capture this is any number. */
  readonly length: Uint32Array;
  /** When packet `i` was seen, in whole seconds after its source's `TimeOrigin`. */
  readonly seconds: Uint32Array;
  /** And the milliseconds beyond them. */
  readonly milliseconds: Uint16Array;
  /** The link type of packet `i`, one of the numbers of `src/packet/link_type.ts`. */
  readonly linkType: Uint16Array;
  /** The number of the interface that packet `i` is of, where a source has several; otherwise 0. */
  readonly interface: Uint16Array;
  /**
   * Takes packets as soon as they lie in `bytes`, which is its memory; `null` where nobody does, and
   * packets are put into the index. What is in the index is for whoever asked for the batch.
   */
  taker: PacketTaker | null = null;

  /**
   * Makes a batch without packets.
   *
   * @param capacity How many packets the index has room for.
   * @param bytes The buffer.
   * @param index Its arrays, if they are to lie somewhere.
   */
  constructor(
    readonly capacity: number,
    bytes: Uint8Array<ArrayBufferLike>,
    index: PacketIndex = newIndex(capacity),
  ) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = index.offset;
    this.captured = index.captured;
    this.length = index.length;
    this.seconds = index.seconds;
    this.milliseconds = index.milliseconds;
    this.linkType = index.linkType;
    this.interface = index.interface;
  }

  /** Whether there is any packet, in the index or taken already. */
  get isEmpty(): boolean {
    return this.count + this.taken === 0;
  }

  /** Forgets all packets. */
  clear(): void {
    this.count = this.taken = 0;
  }

  /** Puts a packet of the index in the place of another one. */
  move(from: number, to: number): void {
    this.offset[to] = this.offset[from];
    this.captured[to] = this.captured[from];
    this.length[to] = this.length[from];
    this.seconds[to] = this.seconds[from];
    this.milliseconds[to] = this.milliseconds[from];
    this.linkType[to] = this.linkType[from];
    this.interface[to] = this.interface[from];
  }

  /** Puts another buffer in the place of the present one. */
  setBytes(bytes: Uint8Array<ArrayBufferLike>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

function newIndex(capacity: number): PacketIndex {
  return {
    offset: new Int32Array(capacity),
    captured: new Int32Array(capacity),
    length: new Uint32Array(capacity),
    seconds: new Uint32Array(capacity),
    milliseconds: new Uint16Array(capacity),
    linkType: new Uint16Array(capacity),
    interface: new Uint16Array(capacity),
  };
}
