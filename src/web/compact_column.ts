import { grown } from "./grown.ts";

/** Whole numbers, most of which are small: each takes 2 or 4 bytes, and those that do not fit more. */
export class CompactColumn {
  #numbers: Uint16Array | Uint32Array;
  /** Stands for a number that is in the map. */
  readonly #mark: number;
  readonly #others = new Map<number, number>();

  /** @param bytes How many most numbers take. */
  constructor(bytes: 2 | 4) {
    this.#numbers = bytes === 2 ? new Uint16Array() : new Uint32Array();
    this.#mark = bytes === 2 ? 0xffff : 0xffff_ffff;
  }

  get(at: number): number {
    const number = this.#numbers[at];
    return number === this.#mark ? this.#others.get(at)! : number;
  }

  set(at: number, number: number): void {
    if (number >= 0 && number < this.#mark) {
      this.#numbers[at] = number;
      return;
    }
    this.#numbers[at] = this.#mark;
    this.#others.set(at, number);
  }

  /** Makes room for so many. */
  grow(length: number): void {
    this.#numbers = grown(this.#numbers, length);
  }
}
