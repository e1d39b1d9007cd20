import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import {
  joinFanout,
  type PacketSocket,
  type PacketSocketCounts,
  takeNothing,
} from "../../ffi/af_packet.ts";
import { interfaceDrops } from "../../ffi/interface_drops.ts";
import { PacketRing } from "../../ffi/packet_ring.ts";
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
import { type OpenInterface, TIMEOUT_MILLISECONDS } from "./open_interface.ts";
import type { LiveOptions, LongPackets } from "./live_options.ts";
import { COOKED_LAYOUT, linkLayout, longPacketsProgram } from "./long_packets_program.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { SourceStatistics } from "./packet_source.ts";

/** `struct sockaddr_ll` of <linux/if_packet.h>. */
const LINK = { protocol: 2, index: 4, hardware: 8, kind: 10, address: 12 };
/** The header of LINKTYPE_LINUX_SLL2, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html. */
const SLL2 = { protocol: 0, index: 4, hardware: 8, kind: 10, address: 12, size: 20 };
/** A VLAN tag (IEEE 802.1Q), which comes after both addresses, and its usual EtherType. */
const VLAN_TAG = 4;
const ADDRESSES = 12;
const ETHERTYPE_VLAN = 0x8100;

/** How an interface is, and is to be taken from, when its ring is opened. */
export interface RingPlan {
  readonly name: string;
  /** Its number; 0 for all of them. */
  readonly index: number;
  readonly linkType: number;
  /** The beginning of the program: refuses what is not wanted. */
  readonly filter: readonly BpfInstruction[];
}

/** A ring that the kernel fills. */
export class OpenRing implements OpenInterface {
  readonly index: number;
  readonly warning = null;
  readonly #plan: RingPlan;
  readonly #options: Readonly<LiveOptions>;
  readonly #isCooked: boolean;
  /** Where the next frame of a block lies, and how many there are from there on. */
  #at = 0;
  #left = 0;
  readonly #socket: PacketSocket;
  readonly #ring: PacketRing;
  readonly #leave: (socket: PacketSocket) => void;
  readonly #counts: PacketSocketCounts = { packets: 0, drops: 0 };
  /** When it was last asked; `null` as long as that could not be read. */
  #droppedByInterface: number | null;

  /**
   * @param socket To which nothing is delivered, and that has no ring.
   * @param leave What becomes of the socket in the end.
   * @throws {CaptureError} when the interface can't be captured on now.
   */
  constructor(
    plan: RingPlan,
    options: Readonly<LiveOptions>,
    long: LongPackets,
    input: Uint8Array<ArrayBuffer> | undefined,
    socket: PacketSocket,
    leave: (socket: PacketSocket) => void,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.index = plan.index;
    this.#isCooked = isCooked(plan.linkType);
    this.#droppedByInterface = interfaceDrops(plan.name);
    this.#socket = socket;
    this.#leave = leave;
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
      batch.taker.takeFrames(this.#at, this.#left, back, this.#plan.linkType);
      this.#left = 0;
    } else {
      const count = Math.min(this.#left, batch.capacity);
      if (this.#plan.linkType === LINKTYPE_ETHERNET) putTagsBack(batch.view, this.#at, count);
      this.#at = indexFrames(batch, this.#at, count, back);
      batch.linkType.fill(this.#plan.linkType, 0, count);
      this.#left -= count;
    }
    return this.#left > 0 || this.#ring.isReady;
  }

  setLongPackets(long: LongPackets): void {
    // Of what is cooked, the kernel shows IP alone: the header is made here.
    const layout = this.#isCooked ? COOKED_LAYOUT : linkLayout(this.#plan.linkType);
    const lengths = longPacketsProgram(layout, this.#options.snaplen, long);
    this.#socket.attachFilter([...this.#plan.filter, ...lengths]);
  }

  stop(): void {
    takeNothing(this.#socket.fd);
  }

  countInto(sum: SourceStatistics): void {
    this.#socket.count(this.#counts);
    sum.received += this.#counts.packets;
    sum.droppedByKernel += this.#counts.drops;
    const dropped = interfaceDrops(this.#plan.name);
    if (dropped === null) return;
    // Another interface of this name counts from 0.
    sum.droppedByInterface += Math.max(0, dropped - (this.#droppedByInterface ?? dropped));
    this.#droppedByInterface = dropped;
  }

  close(): void {
    this.#ring?.close();
    this.#leave(this.#socket);
  }

  #takeBlock(batch: PacketBatch): void {
    const frames = this.#ring.take();
    if (frames === null) return;
    this.#at = frames.at;
    this.#left = frames.count;
    if (this.#isCooked) addHeaders(batch.view, frames.at, frames.count);
  }

  /**
   * In an order in which no packet is taken that is not wanted: only a socket that is bound can share, and
   * one that was bound before may still get what comes there.
   */
  #takePackets(long: LongPackets): void {
    const { name, index } = this.#plan;
    const { fanoutGroup, promiscuous } = this.#options;
    const socket = this.#socket;
    socket.shut();
    socket.bind(index);
    if (fanoutGroup !== null) joinFanout(name, socket.fd, fanoutGroup);
    this.setLongPackets(long);
    if (promiscuous && index !== 0) socket.addPromiscuous(index);
  }
}

/** Whether packets of a link type come without the header of their link layer. */
export function isCooked(linkType: number): boolean {
  return linkType === LINKTYPE_LINUX_SLL2;
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
