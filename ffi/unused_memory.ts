import { libc } from "./libc.ts";
import { mayUseLibc } from "./library.ts";
import { type Address, copyAt } from "./memory.ts";

/** Of the auxiliary vector, getauxval(3): the program's headers, the size of one, their number. */
const AT_PHDR = 3n;
const AT_PHENT = 4n;
const AT_PHNUM = 5n;
/** Size of a page, getauxval(3). */
const AT_PAGESZ = 6n;
/** `Elf64_Phdr` of elf(5). */
const PROGRAM_HEADER = { type: 0, flags: 4, address: 16, sizeInMemory: 40, size: 56 };
const PT_LOAD = 1;
const PT_PHDR = 6;
/** The segment may be written to. */
const PF_W = 2;
/** madvise(2). */
const MADV_DONTNEED = 4;

/** A part of the program's file, as elf(5) has it. */
interface Segment {
  readonly type: number;
  readonly isWritable: boolean;
  readonly address: Address;
  readonly size: bigint;
}

/**
 * Gives back to the system what the process holds and does not use: free memory of the C library's
 * heap, malloc_trim(3), and pages of the program's file. Nothing, where the C library may not be used.
 *
 * @returns The number of bytes of the program's file whose pages were taken out.
 */
export function releaseUnusedMemory(): number {
  if (!mayUseLibc()) return 0;
  libc().malloc_trim(0n);
  return releaseProgramPages();
}

/**
 * Takes the pages of the program's own file out of the process, madvise(2). Most of them were of
 * use only to start JavaScript; those of use later come back by themselves, from the kernel's cache
 * of the file. What can be written to is left alone: it is not in the file any more.
 */
function releaseProgramPages(): number {
  const { getauxval, madvise } = libc();
  const headers = getauxval(AT_PHDR);
  const pageSize = getauxval(AT_PAGESZ);
  const segments = segmentsAt(headers, Number(getauxval(AT_PHNUM)), Number(getauxval(AT_PHENT)));
  const own = segments.find(({ type }) => type === PT_PHDR);
  if (own === undefined) return 0;
  const base = headers - own.address;
  let released = 0n;
  for (const { type, isWritable, address, size } of segments) {
    if (type !== PT_LOAD || isWritable) continue;
    // Pages that a neighbour has a part of stay.
    const begin = upTo(base + address, pageSize);
    const end = (base + address + size) / pageSize * pageSize;
    if (end > begin && madvise(begin, end - begin, MADV_DONTNEED) === 0) released += end - begin;
  }
  return Number(released);
}

function segmentsAt(headers: Address, count: number, size: number): Segment[] {
  if (headers === 0n || size < PROGRAM_HEADER.size) return [];
  const words = new DataView(copyAt(headers, count * size).buffer);
  return Array.from({ length: count }, (_, index) => {
    const at = index * size;
    return {
      type: words.getUint32(at + PROGRAM_HEADER.type, true),
      isWritable: (words.getUint32(at + PROGRAM_HEADER.flags, true) & PF_W) !== 0,
      address: words.getBigUint64(at + PROGRAM_HEADER.address, true),
      size: words.getBigUint64(at + PROGRAM_HEADER.sizeInMemory, true),
    };
  });
}

function upTo(address: Address, pageSize: bigint): Address {
  return (address + pageSize - 1n) / pageSize * pageSize;
}
