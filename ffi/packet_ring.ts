import type { PacketSocket } from "./af_packet.ts";
import { CaptureError } from "./capture_error.ts";
import { errorText, lastErrno } from "./errno.ts";
import { libc } from "./libc.ts";
import { type Address, allocate } from "./memory.ts";

/** mmap(2). */
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * `struct tpacket_block_desc` of `<linux/if_packet.h>`. Offsets that the kernel gives in a block are
 * from its beginning.
 */
const BLOCK = { status: 8, packets: 12, firstPacket: 16, usedBytes: 20, size: 48 };
/** The block is ours; 0 makes it the kernel's again. */
const TP_STATUS_USER = 1;

const MEBIBYTE = 1024 * 1024;
/**
 * Blocks of a ring. The fewer, the less often we are woken up while much comes: when a block is
 * full. While one is read, there must be room for what comes meanwhile.
 */
const BLOCKS = 8;
/** Largest block, the largest piece of memory that the kernel gives out as one: 4 MiB. */
const LARGEST_BLOCK = 4 * MEBIBYTE;

/** The frames of a block of a ring. */
export interface RingFrames {
  /** Where the first one lies. */
  at: number;
  /** How many there are. */
  count: number;
}

/**
 * Packets as the kernel lays them down in blocks of memory that it shares with us (TPACKET_V3,
 * Documentation/networking/packet_mmap.rst of Linux). Each block is copied out as a whole: no call is made
 * for a packet.
 */
export class PacketRing {
  /** Where blocks are copied to. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #address: Address;
  readonly #blockSize: number;
  readonly #count: number;
  readonly #header = allocate(BLOCK.size);
  readonly #headerWords = new DataView(this.#header.buffer);
  readonly #kernels = allocate(4);
  readonly #frames: RingFrames = { at: 0, count: 0 };
  /** The block that is ours, or will be next. */
  #block = 0;
  #isOpen = true;

  /**
   * @param socket Not yet bound.
   * @param mebibytes Size of the ring.
   * @param retireMilliseconds Longest time that a packet waits in a block that is not full.
   * @param bytes Where blocks are copied to, if they are to be somewhere.
   * @throws {CaptureError} when there is not so much memory.
   */
  constructor(
    socket: PacketSocket,
    mebibytes: number,
    retireMilliseconds: number,
    bytes?: Uint8Array<ArrayBuffer>,
  ) {
    const blockSize = Math.min(LARGEST_BLOCK, (mebibytes * MEBIBYTE) / BLOCKS);
    this.#blockSize = blockSize;
    this.#count = Math.floor((mebibytes * MEBIBYTE) / blockSize);
    this.bytes = bytes ?? allocate(blockSize);
    socket.createRing(blockSize, this.#count, retireMilliseconds);
    this.#address = libc().mmap(0n, this.#size, PROT_READ_WRITE, MAP_SHARED, socket.fd, 0n);
    if (this.#address === MAP_FAILED) {
      throw new CaptureError(`can't map the ring: ${errorText(lastErrno())}`, false, false);
    }
  }

  /** Whether there is a block to be taken. */
  get isReady(): boolean {
    libc().memcpy(this.#header, this.#blockAddress, BigInt(BLOCK.size));
    return (this.#headerWords.getUint32(BLOCK.status, true) & TP_STATUS_USER) !== 0;
  }

  /**
   * Copies the next block, if there is one, and gives it back to the kernel.
   *
   * @returns Where in `bytes` its frames are. The object is the same each time.
   */
  take(): Readonly<RingFrames> | null {
    if (!this.isReady) return null;
    const words = this.#headerWords;
    fence();
    const used = words.getUint32(BLOCK.usedBytes, true);
    libc().memcpy(this.bytes, this.#blockAddress, BigInt(used));
    fence();
    libc().store(this.#blockAddress + BigInt(BLOCK.status), this.#kernels, 4n);
    this.#block = this.#block + 1 === this.#count ? 0 : this.#block + 1;
    this.#frames.at = words.getUint32(BLOCK.firstPacket, true);
    this.#frames.count = words.getUint32(BLOCK.packets, true);
    return this.#frames;
  }

  /** Unmaps the memory. Closing twice is harmless. */
  close(): void {
    if (this.#isOpen) libc().munmap(this.#address, this.#size);
    this.#isOpen = false;
  }

  get #size(): bigint {
    return BigInt(this.#count * this.#blockSize);
  }

  get #blockAddress(): Address {
    return this.#address + BigInt(this.#block * this.#blockSize);
  }
}

const fenced = new Int32Array(new SharedArrayBuffer(4));

/**
 * Memory accesses before it are over when those after it begin, those of C functions included: arm64
 * has a store that waits for all before it, and a load that waits for that store and is waited for.
 */
function fence(): void {
  Atomics.store(fenced, 0, 0);
  Atomics.load(fenced, 0);
}
