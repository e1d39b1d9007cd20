import { RedisReplyError } from "./redis_connection.ts";

/** What became of a batch of writes. */
export interface WriteOutcome {
  /** How many of them, from the first on, were written or refused. The rest may be tried again. */
  readonly done: number;
  /** Indexes of those that were refused because of what they hold or are called. */
  readonly refused: readonly number[];
  /** Why the first of them was. */
  readonly reason: string;
  /** The error that ended the batch, or `null`. It concerns all keys. */
  readonly fault: RedisReplyError | null;
}

/** Errors that concern one key. The scripts have the same list. */
export const KEY_FAULT = /WRONGTYPE|not an integer|overflow|access one of the keys|access a key/;

/** The outcome as a script answers it: 0, or how many were dealt with, the error, why, and which. */
export function outcomeOfScript(reply: unknown, keys: number): WriteOutcome {
  if (reply === 0) return { done: keys, refused: [], reason: "", fault: null };
  const [done, fault, reason, positions] = reply as [number, string, string, number[]];
  return {
    done,
    refused: positions.map((position) => position - 1),
    reason,
    fault: fault === "" ? null : new RedisReplyError(fault),
  };
}
