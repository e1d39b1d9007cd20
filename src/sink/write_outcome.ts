import { RedisReplyError } from "./redis_connection.ts";

/** What became of a batch of writes. */
export interface WriteOutcome {
  /** Indexes of those that were neither written nor refused, in their order. They may be tried again. */
  readonly undone: readonly number[];
  /** Indexes of those that were refused because of what they hold or are called. */
  readonly refused: readonly number[];
  /** Why the first of them was. */
  readonly reason: string;
  /** Why some are undone, or `null`. It concerns all keys of a server. */
  readonly fault: Error | null;
  /** Host and port of the server whose fault it is, where there are several. */
  readonly where?: string;
}

/** Errors that concern one key. The scripts have the same list. */
export const KEY_FAULT = /WRONGTYPE|not an integer|overflow|access one of the keys|access a key/;

/** The outcome as a script answers it: 0, or how many were dealt with, the error, why, and which. */
export function outcomeOfScript(reply: unknown, keys: number): WriteOutcome {
  if (reply === 0) return { undone: [], refused: [], reason: "", fault: null };
  const [done, fault, reason, positions] = reply as [number, string, string, number[]];
  return {
    undone: indexesFrom(done, keys),
    refused: positions.map((position) => position - 1),
    reason,
    fault: fault === "" ? null : new RedisReplyError(fault),
  };
}

/** The numbers from one up to before another one. */
export function indexesFrom(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}
