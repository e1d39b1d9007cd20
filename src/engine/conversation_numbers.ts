import { DESTINATION, type PacketHeader, SOURCE } from "../packet/packet_header.ts";
import { EngineMemory, type EngineProgram, NO_HOST } from "./engine_memory.ts";
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_ADDRESSES,
  CELL_NEWER,
  CELL_PORTS,
  CELL_STATE,
  FACTS_DESTINATION,
  FACTS_DESTINATION_PORT,
  FACTS_IS_IPV6,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_SOURCE_PORT,
  PROTOCOL_MASK,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  TABLE_OLDEST,
  WORD,
} from "./layout.ts";

/** A conversation, by its two ends: the low one and the high one. */
export interface Conversation {
  readonly isIpv6: boolean;
  readonly protocol: number;
  /** Each of them four words in network order, IPv4 in the last of them. */
  readonly addresses: readonly [Uint32Array, Uint32Array];
  readonly ports: readonly [number, number];
}

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
  forEach(visit: (number: number, conversation: Conversation) => void): void {
    const { view } = this.#memory;
    for (const isIpv6 of [false, true]) {
      const table = isIpv6 ? TABLE6 : TABLE4;
      const cells = view.getUint32(table + TABLE_CELLS, true);
      const size = 2 ** (isIpv6 ? CELL6_SHIFT : CELL4_SHIFT);
      for (let number = view.getUint32(table + TABLE_OLDEST, true); number !== 0;) {
        const cell = cells + number * size;
        visit(number, this.#read(isIpv6, cell));
        number = view.getUint32(cell + CELL_NEWER, true);
      }
    }
  }

  #read(isIpv6: boolean, cell: number): Conversation {
    const { view } = this.#memory;
    const ports = view.getUint32(cell + CELL_PORTS, true);
    const words = isIpv6 ? 4 : 1;
    const addressOf = (end: number) => {
      const address = new Uint32Array(4);
      const from = cell + CELL_ADDRESSES + end * words * WORD;
      for (let i = 0; i < words; i++) {
        address[4 - words + i] = view.getUint32(from + i * WORD, true);
      }
      return address;
    };
    return {
      isIpv6,
      protocol: view.getUint32(cell + CELL_STATE, true) & PROTOCOL_MASK,
      addresses: [addressOf(0), addressOf(1)],
      ports: [ports >>> 16, ports & 0xffff],
    };
  }
}
