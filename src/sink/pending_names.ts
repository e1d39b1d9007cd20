import type { NameWrite } from "../dns/name_write.ts";
import { textFingerprint } from "../model/text_fingerprint.ts";

/**
 * Bytes that all texts need, unless told otherwise. A name may have a thousand characters, and one
 * message thousands of records: a bound in entries alone would be none.
 */
const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
/** The memory for texts begins with so many bytes. */
const FIRST_BYTES = 64 * 1024;
/** When it is full, this part makes room at once. */
const DROPPED_AT_ONCE = 1 / 64;

/**
 * What is before each text, in bytes: its length, that of its key or {@linkcode NO_NAME}, its count,
 * its fingerprint.
 */
const LENGTH = 0;
const KEY_LENGTH = 4;
const COUNT = 8;
const FINGERPRINT = 16;
const HEAD = 24;
/** Records begin at multiples of this. */
const ALIGNMENT = 8;
/** In the place of a key's length: the key is a counter, and all of the text. */
const NO_NAME = 0xffff_ffff;
/** In the place of a length: the next record is at the beginning of the memory. */
const WRAP = 0xffff_ffff;

/** A write that waits, and how often it was asked for. */
export interface PendingName extends NameWrite {
  count: number;
}

/**
 * Writes of keys with names that wait, each once. First in, first out, and bounded in number and
 * bytes: when it is full, the oldest makes room.
 *
 * Their texts are bytes in a ring, and not strings: those would not only need more, but have the
 * engine's memory grow to a multiple before it looks for what is not used any more.
 */
export class PendingNames {
  readonly #limit: number;
  readonly #maxBytes: number;
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  /** Where the oldest is, and where the next is to be, in bytes since ever. */
  #head = 0;
  #tail = 0;
  /** Where each is, by its fingerprint. */
  readonly #places = new Map<number, number>();
  #size = 0;
  #total = 0;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  /**
   * @param limit How many different writes may wait.
   * @param maxBytes How much memory their texts may need: a power of 2.
   */
  constructor(limit: number, maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#limit = limit;
    this.#maxBytes = maxBytes;
  }

  /** How many writes wait. */
  get size(): number {
    return this.#size;
  }

  /** How often they were asked for. */
  get total(): number {
    return this.#total;
  }

  /** Bytes that their texts need. */
  get bytes(): number {
    return this.#tail - this.#head;
  }

  /** @returns How many were dropped to make room, each as often as it was asked for. */
  add({ key, name }: NameWrite, count: number = 1): number {
    const text = textOf(key, name);
    const fingerprint = numberOf(text);
    if (this.#raise(text, fingerprint, count)) return 0;
    let dropped = 0;
    while (!this.#hasRoom(text.length)) {
      // One that is longer than all there may be: none is, but nobody should rely on that.
      if (this.#size === 0) return dropped + count;
      dropped += this.#dropOldest();
    }
    this.#append(text, name === null ? NO_NAME : key.length, fingerprint, count);
    return dropped;
  }

  /**
   * Adds what was taken and could not be written: when there is no room, it is what is dropped.
   *
   * @returns How many were dropped.
   */
  putBack({ key, name, count }: PendingName): number {
    const text = textOf(key, name);
    const fingerprint = numberOf(text);
    if (this.#raise(text, fingerprint, count)) return 0;
    if (!this.#hasRoom(text.length)) return count;
    this.#append(text, name === null ? NO_NAME : key.length, fingerprint, count);
    return 0;
  }

  /** Takes the oldest out. */
  take(most: number): PendingName[] {
    const taken: PendingName[] = [];
    while (taken.length < most && this.#size > 0) taken.push(this.#takeOldest());
    return taken;
  }

  /** Adds to the count of what waits already. */
  #raise(text: string, fingerprint: number, count: number): boolean {
    const place = this.#places.get(fingerprint);
    if (place === undefined || this.#textAt(place) !== text) return false;
    const at = place % this.#bytes.length + COUNT;
    this.#view.setUint32(at, this.#view.getUint32(at) + count);
    this.#total += count;
    return true;
  }

  /** Whether a text of this length finds room, if need be in a larger memory. */
  #hasRoom(length: number): boolean {
    if (this.#size >= this.#limit) return false;
    while (this.bytes + this.#needed(length) > this.#bytes.length) {
      if (2 * this.#bytes.length > this.#maxBytes) return false;
      this.#grow();
    }
    return true;
  }

  /** Bytes for a text of this length, with what would be left free at the memory's end. */
  #needed(length: number): number {
    const size = sizeOf(length);
    const rest = this.#bytes.length - this.#tail % this.#bytes.length;
    return size <= rest ? size : rest + size;
  }

  #append(text: string, keyLength: number, fingerprint: number, count: number): void {
    const { length } = this.#bytes;
    const size = sizeOf(text.length);
    const rest = length - this.#tail % length;
    if (size > rest) {
      this.#view.setUint32(length - rest, WRAP);
      this.#tail += rest;
    }
    const at = this.#tail % length;
    this.#view.setUint32(at + LENGTH, text.length);
    this.#view.setUint32(at + KEY_LENGTH, keyLength);
    this.#view.setUint32(at + COUNT, count);
    this.#view.setFloat64(at + FINGERPRINT, fingerprint);
    this.#encoder.encodeInto(text, this.#bytes.subarray(at + HEAD, at + HEAD + text.length));
    this.#places.set(fingerprint, this.#tail);
    this.#tail += size;
    this.#size++;
    this.#total += count;
  }

  #takeOldest(): PendingName {
    this.#skipRest();
    const place = this.#head;
    const at = place % this.#bytes.length;
    const text = this.#textAt(place);
    const keyLength = this.#view.getUint32(at + KEY_LENGTH);
    const count = this.#view.getUint32(at + COUNT);
    const fingerprint = this.#view.getFloat64(at + FINGERPRINT);
    // Another one may have the same fingerprint.
    if (this.#places.get(fingerprint) === place) this.#places.delete(fingerprint);
    this.#head += sizeOf(text.length);
    this.#size--;
    this.#total -= count;
    if (this.#size === 0) this.#clear();
    return keyLength === NO_NAME
      ? { key: text, name: null, count }
      : { key: text.slice(0, keyLength), name: text.slice(keyLength + 1), count };
  }

  /** Goes past what was left free at the memory's end. */
  #skipRest(): void {
    const { length } = this.#bytes;
    const at = this.#head % length;
    if (this.#view.getUint32(at) === WRAP) this.#head += length - at;
  }

  #textAt(place: number): string {
    const at = place % this.#bytes.length;
    const length = this.#view.getUint32(at + LENGTH);
    return this.#decoder.decode(this.#bytes.subarray(at + HEAD, at + HEAD + length));
  }

  /** Where nothing waits, little memory is needed. */
  #clear(): void {
    this.#head = this.#tail = 0;
    if (this.#bytes.length === FIRST_BYTES) return;
    this.#bytes = new Uint8Array(FIRST_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #grow(): void {
    const [bytes, view] = [this.#bytes, this.#view];
    const end = this.#tail;
    this.#bytes = new Uint8Array(2 * bytes.length);
    this.#view = new DataView(this.#bytes.buffer);
    this.#places.clear();
    this.#tail = 0;
    for (let place = this.#head; place < end;) {
      const at = place % bytes.length;
      const length = view.getUint32(at + LENGTH);
      if (length === WRAP) {
        place += bytes.length - at;
        continue;
      }
      const size = sizeOf(length);
      this.#bytes.set(bytes.subarray(at, at + size), this.#tail);
      this.#places.set(view.getFloat64(at + FINGERPRINT), this.#tail);
      this.#tail += size;
      place += size;
    }
    this.#head = 0;
  }

  #dropOldest(): number {
    const most = Math.max(1, Math.floor(this.#size * DROPPED_AT_ONCE));
    let dropped = 0;
    for (let i = 0; i < most; i++) dropped += this.#takeOldest().count;
    return dropped;
  }
}

/** Bytes of a record with a text of this length. */
function sizeOf(length: number): number {
  return Math.ceil((HEAD + length) / ALIGNMENT) * ALIGNMENT;
}

/** A number that stands for a text: as many bits of its fingerprint as a number has. */
function numberOf(text: string): number {
  const { first, second } = textFingerprint(text);
  return (first >>> 0) * 0x20_0000 + (second >>> 11);
}

function textOf(key: string, name: string | null): string {
  return name === null ? key : `${key};${name}`;
}
