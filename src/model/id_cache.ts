/**
 * Ids by keys, within a bound: when there are many, those are forgotten that were not asked for longest,
 * half of them at once.
 */
export class IdCache<Key = string> {
  readonly #limit: number;
  #newer = new Map<Key, number>();
  #older = new Map<Key, number>();

  /** @param limit How many are remembered. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): number | undefined {
    const id = this.#newer.get(key);
    if (id !== undefined) return id;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: Key, id: number): void {
    this.#newer.set(key, id);
    if (this.#newer.size < this.#limit / 2) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  clear(): void {
    this.#newer = new Map();
    this.#older = new Map();
  }
}
