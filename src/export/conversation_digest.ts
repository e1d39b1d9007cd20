import { createHash } from "node:crypto";
import { communityId } from "../model/community_id.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";

/**
 * 20 bytes that name a conversation: the same in each of its records and in each replay, whichever of
 * its ends is the client, and others for another conversation of the same ends.
 */
export function conversationDigest(record: ConversationRecord): Uint8Array {
  return createHash("sha1")
    .update(`${communityId(record)} ${record.first} ${record.id}`)
    .digest();
}
