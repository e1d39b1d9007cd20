/**
 * Values by keys, within a bound: when there are many, those are forgotten that were not set or asked for
 * longest, half of them at once. (To take the oldest out of a `Map` one by one is slow: V8 goes past all
 * that were taken out before.)
 */
export class LatestValues<Value, Key = string> {
  readonly #limit: number;
  #newer = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  /** @param limit How many are remembered. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    const value = this.#newer.get(key);
    if (value !== undefined) return value;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: Key, value: Value): void {
    this.#newer.set(key, value);
    if (this.#newer.size < this.#limit / 2) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  clear(): void {
    this.#newer = new Map();
    this.#older = new Map();
  }
}
