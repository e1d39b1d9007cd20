import type { ValidConfig } from "../config/valid_config.ts";
import { DEFAULT_RETENTION, type Retention } from "../store/store_options.ts";

/** Options of the command line that are about the store. */
export interface StoreFileOptions {
  /** The store's file. */
  readonly store?: string;
  /** Milliseconds. */
  readonly retain?: number;
  /** Bytes. */
  readonly storeSize?: number;
}

/** The store that is written. */
export interface StoreFile {
  readonly path: string;
  /** Where the user named it, for messages. */
  readonly place: string;
  readonly retention: Retention;
}

/** The store that the command line names, else that of the configuration, else none. */
export function storeFileOf(options: StoreFileOptions, config: ValidConfig): StoreFile | null {
  const path = options.store ?? config.store;
  if (path === null) return null;
  return {
    path,
    place: options.store === undefined ? config.placeOf(["store"]) : "--store",
    retention: {
      milliseconds: options.retain ?? config.retain ?? DEFAULT_RETENTION.milliseconds,
      bytes: options.storeSize ?? config.storeSize ?? DEFAULT_RETENTION.bytes,
    },
  };
}
