import { type Cidr, cidrText, parseCidr } from "./cidr.ts";
import { Action } from "./action.ts";
import { addressText } from "../model/address_text.ts";
import type { ConfigPath } from "./config_error.ts";
import { PrefixSet } from "./coverage.ts";
import { resolveNetworks } from "./mapping.ts";
import { OUR_NETS } from "./our_nets.ts";
import type { ValidConfig, ValidRule } from "./valid_config.ts";

/** Something in a configuration that works, and is most likely not meant. */
export interface Finding {
  /** A note is worth knowing and may well be meant. */
  readonly severity: "warning" | "note";
  /** Where it is: `config.ts:12`, or the entry when there is no file. */
  readonly place: string;
  /** The entry. */
  readonly path: ConfigPath;
  /** One sentence without a full stop. */
  readonly message: string;
}

/** A network as the check sees it. */
interface CheckedNetwork {
  readonly name: string;
  readonly prefixes: readonly Cidr[];
  /** Whether it stands for own networks that are not known. */
  readonly isUnknown: boolean;
  /** Whether an address can be in it: there are some that no earlier network has. */
  readonly isReachable: boolean;
  /** Whether it has own addresses only. */
  readonly isOurs: boolean;
}

/** Pairs of networks in a note before it says how many more there are. */
const MOST_PAIRS = 6;
/** What decides about a pair of networks whose flows are suppressed. */
const SUPPRESSED = -1;

/**
 * Looks for what is unreachable or suspicious in a configuration.
 *
 * @param ourNets The own networks; empty when they are not known.
 */
export function checkConfig(config: ValidConfig, ourNets: readonly Cidr[]): Finding[] {
  return new Check(config, ourNets).run();
}

class Check {
  readonly #config: ValidConfig;
  readonly #networks: readonly CheckedNetwork[];
  /** The prefixes of all networks. */
  readonly #prefixes: PrefixSet;
  readonly #findings: Finding[] = [];
  /** For source and destination network, which rule or {@linkcode SUPPRESSED} decides every flow. */
  readonly #decided = new Map<string, number>();

  constructor(config: ValidConfig, ourNets: readonly Cidr[]) {
    this.#config = config;
    this.#networks = checkedNetworks(config, ourNets);
    this.#prefixes = new PrefixSet(this.#networks.flatMap((network) => network.prefixes));
  }

  run(): Finding[] {
    this.#checkNetworks();
    this.#checkCatchAll(4, "0.0.0.0/0");
    this.#checkCatchAll(6, "::/0");
    this.#checkRules();
    this.#checkIgnoreFlows();
    return this.#findings;
  }

  #find(severity: Finding["severity"], path: ConfigPath, message: string): void {
    this.#findings.push({ severity, place: this.#config.placeOf(path), path, message });
  }

  #checkNetworks(): void {
    if (this.#networks.length === 0) {
      this.#find("warning", ["networks"], "there are no networks, so no flow is attributed");
    }
    const earlier = new Map<string, PrefixSet>();
    const before = new PrefixSet();
    this.#networks.forEach((network, i) => {
      if (network.isReachable) {
        this.#checkPrefixes(network, i, before, earlier);
        earlier.set(network.name, new PrefixSet(network.prefixes));
        for (const prefix of network.prefixes) before.add(prefix);
        return;
      }
      const holders = holdersOf(network.prefixes, earlier);
      this.#find(
        "warning",
        ["networks", i],
        `network "${network.name}" can never match: ${holders} before it has all its addresses`,
      );
    });
  }

  #checkPrefixes(
    network: CheckedNetwork,
    index: number,
    before: PrefixSet,
    earlier: ReadonlyMap<string, PrefixSet>,
  ): void {
    const own = new PrefixSet();
    network.prefixes.forEach((prefix) => {
      const text = cidrText(prefix);
      const holder = own.holderOf(prefix);
      own.add(prefix);
      if (before.covers(prefix)) {
        const holders = holdersOf([prefix], earlier);
        const message =
          `${text} of network "${network.name}" can never match: ${holders} before it ` +
          "has all its addresses";
        this.#find("warning", ["networks", index], message);
        return;
      }
      if (holder === undefined) return;
      const message = `${text} of network "${network.name}" is in its ${cidrText(holder)} already`;
      this.#find("warning", ["networks", index], message);
    });
  }

  #checkCatchAll(family: 4 | 6, everything: string): void {
    const all = parseCidr(everything);
    if (this.#networks.length === 0 || this.#prefixes.covers(all)) return;
    const which = this.#prefixes.overlaps(all) ? "other " : "";
    this.#find(
      "warning",
      ["networks"],
      `there is no IPv${family} catch-all, so flows with ${which}IPv${family} addresses are not ` +
        `attributed; if they should be, add "${everything}" to the last network`,
    );
  }

  #checkRules(): void {
    const { rules } = this.#config;
    if (rules.length === 0) {
      this.#find("warning", ["flows"], "there are no rules, so no flow is attributed");
      return;
    }
    this.#suppress();
    rules.forEach((rule, i) => this.#checkRule(rule, i));
    this.#noteUnruled();
  }

  /** Pairs of networks whose flows never get to the rules. */
  #suppress(): void {
    if (!this.#config.suppressOwnNetwork) return;
    for (const [source, destination] of this.#pairs(-1, -1)) {
      const isOurs = this.#networks[source].isOurs && this.#networks[destination].isOurs;
      if (isOurs) this.#decided.set(`${source} ${destination}`, SUPPRESSED);
    }
  }

  #checkRule(rule: ValidRule, index: number): void {
    const pairs = this.#pairs(rule.source, rule.destination);
    const open = pairs.filter((pair) => !this.#decided.has(pair.join(" ")));
    const reason = open.length === 0
      ? this.#whyUnreachable(rule, pairs)
      : this.#whyRepeated(rule, index);
    if (reason !== null) this.#find("warning", ["flows", index], `this rule ${reason}`);
    if (rule.action instanceof Action && rule.action.alwaysMatches) {
      for (const pair of open) this.#decided.set(pair.join(" "), index);
    }
  }

  #whyUnreachable(rule: ValidRule, pairs: readonly [number, number][]): string {
    const covered = [rule.source, rule.destination].find((network) =>
      network >= 0 && !this.#networks[network].isReachable
    );
    if (covered !== undefined) {
      return `can never match: no address is in network "${this.#networks[covered].name}"`;
    }
    if (pairs.length === 0) {
      return "can never match: its two networks have no address family in common";
    }
    const deciders = new Set(pairs.map((pair) => this.#decided.get(pair.join(" "))!));
    const before = [...deciders].filter((rule) => rule !== SUPPRESSED).sort((a, b) => a - b)
      .map((rule) => `flows[${rule}]`).join(", ");
    const parts = before === "" ? [] : [`${before} before it decides about every flow`];
    if (deciders.has(SUPPRESSED)) {
      parts.push("flows within the own networks are left out unless suppressOwnNetwork is false");
    }
    return `is never asked: ${parts.join(", and ")}`;
  }

  #whyRepeated(rule: ValidRule, index: number): string | null {
    const isWider = (earlier: number, later: number) => earlier === -1 || earlier === later;
    const before = this.#config.rules.slice(0, index).findIndex((earlier) =>
      isWider(earlier.source, rule.source) && isWider(earlier.destination, rule.destination) &&
      (rule.action instanceof Action
        ? earlier.action instanceof Action && `${earlier.action}` === `${rule.action}`
        : earlier.action === rule.action)
    );
    return before < 0 ? null : `never decides: flows[${before}] before it does the same`;
  }

  /** Pairs of networks that a flow can be between, and that no rule names. */
  #noteUnruled(): void {
    const ruled = new Set(
      this.#config.rules.flatMap((rule) =>
        this.#pairs(rule.source, rule.destination).map((pair) => pair.join(" "))
      ),
    );
    const unruled = this.#pairs(-1, -1).filter((pair) =>
      !ruled.has(pair.join(" ")) && this.#decided.get(pair.join(" ")) !== SUPPRESSED
    ).map(([source, destination]) =>
      `${this.#networks[source].name} -> ${this.#networks[destination].name}`
    );
    if (unruled.length === 0) return;
    const more = unruled.length > MOST_PAIRS ? ` and ${unruled.length - MOST_PAIRS} more` : "";
    const pairs = unruled.slice(0, MOST_PAIRS).join(", ");
    this.#find("note", ["flows"], `no rule is for ${pairs}${more}: no flow is written for them`);
  }

  /** Pairs of networks, -1 being any, that a flow can be between. */
  #pairs(source: number, destination: number): [number, number][] {
    const candidates = (wanted: number) =>
      this.#networks.map((_, i) => i)
        .filter((i) => (wanted === -1 || wanted === i) && this.#networks[i].isReachable);
    return candidates(source).flatMap((from) =>
      candidates(destination)
        .filter((to) => haveCommonFamily(this.#networks[from], this.#networks[to]))
        .map((to): [number, number] => [from, to])
    );
  }

  #checkIgnoreFlows(): void {
    const isUnknown = this.#networks.some((network) => network.isUnknown);
    const seen = new Map<string, number>();
    this.#config.ignoreFlows.forEach(({ address, port }, i) => {
      const text = `${addressText(address.words, 0, address.family === 6)} port ${port}`;
      const first = seen.get(text);
      if (first !== undefined) {
        this.#find("warning", ["ignoreFlows", i], `${text} is ignoreFlows[${first}] already`);
        return;
      }
      seen.set(text, i);
      if (isUnknown || this.#prefixes.covers(address)) return;
      const message = `${text} can never match: its address is in no network`;
      this.#find("warning", ["ignoreFlows", i], message);
    });
  }
}

function checkedNetworks(config: ValidConfig, ourNets: readonly Cidr[]): CheckedNetwork[] {
  const before = new PrefixSet();
  const own = new PrefixSet(ourNets);
  return resolveNetworks(config, ourNets).map((prefixes, i) => {
    const network = config.networks[i];
    const isUnknown = ourNets.length === 0 && network.prefixes.includes(OUR_NETS);
    const isReachable = isUnknown || !prefixes.every((prefix) => before.covers(prefix));
    const isOurs = isUnknown
      ? network.prefixes.every((prefix) => prefix === OUR_NETS)
      : prefixes.every((prefix) => own.covers(prefix));
    for (const prefix of prefixes) before.add(prefix);
    return { name: network.name, prefixes, isUnknown, isReachable, isOurs };
  });
}

/** Names of the earlier networks that have addresses of these prefixes. */
function holdersOf(prefixes: readonly Cidr[], earlier: ReadonlyMap<string, PrefixSet>): string {
  return [...earlier]
    .filter(([_, others]) => prefixes.some((prefix) => others.overlaps(prefix)))
    .map(([name]) => `"${name}"`).join(", ");
}

function haveCommonFamily(a: CheckedNetwork, b: CheckedNetwork): boolean {
  if (a.isUnknown || b.isUnknown) return true;
  return a.prefixes.some(({ family }) => b.prefixes.some((other) => other.family === family));
}
