import type { ConversationRecord } from "../model/conversation_record.ts";

/** Conversations that go on and are remembered: some 60 MB at most. */
const MOST = 262_144;
/** How many are looked at, at a time, for whether they are too old. */
const AT_A_TIME = 1_000;

/** What is written of a conversation that goes on: its figures up to then, and what was said of it. */
interface ConversationState {
  readonly usage: number;
  readonly client: string;
  readonly isAnswered: boolean;
  readonly isUnexplained: boolean;
  readonly names: string;
  readonly packetsClient: number;
  readonly packetsServer: number;
  readonly bytesClient: number;
  readonly bytesServer: number;
  /** Time of the last packet. */
  readonly last: number;
  /** When it was written, by the machine's clock. */
  readonly written: number;
}

/**
 * What is written of conversations that go on, so that of their next records what is new can be told.
 * What changes within a transaction can be undone.
 */
export class ConversationStates {
  /** Records that were left out for want of room. */
  deferred = 0;
  readonly #states = new Map<number, ConversationState>();
  readonly #limit: number;
  #changed = new Map<number, ConversationState | undefined>();

  constructor(limit: number = MOST) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#states.size >= this.#limit;
  }

  get(id: number): ConversationState | undefined {
    return this.#states.get(id);
  }

  /** The figures that are written, which may have changed ends with {@linkcode turn}. */
  lastFigures(
    { id }: ConversationRecord,
    none: ConversationState | undefined,
  ): Pick<ConversationState, "packetsClient" | "packetsServer" | "bytesClient" | "bytesServer"> {
    return this.#states.get(id) ?? none ??
      { packetsClient: 0, packetsServer: 0, bytesClient: 0, bytesServer: 0 };
  }

  /** Notes what is written with a record: all of its figures. */
  put(
    record: ConversationRecord,
    said: Pick<ConversationState, "usage" | "isAnswered" | "isUnexplained" | "names">,
  ): void {
    this.#note(record.id);
    if (record.isOver) {
      this.#states.delete(record.id);
      return;
    }
    // What was written last is last: see forgetOlder.
    this.#states.delete(record.id);
    this.#states.set(record.id, {
      ...said,
      client: record.client,
      packetsClient: record.packets[0],
      packetsServer: record.packets[1],
      bytesClient: record.bytes[0],
      bytesServer: record.bytes[1],
      last: record.last,
      written: Date.now(),
    });
  }

  /** The client of a conversation is its server now. */
  turn(id: number): void {
    this.#note(id);
    const state = this.#states.get(id)!;
    this.#states.set(id, {
      ...state,
      packetsClient: state.packetsServer,
      packetsServer: state.packetsClient,
      bytesClient: state.bytesServer,
      bytesServer: state.bytesClient,
    });
  }

  /** Begins what may be undone. */
  begin(): void {
    this.#changed = new Map();
  }

  /** Undoes all since {@linkcode begin}. */
  undo(): void {
    for (const [id, state] of this.#changed) {
      if (state === undefined) this.#states.delete(id);
      else this.#states.set(id, state);
    }
    this.#changed = new Map();
  }

  /** Forgets some of what was written before a time and never after. */
  forgetOlder(time: number): void {
    let left = AT_A_TIME;
    for (const [id, { written }] of this.#states) {
      if (written >= time || left-- === 0) break;
      this.#states.delete(id);
    }
  }

  #note(id: number): void {
    if (!this.#changed.has(id)) this.#changed.set(id, this.#states.get(id));
  }
}
