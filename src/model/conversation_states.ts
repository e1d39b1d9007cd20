import type { ConversationState } from "./conversation_record.ts";

/** What a conversation has come to, by the numbers of `state_numbers.ts`. */
export const STATE_NAMES: readonly ConversationState[] = [
  "open",
  "established",
  "closed",
  "reset",
  "refused",
  "unreachable",
  "unanswered",
];
