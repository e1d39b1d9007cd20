import { ranksOf } from "./ranks_of.ts";

/** What a text and its place in a map take besides its characters; about. */
const TEXT_BYTES = 80;

/** Different texts, each with a number; 0 is none. */
export class TextColumn {
  readonly texts: string[] = [""];
  readonly #numbers = new Map<string, number>();
  #ranks: Uint32Array | null = null;
  #characters = 0;

  /** Memory in bytes; about. */
  get bytes(): number {
    return this.texts.length * TEXT_BYTES + this.#characters;
  }

  /** The number of a text, which is a new one for one that is not known. */
  numberOf(text: string | null): number {
    if (text === null) return 0;
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.texts.push(text) - 1;
    this.#numbers.set(text, number);
    this.#characters += text.length;
    this.#ranks = null;
    return number;
  }

  /** For each text whether a condition is true of it. It is not of none. */
  where(condition: (text: string) => boolean): Uint8Array {
    const isIt = new Uint8Array(this.texts.length);
    for (let i = 1; i < isIt.length; i++) if (condition(this.texts[i])) isIt[i] = 1;
    return isIt;
  }

  /** For each text its place among all. */
  ranks(): Uint32Array {
    const { texts } = this;
    return this.#ranks ??= ranksOf(
      texts.length,
      (a, b) => texts[a] < texts[b] ? -1 : texts[a] > texts[b] ? 1 : 0,
    );
  }
}
