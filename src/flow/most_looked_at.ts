/**
 * Payloads that are looked at in each direction of a conversation: requests come early, or again and
 * again. `assembly/gathering.ts` and the sieve's program have the same.
 */
export const MOST_LOOKED_AT = 4;
