import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DeviceRecord } from "../model/device_record.ts";

/** A write of a key with names, and when it was seen. */
export interface TimedName {
  /** The key, as the Redis contract has it. */
  readonly key: string;
  /** The name of the key's value; `null` where the key is a counter. */
  readonly name: string | null;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  /** @default {1} */
  readonly count?: number;
}

/** Observations of a flow, of which only the key is known, and perhaps some more. */
export interface FlowObservations {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** Empty where it is not known. */
  readonly protocol: string;
  readonly by: string;
  readonly name: string | null;
  /** Where the name comes from. @default "lookup" */
  readonly nameOrigin?: string;
  readonly count: number;
  /** Milliseconds since 1970-01-01 UTC; 0 where it is not known. */
  readonly time: number;
}

/** Attempts in vain, as table `refusal` has them. */
export interface Refusals {
  readonly kind: "rst" | "icmp" | "nx";
  readonly prober: string;
  readonly target: string;
  readonly port: number;
  readonly reason: string;
  readonly count: number;
  readonly time: number;
}

/** What a store writes in one transaction. */
export interface StoreBatch {
  readonly records: readonly ConversationRecord[];
  /** Observations, laid out as in an `ObservationBatch`. */
  readonly words: Uint32Array;
  /** From when on their times are counted, in seconds since 1970-01-01 UTC. By default, 0. */
  readonly origin?: number;
  /** For each observation, the name of a flow's server that its client looked up; else `null`. */
  readonly flowNames: readonly (string | null)[];
  readonly names: readonly TimedName[];
  /** What is known of devices. */
  readonly devices?: readonly DeviceRecord[];
  /** What is not known as observations: out of Redis, or lines of JSON. */
  readonly observations?: readonly FlowObservations[];
  readonly refusals?: readonly Refusals[];
}
