import { LAST_MILLISECOND } from "../model/last_millisecond.ts";
import { UserError } from "../user_error.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import type { PacketBatch, RecordFormat } from "./packet_batch.ts";
import { MAXIMUM_SNAPSHOT_LENGTH, type SavefileFormat } from "./savefile_format.ts";
import type { TimeOrigin } from "./time_origin.ts";

/** Magic numbers of pcap-savefile(5): time stamps in microseconds, in nanoseconds. */
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
/** The format of Linux kernels patched by A. Kuznetsov, with eight more bytes for each packet. */
const MODIFIED = 0xa1b2cd34;

/** Bytes of the file header. */
export const PCAP_FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** libpcap allows D-Bus captures 128 MiB for a message, and nothing more. */
const LARGEST_RECORD = 128 * 1024 * 1024;
const MODIFIED_RECORD_HEADER = 24;

/** Saved captures of pcap-savefile(5), in either byte order. */
export class PcapFormat implements SavefileFormat {
  readonly #records: RecordFormat;
  readonly #name: string;
  readonly #origin: TimeOrigin;

  private constructor(name: string, view: DataView, littleEndian: boolean, origin: TimeOrigin) {
    this.#name = name;
    const magic = view.getUint32(0, littleEndian);
    const isModified = magic === MODIFIED;
    this.#origin = origin;
    const snapshotLength = view.getUint32(16, littleEndian);
    this.#records = {
      header: isModified ? MODIFIED_RECORD_HEADER : RECORD_HEADER,
      perMillisecond: magic === NANOSECONDS ? 1_000_000 : 1000,
      littleEndian,
      // The high half says whether frames end in a check sequence.
      linkType: view.getUint32(20, littleEndian) & 0xffff,
      most: snapshotLength <= LARGEST_RECORD
        ? Math.max(snapshotLength, MAXIMUM_SNAPSHOT_LENGTH)
        : MAXIMUM_SNAPSHOT_LENGTH,
    };
  }

  /**
   * @param name What to call the file in messages.
   * @param view At least the 24 bytes of the file header.
   * @param origin Of the packets' times.
   * @returns `null` when the file is not of this format.
   */
  static recognize(name: string, view: DataView, origin: TimeOrigin): PcapFormat | null {
    for (const littleEndian of [true, false]) {
      const magic = view.getUint32(0, littleEndian);
      if (magic === MICROSECONDS || magic === NANOSECONDS || magic === MODIFIED) {
        return new PcapFormat(name, view, littleEndian, origin);
      }
    }
    return null;
  }

  index(reader: ChunkReader, batch: PacketBatch): number {
    const { view, end } = reader;
    const { offset, captured, length, seconds, milliseconds, linkType, capacity } = batch;
    const { header, littleEndian, linkType: link, most, perMillisecond } = this.#records;
    // Times are without a sign, as tcpdump has it. The first record settles from when they count.
    if (reader.start + header <= end) {
      this.#origin.settle(view.getUint32(reader.start, littleEndian));
    }
    const isCountedFrom1970 = this.#origin.seconds === 0;
    let position = reader.start;
    let count = batch.count;
    // A taker sees its own memory only, and takes times as they are.
    if (isCountedFrom1970 && batch.taker !== null && reader.isInFirstWindow) {
      const taken = batch.taker.takeRecords(this.#records, position, end, capacity);
      position = taken.next;
      batch.taken = taken.count;
      if (taken.count === capacity) {
        reader.start = position;
        return 0;
      }
      // What it stopped at is looked at below.
    }
    let needed = 0;
    while (count < capacity) {
      if (position + header > end) {
        needed = header;
        break;
      }
      const size = view.getUint32(position + 8, littleEndian);
      if (size > most) {
        reader.start = position;
        batch.count = count;
        throw new UserError(
          `${this.#name}: the record at byte ${reader.position} claims ${size} bytes; ` +
            `the file is damaged there, and what came before was processed`,
        );
      }
      if (position + header + size > end) {
        needed = header + size;
        break;
      }
      const time = view.getUint32(position, littleEndian);
      seconds[count] = isCountedFrom1970 ? time : this.#origin.secondsOf(time);
      captured[count] = size;
      length[count] = view.getUint32(position + 12, littleEndian);
      const fraction = view.getUint32(position + 4, littleEndian) / perMillisecond;
      milliseconds[count] = Math.min(fraction, LAST_MILLISECOND);
      offset[count] = position + header;
      linkType[count] = link;
      // A file of several interfaces may have been read into this batch before.
      batch.interface[count] = 0;
      count++;
      position += header + size;
    }
    reader.start = position;
    batch.count = count;
    return needed;
  }
}
