import type { Action } from "./action.ts";
import { ConfigError } from "./config_error.ts";
import type { PortSet } from "./port_set.ts";
import type { PrefixTable } from "./prefix_table.ts";

/** Sets of more ports are told apart by themselves, and not by their ports. */
const MOST_COMPARED = 1000;
/** Bytes that the largest image may have. */
export const MAPPING_ROOM = 64 * 1024 * 1024;

const WORD = 4;
/*
 * An image begins with these words; places are words from its beginning. `src/flow/assembly/mapping.ts`
 * reads it.
 */
const USES_EVIDENCE = 0;
const SUPPRESSES_OWN = 1;
const RULES = 2;
const RULES_BEFORE_FUNCTION = 3;
const RULES_AT = 4;
/** Of each table of prefixes where those of IPv4 are, how many, and the same for IPv6. */
const NETWORKS = 5;
const OWN_NETWORKS = 9;
const IGNORED = 13;
/** Where it says for each number of `IGNORED` where the list of its ports is, their count first. */
const IGNORED_PORTS = 17;
const HEAD = 18;
/** Of a rule: source, destination, kind, flags, and where its set of ports is; 0 for none. */
const RULE = 5;

/** What an image is made of. */
export interface ImagedMapping {
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
  readonly ownNetworks: PrefixTable;
  readonly ignored: PrefixTable;
  readonly ignoredPorts: readonly Int32Array[];
}

/**
 * Lays a mapping out as the program in WebAssembly reads it that asks it about each conversation.
 *
 * @throws {ConfigError} when it has no room.
 */
export function mappingImage(mapping: ImagedMapping): Int32Array {
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
  head[SUPPRESSES_OWN] = mapping.suppressOwnNetwork ? 1 : 0;
  head[RULES] = mapping.rules.length;
  head[RULES_BEFORE_FUNCTION] = mapping.rulesBeforeFunction;
  const tables = [
    [NETWORKS, mapping.networks],
    [OWN_NETWORKS, mapping.ownNetworks],
    [IGNORED, mapping.ignored],
  ] as const;
  for (const [at, { ipv4, ipv4Count, ipv6, ipv6Count }] of tables) {
    head.set([put(ipv4), ipv4Count, put(ipv6), ipv6Count], at);
  }
  const lists = mapping.ignoredPorts.map((ports) => put([ports.length, ...ports]));
  head[IGNORED_PORTS] = put(lists);
  const rules = new Int32Array(mapping.rules.length * RULE);
  // Many rules may have the same ports. Of many ports a text would take longer than their bits.
  const sets = new Map<string | PortSet, number>();
  const putSet = (ports: PortSet): number => {
    const key = ports.ports.length > MOST_COMPARED ? ports : ports.toString();
    const at = sets.get(key) ?? put(ports.bits);
    sets.set(key, at);
    return at;
  };
  mapping.rules.forEach(({ source, destination, action }, i) => {
    const { kind, flags = 0, ports = null } = action.image;
    rules.set([source, destination, kind, flags, ports === null ? 0 : putSet(ports)], i * RULE);
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
  const image = new Int32Array(end);
  image.set(head);
  let at = HEAD;
  for (const part of parts) {
    image.set(part, at);
    at += part.length;
  }
  return image;
}
