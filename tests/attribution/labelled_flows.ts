import { SavefileSource } from "../../src/capture/savefile_source.ts";
import type { Mapping } from "../../src/config/mapping.ts";
import { ConversationNumbers } from "../../src/engine/conversation_numbers.ts";
import { Engine } from "../../src/engine/engine.ts";
import {
  KIND_FLOW,
  OBSERVATION_WORDS,
  WORD_ABOUT,
  WORD_KIND,
} from "../../src/model/observation_batch.ts";
import { REASON_NAMES } from "../../src/model/reason.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import {
  PacketHeader,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_SYN,
} from "../../src/packet/packet_header.ts";
import { keyText } from "../../src/sink/keys.ts";
import { UserError } from "../../src/user_error.ts";
import { batchOf } from "../batches.ts";
import { ACK, ip, PSH, tcp } from "../packets.ts";

/** Small, as hundreds of engines are made one after the other. */
const CONVERSATIONS = 20_000;
const RAW_IP = 101;

/** What is done to a capture before it is read. */
export interface Changes {
  /** Packets of an unrelated connection are put before it, for so many seconds. */
  readonly secondsInFront?: number;
  /** The first packet of each UDP conversation is taken out. */
  readonly withoutFirst?: boolean;
  /** All TCP packets with SYN are taken out. */
  readonly withoutSyn?: boolean;
}

/** Client, its port, server, its port. */
export type Ends = readonly [string, number, string, number, ...unknown[]];

/** Whether the flow of a conversation was written, or the swapped one, or none. */
export type Verdict = "right" | "wrong" | "none";

/** The flows that a capture gives, up to its end or to where it is cut. */
export class LabelledFlows {
  readonly engine: Engine;
  /** For each flow key, what decided it. */
  readonly #flows = new Map<string, number>();

  private constructor(mapping: Mapping) {
    this.engine = new Engine({
      mapping,
      maxConversations: CONVERSATIONS,
      emit: ({ words, count }) => {
        for (let i = 0; i < count; i++) {
          const at = i * OBSERVATION_WORDS;
          if ((words[at + WORD_KIND] & 0xff) !== KIND_FLOW) continue;
          this.#flows.set(keyText(words, at), words[at + WORD_ABOUT] & 0xff);
        }
      },
    });
  }

  /** Reads a capture. */
  static async read(path: string, mapping: Mapping, changes: Changes): Promise<LabelledFlows> {
    const flows = new LabelledFlows(mapping);
    const source = SavefileSource.open(path);
    const seen = new ConversationNumbers(CONVERSATIONS);
    const header = new PacketHeader();
    let isBegun = false;
    try {
      for (let batch; (batch = await source.next()) !== null;) {
        if (!isBegun && batch.count > 0) flows.#watchBefore(batch.seconds[0], changes);
        isBegun = true;
        let kept = 0;
        for (let i = 0; i < batch.count; i++) {
          const from = batch.offset[i];
          const end = from + batch.captured[i];
          const decoded = decode(batch.view, from, end, batch.linkType[i], header);
          if (decoded === TRANSPORT && isLeftOut(header, seen, changes)) continue;
          batch.move(i, kept++);
        }
        batch.count = kept;
        flows.engine.take(batch);
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    } finally {
      source.close();
    }
    flows.engine.flush();
    return flows;
  }

  /** What was written of a conversation. */
  verdict([client, clientPort, server, serverPort]: Ends): { verdict: Verdict; by: string } {
    const wrong = this.#flows.get(`${server};${client};${clientPort};flow`);
    const right = this.#flows.get(`${client};${server};${serverPort};flow`);
    const by = REASON_NAMES[wrong ?? right ?? 0];
    return { verdict: wrong !== undefined ? "wrong" : right !== undefined ? "right" : "none", by };
  }

  #watchBefore(first: number, { secondsInFront = 0 }: Changes): void {
    if (secondsInFront === 0) return;
    const packet = ip("192.0.2.201", "192.0.2.202", tcp(50_001, 22, PSH | ACK, "unrelated"));
    const packets = Array.from({ length: secondsInFront }, (_, i) => (
      { packet, linkType: RAW_IP, seconds: Math.max(0, first - secondsInFront + i) }
    ));
    this.engine.take(batchOf(packets));
  }
}

function isLeftOut(header: PacketHeader, seen: ConversationNumbers, changes: Changes): boolean {
  if (header.protocol === PROTOCOL_TCP) {
    return changes.withoutSyn === true && (header.tcpFlags & TCP_SYN) !== 0;
  }
  return changes.withoutFirst === true && header.protocol === PROTOCOL_UDP && seen.of(header).isNew;
}
