import { interfaceState } from "../../ffi/interface_state.ts";
import { linkTypeDescription, linkTypeName } from "../../ffi/libpcap.ts";
import { PacketRecordBuffer, RECORD_HEADER_SIZE } from "../../ffi/packet_record_buffer.ts";
import { ANY_DEVICE } from "../../ffi/device.ts";
import { PcapError } from "../../ffi/pcap_error.ts";
import { PcapHandle, type PcapStatistics } from "../../ffi/pcap_handle.ts";
import { Readiness } from "../../ffi/readiness.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { isDecoded } from "./is_decoded.ts";
import type { LiveOptions } from "./live_options.ts";
import { PacketBatch } from "./packet_batch.ts";
import { preferredLinkType } from "./preferred_link_type.ts";
import type { PacketSource, SourceStatistics } from "./packet_source.ts";

const MEBIBYTE = 1024 * 1024;
/** Longest time that a packet waits in the kernel, and that {@linkcode LiveSource.next} waits. */
const TIMEOUT_MILLISECONDS = 100;
/** Most packets of a batch: enough that the cost of a call is shared by many. */
const MOST_PACKETS = 4096;
/**
 * Most memory for a batch, were all its packets as long as the snapshot length. What is not used of
 * it is address space and no memory.
 */
const BATCH_BYTES = 64 * MEBIBYTE;
/** A filter that takes every packet up to the snapshot length. */
const TAKE_ALL = "";
/** Full batches that are given without a turn of the event loop; others must have theirs too. */
const FULL_BATCHES_IN_A_ROW = 8;
/** How often the interface is looked at, and opened again if it was away. */
const LOOK_MILLISECONDS = 1000;

/** Packets of an interface, taken with libpcap. */
export class LiveSource implements PacketSource {
  readonly name: string;
  readonly #options: Readonly<LiveOptions>;
  readonly #log: Log;
  readonly #batch: PacketBatch;
  readonly #readiness = new Readiness();
  /** `null` while the interface is away. */
  #capture: OpenCapture | null = null;
  /** What was counted by captures that are over. */
  readonly #counted: SourceStatistics = {
    received: 0,
    droppedByKernel: 0,
    droppedByInterface: 0,
  };
  /** Whether it was said that the interface is away. */
  #isAway = false;
  #lookedAt = performance.now();
  #fullBatches = 0;
  #isReading = false;
  #isClosed = false;

  private constructor(name: string, options: Readonly<LiveOptions>, log: Log) {
    this.name = name;
    this.#options = options;
    this.#log = log;
    this.#batch = new PacketBatch(packetsOfBatch(options.snaplen), new Uint8Array());
  }

  /**
   * Starts to take packets. An interface that is there and down is waited for.
   *
   * @throws {UserError} when libpcap is missing, there is no such interface, capture is not
   * permitted, the filter has an error, or the link type is one that is not decoded.
   */
  static open(name: string, options: Readonly<LiveOptions>, log: Log): LiveSource {
    const source = new LiveSource(name, options, log);
    try {
      source.#open(true);
    } catch (error) {
      if (!(error instanceof PcapError && error.isAbsence && interfaceState(name).index !== 0)) {
        source.close();
        throw error;
      }
      source.#sayAway("is down");
    }
    return source;
  }

  async next(): Promise<PacketBatch | null> {
    if (this.#isClosed) return null;
    if (this.#isReading) throw new Error(`${this.name}: next() was called before the last is over`);
    this.#isReading = true;
    this.#batch.count = 0;
    try {
      await this.#wait();
      if (this.#isClosed) return null;
      this.#look();
      if (this.#capture !== null) this.#read(this.#capture);
      return this.#batch;
    } finally {
      this.#isReading = false;
      if (this.#isClosed) this.#release();
    }
  }

  statistics(): SourceStatistics {
    const capture = this.#capture;
    capture?.countInto(this.#counted);
    return { ...this.#counted };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A wait that is going on uses what would be given back: it is ended, and then sees to it.
    if (this.#isReading) this.#readiness.wake();
    else this.#release();
  }

  async #wait(): Promise<void> {
    if (this.#fullBatches > 0 && this.#fullBatches < FULL_BATCHES_IN_A_ROW) return;
    // An interface that is down makes its descriptor ready all the time: then the time is waited.
    const fd = this.#capture === null || this.#isAway ? null : this.#capture.fd;
    await this.#readiness.wait(fd, this.#fullBatches > 0 ? 0 : TIMEOUT_MILLISECONDS);
    this.#fullBatches = 0;
  }

  #read(capture: OpenCapture): void {
    const isLast = capture.isOver && performance.now() >= capture.lastReadAt;
    try {
      const count = capture.records.fill();
      this.#index(count, capture.linkType);
      this.#fullBatches = count === this.#batch.capacity ? this.#fullBatches + 1 : 0;
    } catch (error) {
      if (!(error instanceof PcapError)) throw error;
      this.#log.debug(error.message);
      this.#lose(capture);
    }
    if (isLast && this.#fullBatches === 0) this.#end(capture);
  }

  /** The interface that is open is no more: what the kernel has of it is read, then it is over. */
  #lose(capture: OpenCapture): void {
    this.#sayAway(interfaceState(this.name).index === capture.index ? "went down" : "has vanished");
    if (capture.isOver) return;
    capture.isOver = true;
    capture.lastReadAt = performance.now() + 2 * TIMEOUT_MILLISECONDS;
  }

  /** Says where each packet of the records lies. */
  #index(count: number, linkType: number): void {
    const batch = this.#batch;
    const { view, seconds, offset, captured, length } = batch;
    for (let packet = 0, at = 0; packet < count; packet++) {
      const size = view.getUint32(at + 8, true);
      seconds[packet] = view.getUint32(at, true);
      captured[packet] = size;
      length[packet] = view.getUint32(at + 12, true);
      at += RECORD_HEADER_SIZE;
      offset[packet] = at;
      at += size;
    }
    batch.linkType.fill(linkType, 0, count);
    batch.count = count;
  }

  /** Once in a while: is the interface the one that is open, and is it up? */
  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MILLISECONDS) return;
    this.#lookedAt = now;
    const capture = this.#capture;
    if (capture === null) {
      this.#openAgain();
    } else if (capture.index !== 0) {
      const { index, isUp } = interfaceState(this.name);
      if (index !== capture.index) this.#lose(capture);
      else if (!isUp) this.#sayAway("went down");
      else if (!capture.isOver) this.#sayBack();
    }
  }

  #openAgain(): void {
    try {
      this.#open(false);
      this.#sayBack();
    } catch (error) {
      if (!(error instanceof PcapError) || error.isPermission) throw error;
      this.#log.debug(error.message);
    }
  }

  #open(isFirst: boolean): void {
    const capture = new OpenCapture(this.name, this.#options, this.#batch.capacity);
    this.#capture = capture;
    this.#batch.setBytes(capture.records.bytes);
    if (isFirst && capture.warning !== null) this.#log.warn(capture.warning);
  }

  #end(capture: OpenCapture): void {
    capture.countInto(this.#counted);
    capture.close();
    this.#capture = null;
    this.#fullBatches = 0;
  }

  #sayAway(what: string): void {
    if (!this.#isAway) this.#log.warn(`${this.name} ${what}: capture waits for it to come back`);
    this.#isAway = true;
  }

  #sayBack(): void {
    if (this.#isAway) this.#log.info(`${this.name} is up: capture goes on`);
    this.#isAway = false;
  }

  #release(): void {
    if (this.#capture !== null) this.#end(this.#capture);
    this.#readiness.close();
  }
}

/** An interface that is open: from one activation to its end. */
class OpenCapture {
  readonly fd: number;
  readonly linkType: number;
  readonly records: PacketRecordBuffer;
  readonly warning: string | null;
  /** The interface's number when it was opened; 0 for one that the kernel has no number for. */
  readonly index: number;
  /** Whether it can't go on: it is read until `lastReadAt`, when the kernel has given the rest. */
  isOver = false;
  /** On the clock of `performance.now()`. */
  lastReadAt = 0;
  readonly #handle: PcapHandle;
  readonly #seen: PcapStatistics = { received: 0, droppedByKernel: 0, droppedByInterface: 0 };

  constructor(name: string, options: Readonly<LiveOptions>, packets: number) {
    this.index = interfaceState(name).index;
    const handle = PcapHandle.create(name);
    this.#handle = handle;
    try {
      handle.setSnaplen(options.snaplen);
      // Of all interfaces at once libpcap takes what they take anyhow, and would only warn.
      handle.setPromisc(options.promiscuous && name !== ANY_DEVICE);
      handle.setTimeout(TIMEOUT_MILLISECONDS);
      handle.setBufferSize(options.bufferMebibytes * MEBIBYTE);
      this.warning = handle.activate();
      handle.setNonblock(true);
      this.linkType = chosenLinkType(handle);
      if (options.direction !== "inout") handle.setDirection(options.direction);
      // Without any filter the kernel takes whole packets, and libpcap cuts them later.
      handle.setFilter(options.filter ?? TAKE_ALL);
      this.fd = handle.selectableFd();
      this.records = new PacketRecordBuffer(handle, packets, options.snaplen);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** Adds what was counted since the last time. libpcap's numbers start again after 32 bits. */
  countInto(sum: SourceStatistics): void {
    const now = this.#handle.stats();
    for (const counter of ["received", "droppedByKernel", "droppedByInterface"] as const) {
      sum[counter] += (now[counter] - this.#seen[counter]) >>> 0;
      this.#seen[counter] = now[counter];
    }
  }

  close(): void {
    this.records.close();
    this.#handle.close();
  }
}

/** @throws {UserError} when the link type is one that is not decoded. */
function chosenLinkType(handle: PcapHandle): number {
  const linkType = preferredLinkType(handle);
  if (isDecoded(linkType)) return linkType;
  const description = linkTypeDescription(linkType);
  throw new UserError(
    `${handle.device}: its link type ${linkTypeName(linkType)}` +
      `${description && ` (${description})`} is not one that flosensor decodes: ` +
      `name another interface; "flosensor interfaces" lists them`,
  );
}

function packetsOfBatch(snaplen: number): number {
  const packets = Math.floor(BATCH_BYTES / (RECORD_HEADER_SIZE + snaplen));
  return Math.min(Math.max(packets, 1), MOST_PACKETS);
}
