import type { PacketBatch } from "../src/capture/packet_batch.ts";
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

/** `struct tpacket3_hdr`, and the `struct sockaddr_ll` after it. */
const FRAME = { next: 0, seconds: 4, captured: 12, length: 16, start: 24, link: 48 };
const LINK = { protocol: 2, index: 4, hardware: 8, kind: 10, address: 12 };

/** The header of LINKTYPE_LINUX_SLL2, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html. */
const SLL2 = { protocol: 0, index: 4, hardware: 8, kind: 10, address: 12, size: 20 };

const MEBIBYTE = 1024 * 1024;
/**
 * Blocks of a ring. The fewer, the less often we are woken up while much comes: when a block is
 * full. While one is read, there must be room for what comes meanwhile.
 */
const BLOCKS = 8;
/** Largest block, the largest piece of memory that the kernel gives out as one: 4 MiB. */
const LARGEST_BLOCK = 4 * MEBIBYTE;

/**
 * Packets as the kernel lays them down in blocks of memory that it shares with us (TPACKET_V3,
 * Documentation/networking/packet_mmap.rst of Linux).
 *
 * Where FFI is permitted without limit, the blocks are read where they are. Otherwise memory that is
 * not ours can't be looked at, and each block is copied out as a whole. No call is made for a packet.
 */
export class PacketRing {
  readonly #blocks: Blocks;
  readonly #isCooked: boolean;
  readonly #count: number;
  readonly #address: Address;
  readonly #size: bigint;
  /** The block that is ours, or will be next. */
  #block = 0;
  #isHolding = false;
  /** Where its next packet lies, and how many there are from there on. */
  #at = 0;
  #left = 0;
  #isOpen = true;

  /**
   * @param socket Not yet bound.
   * @param mebibytes Size of the ring.
   * @param retireMilliseconds Longest time that a packet waits in a block that is not full.
   * @param isCooked Whether packets come without the header of their link layer: then they are given
   * one, LINKTYPE_LINUX_SLL2.
   * @throws {CaptureError} when there is not so much memory.
   */
  constructor(
    socket: PacketSocket,
    mebibytes: number,
    retireMilliseconds: number,
    isCooked: boolean,
  ) {
    const blockSize = Math.min(LARGEST_BLOCK, (mebibytes * MEBIBYTE) / BLOCKS);
    this.#count = Math.floor((mebibytes * MEBIBYTE) / blockSize);
    const size = this.#count * blockSize;
    this.#isCooked = isCooked;
    this.#size = BigInt(size);
    socket.createRing(blockSize, this.#count, retireMilliseconds);
    this.#address = libc().mmap(0n, this.#size, PROT_READ_WRITE, MAP_SHARED, socket.fd, 0n);
    if (this.#address === MAP_FAILED) {
      throw new CaptureError(`can't map the ring: ${errorText(lastErrno())}`, false, false);
    }
    this.#blocks = isUnlimited()
      ? new MappedBlocks(this.#address, size, blockSize)
      : new CopiedBlocks(this.#address, blockSize);
  }

  /** What batches refer to. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#blocks.bytes;
  }

  /** Whether there are packets to be read. */
  get isReady(): boolean {
    return this.#left > 0 || this.#blocks.isReady(this.#isHolding ? this.#after : this.#block);
  }

  /**
   * Puts the next packets of a block, as many as there is room for, into a batch. They stay where
   * they are until {@linkcode PacketRing.release}.
   */
  fill(batch: PacketBatch): void {
    batch.count = 0;
    if (this.#left === 0 && !this.#take(batch)) return;
    const count = Math.min(this.#left, batch.capacity);
    this.#at = this.#isCooked
      ? fillCooked(batch, this.#at, count)
      : fillRaw(batch, this.#at, count);
    this.#left -= count;
    batch.count = count;
  }

  /** The packets of the last {@linkcode PacketRing.fill} are not used any more. */
  release(): void {
    if (!this.#isHolding || this.#left > 0) return;
    this.#blocks.release(this.#block);
    this.#isHolding = false;
    this.#block = this.#after;
  }

  /** Unmaps the memory: batches must not refer to it any more. Closing twice is harmless. */
  close(): void {
    if (this.#isOpen) libc().munmap(this.#address, this.#size);
    this.#isOpen = false;
  }

  /** The number of the block after the present one. */
  get #after(): number {
    return this.#block + 1 === this.#count ? 0 : this.#block + 1;
  }

  /** @returns Whether there is a block, which now is ours. */
  #take({ view }: PacketBatch): boolean {
    if (!this.#blocks.isReady(this.#block)) return false;
    const start = this.#blocks.take(this.#block);
    this.#isHolding = true;
    this.#left = view.getUint32(start + BLOCK.packets, true);
    this.#at = start + view.getUint32(start + BLOCK.firstPacket, true);
    return true;
  }
}

/** @returns Where the frame after the last lies. */
function fillRaw(batch: PacketBatch, first: number, count: number): number {
  const { view, seconds, offset, captured, length } = batch;
  let at = first;
  for (let packet = 0; packet < count; packet++) {
    seconds[packet] = view.getUint32(at + FRAME.seconds, true);
    captured[packet] = view.getUint32(at + FRAME.captured, true);
    length[packet] = view.getUint32(at + FRAME.length, true);
    offset[packet] = at + view.getUint16(at + FRAME.start, true);
    at += view.getUint32(at + FRAME.next, true);
  }
  return at;
}

/**
 * The kernel leaves at least 28 bytes between what it says of the link layer and the packet: the
 * header, which says the same in another order, fits in between.
 *
 * @returns Where the frame after the last lies.
 */
function fillCooked(batch: PacketBatch, first: number, count: number): number {
  const { view, seconds, offset, captured, length } = batch;
  let at = first;
  for (let packet = 0; packet < count; packet++) {
    const header = at + view.getUint16(at + FRAME.start, true) - SLL2.size;
    const link = at + FRAME.link;
    view.setUint32(header + SLL2.protocol, view.getUint16(link + LINK.protocol) << 16);
    view.setUint32(header + SLL2.index, view.getUint32(link + LINK.index, true));
    view.setUint16(header + SLL2.hardware, view.getUint16(link + LINK.hardware, true));
    view.setUint16(header + SLL2.kind, view.getUint16(link + LINK.kind));
    view.setUint32(header + SLL2.address, view.getUint32(link + LINK.address));
    view.setUint32(header + SLL2.address + 4, view.getUint32(link + LINK.address + 4));
    seconds[packet] = view.getUint32(at + FRAME.seconds, true);
    captured[packet] = view.getUint32(at + FRAME.captured, true) + SLL2.size;
    length[packet] = view.getUint32(at + FRAME.length, true) + SLL2.size;
    offset[packet] = header;
    at += view.getUint32(at + FRAME.next, true);
  }
  return at;
}

/** How blocks of the ring are got at. */
interface Blocks {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the kernel has given a block to us. */
  isReady(block: number): boolean;
  /** @returns Where in `bytes` a block that is ready begins. */
  take(block: number): number;
  /** Gives a block to the kernel. */
  release(block: number): void;
}

/** Read where they are. */
class MappedBlocks implements Blocks {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array;
  readonly #blockSize: number;

  constructor(address: Address, size: number, blockSize: number) {
    const pointer = Deno.UnsafePointer.create(address)!;
    const buffer = new Deno.UnsafePointerView(pointer).getArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#blockSize = blockSize;
  }

  // Atomics, as nothing of a block may be read before its status was, or after it was given back.

  isReady(block: number): boolean {
    return (Atomics.load(this.#words, this.#status(block)) & TP_STATUS_USER) !== 0;
  }

  take(block: number): number {
    return block * this.#blockSize;
  }

  release(block: number): void {
    Atomics.store(this.#words, this.#status(block), 0);
  }

  #status(block: number): number {
    return (block * this.#blockSize + BLOCK.status) >>> 2;
  }
}

/** Copied out one at a time. */
class CopiedBlocks implements Blocks {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #address: Address;
  readonly #blockSize: bigint;
  readonly #header = allocate(BLOCK.size);
  readonly #headerWords = new DataView(this.#header.buffer);
  readonly #kernels = allocate(4);

  constructor(address: Address, blockSize: number) {
    this.bytes = allocate(blockSize);
    this.#address = address;
    this.#blockSize = BigInt(blockSize);
  }

  isReady(block: number): boolean {
    libc().memcpy(this.#header, this.#at(block), BigInt(BLOCK.size));
    return (this.#headerWords.getUint32(BLOCK.status, true) & TP_STATUS_USER) !== 0;
  }

  take(block: number): number {
    fence();
    const used = this.#headerWords.getUint32(BLOCK.usedBytes, true);
    libc().memcpy(this.bytes, this.#at(block), BigInt(used));
    return 0;
  }

  release(block: number): void {
    fence();
    libc().store(this.#at(block) + BigInt(BLOCK.status), this.#kernels, 4n);
  }

  #at(block: number): Address {
    return this.#address + BigInt(block) * this.#blockSize;
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

/** Whether memory at any address may be looked at, not only functions of some libraries called. */
function isUnlimited(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}
