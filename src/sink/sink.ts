import type { NameWrite } from "../dns/name_write.ts";
import type { RecordBatch } from "../model/record_batch.ts";
import type { ObservationBatch } from "../model/observation_batch.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import type { UserError } from "../user_error.ts";

/** Where observations go: Redis, JSON lines, the terminal. */
export interface Sink {
  /** What it is, in a word: `redis`. */
  readonly name: string;

  /** Why it can't be written to at the moment; `null`, or nothing, where it can. */
  readonly trouble?: string | null;

  /**
   * Takes observations. It copies what it needs before it returns: the batch is used again.
   * It never waits and never throws for a store that is away.
   */
  write(batch: ObservationBatch): void;

  /**
   * Takes writes of keys with names: text, as the few that come of DNS are. It neither waits nor
   * throws, as `write`.
   *
   * @param seconds When, since 1970-01-01 UTC.
   */
  writeNames(writes: readonly NameWrite[], seconds: number): void;

  /**
   * Takes records of conversations, where it has a use for them. It neither waits nor throws, as
   * `write`; the records are its to keep.
   */
  takeRecords?(records: readonly ConversationRecord[]): void;

  /** The same of records as numbers, where that is enough for it. The batch is used again. */
  takeFigures?(batch: RecordBatch): void;

  /** Takes what is known of devices, where it has a use for it. It neither waits nor throws, as `write`. */
  takeDevices?(devices: readonly DeviceRecord[]): void;

  /** Observations that were taken, of which it is not known yet that they are where they should go. */
  readonly pending: number;

  /** Bytes that what is pending needs, about, where that depends on what it is. */
  readonly pendingBytes: number;

  /** Observations that are where they should go: Redis has acknowledged them, a reader taken them. */
  readonly written: number;

  /** Observations that were given up, or refused. */
  readonly lost: number;

  /**
   * Brings what is pending to its place, if that can be done now.
   * Called at each flush, and by a replay whenever `pending` has grown large.
   *
   * @throws {UserError} when it can't be done now or later.
   */
  flush(): Promise<void>;

  /** Says that the end is near: `flush()` waits no longer, and `close()` for a few seconds from now. */
  hurry(): void;

  /**
   * Flushes, then gives back what the sink holds.
   *
   * @throws {UserError} that says how many observations were lost, when some were.
   */
  close(): Promise<void>;

  /**
   * Gives up what is pending, and gives the terminal back, without waiting for anything.
   *
   * @param reason Why, as the error says it.
   * @returns What `close()` would throw; `null` if nothing was lost.
   */
  abandon(reason: string): UserError | null;
}
