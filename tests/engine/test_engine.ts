import { type Config, LowerPort } from "../../src/config/mod.ts";
import { DECODED_NAMES } from "../../src/packet/decoded.ts";
import { Engine, type EngineOptions } from "../../src/engine/engine.ts";
import { OBSERVATION_WORDS } from "../../src/model/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import { batchOf } from "../batches.ts";
import { mappingOf } from "../observed_keys.ts";

const RAW_IP = 101;
/** Enough for any test; tables of the usual size take longer to make than a test to run. */
const CONVERSATIONS = 100_000;

/** What may be told of a meter of a test. */
export interface TestEngineOptions extends Partial<Omit<EngineOptions, "mapping" | "emit">> {
  /** Where it has no `flows`, the lower port serves. */
  config?: Config;
  ourNets?: string[];
}

/** A meter that is given IP packets, and whose keys are collected. */
export class TestEngine {
  readonly engine: Engine;
  /** Observations as they came, each the words of one. */
  readonly observations: Uint32Array[] = [];
  #given = 0;

  constructor(options: TestEngineOptions = {}) {
    const { config = {}, ourNets = ["10.0.0.0/8", "2001:db8::/32"], ...rest } = options;
    this.engine = new Engine({
      maxConversations: CONVERSATIONS,
      ...rest,
      mapping: mappingOf({ flows: [[null, null, LowerPort()]], ...config }, ourNets),
      emit: ({ words, count }) => {
        for (let i = 0; i < count; i++) {
          const from = i * OBSERVATION_WORDS;
          this.observations.push(words.slice(from, from + OBSERVATION_WORDS));
        }
      },
    });
  }

  /** Has the meter take IP packets, all of the same second. */
  take(seconds: number, ...packets: Uint8Array[]): void {
    this.engine.take(batchOf(packets.map((packet) => ({ packet, linkType: RAW_IP, seconds }))));
  }

  /** The keys since the last call, sorted; one that was written twice is there twice. */
  keys(): string[] {
    this.engine.flush();
    return this.emitted();
  }

  /** The same of what was emitted already. */
  emitted(): string[] {
    const given = this.#given;
    this.#given = this.observations.length;
    return this.observations.slice(given).map((words) => keyText(words, 0)).sort();
  }

  /** The keys of some packets of one second. */
  keysOf(seconds: number, ...packets: Uint8Array[]): string[] {
    this.take(seconds, ...packets);
    return this.keys();
  }

  /** How many packets had this end in the decoder. */
  decoded(name: typeof DECODED_NAMES[number]): number {
    return this.engine.statistics().decoded[DECODED_NAMES.indexOf(name)];
  }
}
