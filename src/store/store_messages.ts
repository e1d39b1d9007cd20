import type { LogLevel } from "../log.ts";
import type { Failure } from "../workers/failure.ts";
import type { StoreBatch } from "./store_batch.ts";
import type { RowCounts } from "../sink/row_counts.ts";
import type { Retention, StoreRun } from "./store_options.ts";

/** Opens the file. Answered by `opened` or `failed`. */
export interface OpenStoreMessage {
  readonly kind: "open";
  readonly path: string;
  readonly run: StoreRun;
  readonly retention: Retention;
}

/** What the main thread tells that of the store. */
export type ToStore =
  | OpenStoreMessage
  /** Answered by `written`, as soon as it is. */
  | {
    readonly kind: "write";
    readonly number: number;
    readonly batch: StoreBatch;
    readonly losses: RowCounts;
  }
  | { readonly kind: "networks"; readonly localNetworks: readonly string[] }
  /** Writes what waits, if that can be done, and closes the file. Answered by `closed`. */
  | { readonly kind: "close"; readonly losses: RowCounts };

/** What the thread of the store tells the main thread. */
export type FromStore =
  | { readonly kind: "loaded" }
  | { readonly kind: "opened" }
  /** All batches up to this number are in the file. */
  | { readonly kind: "written"; readonly number: number }
  /** A batch can't be written, whatever is tried. */
  | { readonly kind: "refused"; readonly number: number; readonly reason: string }
  /** Nothing can be written at the moment, or it can again: `reason` is `null`. */
  | { readonly kind: "away"; readonly reason: string | null }
  /** Why what was not written was not. */
  | { readonly kind: "closed"; readonly reason: string | null }
  | { readonly kind: "log"; readonly level: LogLevel; readonly message: string }
  | Failure;
