/** Builds pcapng files (draft-ietf-opsawg-pcapng) for tests, block by block. */
import { type Bytes, bytes } from "./packets.ts";

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const TIME_RESOLUTION = 9;
const TIME_OFFSET = 14;
const COMMENT = 1;

/** What may be told of an interface. */
export interface PcapngInterface {
  linkType?: number;
  snapshotLength?: number;
  /** The option if_tsresol: a power of 10, or of 2 with the highest bit set. */
  resolution?: number;
  /** The option if_tsoffset, in seconds. */
  offset?: bigint;
}

/** One section of a file. Each method adds a block and answers with the section. */
export class PcapngSection {
  readonly #little: boolean;
  readonly #blocks: Uint8Array[] = [];

  /** A section in a byte order, beginning with its header. */
  constructor(littleEndian = true) {
    this.#little = littleEndian;
    this.block(
      SECTION_HEADER,
      this.#u32(BYTE_ORDER_MAGIC),
      this.#u16(1),
      this.#u16(0),
      new Uint8Array(8).fill(0xff),
    );
  }

  interface(options: PcapngInterface = {}): this {
    const { linkType = 1, snapshotLength = 0, resolution, offset } = options;
    const parts = [this.#u16(linkType), this.#u16(0), this.#u32(snapshotLength)];
    parts.push(this.#option(COMMENT, [...new TextEncoder().encode("odd")]));
    if (resolution !== undefined) parts.push(this.#option(TIME_RESOLUTION, [resolution]));
    if (offset !== undefined) {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigInt64(0, offset, this.#little);
      parts.push(this.#option(TIME_OFFSET, [...new Uint8Array(view.buffer)]));
    }
    return this.block(INTERFACE_DESCRIPTION, ...parts, this.#option(0, []));
  }

  /** @param time In units of the interface. */
  enhanced(number: number, time: bigint, packet: Uint8Array, length = packet.length): this {
    return this.block(
      ENHANCED_PACKET,
      this.#u32(number),
      this.#time(time),
      this.#u32(packet.length),
      this.#u32(length),
      padded(packet),
      this.#option(COMMENT, [0x68, 0x69]),
      this.#option(0, []),
    );
  }

  /** The obsolete packet block. Parameters as of {@linkcode PcapngSection.enhanced}. */
  obsolete(number: number, time: bigint, packet: Uint8Array, length = packet.length): this {
    return this.block(
      PACKET,
      this.#u16(number),
      this.#u16(0xffff),
      this.#time(time),
      this.#u32(packet.length),
      this.#u32(length),
      padded(packet),
    );
  }

  simple(packet: Uint8Array, length = packet.length): this {
    return this.block(SIMPLE_PACKET, this.#u32(length), padded(packet));
  }

  /** A block of any type. */
  block(type: number, ...body: Uint8Array[]): this {
    const size = this.#u32(12 + body.reduce((sum, part) => sum + part.length, 0));
    this.#blocks.push(bytes(this.#u32(type), size, ...body, size));
    return this;
  }

  /** The whole section. */
  bytes(): Bytes {
    return bytes(...this.#blocks);
  }

  #time(time: bigint): Bytes {
    return bytes(this.#u32(Number(time >> 32n)), this.#u32(Number(time & 0xffffffffn)));
  }

  #option(code: number, value: number[]): Bytes {
    return bytes(this.#u16(code), this.#u16(value.length), padded(Uint8Array.from(value)));
  }

  #u16(value: number): Bytes {
    const view = new DataView(new ArrayBuffer(2));
    view.setUint16(0, value, this.#little);
    return new Uint8Array(view.buffer);
  }

  #u32(value: number): Bytes {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, value, this.#little);
    return new Uint8Array(view.buffer);
  }
}

function padded(content: Uint8Array): Bytes {
  return bytes(content, new Uint8Array(-content.length & 3));
}
