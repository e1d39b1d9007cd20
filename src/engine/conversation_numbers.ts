import { DESTINATION, type PacketHeader, SOURCE } from "../packet/packet_header.ts";
import { EngineMemory, type EngineProgram, NO_HOST } from "./engine_memory.ts";
import {
  type ConversationRecord,
  forEachConversation,
  readConversation,
} from "./conversation_record.ts";
import {
  FACTS_DESTINATION,
  FACTS_DESTINATION_PORT,
  FACTS_IS_IPV6,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_SOURCE_PORT,
  WORD,
} from "./layout.ts";

/** Which conversation a packet is of. */
export interface ConversationNumber {
  /** Its number, within its address family. */
  number: number;
  /** 0 if the packet's source is the low end. */
  direction: number;
  /** Whether it was not known, or is no longer the one that had this number. */
  isNew: boolean;
}

/** An engine's tables of conversations by themselves, for whoever keeps something else about them. */
export class ConversationNumbers {
  readonly #memory: EngineMemory;
  readonly #program: EngineProgram;
  readonly #found: ConversationNumber = { number: 0, direction: 0, isNew: false };

  /** @param maxConversations How many of each address family are remembered. */
  constructor(maxConversations: number) {
    this.#memory = new EngineMemory(maxConversations, 1);
    this.#program = this.#memory.start(NO_HOST);
  }

  /** Which conversation a packet is of. The object is the same each time. */
  of(header: PacketHeader): Readonly<ConversationNumber> {
    const { words } = this.#memory;
    const { addresses } = header;
    words[FACTS_IS_IPV6 / WORD] = header.isIpv6 ? 1 : 0;
    words[FACTS_PROTOCOL / WORD] = header.protocol;
    words[FACTS_SOURCE_PORT / WORD] = header.sourcePort;
    words[FACTS_DESTINATION_PORT / WORD] = header.destinationPort;
    for (let word = 0; word < 4; word++) {
      words[FACTS_SOURCE / WORD + word] = addresses[SOURCE + word];
      words[FACTS_DESTINATION / WORD + word] = addresses[DESTINATION + word];
    }
    const found = this.#found;
    found.number = this.#program.findFacts(true);
    found.direction = this.#program.directionFound();
    found.isNew = this.#program.wasUnknown() !== 0;
    return found;
  }

  /** Calls `visit` with each conversation, the oldest first. */
  forEach(visit: (number: number, conversation: ConversationRecord) => void): void {
    const { view } = this.#memory;
    forEachConversation(view, (isIpv6, number) => {
      visit(number, readConversation(view, isIpv6, number));
    });
  }
}
