import { absenceMessage, downMessage, permissionAdvice } from "./capture_error.ts";
import type { BpfInstruction } from "./bpf_instruction.ts";
import { compileFor, NETMASK_UNKNOWN, withProgram } from "./bpf_compiler.ts";
import { closeAside } from "./closings.ts";
import { ERRBUF_SIZE, libpcap } from "./libpcap.ts";
import { allocate, cString, textAt, textIn } from "./memory.ts";
import {
  PCAP_ERROR_IFACE_NOT_UP,
  PCAP_ERROR_NO_SUCH_DEVICE,
  PCAP_ERROR_PERM_DENIED,
  PCAP_ERROR_PROMISC_PERM_DENIED,
  PcapError,
  statusMessage,
} from "./pcap_error.ts";

/** Which packets are taken, seen from the interface, pcap_setdirection(3PCAP). */
export type Direction = "inout" | "in" | "out";

/** `pcap_direction_t`. */
const DIRECTION_NUMBERS = { inout: 0, in: 1, out: 2 } as const;

/** What the kernel and the interface counted since activation, pcap_stats(3PCAP); 32 bits each. */
export interface PcapStatistics {
  received: number;
  droppedByKernel: number;
  droppedByInterface: number;
}

/** `struct pcap_stat`. */
const STAT = { received: 0, dropped: 4, droppedByInterface: 8, size: 12 };

/**
 * A live capture, with libpcap's words: create it, set what it shall be, activate it, close it.
 */
export class PcapHandle {
  /** `pcap_t *`; `null` once closed. */
  #pointer: Deno.PointerObject | null;
  readonly #stat = allocate(STAT.size);
  readonly #statWords = new DataView(this.#stat.buffer);
  readonly #statistics: PcapStatistics = {
    received: 0,
    droppedByKernel: 0,
    droppedByInterface: 0,
  };

  private constructor(readonly device: string, pointer: Deno.PointerObject) {
    this.#pointer = pointer;
  }

  /**
   * A handle that is not yet active.
   *
   * @throws {UserError} when libpcap is missing.
   * @throws {PcapError} when it takes no such name, or no file can be opened.
   */
  static create(device: string): PcapHandle {
    const message = allocate(ERRBUF_SIZE);
    const pointer = libpcap().symbols.create(cString(device), message);
    if (pointer === null) throw new PcapError(`${device}: ${textIn(message)}`, -1);
    return new PcapHandle(device, pointer);
  }

  /** The `pcap_t *`, for the other files of this room. */
  get pointer(): Deno.PointerObject {
    if (this.#pointer === null) throw new Error(`${this.device}: the handle is closed`);
    return this.#pointer;
  }

  /** How many bytes of a packet are taken. */
  setSnaplen(bytes: number): void {
    this.#check(libpcap().symbols.set_snaplen(this.pointer, bytes));
  }

  setPromisc(promiscuous: boolean): void {
    this.#check(libpcap().symbols.set_promisc(this.pointer, Number(promiscuous)));
  }

  /** How long the kernel may collect packets before it hands them over, in milliseconds. */
  setTimeout(milliseconds: number): void {
    this.#check(libpcap().symbols.set_timeout(this.pointer, milliseconds));
  }

  /** Size of the kernel's buffer for this capture, in bytes. */
  setBufferSize(bytes: number): void {
    this.#check(libpcap().symbols.set_buffer_size(this.pointer, bytes));
  }

  /**
   * Starts the capture.
   *
   * @returns A warning, when libpcap has one, such as that promiscuous mode is not supported.
   * @throws {PcapError} that says what to do.
   */
  activate(): string | null {
    const status = libpcap().symbols.activate(this.pointer);
    if (status < 0) throw this.#activationError(status);
    return status === 0 ? null : `${this.device}: ${statusMessage(status, this.#message())}`;
  }

  /** `pcap_dispatch` then returns at once when there is no packet. */
  setNonblock(nonblocking: boolean): void {
    const message = allocate(ERRBUF_SIZE);
    const status = libpcap().symbols.setnonblock(this.pointer, Number(nonblocking), message);
    if (status !== 0) throw new PcapError(`${this.device}: ${textIn(message)}`, status);
  }

  /**
   * Compiles a filter for this interface.
   *
   * @param netmask Its IPv4 netmask in network order, which `ip broadcast` in a filter needs.
   * @throws {UserError} with libpcap's words when the filter has an error.
   */
  compile(expression: string, netmask = this.#netmask()): BpfInstruction[] {
    return compileFor(this.pointer, expression, netmask);
  }

  /** Takes of each packet as many bytes as a program says, none where that is 0. */
  setProgram(instructions: readonly BpfInstruction[]): void {
    const { setfilter } = libpcap().symbols;
    withProgram(instructions, (program) => this.#check(setfilter(this.pointer, program)));
  }

  /** Takes only packets that come in, or only those that go out, or both. */
  setDirection(direction: Direction): void {
    this.#check(libpcap().symbols.setdirection(this.pointer, DIRECTION_NUMBERS[direction]));
  }

  /** The link type of its packets, a number of https://www.tcpdump.org/linktypes.html. */
  datalink(): number {
    return this.#check(libpcap().symbols.datalink(this.pointer));
  }

  /** Asks for another link type. @returns Whether the interface has it. */
  setDatalink(linkType: number): boolean {
    return libpcap().symbols.set_datalink(this.pointer, linkType) === 0;
  }

  /** A descriptor that poll(2) says is readable when there are packets. */
  selectableFd(): number {
    return this.#check(libpcap().symbols.get_selectable_fd(this.pointer));
  }

  /** What was counted since activation. The object is the same each time. */
  stats(): Readonly<PcapStatistics> {
    this.#check(libpcap().symbols.stats(this.pointer, this.#stat));
    this.#statistics.received = this.#statWords.getUint32(STAT.received, true);
    this.#statistics.droppedByKernel = this.#statWords.getUint32(STAT.dropped, true);
    this.#statistics.droppedByInterface = this.#statWords.getUint32(
      STAT.droppedByInterface,
      true,
    );
    return this.#statistics;
  }

  /** What libpcap says of the last failure. */
  lastError(): PcapError {
    return new PcapError(`${this.device}: ${this.#message()}`, -1);
  }

  /** Ends the capture. Closing twice is harmless. */
  close(): void {
    if (this.#pointer !== null) libpcap().symbols.close(this.#pointer);
    this.#pointer = null;
  }

  /** The same on a thread of its own, see {@linkcode closeAside}. */
  closeAside(): void {
    if (this.#pointer !== null) closeAside(libpcap().symbols.close_aside(this.#pointer));
    this.#pointer = null;
  }

  /** The interface's IPv4 netmask in network order, which `ip broadcast` in a filter needs. */
  #netmask(): number {
    const network = allocate(4);
    const netmask = allocate(4);
    const message = allocate(ERRBUF_SIZE);
    const name = cString(this.device);
    return libpcap().symbols.lookupnet(name, network, netmask, message) === 0
      ? new DataView(netmask.buffer).getUint32(0, true)
      : NETMASK_UNKNOWN;
  }

  #message(): string {
    return textAt(libpcap().symbols.geterr(this.pointer));
  }

  /** @throws {PcapError} when a status says failure. */
  #check(status: number): number {
    if (status < 0) {
      throw new PcapError(`${this.device}: ${statusMessage(status, this.#message())}`, status);
    }
    return status;
  }

  #activationError(status: number): PcapError {
    const words = statusMessage(status, this.#message());
    switch (status) {
      case PCAP_ERROR_NO_SUCH_DEVICE:
        return new PcapError(absenceMessage(this.device), status);
      case PCAP_ERROR_PERM_DENIED:
      case PCAP_ERROR_PROMISC_PERM_DENIED:
        return new PcapError(`${this.device}: ${words}: ${permissionAdvice()}`, status);
      case PCAP_ERROR_IFACE_NOT_UP:
        return new PcapError(downMessage(this.device), status);
      default:
        return new PcapError(`${this.device}: ${words}`, status);
    }
  }
}
