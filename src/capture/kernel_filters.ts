import { compileFilter, NETMASK_UNKNOWN } from "../../ffi/bpf_compiler.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { CaptureError } from "../../ffi/capture_error.ts";
import { ANY_DEVICE, LOOPBACK } from "../../ffi/device.ts";
import { kernelFilter } from "../../ffi/kernel_filter.ts";
import { libpcapAbsence } from "../../ffi/libpcap.ts";
import { DLT_RAW, LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL2 } from "../packet/link_type.ts";
import { UserError } from "../user_error.ts";
import { hardwareLinkTypeName } from "./hardware_link_type.ts";
import { preferredLinkType } from "./preferred_link_type.ts";

/** Interfaces that are always there: libpcap makes the same programs for all of a link type. */
const STAND_INS: ReadonlyMap<number, string> = new Map([
  [LINKTYPE_ETHERNET, LOOPBACK],
  [LINKTYPE_LINUX_SLL2, ANY_DEVICE],
]);

/**
 * A user's filter, as libpcap puts it into the kernel. That is asked of a short capture of libpcap's own,
 * so it is done for every link type that the interface may have once that is not permitted any more.
 */
export class KernelFilters {
  readonly #name: string;
  readonly #filter: string;
  readonly #snaplen: number;
  readonly #programs = new Map<number, BpfInstruction[]>();
  #isPrepared = false;

  /** @param name The interface. */
  constructor(name: string, filter: string, snaplen: number) {
    this.#name = name;
    this.#filter = filter;
    this.#snaplen = snaplen;
  }

  /**
   * Makes those that it can.
   *
   * @param linkType That of the interface, whether it is up or not.
   * @throws {UserError} when that of this link type can't be had.
   */
  prepare(linkType: number): void {
    this.#prepareOwn(linkType);
    for (const other of STAND_INS.keys()) {
      try {
        this.#keep(other, () => this.#standIn(other));
      } catch (error) {
        // A filter may have no meaning for other link types.
        if (!(error instanceof UserError)) throw error;
      }
    }
    this.#isPrepared = true;
  }

  /**
   * The program for the link type that the interface has now.
   *
   * @throws {UserError} when the filter has an error, or there is no libpcap to compile it.
   */
  for(linkType: number): BpfInstruction[] {
    return this.#keep(
      linkType,
      () => this.#isPrepared ? this.#withoutPermission(linkType) : this.#own(linkType),
    );
  }

  #prepareOwn(linkType: number): void {
    try {
      this.#keep(linkType, () => this.#own(linkType));
    } catch (error) {
      if (!(error instanceof CaptureError && error.isAbsence)) throw error;
      this.#keep(linkType, () => this.#standIn(linkType));
    }
  }

  #keep(linkType: number, make: () => BpfInstruction[]): BpfInstruction[] {
    let program = this.#programs.get(linkType);
    if (program === undefined) this.#programs.set(linkType, program = make());
    return program;
  }

  #own(linkType: number): BpfInstruction[] {
    return this.#made(this.#name, linkType);
  }

  #standIn(linkType: number): BpfInstruction[] {
    const name = STAND_INS.get(linkType);
    if (name === undefined) return this.#withoutPermission(linkType);
    // Its own netmask is another one: a filter that needs it is refused.
    return this.#made(name, linkType, NETMASK_UNKNOWN);
  }

  /** Where packets have no header of their link layer, the program is the same for saved packets. */
  #withoutPermission(linkType: number): BpfInstruction[] {
    if (linkType === DLT_RAW) return compileFilter(this.#filter, linkType);
    throw new UserError(
      `${this.#name} has the link type ${hardwareLinkTypeName(linkType)} now, for which ` +
        `filter ${JSON.stringify(this.#filter)} was not compiled: start again`,
    );
  }

  #made(name: string, linkType: number, netmask?: number): BpfInstruction[] {
    const absence = libpcapAbsence();
    if (absence !== null) {
      throw new UserError(`--filter needs libpcap, which compiles it: ${absence}`);
    }
    return kernelFilter(name, this.#snaplen, (handle) => {
      if (preferredLinkType(handle) === linkType) return handle.compile(this.#filter, netmask);
      throw new UserError(
        `${this.#name}: filter ${
          JSON.stringify(this.#filter)
        }: libpcap takes another link type of ` +
          "this interface: take --source libpcap",
      );
    });
  }
}
