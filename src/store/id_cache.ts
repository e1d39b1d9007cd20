/**
 * Ids by keys, within a bound: when there are many, those are forgotten that were not asked for longest,
 * half of them at once.
 */
export class IdCache {
  readonly #limit: number;
  #newer = new Map<string, number>();
  #older = new Map<string, number>();

  /** @param limit How many are remembered. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): number | undefined {
    const id = this.#newer.get(key);
    if (id !== undefined) return id;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, id: number): void {
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
