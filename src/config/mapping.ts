import { addressText } from "../model/address_text.ts";
import type { Facts } from "../model/facts.ts";
import { NO_MATCH, type Outcome } from "../model/outcome.ts";
import type { Log } from "../log.ts";
import { Action } from "./action.ts";
import type { Cidr } from "./cidr.ts";
import { pathText } from "./config_error.ts";
import { CustomAction } from "./custom_action.ts";
import { OUR_NETS } from "./our_nets.ts";
import type { Tunnels } from "./configuration.ts";
import { compiledMapping } from "./compiled_mapping.ts";
import { PrefixTable } from "./prefix_table.ts";
import type { ValidConfig } from "./valid_config.ts";

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
  /** Names, as `domainName` gives them, and addresses of resolvers that take encrypted DNS. */
  readonly encryptedDns: readonly string[];
  /** Whether it is learned who the hosts on the own networks are. */
  readonly devices: boolean;
  /** Which of the conversations in tunnels, and of those that tunnels are, make flows. */
  readonly tunnels: Tunnels;
  /** The own networks. */
  readonly ourNets: readonly Cidr[];
  /** Names of the networks; a network's number is its index. */
  readonly networkNames: readonly string[];
  /** The actions of the rules, in order. */
  readonly actions: readonly Action[];

  /**
   * All of it that an engine asks about each conversation, as {@linkcode compiledMapping} lays it out.
   *
   * @internal
   */
  readonly compiled: Int32Array;

  readonly #config: ValidConfig;
  /** The address families of the networks. */
  readonly #families: ReadonlySet<number>;
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
    this.encryptedDns = config.encryptedDns;
    this.devices = config.devices;
    this.tunnels = config.tunnels;
    this.ourNets = ourNets;
    this.networkNames = config.networks.map(({ name }) => name);
    this.actions = config.rules.map((_, index) => this.#action(index, log));
    const prefixesOfNetworks = resolveNetworks(config, ourNets);
    this.#families = new Set(prefixesOfNetworks.flat().map(({ family }) => family));
    const networks = new PrefixTable(
      prefixesOfNetworks.flatMap((prefixes, number) =>
        prefixes.map((prefix) => [prefix, number] as const)
      ),
    );
    const [ignored, ignoredPorts] = ignoredTable(config);
    this.#sources = Int32Array.from(config.rules, ({ source }) => source);
    this.#destinations = Int32Array.from(config.rules, ({ destination }) => destination);
    const firstFunction = this.actions.findIndex((action) => action instanceof CustomAction);
    this.compiled = compiledMapping({
      place: config.placeOf(["flows"]),
      usesEvidence: this.actions.some((action) => action.usesEvidence),
      suppressOwnNetwork: this.suppressOwnNetwork,
      rules: config.rules.map(({ source, destination }, i) => {
        return { source, destination, action: this.actions[i] };
      }),
      rulesBeforeFunction: firstFunction < 0 ? this.actions.length : firstFunction,
      networks,
      localNetworks: new PrefixTable(ourNets.map((prefix) => [prefix, 0])),
      ignored,
      ignoredPorts,
    });
  }

  /** Whether any of its rules is the user's own code. */
  get hasFunctions(): boolean {
    return this.actions.some((action) => action instanceof CustomAction);
  }

  /** What a rule that is a function says of one direction of a conversation. */
  askFunction(index: number, facts: Facts): Outcome {
    const action = this.actions[index];
    return action instanceof CustomAction ? action.decide(facts) : NO_MATCH;
  }

  /** Whether a network has prefixes of this address family. */
  hasNetworks(family: 4 | 6): boolean {
    return this.#families.has(family);
  }

  /** Where the configuration has an entry, for messages: `config.ts:12`. */
  placeOf(entry: "networks" | "flows" | "ignoreFlows"): string {
    return this.#config.placeOf([entry]);
  }

  /** A rule as text: `our_nets -> any  LowerPort(DST)`. */
  ruleText(index: number): string {
    const name = (number: number) => this.networkNames[number] ?? "any";
    const networks = `${name(this.#sources[index])} -> ${name(this.#destinations[index])}`;
    return `${networks}  ${this.actions[index]}`;
  }

  /** Where a rule stands, `config.ts:12`. */
  placeOfRule(index: number): string {
    return this.#config.placeOf(["flows", index]);
  }

  /** Why a rule is not for the networks of these facts, or `null` if it is. */
  networkMismatch(index: number, facts: Facts): string | null {
    return this.#endMismatch("source", this.#sources[index], facts.sourceNetwork) ??
      this.#endMismatch("destination", this.#destinations[index], facts.destinationNetwork);
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
