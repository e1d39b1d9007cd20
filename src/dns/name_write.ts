/** A write of a key that has names. */
export interface NameWrite {
  /** The key, as the Redis contract has it. */
  readonly key: string;
  /**
   * The name that is appended to the key's value, unless it is in it already; `null` where the key
   * is a counter, which is raised by 1.
   */
  readonly name: string | null;
}
