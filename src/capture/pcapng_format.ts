import { UserError } from "../user_error.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { SavefileFormat } from "./savefile_format.ts";
import type { TimeOrigin } from "./time_origin.ts";

/** Block types of draft-ietf-opsawg-pcapng, section 11.1. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
/** Obsolete, but old files have it. */
const PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type and length before a block's body, length once more after it. */
const BLOCK_OVERHEAD = 12;
const BODY = 8;
/** A block longer than this is damage: secrets and name tables are far smaller. */
const MOST_BLOCK_BYTES = 64 * 1024 * 1024;

/**
 * Interfaces of a section that are known: nobody has so many, but a file may say so, in 20 bytes for
 * each. Of others no packet can be read. An index has room for the numbers of these.
 */
const MOST_INTERFACES = 65_536;

/** Bytes of an enhanced packet block's body before the packet: sections 4.3 and A. */
const PACKET_FIELDS = 20;

const OPTION_END = 0;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;

/** Up to so many units of a second, numbers of them are exact. */
const MOST_EXACT_UNITS = 2 ** 52;

interface Interface {
  /** Its number in the file's section. */
  number: number;
  linkType: number;
  /** Bytes kept of a packet at most; 0 for no limit. */
  snapshotLength: number;
  /** Units of a time stamp in a second, also where a number is not exact. */
  unitsPerSecond: number;
  exactUnitsPerSecond: bigint;
  /** Seconds to be added to a time stamp. */
  offsetSeconds: number;
  /** The upper half of the last time stamp; it mostly stays the same. */
  timeHigh: number;
  /** What the upper half amounts to: whole seconds, offset included, and units beyond them. */
  timeHighSeconds: number;
  timeHighUnits: number;
}

/** Saved captures of pcapng (draft-ietf-opsawg-pcapng), any number of sections and interfaces. */
export class PcapngFormat implements SavefileFormat {
  #littleEndian = true;
  #interfaces: Interface[] = [];
  /** How many interfaces the section has beyond those that are known. */
  #unknownInterfaces = 0;
  /** The last packet's time, for simple packets, which have none: in seconds since 1970-01-01 UTC. */
  #time = 0;
  #milliseconds = 0;
  readonly #name: string;
  readonly #origin: TimeOrigin;

  private constructor(name: string, origin: TimeOrigin) {
    this.#name = name;
    this.#origin = origin;
  }

  /**
   * @param name What to call the file in messages.
   * @param view At least the first 12 bytes of the file.
   * @param origin Of the packets' times.
   * @returns `null` when the file is not of this format.
   */
  static recognize(name: string, view: DataView, origin: TimeOrigin): PcapngFormat | null {
    return view.getUint32(0) === SECTION_HEADER ? new PcapngFormat(name, origin) : null;
  }

  index(reader: ChunkReader, batch: PacketBatch): number {
    while (batch.count < batch.capacity) {
      if (reader.available < BLOCK_OVERHEAD) return BLOCK_OVERHEAD;
      const { view, start } = reader;
      // A section header says itself which byte order is the one from there on.
      if (view.getUint32(start) === SECTION_HEADER) this.#startSection(reader);
      const size = view.getUint32(start + 4, this.#littleEndian);
      if (size < BLOCK_OVERHEAD || size % 4 !== 0 || size > MOST_BLOCK_BYTES) {
        throw this.#damaged(reader, `a block claims ${size} bytes`);
      }
      if (reader.available < size) return size;
      if (view.getUint32(start + size - 4, this.#littleEndian) !== size) {
        throw this.#damaged(reader, `the two lengths of a block of ${size} bytes differ`);
      }
      this.#readBlock(reader, start, size, batch);
      reader.start = start + size;
    }
    return 0;
  }

  #startSection(reader: ChunkReader): void {
    const magicAt = reader.start + BODY;
    if (reader.view.getUint32(magicAt, true) === BYTE_ORDER_MAGIC) this.#littleEndian = true;
    else if (reader.view.getUint32(magicAt) === BYTE_ORDER_MAGIC) this.#littleEndian = false;
    else throw this.#damaged(reader, "a section has no byte-order magic");
    this.#interfaces = [];
    this.#unknownInterfaces = 0;
  }

  #readBlock(reader: ChunkReader, start: number, size: number, batch: PacketBatch): void {
    const { view } = reader;
    const little = this.#littleEndian;
    const end = start + size - 4;
    const body = start + BODY;
    switch (view.getUint32(start, little)) {
      case INTERFACE_DESCRIPTION:
        if (end - body < 8) throw this.#damaged(reader, "an interface description is too short");
        if (this.#interfaces.length === MOST_INTERFACES) this.#unknownInterfaces++;
        else this.#interfaces.push(this.#readInterface(view, body, end));
        break;
      case ENHANCED_PACKET:
        if (end - body < PACKET_FIELDS) throw this.#damaged(reader, "a packet block is too short");
        this.#addPacket(reader, batch, view.getUint32(body, little), body, end);
        break;
      case PACKET:
        if (end - body < PACKET_FIELDS) throw this.#damaged(reader, "a packet block is too short");
        this.#addPacket(reader, batch, view.getUint16(body, little), body, end);
        break;
      case SIMPLE_PACKET: {
        if (end - body < 4) throw this.#damaged(reader, "a simple packet block is too short");
        const from = this.#interface(reader, 0);
        const length = view.getUint32(body, little);
        const limit = from.snapshotLength === 0 ? length : Math.min(length, from.snapshotLength);
        this.#add(batch, from, body + 4, Math.min(limit, end - body - 4), length);
        break;
      }
    }
  }

  /** Adds the packet of a block whose fields, but for the interface, are those of both kinds. */
  #addPacket(
    reader: ChunkReader,
    batch: PacketBatch,
    interfaceId: number,
    body: number,
    end: number,
  ): void {
    const { view } = reader;
    const from = this.#interface(reader, interfaceId);
    const captured = view.getUint32(body + 12, this.#littleEndian);
    const start = body + PACKET_FIELDS;
    if (captured > end - start) {
      throw this.#damaged(reader, `a packet of ${captured} bytes does not fit its block`);
    }
    this.#readTime(view, body + 4, from);
    this.#add(batch, from, start, captured, view.getUint32(body + 16, this.#littleEndian));
  }

  #readInterface(view: DataView, body: number, end: number): Interface {
    const little = this.#littleEndian;
    const found: Interface = {
      number: this.#interfaces.length,
      linkType: view.getUint16(body, little),
      snapshotLength: view.getUint32(body + 4, little),
      unitsPerSecond: 1e6,
      exactUnitsPerSecond: 1_000_000n,
      offsetSeconds: 0,
      timeHigh: -1,
      timeHighSeconds: 0,
      timeHighUnits: 0,
    };
    for (let at = body + 8; at + 4 <= end;) {
      const code = view.getUint16(at, little);
      const length = view.getUint16(at + 2, little);
      if (code === OPTION_END || at + 4 + length > end) break;
      if (code === OPTION_TIME_RESOLUTION && length === 1) {
        const resolution = view.getUint8(at + 4);
        // The highest bit tells powers of 2 from powers of 10.
        found.exactUnitsPerSecond = (resolution & 0x80) !== 0
          ? 2n ** BigInt(resolution & 0x7f)
          : 10n ** BigInt(resolution);
        found.unitsPerSecond = Number(found.exactUnitsPerSecond);
      } else if (code === OPTION_TIME_OFFSET && length === 8) {
        found.offsetSeconds = Number(view.getBigInt64(at + 4, little));
      }
      at += 4 + length + (-length & 3);
    }
    return found;
  }

  #interface(reader: ChunkReader, id: number): Interface {
    const found = this.#interfaces[id];
    if (found !== undefined) return found;
    if (id < this.#interfaces.length + this.#unknownInterfaces) {
      throw new UserError(
        `${this.#name}: at byte ${reader.position} a packet is of interface ${id}, and only the ` +
          `first ${MOST_INTERFACES} of a section can be read; what came before was processed`,
      );
    }
    throw this.#damaged(reader, `a packet is of interface ${id}, unknown`);
  }

  #readTime(view: DataView, at: number, from: Interface): void {
    const high = view.getUint32(at, this.#littleEndian);
    const low = view.getUint32(at + 4, this.#littleEndian);
    const units = from.unitsPerSecond;
    if (units > MOST_EXACT_UNITS) {
      const stamp = BigInt(high) << 32n | BigInt(low);
      const { exactUnitsPerSecond: exact } = from;
      this.#time = Number(stamp / exact) + from.offsetSeconds;
      this.#milliseconds = Number(stamp % exact * 1000n / exact);
      return;
    }
    // Nanoseconds since 1970 have more bits than a number: halves are divided one after the other.
    if (high !== from.timeHigh) {
      const upper = high * 2 ** 32;
      from.timeHigh = high;
      from.timeHighUnits = upper % units;
      from.timeHighSeconds = Math.round((upper - from.timeHighUnits) / units) + from.offsetSeconds;
    }
    const beyond = from.timeHighUnits + low;
    const whole = Math.floor(beyond / units);
    this.#time = from.timeHighSeconds + whole;
    this.#milliseconds = Math.floor((beyond - whole * units) * 1000 / units);
  }

  #add(
    batch: PacketBatch,
    from: Interface,
    start: number,
    captured: number,
    length: number,
  ): void {
    const at = batch.count++;
    batch.offset[at] = start;
    batch.captured[at] = captured;
    batch.length[at] = length;
    batch.seconds[at] = this.#origin.secondsOf(this.#time);
    batch.milliseconds[at] = this.#milliseconds;
    batch.linkType[at] = from.linkType;
    batch.interface[at] = from.number;
  }

  #damaged(reader: ChunkReader, what: string): UserError {
    return new UserError(
      `${this.#name}: at byte ${reader.position} ${what}; ` +
        `the file is damaged there, and what came before was processed`,
    );
  }
}
