import { joinFanout, PacketSocket, type PacketSocketCounts } from "../../ffi/af_packet.ts";
import { absenceMessage, CaptureError, downMessage } from "../../ffi/capture_error.ts";
import { ANY_DEVICE } from "../../ffi/device.ts";
import { interfaceDrops } from "../../ffi/interface_drops.ts";
import { interfaceState } from "../../ffi/interface_state.ts";
import { kernelFilter } from "../../ffi/kernel_filter.ts";
import { libpcapAbsence } from "../../ffi/libpcap.ts";
import { PacketRing } from "../../ffi/packet_ring.ts";
import type { Log } from "../log.ts";
import { LINKTYPE_LINUX_SLL2 } from "../packet/link_type.ts";
import { UserError } from "../user_error.ts";
import type { BpfInstruction } from "./bpf_instruction.ts";
import { directionFilter } from "./direction_filter.ts";
import { filterBefore } from "./filter_before.ts";
import { hardwareLinkType, hardwareLinkTypeName } from "./hardware_link_type.ts";
import { InterfaceSource, type OpenInterface, TIMEOUT_MILLISECONDS } from "./interface_source.ts";
import { isDecoded } from "./is_decoded.ts";
import type { LiveOptions } from "./live_options.ts";
import { COOKED_LAYOUT, linkLayout, longPortsProgram } from "./long_ports_program.ts";
import { notDecoded } from "./not_decoded.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { SourceStatistics } from "./packet_source.ts";
import { preferredLinkType } from "./preferred_link_type.ts";

/** Most packets of a batch: enough to share its cost, and few enough to stay in the cache. */
const MOST_PACKETS = 4096;
/** The interface that sends itself what it sends. */
const LOOPBACK = "lo";

/**
 * Packets of an interface, taken from the kernel without libpcap, which is needed for a filter only.
 *
 * They are those that {@linkcode LiveSource} takes, but for VLAN tags that the kernel has taken off,
 * which stay off: nothing is attributed by them.
 */
export class RingSource extends InterfaceSource {
  readonly #options: Readonly<LiveOptions>;

  private constructor(name: string, options: Readonly<LiveOptions>, log: Log) {
    super(name, log, MOST_PACKETS);
    this.#options = options;
  }

  /**
   * Starts to take packets. An interface that is there and down is waited for.
   *
   * @throws {UserError} when there is no such interface, capture is not permitted, the filter has an
   * error or there is no libpcap to compile it, or the link type is one that is not decoded.
   */
  static open(name: string, options: Readonly<LiveOptions>, log: Log): RingSource {
    return new RingSource(name, options, log).start();
  }

  protected override openInterface(longPorts: readonly number[]): OpenInterface {
    return new OpenRing(this.name, this.#options, longPorts);
  }
}

/** A ring that the kernel fills. */
class OpenRing implements OpenInterface {
  readonly index: number;
  readonly warning = null;
  readonly #name: string;
  readonly #options: Readonly<LiveOptions>;
  readonly #linkType: number;
  readonly #socket: PacketSocket;
  readonly #ring: PacketRing;
  /** The beginning of the program: refuses what is not wanted. */
  readonly #filter: readonly BpfInstruction[];
  readonly #counts: PacketSocketCounts = { packets: 0, drops: 0 };
  #droppedByInterface: number;

  constructor(name: string, options: Readonly<LiveOptions>, longPorts: readonly number[]) {
    this.#name = name;
    this.index = indexOfInterface(name);
    this.#linkType = chosenLinkType(name);
    const isCooked = this.#linkType === LINKTYPE_LINUX_SLL2;
    this.#options = options;
    this.#filter = filterFor(name, options, this.#linkType);
    this.#droppedByInterface = interfaceDrops(name);
    const socket = new PacketSocket(name, isCooked);
    this.#socket = socket;
    try {
      const { bufferMebibytes } = options;
      this.#ring = new PacketRing(socket, bufferMebibytes, TIMEOUT_MILLISECONDS, isCooked);
      this.#takePackets(longPorts);
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
    this.#ring.fill(batch);
    if (batch.count === 0) this.#socket.requireUp();
    batch.linkType.fill(this.#linkType, 0, batch.count);
    return this.#ring.isReady;
  }

  release(): void {
    this.#ring.release();
  }

  setLongPorts(longPorts: readonly number[]): void {
    // Of what is cooked, the kernel shows IP alone: the header is made here.
    const isCooked = this.#linkType === LINKTYPE_LINUX_SLL2;
    const layout = isCooked ? COOKED_LAYOUT : linkLayout(this.#linkType);
    const lengths = longPortsProgram(layout, this.#options.snaplen, longPorts);
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

  /** In an order in which no packet is taken that is not wanted. */
  #takePackets(longPorts: readonly number[]): void {
    const socket = this.#socket;
    const options = this.#options;
    if (options.fanoutGroup === null) {
      this.setLongPorts(longPorts);
      socket.bind(this.index);
    } else {
      // Only a socket that is bound can share, and until it does, it takes what others take too.
      socket.shut();
      socket.bind(this.index);
      joinFanout(this.#name, socket.fd, options.fanoutGroup);
      this.setLongPorts(longPorts);
    }
    if (options.promiscuous && this.index !== 0) socket.addPromiscuous(this.index);
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
