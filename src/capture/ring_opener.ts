import { PacketSocket } from "../../ffi/af_packet.ts";
import { FilterError } from "../../ffi/bpf_compiler.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { absenceMessage, CaptureError, downMessage } from "../../ffi/capture_error.ts";
import { ANY_DEVICE, LOOPBACK } from "../../ffi/device.ts";
import { interfaceState } from "../../ffi/interface_state.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import { directionFilter } from "./direction_filter.ts";
import { filterBefore } from "./filter_before.ts";
import { hardwareLinkType, hardwareLinkTypeName } from "./hardware_link_type.ts";
import { isDecoded } from "./is_decoded.ts";
import { KernelFilters } from "./kernel_filters.ts";
import type { LiveOptions, LongPackets } from "./live_options.ts";
import { notDecoded } from "./not_decoded.ts";
import type { OpenInterface } from "./open_interface.ts";
import { isCooked, OpenRing } from "./open_ring.ts";

/**
 * Opens the kernel's ring of an interface, as often as it comes back, with what only who may capture can
 * make, made once: a packet socket, which may be bound by anyone and again, and libpcap's programs of the
 * filter. So a capture goes on although its process may not start one any more.
 */
export class RingOpener {
  readonly #name: string;
  readonly #options: Readonly<LiveOptions>;
  readonly #log: Log;
  /** Those that are not in use: one each for packets with the header of their link layer, and without. */
  readonly #sockets = new Map<boolean, PacketSocket>();
  /** `null` where there is no filter. */
  readonly #filters: KernelFilters | null;
  #isPrepared = false;
  #isClosed = false;

  /** @param options How packets are taken. */
  constructor(name: string, options: Readonly<LiveOptions>, log: Log) {
    this.#name = name;
    this.#options = options;
    this.#log = log;
    const { filter, snaplen } = options;
    this.#filters = filter === null ? null : new KernelFilters(name, filter, snaplen);
  }

  /**
   * Whether {@linkcode RingOpener.open} needs permission to capture: before it is prepared, and where no
   * preparation helps.
   */
  get needsPermission(): boolean {
    return !this.#isPrepared;
  }

  /**
   * Makes what needs permission. That is no use where packets are shared, as a socket that did so can't be
   * bound again, nor for devices that are known to libpcap alone.
   *
   * @throws {CaptureError} when capture is not permitted.
   * @throws {FilterError} when the filter has an error, which an interface that is down has not shown.
   */
  prepare(): void {
    const linkType = hardwareLinkType(this.#name);
    if (this.#options.fanoutGroup !== null || linkType === null) return;
    try {
      this.#filters?.prepare(linkType);
      for (const isCooked of [false, true]) {
        if (!this.#sockets.has(isCooked)) this.#leave(isCooked, this.#socketFor(isCooked));
      }
      this.#isPrepared = true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error instanceof CaptureError && error.isPermission) throw error;
      if (error instanceof FilterError && !error.isForNetmask) throw error;
      this.#log.debug(`needs permission to open it again: ${error.message}`);
    }
  }

  /**
   * Begins to take packets. What was opened before is closed.
   *
   * @param long Of which packets more is taken.
   * @param input Where packets are to be put, if not just anywhere.
   * @throws {UserError} when it can't be captured on, as those that open sources do.
   */
  open(long: LongPackets, input: Uint8Array<ArrayBuffer> | undefined): OpenInterface {
    const name = this.#name;
    const index = indexOfInterface(name);
    const linkType = chosenLinkType(name);
    const plan = { name, index, linkType, filter: this.#filterFor(linkType) };
    const cooked = isCooked(linkType);
    const socket = this.#socketFor(cooked);
    return new OpenRing(plan, this.#options, long, input, socket, () => {
      this.#leave(cooked, socket);
    });
  }

  /** Gives back what it holds. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets.values()) socket.closeAside();
    this.#sockets.clear();
  }

  #socketFor(isCooked: boolean): PacketSocket {
    const socket = this.#sockets.get(isCooked) ?? new PacketSocket(this.#name, isCooked);
    this.#sockets.delete(isCooked);
    return socket;
  }

  /** Keeps a socket for the next time. */
  #leave(isCooked: boolean, socket: PacketSocket): void {
    if (this.#isClosed || this.#options.fanoutGroup !== null) return socket.closeAside();
    socket.rest();
    this.#sockets.set(isCooked, socket);
  }

  /** Decides which packets are taken: all of a direction, or of these what the user's filter matches. */
  #filterFor(linkType: number): BpfInstruction[] {
    const name = this.#name;
    const { direction } = this.#options;
    const isLoopbackSeen = name === ANY_DEVICE || name === LOOPBACK;
    const loopback = isLoopbackSeen ? interfaceState(LOOPBACK).index : 0;
    const directed = directionFilter(direction, loopback);
    return this.#filters === null
      ? directed
      : [...directed, ...filterBefore(this.#filters.for(linkType))];
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
