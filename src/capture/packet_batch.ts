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
  /** When packet `i` was seen, in whole seconds since 1970-01-01 UTC. */
  readonly seconds: Uint32Array;
  /** The link type of packet `i`, one of the numbers of `src/packet/link_type.ts`. */
  readonly linkType: Uint16Array;

  /**
   * Makes a batch without packets.
   *
   * @param capacity How many packets the index has room for.
   * @param bytes The buffer.
   */
  constructor(readonly capacity: number, bytes: Uint8Array<ArrayBufferLike>) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = new Int32Array(capacity);
    this.captured = new Int32Array(capacity);
    this.length = new Uint32Array(capacity);
    this.seconds = new Uint32Array(capacity);
    this.linkType = new Uint16Array(capacity);
  }

  /** Puts another buffer in the place of the present one. */
  setBytes(bytes: Uint8Array<ArrayBufferLike>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
