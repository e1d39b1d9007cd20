import type { BpfInstruction } from "./bpf_instruction.ts";
import { instructionBytes, readInstructions, writeInstructions } from "./bpf_instructions.ts";
import { CaptureError, permissionAdvice } from "./capture_error.ts";
import { closeAside } from "./closings.ts";
import {
  EACCES,
  EINVAL,
  ENETDOWN,
  ENODEV,
  EPERM,
  errorText,
  lastErrno,
  openingErrorText,
} from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf, allocate } from "./memory.ts";

/*
 * Numbers and structures of packet(7), `<linux/if_packet.h>`, `<linux/if_ether.h>`, `<linux/filter.h>`
 * and socket(7).
 */
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const ETH_P_ALL = 3;

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_ATTACH_FILTER = 26;
/** The same number, asked for and not set: the program that is attached. */
const SO_GET_FILTER = 26;

const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_DROP_MEMBERSHIP = 2;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const PACKET_FANOUT = 18;

const TPACKET_V3 = 2;
const PACKET_MR_PROMISC = 1;
const PACKET_FANOUT_HASH = 0;
/** The kernel chooses a number that is free. */
const PACKET_FANOUT_FLAG_UNIQUEID = 0x2000;
/** The kernel puts IPv4 fragments together before it chooses. */
const PACKET_FANOUT_FLAG_DEFRAG = 0x8000;
const FANOUT_FLAGS_SHIFT = 16;

const SOCKADDR_LL = { family: 0, protocol: 2, index: 4, size: 20 };
const PACKET_MREQ = { index: 0, type: 4, size: 16 };
const TPACKET_REQ3 = {
  blockSize: 0,
  blockCount: 4,
  frameSize: 8,
  frameCount: 12,
  retireMilliseconds: 16,
  size: 28,
};
const TPACKET_STATS_V3 = { packets: 0, drops: 4, size: 12 };
const SOCK_FPROG = { length: 0, instructions: 8, size: 16 };

/** Only a hint with blocks of frames of any size; it has to fit a block, and 2 KiB always does. */
const FRAME_SIZE = 2048;
/** `BPF_MAXINSNS`. */
const MOST_INSTRUCTIONS = 4096;
const ENOMEM = 12;

/** A program that takes nothing. */
const TAKE_NOTHING: readonly BpfInstruction[] = [{ code: 0x06, jt: 0, jf: 0, k: 0 }];

/** What the kernel counted since it was last asked. */
export interface PacketSocketCounts {
  /** Packets that the filter took, those dropped included. */
  packets: number;
  /** Of these, those for which the ring had no room. */
  drops: number;
}

/** Where packets of an interface arrive, packet(7). */
export class PacketSocket {
  readonly fd: number;
  readonly #name: string;
  readonly #counts = allocate(TPACKET_STATS_V3.size);
  readonly #countWords = new DataView(this.#counts.buffer);
  readonly #length = allocate(4);
  readonly #lengthWord = new DataView(this.#length.buffer);
  /** The interface whose packets for other hosts it takes too; 0 for none. */
  #promiscuousOn = 0;
  #hasRing = false;
  #isOpen = true;

  /**
   * A socket to which nothing is delivered before {@linkcode PacketSocket.bind}.
   *
   * @param name The interface, for messages.
   * @param isCooked Whether packets begin behind the header of the link layer.
   * @throws {CaptureError} when that is not permitted.
   */
  constructor(name: string, isCooked: boolean) {
    this.#name = name;
    const type = (isCooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC;
    this.fd = libc().socket(AF_PACKET, type, 0);
    if (this.fd < 0) throw this.#error("socket", lastErrno());
  }

  /**
   * Has the kernel lay packets down in a ring of blocks (TPACKET_V3) that can be mapped.
   *
   * @param retireMilliseconds Longest time that a packet waits in a block that is not full.
   * @throws {CaptureError} when there is not so much memory.
   */
  createRing(blockSize: number, blockCount: number, retireMilliseconds: number): void {
    this.#setWord(SOL_PACKET, PACKET_VERSION, TPACKET_V3);
    const request = allocate(TPACKET_REQ3.size);
    const words = new DataView(request.buffer);
    words.setUint32(TPACKET_REQ3.blockSize, blockSize, true);
    words.setUint32(TPACKET_REQ3.blockCount, blockCount, true);
    words.setUint32(TPACKET_REQ3.frameSize, FRAME_SIZE, true);
    words.setUint32(TPACKET_REQ3.frameCount, (blockSize / FRAME_SIZE) * blockCount, true);
    words.setUint32(TPACKET_REQ3.retireMilliseconds, retireMilliseconds, true);
    this.#set(SOL_PACKET, PACKET_RX_RING, request);
    this.#hasRing = true;
  }

  /** Takes only what a program of the packet filter takes; it says how many bytes, too. */
  attachFilter(program: readonly BpfInstruction[]): void {
    const call = `setsockopt ${SOL_SOCKET}, ${SO_ATTACH_FILTER}`;
    if (!attach(this.fd, program)) throw this.#error(call, lastErrno());
  }

  /** Takes nothing until another filter is attached. */
  shut(): void {
    this.attachFilter(TAKE_NOTHING);
  }

  /**
   * Begins to take packets. What has happened to an interface that it was bound to before is not said of
   * this one.
   *
   * @param index The interface's number; 0 for all of them.
   * @throws {CaptureError} when it is away or not up.
   */
  bind(index: number): void {
    const address = allocate(SOCKADDR_LL.size);
    const words = new DataView(address.buffer);
    words.setUint16(SOCKADDR_LL.family, AF_PACKET, true);
    words.setUint16(SOCKADDR_LL.protocol, ETH_P_ALL, false);
    words.setInt32(SOCKADDR_LL.index, index, true);
    this.#word(SOL_SOCKET, SO_ERROR);
    if (libc().bind(this.fd, address, address.length) !== 0) throw this.#error("bind", lastErrno());
    this.requireUp();
  }

  /** Takes packets for other hosts too, until it rests. */
  addPromiscuous(index: number): void {
    this.#set(SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuousOn(index));
    this.#promiscuousOn = index;
  }

  /**
   * Takes nothing any more, and gives back its ring, which is not mapped any more: it can be bound again
   * then, which needs no permission. One that shares packets can't.
   */
  rest(): void {
    this.shut();
    if (this.#promiscuousOn !== 0) {
      // An interface that has vanished took that with it.
      const request = promiscuousOn(this.#promiscuousOn);
      libc().setsockopt(this.fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, request, request.length);
      this.#promiscuousOn = 0;
    }
    // The kernel waits for all its processors each time, also where there is no ring.
    if (this.#hasRing) this.#set(SOL_PACKET, PACKET_RX_RING, allocate(TPACKET_REQ3.size));
    this.#hasRing = false;
  }

  /** @throws {CaptureError} when the interface has gone down or away since this was last asked. */
  requireUp(): void {
    const errno = this.#word(SOL_SOCKET, SO_ERROR);
    if (errno !== 0) throw this.#error("", errno);
  }

  /** What was counted since this was last called. */
  count(into: PacketSocketCounts): void {
    this.#get(SOL_PACKET, PACKET_STATISTICS, this.#counts, this.#counts.length);
    into.packets = this.#countWords.getUint32(TPACKET_STATS_V3.packets, true);
    into.drops = this.#countWords.getUint32(TPACKET_STATS_V3.drops, true);
  }

  /** Ends it. Closing twice is harmless. */
  close(): void {
    if (this.#isOpen) libc().close(this.fd);
    this.#isOpen = false;
  }

  /** The same on a thread of its own, see {@linkcode closeAside}. */
  closeAside(): void {
    if (this.#isOpen) closeAside(libc().close_aside(this.fd));
    this.#isOpen = false;
  }

  #setWord(level: number, option: number, value: number): void {
    const word = allocate(4);
    new DataView(word.buffer).setUint32(0, value, true);
    this.#set(level, option, word);
  }

  #set(level: number, option: number, value: Uint8Array<ArrayBuffer>): void {
    if (libc().setsockopt(this.fd, level, option, value, value.length) !== 0) {
      throw this.#error(`setsockopt ${level}, ${option}`, lastErrno());
    }
  }

  #word(level: number, option: number): number {
    const word = allocate(4);
    this.#get(level, option, word, 4);
    return new DataView(word.buffer).getUint32(0, true);
  }

  #get(level: number, option: number, into: Uint8Array<ArrayBuffer>, length: number): void {
    this.#lengthWord.setUint32(0, length, true);
    if (libc().getsockopt(this.fd, level, option, into, this.#length) !== 0) {
      throw this.#error(`getsockopt ${level}, ${option}`, lastErrno());
    }
  }

  /** @param call What failed; empty if it was nothing that was called. */
  #error(call: string, errno: number): CaptureError {
    const isPermission = errno === EPERM || errno === EACCES;
    const words = openingErrorText(errno) + (call === "" ? "" : ` (${call})`);
    const advice = isPermission
      ? `: ${permissionAdvice()}`
      : errno === ENOMEM
      ? ": take less with --buffer"
      : "";
    const isAbsence = errno === ENETDOWN || errno === ENODEV;
    return new CaptureError(`${this.#name}: ${words}${advice}`, isAbsence, isPermission);
  }
}

/** Has any socket that packets come from take no more of them; of one that has no filters nothing is changed. */
export function takeNothing(fd: number): void {
  attach(fd, TAKE_NOTHING);
}

function attach(fd: number, program: readonly BpfInstruction[]): boolean {
  const instructions = writeInstructions(program);
  const structure = allocate(SOCK_FPROG.size);
  const fields = new DataView(structure.buffer);
  fields.setUint16(SOCK_FPROG.length, program.length, true);
  fields.setBigUint64(SOCK_FPROG.instructions, addressOf(instructions), true);
  return libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, structure, structure.length) === 0;
}

/** `struct packet_mreq` of packet(7). */
function promiscuousOn(index: number): Uint8Array<ArrayBuffer> {
  const request = allocate(PACKET_MREQ.size);
  const words = new DataView(request.buffer);
  words.setInt32(PACKET_MREQ.index, index, true);
  words.setUint16(PACKET_MREQ.type, PACKET_MR_PROMISC, true);
  return request;
}

/**
 * The program that is attached to a socket, as the kernel runs it.
 *
 * @returns `null` when there is none.
 */
export function attachedFilter(fd: number): BpfInstruction[] | null {
  const instructions = allocate(instructionBytes(MOST_INSTRUCTIONS));
  const length = allocate(4);
  const lengthWord = new DataView(length.buffer);
  // Counted in instructions here, both ways.
  lengthWord.setUint32(0, MOST_INSTRUCTIONS, true);
  if (libc().getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, instructions, length) !== 0) return null;
  const count = lengthWord.getUint32(0, true);
  return count === 0 ? null : readInstructions(instructions, count);
}

/**
 * Has a socket share the packets of its interface with the others of a group: each packet goes to
 * one of them, chosen by a hash of addresses, protocol and ports that is the same for both directions.
 *
 * IPv4 fragments, which but for the first have no ports, are put together before, so that they get
 * where the rest of their conversation is. Those of IPv6 go by their addresses and protocol alone.
 *
 * @param fd A packet socket that is bound.
 * @param group The group's number, 1 to 65535, from {@linkcode freeFanoutGroup}.
 * @throws {CaptureError} when the group is one of another interface, or the interface is down.
 */
export function joinFanout(name: string, fd: number, group: number): void {
  const flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG;
  const errno = setFanout(fd, group, flags);
  if (errno === 0) return;
  // EINVAL while sockets of the group are still on an interface of this name that has vanished.
  const isAbsence = errno === EINVAL || errno === ENETDOWN || errno === ENODEV;
  const message = `${name}: can't share its packets among workers: ${errorText(errno)}`;
  throw new CaptureError(message, isAbsence, false);
}

/**
 * A number for {@linkcode joinFanout} that no other group of this network namespace has.
 *
 * @param name The interface that it is for, for messages.
 * @throws {CaptureError} when capture is not permitted.
 */
export function freeFanoutGroup(name: string): number {
  const socket = new PacketSocket(name, true);
  try {
    socket.shut();
    socket.bind(0);
    const flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID;
    // Linux before 4.12 does not choose.
    if (setFanout(socket.fd, 0, flags) !== 0) return (Deno.pid & 0xffff) || 1;
    const word = allocate(4);
    const length = allocate(4);
    length[0] = 4;
    libc().getsockopt(socket.fd, SOL_PACKET, PACKET_FANOUT, word, length);
    return new DataView(word.buffer).getUint16(0, true);
  } finally {
    socket.close();
  }
}

/** @returns 0, or the error number. */
function setFanout(fd: number, group: number, flags: number): number {
  const word = allocate(4);
  new DataView(word.buffer).setUint32(0, (flags << FANOUT_FLAGS_SHIFT) | group, true);
  const status = libc().setsockopt(fd, SOL_PACKET, PACKET_FANOUT, word, word.length);
  return status === 0 ? 0 : lastErrno();
}
