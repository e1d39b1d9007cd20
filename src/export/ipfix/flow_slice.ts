import type { ConversationRecord } from "../../model/conversation_record.ts";

/** What was new of a conversation since its last slice: what an exporter of flows sends. */
export interface FlowSlice {
  /** The conversation, with all its figures up to now. */
  readonly record: ConversationRecord;
  /** When the slice begins, in milliseconds since 1970-01-01 UTC. It ends with `record.last`. */
  readonly start: number;
  /** Packets from the client, from the server, within the slice. */
  readonly packets: readonly [number, number];
  /** Bytes of IP packets, the same way. */
  readonly bytes: readonly [number, number];
}
