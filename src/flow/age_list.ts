/**
 * What is numbered from 1, in a list by age, whose links are two words of each thing's own: an entry
 * that is added or looked at again is the newest.
 */
export class AgeList {
  readonly #words: Int32Array;
  readonly #shift: number;
  readonly #olderAt: number;
  readonly #newerAt: number;
  #oldest = 0;
  #newest = 0;

  /**
   * @param words Has the words of each thing at its number, shifted by `shift`.
   * @param at Which of them is the number of the next older one; that of the next newer follows it.
   */
  constructor(words: Int32Array, shift: number, at: number) {
    this.#words = words;
    this.#shift = shift;
    this.#olderAt = at;
    this.#newerAt = at + 1;
  }

  /** The number of the oldest; 0 if there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The number of the one that is next in age; 0 for the newest. */
  newerThan(number: number): number {
    return this.#words[(number << this.#shift) + this.#newerAt];
  }

  /** Adds what is not in the list, as the newest. */
  add(number: number): void {
    const words = this.#words;
    const at = number << this.#shift;
    words[at + this.#olderAt] = this.#newest;
    words[at + this.#newerAt] = 0;
    if (this.#newest === 0) this.#oldest = number;
    else words[(this.#newest << this.#shift) + this.#newerAt] = number;
    this.#newest = number;
  }

  /** Makes one of the list the newest. */
  renew(number: number): void {
    if (number === this.#newest) return;
    this.remove(number);
    this.add(number);
  }

  /** Takes one out of the list. */
  remove(number: number): void {
    const words = this.#words;
    const at = number << this.#shift;
    const older = words[at + this.#olderAt];
    const newer = words[at + this.#newerAt];
    if (older === 0) this.#oldest = newer;
    else words[(older << this.#shift) + this.#newerAt] = newer;
    if (newer === 0) this.#newest = older;
    else words[(newer << this.#shift) + this.#olderAt] = older;
  }
}
