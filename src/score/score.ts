import type { PacketBatch } from "../capture/packet_batch.ts";
import type { PacketSource } from "../capture/packet_source.ts";
import type { Mapping } from "../config/mapping.ts";
import { REASON_NAMES } from "../model/reason.ts";
import { Engine } from "../engine/engine.ts";
import {
  KIND_FLOW,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_ABOUT,
  WORD_KIND,
} from "../model/observation_batch.ts";
import { keyText } from "../sink/keys.ts";
import { type Label, Truth } from "./truth.ts";

/** Rules to be measured. */
export interface Candidate {
  /** What they are called. */
  readonly name: string;
  readonly mapping: Mapping;
}

/** How often rules named the right client. */
export interface Tally {
  readonly candidate: string;
  readonly protocol: Label["protocol"];
  /** Whether packets with SYN had been taken out, as if all were picked up in the middle. */
  readonly withoutSyn: boolean;
  right: number;
  wrong: number;
  notMatched: number;
}

/** A conversation whose swapped key was written. */
export interface Mistake {
  readonly candidate: string;
  readonly withoutSyn: boolean;
  readonly label: Label;
  /** What decided so. */
  readonly by: string;
}

/** What was measured. */
export interface Score {
  readonly labels: { tcp: number; udp: number };
  readonly tallies: readonly Tally[];
  readonly mistakes: readonly Mistake[];
}

/**
 * Measures rules on captures against the captures' own handshakes.
 *
 * A conversation counts as right when its flow key is written and the swapped key is not. Each
 * capture is a world of its own: addresses mean something else in the next.
 */
export class Scorer {
  readonly #candidates: readonly Candidate[];
  readonly #maxConversations: number;
  readonly #labels = { tcp: 0, udp: 0 };
  readonly #tallies: Tally[];
  readonly #mistakes: Mistake[] = [];

  /** @param maxConversations Conversations of each address family that are remembered. */
  constructor(candidates: readonly Candidate[], maxConversations: number) {
    this.#candidates = candidates;
    this.#maxConversations = maxConversations;
    this.#tallies = (["tcp", "udp"] as const).flatMap((protocol) =>
      candidates.flatMap(({ name }) =>
        [false, true].map((withoutSyn) => (
          { candidate: name, protocol, withoutSyn, right: 0, wrong: 0, notMatched: 0 }
        ))
      )
    );
  }

  /**
   * Reads a capture to its end, or to where it can't be read any more; what was read by then counts.
   *
   * @param onBatch Called after each batch.
   */
  async add(source: PacketSource, onBatch: () => Promise<void> = async () => {}): Promise<void> {
    const truth = new Truth(this.#maxConversations);
    const engines = this.#candidates.flatMap(({ mapping }) =>
      [false, true].map((withoutSyn) =>
        new CountingEngine(mapping, withoutSyn, this.#maxConversations)
      )
    );
    let isOpening = new Uint8Array(0);
    try {
      for (let batch; (batch = await source.next()) !== null;) {
        if (isOpening.length < batch.capacity) isOpening = new Uint8Array(batch.capacity);
        truth.take(batch, isOpening);
        for (const engine of engines) if (!engine.withoutSyn) engine.take(batch);
        leaveOut(batch, isOpening);
        for (const engine of engines) if (engine.withoutSyn) engine.take(batch);
        await onBatch();
      }
    } finally {
      for (const engine of engines) engine.flush();
      this.#compare(truth.labels(), engines);
    }
  }

  /** What was measured up to now. */
  score(): Score {
    return { labels: { ...this.#labels }, tallies: this.#tallies, mistakes: this.#mistakes };
  }

  #compare(labels: readonly Label[], engines: readonly CountingEngine[]): void {
    for (const label of labels) {
      this.#labels[label.protocol]++;
      engines.forEach((engine, i) => this.#count(label, engine, i));
    }
  }

  #count(label: Label, engine: CountingEngine, index: number): void {
    const offset = label.protocol === "tcp" ? 0 : 2 * this.#candidates.length;
    const tally = this.#tallies[offset + index];
    const wrongBy = engine.decidedBy(label.server, label.client, label.clientPort);
    const rightBy = engine.decidedBy(label.client, label.server, label.serverPort);
    if (wrongBy !== undefined) {
      tally.wrong++;
      const { candidate, withoutSyn } = tally;
      this.#mistakes.push({ candidate, withoutSyn, label, by: REASON_NAMES[wrongBy] });
    } else if (rightBy !== undefined) tally.right++;
    else tally.notMatched++;
  }
}

/** An engine whose flow keys are remembered. */
class CountingEngine {
  readonly withoutSyn: boolean;
  readonly #engine: Engine;
  /** For each flow key, what decided it. */
  readonly #flows = new Map<string, number>();

  constructor(mapping: Mapping, withoutSyn: boolean, maxConversations: number) {
    this.withoutSyn = withoutSyn;
    this.#engine = new Engine({ mapping, maxConversations, emit: (batch) => this.#note(batch) });
  }

  take(batch: PacketBatch): void {
    this.#engine.take(batch);
  }

  flush(): void {
    this.#engine.flush();
  }

  /** What decided the flow with this key, or `undefined` if it was not written. */
  decidedBy(client: string, server: string, port: number): number | undefined {
    return this.#flows.get(`${client};${server};${port};flow`);
  }

  #note({ words, count }: ObservationBatch): void {
    for (let i = 0; i < count; i++) {
      const at = i * OBSERVATION_WORDS;
      if ((words[at + WORD_KIND] & 0xff) !== KIND_FLOW) continue;
      this.#flows.set(keyText(words, at), words[at + WORD_ABOUT] & 0xff);
    }
  }
}

/** Takes packets out of a batch. */
function leaveOut(batch: PacketBatch, isLeftOut: Uint8Array): void {
  let kept = 0;
  for (let i = 0; i < batch.count; i++) if (isLeftOut[i] === 0) batch.move(i, kept++);
  batch.count = kept;
}
