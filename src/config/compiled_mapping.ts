import type { Action } from "./action.ts";
import { ConfigError } from "./config_error.ts";
import {
  HEAD,
  IGNORED,
  IGNORED_PORTS,
  LOCAL_NETWORKS,
  MAPPING_ROOM,
  NETWORKS,
  RULE_DESTINATION,
  RULE_FLAGS,
  RULE_KIND,
  RULE_PORTS,
  RULE_SOURCE,
  RULE_WORDS,
  RULES,
  RULES_AT,
  RULES_BEFORE_FUNCTION,
  SUPPRESSES_LOCAL,
  TABLE_OF_IPV6,
  USES_EVIDENCE,
} from "./mapping_layout.ts";
import type { PortSet } from "./port_set.ts";
import type { PrefixTable } from "./prefix_table.ts";

/** Sets of more ports are told apart by themselves, and not by their ports. */
const MOST_COMPARED = 1000;
/** Bytes of a word. */
const WORD = 4;

/** What a compiled mapping is made of. */
export interface MappingParts {
  /** Where its rules stand, for messages. */
  readonly place: string;
  readonly usesEvidence: boolean;
  readonly suppressOwnNetwork: boolean;
  readonly rules: readonly {
    readonly source: number;
    readonly destination: number;
    readonly action: Action;
  }[];
  /** How many rules come before the first that is a function. */
  readonly rulesBeforeFunction: number;
  readonly networks: PrefixTable;
  readonly localNetworks: PrefixTable;
  readonly ignored: PrefixTable;
  readonly ignoredPorts: readonly Int32Array[];
}

/**
 * Lays a mapping out as the program in WebAssembly reads it that asks it about each conversation.
 *
 * @throws {ConfigError} when it has no room.
 */
export function compiledMapping(mapping: MappingParts): Int32Array {
  const parts: ArrayLike<number>[] = [];
  let end = HEAD;
  const put = (words: ArrayLike<number>): number => {
    const at = end;
    parts.push(words);
    end += words.length;
    return at;
  };
  const head = new Int32Array(HEAD);
  head[USES_EVIDENCE] = mapping.usesEvidence ? 1 : 0;
  head[SUPPRESSES_LOCAL] = mapping.suppressOwnNetwork ? 1 : 0;
  head[RULES] = mapping.rules.length;
  head[RULES_BEFORE_FUNCTION] = mapping.rulesBeforeFunction;
  const tables = [
    [NETWORKS, mapping.networks],
    [LOCAL_NETWORKS, mapping.localNetworks],
    [IGNORED, mapping.ignored],
  ] as const;
  for (const [at, { ipv4, ipv4Count, ipv6, ipv6Count }] of tables) {
    head.set([put(ipv4), ipv4Count], at);
    head.set([put(ipv6), ipv6Count], at + TABLE_OF_IPV6);
  }
  const lists = mapping.ignoredPorts.map((ports) => put([ports.length, ...ports]));
  head[IGNORED_PORTS] = put(lists);
  const rules = new Int32Array(mapping.rules.length * RULE_WORDS);
  // Many rules may have the same ports. Of many ports a text would take longer than their bits.
  const sets = new Map<string | PortSet, number>();
  const putSet = (ports: PortSet): number => {
    const key = ports.ports.length > MOST_COMPARED ? ports : ports.toString();
    const at = sets.get(key) ?? put(ports.bits);
    sets.set(key, at);
    return at;
  };
  mapping.rules.forEach(({ source, destination, action }, i) => {
    const { kind, flags = 0, ports = null } = action.compiled;
    const at = i * RULE_WORDS;
    rules[at + RULE_SOURCE] = source;
    rules[at + RULE_DESTINATION] = destination;
    rules[at + RULE_KIND] = kind;
    rules[at + RULE_FLAGS] = flags;
    rules[at + RULE_PORTS] = ports === null ? 0 : putSet(ports);
  });
  head[RULES_AT] = put(rules);
  if (end * WORD > MAPPING_ROOM) {
    throw new ConfigError(
      `${mapping.place}: networks, flows and ignoreFlows take ${
        Math.ceil(end * WORD / 2 ** 20)
      } MiB`,
      `they may take ${MAPPING_ROOM / 2 ** 20}; give larger prefixes, or fewer lists of ports`,
    );
  }
  const compiled = new Int32Array(end);
  compiled.set(head);
  let at = HEAD;
  for (const part of parts) {
    compiled.set(part, at);
    at += part.length;
  }
  return compiled;
}
