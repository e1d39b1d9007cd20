/** Values by keys, of which those that were set last are kept. */
export class LatestValues<Value, Key = string> {
  readonly #limit: number;
  readonly #values = new Map<Key, Value>();

  /** @param limit How many are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  /** Sets a value, as the last one. */
  set(key: Key, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#limit) return;
    const [oldest] = this.#values.keys();
    this.#values.delete(oldest);
  }
}
