import { UserError, WRONG_USAGE } from "../user_error.ts";
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

/**
 * The store that the command line names, else that of the configuration, else none.
 *
 * @throws {UserError} when there is none that the options of the command line could be about.
 */
export function storeFileOf(options: StoreFileOptions, config: ValidConfig): StoreFile | null {
  const path = options.store ?? config.store;
  if (path === null) {
    const given = options.retain !== undefined
      ? "--retain"
      : options.storeSize !== undefined
      ? "--store-size"
      : null;
    if (given === null) return null;
    throw new UserError(`${given} is about the store: add --store, or set store`, WRONG_USAGE);
  }
  return {
    path,
    place: options.store === undefined ? config.placeOf(["store"]) : "--store",
    retention: {
      milliseconds: options.retain ?? config.retain ?? DEFAULT_RETENTION.milliseconds,
      bytes: options.storeSize ?? config.storeSize ?? DEFAULT_RETENTION.bytes,
    },
  };
}
