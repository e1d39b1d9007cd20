import { joinFanout, takeNothing } from "../../ffi/af_packet.ts";
import { ANY_DEVICE } from "../../ffi/device.ts";
import { interfaceState } from "../../ffi/interface_state.ts";
import { linkTypeDescription, linkTypeName } from "../../ffi/libpcap.ts";
import {
  PacketRecordBuffer,
  RECORD_HEADER_SIZE,
  RECORD_OVERHEAD,
} from "../../ffi/packet_record_buffer.ts";
import { PcapHandle, type PcapStatistics } from "../../ffi/pcap_handle.ts";
import type { Log } from "../log.ts";
import { InterfaceSource } from "./interface_source.ts";
import { isDecoded } from "./is_decoded.ts";
import { type LiveOptions, LONG_SNAPLEN, type LongPackets } from "./live_options.ts";
import { liveProgram } from "./live_program.ts";
import { notDecoded } from "./not_decoded.ts";
import { type OpenInterface, TIMEOUT_MILLISECONDS } from "./open_interface.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { SourceStatistics } from "./packet_source.ts";
import { preferredLinkType } from "./preferred_link_type.ts";

const MEBIBYTE = 1024 * 1024;
/** Most packets of a batch: enough that the cost of a call is shared by many. */
const MOST_PACKETS = 4096;
/**
 * Most memory for a batch, were all its packets as long as the snapshot length. What is not used of
 * it is address space and no memory.
 */
const BATCH_BYTES = 64 * MEBIBYTE;

/** How `pcap_dump` writes records: with microseconds, in the order of bytes of this machine. */
const RECORDS = {
  header: RECORD_HEADER_SIZE,
  perMillisecond: 1000,
  littleEndian: true,
  most: BATCH_BYTES,
};

/** Packets of an interface, taken with libpcap; of one that comes back, with the kernel's ring. */
export class LiveSource extends InterfaceSource {
  readonly #options: Readonly<LiveOptions>;
  readonly #packets: number;

  private constructor(
    name: string,
    options: Readonly<LiveOptions>,
    log: Log,
    input: Uint8Array<ArrayBuffer> | undefined,
  ) {
    const packets = packetsOfBatch(Math.max(options.snaplen, LONG_SNAPLEN));
    super(name, options, log, packets, input);
    this.#options = options;
    this.#packets = packets;
  }

  /**
   * Starts to take packets. An interface that is there and down is waited for.
   *
   * @param input Where packets are to be put: an engine's input. By default, in memory of its own.
   * @throws {UserError} when libpcap is missing, there is no such interface, capture is not
   * permitted, the filter has an error, or the link type is one that is not decoded.
   */
  static open(
    name: string,
    options: Readonly<LiveOptions>,
    log: Log,
    input?: Uint8Array<ArrayBuffer>,
  ): LiveSource {
    // One that is down may be opened when no file may be written any more.
    PacketRecordBuffer.prepare();
    return new LiveSource(name, options, log, input).start();
  }

  protected override openInterface(long: LongPackets): OpenInterface {
    return new OpenHandle(this.name, this.#options, long, this.#packets, this.input);
  }
}

/** An active handle of libpcap's. */
class OpenHandle implements OpenInterface {
  readonly fd: number;
  readonly warning: string | null;
  readonly index: number;
  readonly #options: Readonly<LiveOptions>;
  readonly #linkType: number;
  readonly #records: PacketRecordBuffer;
  readonly #handle: PcapHandle;
  readonly #seen: PcapStatistics = { received: 0, droppedByKernel: 0, droppedByInterface: 0 };

  constructor(
    name: string,
    options: Readonly<LiveOptions>,
    long: LongPackets,
    packets: number,
    input: Uint8Array<ArrayBuffer> | undefined,
  ) {
    this.#options = options;
    this.index = interfaceState(name).index;
    const handle = PcapHandle.create(name);
    this.#handle = handle;
    try {
      const snaplen = Math.max(options.snaplen, LONG_SNAPLEN);
      handle.setSnaplen(snaplen);
      // Of all interfaces at once libpcap takes what they take anyhow, and would only warn.
      handle.setPromisc(options.promiscuous && name !== ANY_DEVICE);
      handle.setTimeout(TIMEOUT_MILLISECONDS);
      handle.setBufferSize(options.bufferMebibytes * MEBIBYTE);
      this.warning = handle.activate();
      handle.setNonblock(true);
      this.#linkType = chosenLinkType(handle);
      if (options.direction !== "inout") handle.setDirection(options.direction);
      this.fd = handle.selectableFd();
      // Since activation, a moment ago, each of the group took all packets.
      if (options.fanoutGroup !== null) joinFanout(name, this.fd, options.fanoutGroup);
      this.setLongPackets(long);
      this.#records = new PacketRecordBuffer(handle, packets, snaplen, input);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#records.bytes;
  }

  read(batch: PacketBatch): boolean {
    const count = this.#records.fill();
    if (batch.taker === null) this.#index(batch, count);
    else {
      const format = { ...RECORDS, linkType: this.#linkType };
      batch.taken = batch.taker.takeRecords(format, 0, batch.bytes.length, count).count;
    }
    return count === batch.capacity;
  }

  /** One program says which packets are taken and how much of them: libpcap doesn't cut again. */
  setLongPackets(long: LongPackets): void {
    const { filter, snaplen } = this.#options;
    this.#handle.setProgram(liveProgram(this.#handle, this.#linkType, filter, snaplen, long));
  }

  /** Not by a program of libpcap's, which would have it forget what is there. */
  stop(): void {
    takeNothing(this.fd);
  }

  /** libpcap's numbers start again after 32 bits. */
  countInto(sum: SourceStatistics): void {
    const now = this.#handle.stats();
    for (const counter of ["received", "droppedByKernel", "droppedByInterface"] as const) {
      sum[counter] += (now[counter] - this.#seen[counter]) >>> 0;
      this.#seen[counter] = now[counter];
    }
  }

  close(): void {
    this.#records.close();
    this.#handle.closeAside();
  }

  /** Says where each packet of the records lies. */
  #index(batch: PacketBatch, count: number): void {
    const { view, seconds, milliseconds, offset, captured, length } = batch;
    for (let packet = 0, at = 0; packet < count; packet++) {
      const size = view.getUint32(at + 8, true);
      seconds[packet] = view.getUint32(at, true);
      milliseconds[packet] = view.getUint32(at + 4, true) / RECORDS.perMillisecond;
      captured[packet] = size;
      length[packet] = view.getUint32(at + 12, true);
      at += RECORD_HEADER_SIZE;
      offset[packet] = at;
      at += size;
    }
    batch.linkType.fill(this.#linkType, 0, count);
    batch.count = count;
  }
}

/** @throws {UserError} when the link type is one that is not decoded. */
function chosenLinkType(handle: PcapHandle): number {
  const linkType = preferredLinkType(handle);
  if (isDecoded(linkType)) return linkType;
  const description = linkTypeDescription(linkType);
  throw notDecoded(
    handle.device,
    `${linkTypeName(linkType)}${description && ` (${description})`}`,
  );
}

function packetsOfBatch(snaplen: number): number {
  const packets = Math.floor(BATCH_BYTES / (RECORD_OVERHEAD + snaplen));
  return Math.min(Math.max(packets, 1), MOST_PACKETS);
}
