import type { CarriedName } from "./carried_names.ts";

/** How many sets of names are remembered, about. */
const DEFAULT_LIMIT = 100_000;
/** Of one conversation: a proxied one has a name for each request. */
const MOST_NAMES = 4;
/** Numbers are words; 0 is none. */
const LAST_NUMBER = 0xffff_ffff;

/** Names of one conversation, and the number that they have. */
interface NumberedNames {
  readonly number: number;
  readonly names: readonly CarriedName[];
}

/** Sets of names that were given numbers in some time. */
interface Generation {
  readonly byNumber: Map<number, NumberedNames>;
  readonly byText: Map<string, NumberedNames>;
}

/**
 * Numbers for the names that conversations carry, as a conversation's cell has room for a number. The same
 * names have the same number. Bounded: of the many those that were not used for longest are forgotten,
 * half of them at once.
 */
export class CarriedNameNumbers {
  readonly #limit: number;
  readonly #onNumber: (number: number, names: readonly CarriedName[]) => void;
  #newer = newGeneration();
  #older = newGeneration();
  #last = 0;

  /**
   * @param limit How many sets are remembered.
   * @param onNumber Told of each set that gets a number.
   */
  constructor(
    limit: number = DEFAULT_LIMIT,
    onNumber: (number: number, names: readonly CarriedName[]) => void = () => {},
  ) {
    this.#limit = limit;
    this.#onNumber = onNumber;
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#last === 0;
  }

  /** The names that have a number; none for 0, and for what was forgotten. */
  at(number: number): readonly CarriedName[] {
    if (number === 0) return [];
    return (this.#newer.byNumber.get(number) ?? this.#older.byNumber.get(number))?.names ?? [];
  }

  /** The number of the names that have a number, and one more, the last known first. */
  with(number: number, name: CarriedName): number {
    const before = this.at(number);
    if (before.some((it) => it.name === name.name && it.by === name.by)) return number;
    return before.length >= MOST_NAMES ? number : this.numberOf([...before, name]);
  }

  /** The number of some names. */
  numberOf(names: readonly CarriedName[]): number {
    const text = JSON.stringify(names);
    const known = this.#newer.byText.get(text);
    if (known !== undefined) return known.number;
    const older = this.#older.byText.get(text);
    if (older === undefined) {
      this.#last = this.#last === LAST_NUMBER ? 1 : this.#last + 1;
      this.#onNumber(this.#last, names);
    }
    const numbered = older ?? { number: this.#last, names };
    this.#newer.byText.set(text, numbered);
    this.#newer.byNumber.set(numbered.number, numbered);
    if (this.#newer.byText.size >= this.#limit / 2) {
      this.#older = this.#newer;
      this.#newer = newGeneration();
    }
    return numbered.number;
  }
}

function newGeneration(): Generation {
  return { byNumber: new Map(), byText: new Map() };
}
