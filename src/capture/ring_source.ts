import { joinFanout, PacketSocket, type PacketSocketCounts } from "../../ffi/af_packet.ts";
import { absenceMessage, CaptureError, downMessage } from "../../ffi/capture_error.ts";
import { ANY_DEVICE } from "../../ffi/device.ts";
import { interfaceDrops } from "../../ffi/interface_drops.ts";
import { interfaceState } from "../../ffi/interface_state.ts";
import { kernelFilter } from "../../ffi/kernel_filter.ts";
import { libpcapAbsence } from "../../ffi/libpcap.ts";
import { PacketRing } from "../../ffi/packet_ring.ts";
import type { Log } from "../log.ts";
import {
  FRAME_CAPTURED,
  FRAME_LENGTH,
  FRAME_LINK,
  FRAME_NANOSECONDS,
  FRAME_NEXT,
  FRAME_SECONDS,
  FRAME_START,
  FRAME_STATUS,
  FRAME_VLAN_TAG,
  FRAME_VLAN_TYPE,
  VLAN_IS_VALID,
  VLAN_TYPE_IS_VALID,
} from "../model/ring_frame.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL2 } from "../packet/link_type.ts";
import { UserError } from "../user_error.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { directionFilter } from "./direction_filter.ts";
import { filterBefore } from "./filter_before.ts";
import { hardwareLinkType, hardwareLinkTypeName } from "./hardware_link_type.ts";
import { InterfaceSource, type OpenInterface, TIMEOUT_MILLISECONDS } from "./interface_source.ts";
import { isDecoded } from "./is_decoded.ts";
import type { LiveOptions, LongPackets } from "./live_options.ts";
import { COOKED_LAYOUT, linkLayout, longPacketsProgram } from "./long_packets_program.ts";
import { notDecoded } from "./not_decoded.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { SourceStatistics } from "./packet_source.ts";
import { preferredLinkType } from "./preferred_link_type.ts";

/** Most packets of a batch: enough to share its cost, and few enough to stay in the cache. */
const MOST_PACKETS = 4096;
/** `struct sockaddr_ll` of <linux/if_packet.h>. */
const LINK = { protocol: 2, index: 4, hardware: 8, kind: 10, address: 12 };
/** The header of LINKTYPE_LINUX_SLL2, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html. */
const SLL2 = { protocol: 0, index: 4, hardware: 8, kind: 10, address: 12, size: 20 };
/** A VLAN tag (IEEE 802.1Q), which comes after both addresses, and its usual EtherType. */
const VLAN_TAG = 4;
const ADDRESSES = 12;
const ETHERTYPE_VLAN = 0x8100;
/** The interface that sends itself what it sends. */
const LOOPBACK = "lo";

/**
 * Packets of an interface, taken from the kernel without libpcap, which is needed for a filter only.
 *
 * They are those that {@linkcode LiveSource} takes.
 */
export class RingSource extends InterfaceSource {
  readonly #options: Readonly<LiveOptions>;

  private constructor(
    name: string,
    options: Readonly<LiveOptions>,
    log: Log,
    input: Uint8Array<ArrayBuffer> | undefined,
  ) {
    super(name, log, MOST_PACKETS, input);
    this.#options = options;
  }

  /**
   * Starts to take packets. An interface that is there and down is waited for.
   *
   * @param input Where packets are to be put: an engine's input. By default, in memory of its own.
   * @throws {UserError} when there is no such interface, capture is not permitted, the filter has an
   * error or there is no libpcap to compile it, or the link type is one that is not decoded.
   */
  static open(
    name: string,
    options: Readonly<LiveOptions>,
    log: Log,
    input?: Uint8Array<ArrayBuffer>,
  ): RingSource {
    return new RingSource(name, options, log, input).start();
  }

  protected override openInterface(long: LongPackets): OpenInterface {
    return new OpenRing(this.name, this.#options, long, this.input);
  }
}

/** A ring that the kernel fills. */
class OpenRing implements OpenInterface {
  readonly index: number;
  readonly warning = null;
  readonly #name: string;
  readonly #options: Readonly<LiveOptions>;
  readonly #linkType: number;
  readonly #isCooked: boolean;
  /** Where the next frame of a block lies, and how many there are from there on. */
  #at = 0;
  #left = 0;
  readonly #socket: PacketSocket;
  readonly #ring: PacketRing;
  /** The beginning of the program: refuses what is not wanted. */
  readonly #filter: readonly BpfInstruction[];
  readonly #counts: PacketSocketCounts = { packets: 0, drops: 0 };
  #droppedByInterface: number;

  constructor(
    name: string,
    options: Readonly<LiveOptions>,
    long: LongPackets,
    input: Uint8Array<ArrayBuffer> | undefined,
  ) {
    this.#name = name;
    this.index = indexOfInterface(name);
    this.#linkType = chosenLinkType(name);
    const isCooked = this.#linkType === LINKTYPE_LINUX_SLL2;
    this.#isCooked = isCooked;
    this.#options = options;
    this.#filter = filterFor(name, options, this.#linkType);
    this.#droppedByInterface = interfaceDrops(name);
    const socket = new PacketSocket(name, isCooked);
    this.#socket = socket;
    try {
      const { bufferMebibytes } = options;
      this.#ring = new PacketRing(socket, bufferMebibytes, TIMEOUT_MILLISECONDS, input);
      this.#takePackets(long);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get fd(): number {
    return this.#socket.fd;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#ring.bytes;
  }

  read(batch: PacketBatch): boolean {
    if (this.#left === 0) this.#takeBlock(batch);
    if (this.#left === 0) this.#socket.requireUp();
    const back = this.#isCooked ? SLL2.size : 0;
    if (batch.taker !== null) {
      batch.taken = this.#left;
      batch.taker.takeFrames(this.#at, this.#left, back, this.#linkType);
      this.#left = 0;
    } else {
      const count = Math.min(this.#left, batch.capacity);
      if (this.#linkType === LINKTYPE_ETHERNET) putTagsBack(batch.view, this.#at, count);
      this.#at = indexFrames(batch, this.#at, count, back);
      batch.linkType.fill(this.#linkType, 0, count);
      this.#left -= count;
    }
    return this.#left > 0 || this.#ring.isReady;
  }

  setLongPackets(long: LongPackets): void {
    // Of what is cooked, the kernel shows IP alone: the header is made here.
    const isCooked = this.#linkType === LINKTYPE_LINUX_SLL2;
    const layout = isCooked ? COOKED_LAYOUT : linkLayout(this.#linkType);
    const lengths = longPacketsProgram(layout, this.#options.snaplen, long);
    this.#socket.attachFilter([...this.#filter, ...lengths]);
  }

  countInto(sum: SourceStatistics): void {
    this.#socket.count(this.#counts);
    sum.received += this.#counts.packets;
    sum.droppedByKernel += this.#counts.drops;
    const dropped = interfaceDrops(this.#name);
    // Another interface of this name counts from 0.
    sum.droppedByInterface += Math.max(0, dropped - this.#droppedByInterface);
    this.#droppedByInterface = dropped;
  }

  close(): void {
    this.#ring?.close();
    this.#socket.close();
  }

  #takeBlock(batch: PacketBatch): void {
    const frames = this.#ring.take();
    if (frames === null) return;
    this.#at = frames.at;
    this.#left = frames.count;
    if (this.#isCooked) addHeaders(batch.view, frames.at, frames.count);
  }

  /** In an order in which no packet is taken that is not wanted. */
  #takePackets(long: LongPackets): void {
    const socket = this.#socket;
    const options = this.#options;
    if (options.fanoutGroup === null) {
      this.setLongPackets(long);
      socket.bind(this.index);
    } else {
      // Only a socket that is bound can share, and until it does, it takes what others take too.
      socket.shut();
      socket.bind(this.index);
      joinFanout(this.#name, socket.fd, options.fanoutGroup);
      this.setLongPackets(long);
    }
    if (options.promiscuous && this.index !== 0) socket.addPromiscuous(this.index);
  }
}

/** @returns Where the frame after the last lies. */
function indexFrames(batch: PacketBatch, first: number, count: number, back: number): number {
  const { view, seconds, milliseconds, offset, captured, length } = batch;
  let at = first;
  for (let packet = 0; packet < count; packet++) {
    seconds[packet] = view.getUint32(at + FRAME_SECONDS, true);
    milliseconds[packet] = view.getUint32(at + FRAME_NANOSECONDS, true) / 1_000_000;
    captured[packet] = view.getUint32(at + FRAME_CAPTURED, true) + back;
    length[packet] = view.getUint32(at + FRAME_LENGTH, true) + back;
    offset[packet] = at + view.getUint16(at + FRAME_START, true) - back;
    at += view.getUint32(at + FRAME_NEXT, true);
  }
  batch.count = count;
  return at;
}

/**
 * Puts the VLAN tags that the kernel has taken off packets back to where they were, as libpcap does: such a
 * packet then begins four bytes earlier, where the kernel leaves at least 14 bytes free.
 */
function putTagsBack(view: DataView, first: number, count: number): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let at = first;
  for (let packet = 0; packet < count; packet++) {
    const status = view.getUint32(at + FRAME_STATUS, true);
    if ((status & VLAN_IS_VALID) !== 0) {
      const start = at + view.getUint16(at + FRAME_START, true);
      const hasType = (status & VLAN_TYPE_IS_VALID) !== 0;
      bytes.copyWithin(start - VLAN_TAG, start, start + ADDRESSES);
      const tag = start - VLAN_TAG + ADDRESSES;
      view.setUint16(tag, hasType ? view.getUint16(at + FRAME_VLAN_TYPE, true) : ETHERTYPE_VLAN);
      view.setUint16(tag + 2, view.getUint16(at + FRAME_VLAN_TAG, true));
      view.setUint16(at + FRAME_START, start - VLAN_TAG - at, true);
      view.setUint32(
        at + FRAME_CAPTURED,
        view.getUint32(at + FRAME_CAPTURED, true) + VLAN_TAG,
        true,
      );
      view.setUint32(at + FRAME_LENGTH, view.getUint32(at + FRAME_LENGTH, true) + VLAN_TAG, true);
      // Not again.
      view.setUint32(at + FRAME_STATUS, status & ~VLAN_IS_VALID, true);
    }
    at += view.getUint32(at + FRAME_NEXT, true);
  }
}

/**
 * Puts the header of LINKTYPE_LINUX_SLL2 before the packet of each frame. The kernel leaves at least 28
 * bytes between what it says of the link layer and the packet: the header, which says the same in another
 * order, fits in between.
 */
function addHeaders(view: DataView, first: number, count: number): void {
  let at = first;
  for (let packet = 0; packet < count; packet++) {
    const header = at + view.getUint16(at + FRAME_START, true) - SLL2.size;
    const link = at + FRAME_LINK;
    view.setUint32(header + SLL2.protocol, view.getUint16(link + LINK.protocol) << 16);
    view.setUint32(header + SLL2.index, view.getUint32(link + LINK.index, true));
    view.setUint16(header + SLL2.hardware, view.getUint16(link + LINK.hardware, true));
    view.setUint16(header + SLL2.kind, view.getUint16(link + LINK.kind));
    view.setUint32(header + SLL2.address, view.getUint32(link + LINK.address));
    view.setUint32(header + SLL2.address + 4, view.getUint32(link + LINK.address + 4));
    at += view.getUint32(at + FRAME_NEXT, true);
  }
}

/** @throws {CaptureError} when there is no such interface, or it is down. */
function indexOfInterface(name: string): number {
  if (name === ANY_DEVICE) return 0;
  const { index, isUp } = interfaceState(name);
  if (index === 0) throw new CaptureError(absenceMessage(name), true, false);
  if (!isUp) throw new CaptureError(downMessage(name), true, false);
  return index;
}

/** @throws {UserError} when the link type is one that is not decoded. */
function chosenLinkType(name: string): number {
  const linkType = hardwareLinkType(name);
  if (linkType === null) throw new CaptureError(absenceMessage(name), true, false);
  if (!isDecoded(linkType)) throw notDecoded(name, hardwareLinkTypeName(linkType));
  return linkType;
}

/**
 * Decides which packets are taken: all of a direction, or of these what the user's filter matches.
 * This is done once, when there is permission to open libpcap's capture.
 */
function filterFor(
  name: string,
  { filter, snaplen, direction }: Readonly<LiveOptions>,
  linkType: number,
): BpfInstruction[] {
  const loopback = name === ANY_DEVICE || name === LOOPBACK ? interfaceState(LOOPBACK).index : 0;
  const directed = directionFilter(direction, loopback);
  if (filter === null) return directed;
  const absence = libpcapAbsence();
  if (absence !== null) {
    throw new UserError(`--filter needs libpcap, which compiles it: ${absence}`);
  }
  const program = kernelFilter(name, snaplen, (handle) => {
    if (preferredLinkType(handle) === linkType) return handle.compile(filter);
    throw new UserError(
      `${name}: filter ${JSON.stringify(filter)}: libpcap takes another link type of this ` +
        "interface: take --source libpcap",
    );
  });
  return [...directed, ...filterBefore(program)];
}
