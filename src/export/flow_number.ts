import type { ConversationRecord } from "../model/conversation_record.ts";
import { conversationDigest } from "./conversation_digest.ts";

/** So many bits has a `flow_id` of Suricata: programs that know numbers as doubles read it right. */
const BITS = 51;

/** A number that names a conversation as `conversationDigest` does. */
export function flowNumber(record: ConversationRecord): number {
  const digest = conversationDigest(record);
  const bits = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0);
  return Number(BigInt.asUintN(BITS, bits));
}
