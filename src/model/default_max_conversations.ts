/** Conversations of each address family that are remembered unless told otherwise. */
export const DEFAULT_MAX_CONVERSATIONS = 1_000_000;
