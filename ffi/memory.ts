import { libc } from "./libc.ts";

/** An address in this process, as a C `uintptr_t`. Null is `0n`. */
export type Address = bigint;

/** Longest C string that is read, so that a bad address can't be followed without end. */
const LONGEST_STRING = 4096;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Memory that C may keep an address of for as long as the array is referred to.
 *
 * The buffer is made first: V8 puts small typed arrays that are made without one on its own heap,
 * where they move.
 */
export function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes));
}

/** A text as a C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(text);
  const string = allocate(bytes.length + 1);
  string.set(bytes);
  return string;
}

/** Where a buffer is, for a structure that C reads; valid while the buffer is referred to. */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): Address {
  return libc().address_of(buffer, buffer, 0n);
}

/** The C string in a buffer: what is before its first zero byte. */
export function textIn(buffer: Uint8Array): string {
  const end = buffer.indexOf(0);
  return decoder.decode(buffer.subarray(0, end < 0 ? buffer.length : end));
}

/** A copy of `length` bytes at an address. */
export function copyAt(address: Address, length: number): Uint8Array<ArrayBuffer> {
  const copy = allocate(length);
  libc().memcpy(copy, address, BigInt(length));
  return copy;
}

/** The address that stands at an offset of a structure. */
export function addressAt(structure: Uint8Array<ArrayBuffer>, offset: number): Address {
  return new DataView(structure.buffer).getBigUint64(offset, true);
}

/** The C string at an address; the null address has none. */
export function textAt(address: Address): string {
  if (address === 0n) return "";
  const length = Number(libc().strnlen(address, BigInt(LONGEST_STRING)));
  return decoder.decode(copyAt(address, length));
}
