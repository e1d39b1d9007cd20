import { addressText } from "../flow/address_text.ts";
import type { Log } from "../log.ts";
import { Action } from "./action.ts";
import type { Cidr } from "./cidr.ts";
import { pathText } from "./config_error.ts";
import { CustomAction } from "./custom_action.ts";
import type { Facts } from "./facts.ts";
import { OUR_NETS } from "./our_nets.ts";
import { mappingImage } from "./mapping_image.ts";
import { NO_MATCH, type Outcome } from "./outcome.ts";
import { PrefixTable } from "./prefix_table.ts";
import type { ValidConfig } from "./valid_config.ts";

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

/** A checked configuration with the own networks put in: what the sensor asks about each flow. */
export class Mapping {
  /** The URL of the Redis that is written to; `null` for none. */
  readonly redis: string | null;
  /** How long a key lives after it was last written, in seconds. */
  readonly ttl: number;
  /** How often what was seen is written, in seconds. */
  readonly flushInterval: number;
  /** Whether what the own networks have among themselves makes no keys. */
  readonly suppressOwnNetwork: boolean;
  /** Ports that name servers answer from. */
  readonly dnsPorts: readonly number[];
  /** Whether mDNS and LLMNR are looked at. */
  readonly multicastDns: boolean;
  /** Names that make no keys, with all below them, as `domainName` gives them. */
  readonly ignoreDns: readonly string[];
  /** The own networks. */
  readonly ourNets: readonly Cidr[];
  /** Names of the networks; a network's number is its index. */
  readonly networkNames: readonly string[];
  /** The actions of the rules, in order. */
  readonly actions: readonly Action[];

  /**
   * All of it that a meter asks about each conversation, as {@linkcode mappingImage} lays it out.
   *
   * @internal
   */
  readonly image: Int32Array;

  readonly #config: ValidConfig;
  readonly #networks: PrefixTable;
  readonly #ourNets: PrefixTable;
  /** For each address that `ignoreFlows` names, the number of its ports in `#ignoredPorts`. */
  readonly #ignored: PrefixTable;
  readonly #ignoredPorts: readonly Int32Array[];
  readonly #sources: Int32Array;
  readonly #destinations: Int32Array;

  /**
   * Makes the mapping of a configuration.
   *
   * @param config The checked configuration.
   * @param ourNets The own networks, which stand where the configuration has `OUR_NETS`.
   * @param log Told once of each custom function that throws or returns what can't be used.
   * @throws {ConfigError} when it is too large.
   */
  constructor(config: ValidConfig, ourNets: readonly Cidr[], log: Pick<Log, "warn">) {
    this.#config = config;
    this.redis = config.redis;
    this.ttl = config.ttl;
    this.flushInterval = config.flushInterval;
    this.suppressOwnNetwork = config.suppressOwnNetwork;
    this.dnsPorts = config.dnsPorts;
    this.multicastDns = config.multicastDns;
    this.ignoreDns = config.ignoreDns;
    this.ourNets = ourNets;
    this.networkNames = config.networks.map(({ name }) => name);
    this.actions = config.rules.map((_, index) => this.#action(index, log));
    this.#networks = new PrefixTable(
      resolveNetworks(config, ourNets).flatMap((prefixes, number) =>
        prefixes.map((prefix) => [prefix, number] as const)
      ),
    );
    this.#ourNets = new PrefixTable(ourNets.map((prefix) => [prefix, 0]));
    [this.#ignored, this.#ignoredPorts] = ignoredTable(config);
    this.#sources = Int32Array.from(config.rules, ({ source }) => source);
    this.#destinations = Int32Array.from(config.rules, ({ destination }) => destination);
    const firstFunction = this.actions.findIndex((action) => action instanceof CustomAction);
    this.image = mappingImage({
      place: config.placeOf(["flows"]),
      usesEvidence: this.actions.some((action) => action.usesEvidence),
      suppressOwnNetwork: this.suppressOwnNetwork,
      rules: config.rules.map(({ source, destination }, i) => {
        return { source, destination, action: this.actions[i] };
      }),
      rulesBeforeFunction: firstFunction < 0 ? this.actions.length : firstFunction,
      networks: this.#networks,
      ownNetworks: this.#ourNets,
      ignored: this.#ignored,
      ignoredPorts: this.#ignoredPorts,
    });
  }

  /**
   * The number of the first network that holds the address, or -1.
   *
   * @param words Where the address is: four words in network order, IPv4 in the last of them.
   * @param offset Index of its first word.
   * @param isIpv6 Whether it is an IPv6 address.
   */
  networkOf(words: Uint32Array, offset: number, isIpv6: boolean): number {
    return this.#networks.find(words, offset, isIpv6);
  }

  /** Whether a network has prefixes of this address family. */
  hasNetworks(family: 4 | 6): boolean {
    const { ipv4Count, ipv6Count } = this.#networks;
    return (family === 4 ? ipv4Count : ipv6Count) > 0;
  }

  /** Where the configuration has an entry, for messages: `config.ts:12`. */
  placeOf(entry: "networks" | "flows" | "ignoreFlows"): string {
    return this.#config.placeOf([entry]);
  }

  /** Whether the address is in the own networks. Parameters as of {@linkcode networkOf}. */
  isOurs(words: Uint32Array, offset: number, isIpv6: boolean): boolean {
    return this.#ourNets.find(words, offset, isIpv6) >= 0;
  }

  /** Whether `ignoreFlows` names this address and port. Parameters as of {@linkcode networkOf}. */
  ignoresFlow(words: Uint32Array, offset: number, isIpv6: boolean, port: number): boolean {
    const number = this.#ignored.find(words, offset, isIpv6);
    return number >= 0 && this.#ignoredPorts[number].includes(port);
  }

  /**
   * What the rules say of one direction of a conversation. An address in no network, or no rule that
   * matches: {@linkcode NO_MATCH}.
   *
   * @param facts With the numbers of both networks, from {@linkcode networkOf}.
   */
  decide(facts: Facts): Outcome {
    const { sourceNetwork, destinationNetwork } = facts;
    if (sourceNetwork < 0 || destinationNetwork < 0) return NO_MATCH;
    for (let i = 0; i < this.actions.length; i++) {
      const source = this.#sources[i];
      if (source >= 0 && source !== sourceNetwork) continue;
      const destination = this.#destinations[i];
      if (destination >= 0 && destination !== destinationNetwork) continue;
      const outcome = this.actions[i].decide(facts);
      if (outcome !== NO_MATCH) return outcome;
    }
    return NO_MATCH;
  }

  /** How {@linkcode decide} comes to its outcome, rule by rule. */
  explain(facts: Facts): MappingStory {
    const networkName = (number: number) => this.networkNames[number] ?? null;
    const isMapped = facts.sourceNetwork >= 0 && facts.destinationNetwork >= 0;
    const rules: RuleStory[] = [];
    for (let i = 0; isMapped && i < this.actions.length && !rules.at(-1)?.matched; i++) {
      rules.push(this.#story(i, facts));
    }
    return {
      sourceNetwork: networkName(facts.sourceNetwork),
      destinationNetwork: networkName(facts.destinationNetwork),
      rules,
      outcome: this.decide(facts),
    };
  }

  /** A rule as text: `our_nets -> any  LowerPort(DST)`. */
  ruleText(index: number): string {
    const name = (number: number) => this.networkNames[number] ?? "any";
    const networks = `${name(this.#sources[index])} -> ${name(this.#destinations[index])}`;
    return `${networks}  ${this.actions[index]}`;
  }

  #story(index: number, facts: Facts): RuleStory {
    const story = {
      index,
      place: this.#config.placeOf(["flows", index]),
      rule: this.ruleText(index),
    };
    const wrongEnd = this.#endMismatch("source", this.#sources[index], facts.sourceNetwork) ??
      this.#endMismatch("destination", this.#destinations[index], facts.destinationNetwork);
    if (wrongEnd !== null) return { ...story, matched: false, reason: wrongEnd };
    const matched = this.actions[index].decide(facts) !== NO_MATCH;
    return { ...story, matched, reason: this.actions[index].explain(facts) };
  }

  #endMismatch(end: string, wanted: number, actual: number): string | null {
    if (wanted < 0 || wanted === actual) return null;
    return `the ${end} is in ${this.networkNames[actual]}, not in ${this.networkNames[wanted]}`;
  }

  #action(index: number, log: Pick<Log, "warn">): Action {
    const { action } = this.#config.rules[index];
    if (action instanceof Action) return action;
    return new CustomAction(action, this.networkNames, (problem) => {
      const path = ["flows", index];
      const place = this.#config.placeOf(path);
      const entry = pathText(path);
      const where = place === entry ? entry : `${place}: ${entry}`;
      log.warn(`${where}: ${problem}; this counts as no match and is said once`);
    });
  }
}

/** The prefixes of each network, `OUR_NETS` replaced by the own networks. */
export function resolveNetworks(config: ValidConfig, ourNets: readonly Cidr[]): Cidr[][] {
  return config.networks.map(({ prefixes }) =>
    prefixes.flatMap((prefix) => prefix === OUR_NETS ? ourNets : [prefix])
  );
}

function ignoredTable(config: ValidConfig): [PrefixTable, Int32Array[]] {
  const byAddress = new Map<string, [Cidr, number[]]>();
  for (const { address, port } of config.ignoreFlows) {
    const text = addressText(address.words, 0, address.family === 6);
    const entry = byAddress.get(text) ?? [address, []];
    entry[1].push(port);
    byAddress.set(text, entry);
  }
  const entries = [...byAddress.values()];
  return [
    new PrefixTable(entries.map(([address], number) => [address, number])),
    entries.map(([, ports]) => Int32Array.from(ports)),
  ];
}
