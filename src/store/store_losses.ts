/** What a store gave up, by what it was; as table `run` has it. */
export interface StoreLosses {
  /** Last records of conversations, with figures that nothing else has. */
  readonly records: number;
  /** Observations. */
  readonly observations: number;
  /** Writes of keys with names. */
  readonly names: number;
}
