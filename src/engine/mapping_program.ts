import type { Mapping } from "../config/mapping.ts";
import { EVIDENCE, PORT_WEIGHTS as WEIGHTS_OF_PORTS } from "../config/service_evidence.ts";
import type { Facts } from "../model/facts.ts";
import { NO_MATCH, type Outcome } from "../model/outcome.ts";
import { EngineMemory, type EngineProgram, NO_HOST } from "./engine_memory.ts";
import { FactsMemory } from "./facts_memory.ts";
import { FACTS_DESTINATION, FACTS_SOURCE, MAPPING, PORT_WEIGHTS, WEIGHTS, WORD } from "./layout.ts";

/** What became of one rule, when a mapping was asked about a flow. */
export interface RuleStory {
  /** Its index in `flows`. */
  readonly index: number;
  /** Where it stands, `config.ts:12`. */
  readonly place: string;
  /** The rule as text: networks and action. */
  readonly rule: string;
  /** Whether the rule decided, and so was the last to be asked. */
  readonly matched: boolean;
  /** Why it did or did not, in one sentence without a full stop. */
  readonly reason: string;
}

/** How a mapping came to its outcome. */
export interface MappingStory {
  /** The network of the source, or `null` when it is in none. */
  readonly sourceNetwork: string | null;
  /** The network of the destination, or `null` when it is in none. */
  readonly destinationNetwork: string | null;
  /** The rules that were asked, in order. Empty when an address is in no network. */
  readonly rules: readonly RuleStory[];
  /** What they said. */
  readonly outcome: Outcome;
}

/** A mapping that is asked as an engine asks it, about facts that are given. */
export class MappingProgram {
  readonly #memory: EngineMemory;
  readonly #program: EngineProgram;
  readonly #facts: FactsMemory;
  readonly #weights: Int32Array;
  #mapping: Mapping;

  /** Makes the program of a mapping. */
  constructor(mapping: Mapping) {
    const memory = new EngineMemory(1, 1);
    this.#memory = memory;
    this.#mapping = mapping;
    this.#facts = new FactsMemory(memory.buffer);
    this.#weights = new Int32Array(memory.buffer, WEIGHTS, EVIDENCE.length);
    this.#program = memory.start({
      ...NO_HOST,
      askFunction: (rule) => this.#mapping.askFunction(rule, this.#facts.read()),
    });
    memory.bytes.set(WEIGHTS_OF_PORTS, PORT_WEIGHTS);
    this.setMapping(mapping);
  }

  /** Puts another mapping in the place of the present one. */
  setMapping(mapping: Mapping): void {
    this.#mapping = mapping;
    this.#memory.words.set(mapping.compiled, MAPPING / WORD);
    this.#program.useMapping();
  }

  /** Puts the numbers of both networks into facts. */
  findNetworks(facts: Facts): void {
    this.#facts.write(facts);
    this.#program.findNetworks();
    const { sourceNetwork, destinationNetwork } = this.#facts.read();
    facts.sourceNetwork = sourceNetwork;
    facts.destinationNetwork = destinationNetwork;
  }

  /**
   * What the rules say of one direction of a conversation. An address in no network, or no rule that
   * matches: `NO_MATCH`.
   */
  decide(facts: Facts): Outcome {
    this.#facts.write(facts);
    return this.#program.decide(false);
  }

  /** Whether each end is in a local network. */
  areLocal(facts: Facts): [source: boolean, destination: boolean] {
    this.#facts.write(facts);
    return [
      this.#program.isLocal(FACTS_SOURCE) !== 0,
      this.#program.isLocal(FACTS_DESTINATION) !== 0,
    ];
  }

  /** Whether both ends are in local networks, whose flows are not wanted. */
  isSuppressed(facts: Facts): boolean {
    this.#facts.write(facts);
    return this.#program.isSuppressed() !== 0;
  }

  /** Whether `ignoreFlows` names one of the ends. */
  isIgnored(facts: Facts): boolean {
    this.#facts.write(facts);
    return this.#program.isIgnored() !== 0;
  }

  /** What each of `EVIDENCE` weighs, for the source. The array is the same each time. */
  weigh(facts: Facts): Int32Array {
    this.#facts.write(facts);
    this.#program.weigh();
    return this.#weights;
  }

  /** How {@linkcode decide} comes to its outcome, rule by rule. */
  explain(facts: Facts): MappingStory {
    const { networkNames, actions } = this.#mapping;
    this.findNetworks(facts);
    const networkName = (number: number) => networkNames[number] ?? null;
    const isMapped = facts.sourceNetwork >= 0 && facts.destinationNetwork >= 0;
    const rules: RuleStory[] = [];
    let outcome = NO_MATCH;
    for (let i = 0; isMapped && i < actions.length && outcome === NO_MATCH; i++) {
      outcome = this.#program.decideByRule(i);
      rules.push(this.#story(i, facts, outcome));
    }
    return {
      sourceNetwork: networkName(facts.sourceNetwork),
      destinationNetwork: networkName(facts.destinationNetwork),
      rules,
      outcome,
    };
  }

  #story(index: number, facts: Facts, outcome: Outcome): RuleStory {
    const mapping = this.#mapping;
    const story = { index, place: mapping.placeOfRule(index), rule: mapping.ruleText(index) };
    const mismatch = mapping.networkMismatch(index, facts);
    if (mismatch !== null) return { ...story, matched: false, reason: mismatch };
    this.#program.weigh();
    const reason = mapping.actions[index].explain(facts, outcome, this.#weights);
    return { ...story, matched: outcome !== NO_MATCH, reason };
  }
}
