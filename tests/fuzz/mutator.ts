import type { SeededRandom } from "../seeded_random.ts";

/** Numbers at which programs decide: ends of types, lengths of headers, what is just beyond. */
const TELLING = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 19, 20, 27, 28, 39, 40, 41, 63, 64, 127, 128, 191, 192],
  ...[254, 255, 256, 511, 512, 1023, 1024, 1500, 4095, 4096, 8191, 16_383, 16_384, 32_767, 32_768],
  ...[65_534, 65_535, 65_536, 262_144, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff],
];
/** Bytes that mean something in headers: versions, protocols, types of frames and of names. */
const TELLING_BYTES = [
  ...[0, 1, 4, 5, 6, 8, 17, 29, 41, 43, 44, 47, 50, 51, 58, 60, 0x45, 0x46, 0x4f, 0x60, 0x81, 0x86],
  ...[0x88, 0xa8, 0xc0, 0xdd, 0xff, 0x0a, 0x0d, 0x20, 0x22, 0x3b, 0x5c, 0x7f, 0x80],
];
/** Headers lie at the front. */
const FRONT = 96;

/** Changes bytes at random: a few of them, as lengths and types of headers would be wrong, or many. */
export class Mutator {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /**
   * A changed copy.
   *
   * @param bytes What is changed.
   * @param others Of which parts are put in.
   */
  mutated(bytes: Uint8Array, others: readonly Uint8Array[] = []): Uint8Array<ArrayBuffer> {
    let changed: Uint8Array<ArrayBuffer> = Uint8Array.from(bytes);
    for (let left = 1 + this.#random.below(this.#random.of([1, 2, 4, 12])); left > 0; left--) {
      changed = this.#changedOnce(changed, others);
    }
    return changed;
  }

  #changedOnce(
    bytes: Uint8Array<ArrayBuffer>,
    others: readonly Uint8Array[],
  ): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    const size = bytes.length;
    const at = this.#place(size);
    switch (random.below(12)) {
      case 0:
        return bytes.slice(0, at);
      case 1:
        return joined([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))]);
      case 2:
        return joined([bytes.subarray(0, at), this.#filling(), bytes.subarray(at)]);
      case 3: {
        // Something comes twice.
        const end = Math.min(size, at + 1 + random.below(64));
        return joined([bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end)]);
      }
      case 4: {
        if (others.length === 0) break;
        const other = random.of(others);
        const from = random.below(other.length + 1);
        const part = other.subarray(from, from + random.below(200));
        const rest = bytes.subarray(random.below(2) === 0 ? at : at + part.length);
        return joined([bytes.subarray(0, at), part, rest]);
      }
      case 5:
      case 6:
        if (size >= 2) {
          const place = Math.min(at, size - 2);
          viewOf(bytes).setUint16(place, random.of(TELLING), random.below(4) === 0);
        }
        break;
      case 7:
        if (size >= 4) {
          const place = Math.min(at, size - 4);
          viewOf(bytes).setUint32(place, random.of(TELLING), random.below(2) === 0);
        }
        break;
      case 8:
        if (size > 0) bytes[at % size] ^= 1 << random.below(8);
        break;
      case 9:
        if (size > 0) bytes[at % size] += random.of([1, -1, 2, -2, 4, 16]);
        break;
      default:
        if (size > 0) {
          bytes[at % size] = random.below(2) === 0 ? random.of(TELLING_BYTES) : random.below(256);
        }
    }
    return bytes;
  }

  #place(size: number): number {
    const isInFront = this.#random.below(3) !== 0;
    return this.#random.below((isInFront ? Math.min(size, FRONT) : size) + 1);
  }

  #filling(): Uint8Array {
    const byte = this.#random.of(TELLING_BYTES);
    const size = 1 + this.#random.below(this.#random.of([4, 16, 300]));
    return new Uint8Array(size).fill(byte);
  }
}

/** Parts one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
