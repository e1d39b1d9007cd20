const MIX_1 = 0x85ebca6b | 0;
const MIX_2 = 0xc2b2ae35 | 0;
const MIX_3 = 0x9e3779b1 | 0;

/** One start for the whole process: what one object makes is found again with another. */
export const FINGERPRINT_SEEDS: Int32Array<ArrayBuffer> = crypto.getRandomValues(new Int32Array(2));

/**
 * Makes 64 bits that stand for some words. With a secret start that nobody outside can know, so that
 * no two things can be made to have the same; by chance it takes billions of them.
 *
 * One object is used again and again: {@linkcode Fingerprint.begin}, then the words one by one.
 */
export class Fingerprint {
  first = 0;
  second = 0;

  begin(): void {
    this.first = FINGERPRINT_SEEDS[0];
    this.second = FINGERPRINT_SEEDS[1];
  }

  /**
   * Makes that of a conversation.
   *
   * @param words Has the low end's address, then the high end's, from `at`.
   * @param count How many words these are.
   */
  identify(
    words: Int32Array,
    at: number,
    count: number,
    ports: number,
    protocol: number,
  ): void {
    this.begin();
    for (let word = 0; word < count; word++) this.add(words[at + word]);
    this.add(ports);
    this.add(protocol);
  }

  add(word: number): void {
    const first = Math.imul(this.first ^ word ^ (this.first >>> 15), MIX_1);
    this.first = first ^ (first >>> 13);
    const second = Math.imul(this.second ^ word ^ (this.second >>> 14), MIX_2);
    this.second = Math.imul(second ^ (second >>> 16), MIX_3);
  }
}
