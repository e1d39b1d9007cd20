import type { ConversationRecord } from "../../model/conversation_record.ts";
import type { FlowSlice } from "./flow_slice.ts";

/** Conversations that go on and are remembered, some 200 bytes each. */
const MOST = 262_144;

type Pair = readonly [number, number];

interface Sent extends Pick<ConversationRecord, "client" | "clientPort" | "last"> {
  readonly packets: Pair;
  readonly bytes: Pair;
}

/** Tells what is new in the records of conversations that go on, which have all figures up to then. */
export class FlowSlices {
  readonly #sent = new Map<number, Sent>();
  readonly #most: number;

  /** @param most How many conversations that go on are remembered. */
  constructor(most = MOST) {
    this.#most = most;
  }

  /** Conversations that are remembered. */
  get size(): number {
    return this.#sent.size;
  }

  /**
   * What is new in a record.
   *
   * @returns `null` where nothing is, or where there is no room to remember what was sent. In that
   * case all is new at the end of the conversation: nothing is lost, and nothing counted twice.
   */
  next(record: ConversationRecord): FlowSlice | null {
    const { id, packets, bytes } = record;
    const before = this.#sent.get(id);
    if (record.isOver) this.#sent.delete(id);
    else if (before === undefined && this.#sent.size >= this.#most) return null;
    else this.#sent.set(id, sentOf(record));
    if (before === undefined) return { record, start: record.first, packets, bytes };
    // Later evidence may have turned client and server around.
    const isTurned = before.client !== record.client || before.clientPort !== record.clientPort;
    const isNew = packets[0] + packets[1] > before.packets[0] + before.packets[1];
    return !isNew ? null : {
      record,
      start: before.last,
      packets: less(packets, before.packets, isTurned),
      bytes: less(bytes, before.bytes, isTurned),
    };
  }
}

function less([client, server]: Pair, before: Pair, isTurned: boolean): Pair {
  const [ofClient, ofServer] = isTurned ? [before[1], before[0]] : before;
  return [Math.max(client - ofClient, 0), Math.max(server - ofServer, 0)];
}

/** Not the record itself, which holds names and more. */
function sentOf({ client, clientPort, last, packets, bytes }: ConversationRecord): Sent {
  return { client, clientPort, last, packets, bytes };
}
