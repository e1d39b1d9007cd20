/** Random numbers that come again when the seed does. */
export class SeededRandom {
  /** What to print when a test fails, and to give in `FLOSENSOR_TEST_SEED` to have it again. */
  readonly seed: number;
  #state: number;

  /** @param seed By default, that of the environment, else another one each time. */
  constructor(seed: number = Number(Deno.env.get("FLOSENSOR_TEST_SEED") ?? Date.now() % 2 ** 31)) {
    this.seed = seed;
    this.#state = seed;
  }

  /** A whole number of 0 to `below` - 1. */
  below(below: number): number {
    // The Weyl sequence of the golden ratio, its bits mixed as in MurmurHash3's last step.
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) % below;
  }

  /** One of some values. */
  of<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)];
  }
}
