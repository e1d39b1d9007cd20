import type { ConversationRecord } from "../model/conversation_record.ts";

/** A write of a key with names, and when it was seen. */
export interface TimedName {
  /** The key, as the Redis contract has it. */
  readonly key: string;
  /** The name of the key's value; `null` where the key is a counter. */
  readonly name: string | null;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
}

/** What a store writes in one transaction. */
export interface StoreBatch {
  readonly records: readonly ConversationRecord[];
  /** Observations, laid out as in an `ObservationBatch`. */
  readonly words: Uint32Array;
  /** For each observation, the name of a flow's server that its client looked up; else `null`. */
  readonly flowNames: readonly (string | null)[];
  readonly names: readonly TimedName[];
}
