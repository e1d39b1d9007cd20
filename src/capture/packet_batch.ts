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
  /** As {@linkcode PacketBatch.linkType}. */
  readonly linkType: Uint16Array;
}

/** How the records of a saved capture look, as pcap-savefile(5) has it. */
export interface RecordFormat {
  /** Bytes of a record's header: time in seconds, 4 more bytes, captured and original length, others. */
  readonly header: number;
  /** The order of its bytes. */
  readonly littleEndian: boolean;
  /** The link type of all packets. */
  readonly linkType: number;
  /** The most bytes that a record may have. */
  readonly most: number;
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
  /** How many packets there are. */
  count = 0;
  /** Where the first byte of packet `i` is in `bytes`. */
  readonly offset: Int32Array;
  /** How many bytes of packet `i` are there. `offset + captured` never exceeds the buffer. */
  readonly captured: Int32Array;
  /** How many bytes packet `i` had on the wire. In a damaged capture this is any number. */
  readonly length: Uint32Array;
  /** When packet `i` was seen, in whole seconds after its source's `TimeOrigin`. */
  readonly seconds: Uint32Array;
  /** The link type of packet `i`, one of the numbers of `src/packet/link_type.ts`. */
  readonly linkType: Uint16Array;
  /**
   * Takes the packets of records of a saved capture, from one at this place of `bytes` up to the last
   * that is whole and no longer than may be, so that they need not be in the index; `null` where nobody
   * does.
   *
   * @returns The place after the last that was taken.
   */
  takeRecords: ((format: RecordFormat, from: number, end: number) => number) | null = null;

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
    this.linkType = index.linkType;
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
    linkType: new Uint16Array(capacity),
  };
}
