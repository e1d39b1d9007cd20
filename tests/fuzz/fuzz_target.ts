import type { SeededRandom } from "../seeded_random.ts";

/** A part of the program that takes what others made. */
export interface FuzzTarget {
  readonly name: string;
  /** How often it has its turn, beside others. */
  readonly weight: number;

  /**
   * Makes an input.
   *
   * @param kept Inputs of this target that took branches which none before them took.
   */
  make(random: SeededRandom, kept: readonly Uint8Array[]): Uint8Array | Promise<Uint8Array>;

  /**
   * Has the program take an input.
   *
   * @throws {Error} when it does something else than it promises. Nothing else throws.
   */
  check(input: Uint8Array): void | Promise<void>;

  /** The same, whatever was taken before. By default, nothing depends on that. */
  checkAlone?(input: Uint8Array): Promise<void>;

  /** Parts of an input of which each may be left out, to find a smaller one. By default, bytes. */
  partsOf?(input: Uint8Array): Uint8Array[];

  /** What was given to the program: packets, messages. */
  readonly given: Readonly<Record<string, number>>;
}
