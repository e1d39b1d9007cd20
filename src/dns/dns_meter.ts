import { addressText } from "../model/address_text.ts";
import type { DesignatedResolver } from "./designated_resolver.ts";
import type { DnsReading, DnsResponse } from "./dns_message.ts";
import {
  ANSWER,
  DNS_OUTCOME_NAMES,
  IGNORED_NAME,
  NXDOMAIN,
  OTHER_RESPONSE_CODE,
} from "./dns_outcome.ts";
import { isBelow } from "../model/domain_name.ts";
import { SuppressedNames } from "./suppressed_names.ts";
import type { KnownNames } from "./known_names.ts";
import type { NameWrite } from "./name_write.ts";

/** Writes that are handed on at once. */
const BATCH = 1000;
/** A chain of aliases is followed over no more of them; resolvers give up after 8 to 16. */
const MOST_ALIASES = 32;

/** How a {@linkcode DnsMeter} is made. */
export interface DnsMeterOptions {
  /** Takes writes of keys with names. */
  emit: (writes: readonly NameWrite[]) => void;
  /** Called for the client of every message that makes keys, before these. */
  onClient: (isIpv6: boolean, client: Uint32Array) => void;
  /** Names that make no keys, with all below them, as `domainName` gives them. @default [] */
  ignored?: readonly string[];
  /** Takes what clients looked up last. By default, it is not remembered. */
  names?: Pick<KnownNames, "learn">;
  /** Takes resolvers that others designate. By default, they are left aside. */
  onDesignated?: (resolver: DesignatedResolver) => void;
}

/** In place of an address, of what has none. */
const NO_ADDRESS_WORDS = new Uint32Array(4);

/** What a {@linkcode DnsMeter} counted. */
export interface DnsStatistics {
  /** Messages by what became of them, in the order of `DNS_OUTCOME_NAMES`. */
  outcomes: readonly number[];
  /** Writes of dns, cname and nx keys that were emitted. */
  written: number;
}

/** Turns what DNS responses say into the keys `dns`, `cname` and `nx` of the Redis contract. */
export class DnsMeter {
  readonly #options: DnsMeterOptions;
  readonly #suppressed = new SuppressedNames();
  readonly #outcomes = new Float64Array(DNS_OUTCOME_NAMES.length);
  #ignored: readonly string[];
  #writes: NameWrite[] = [];
  #written = 0;

  constructor(options: DnsMeterOptions) {
    this.#options = options;
    this.#ignored = options.ignored ?? [];
  }

  /** Names that make no keys from now on, as {@linkcode DnsMeterOptions.ignored}. */
  set ignored(suffixes: readonly string[]) {
    this.#ignored = suffixes;
  }

  /**
   * Takes a message.
   *
   * @param reading What was read of it.
   * @param client Who asked: four words in network order, IPv4 in the last of them, the others 0.
   * @param window The window of time, as `SuppressedKeys` counts them.
   * @param seconds When it was seen, in seconds since 1970-01-01 UTC.
   */
  take(
    reading: DnsReading,
    isIpv6: boolean,
    client: Uint32Array,
    window: number,
    seconds = 0,
  ): void {
    const { outcome, response } = reading;
    if (this.#options.names !== undefined) {
      if (response !== null || outcome === OTHER_RESPONSE_CODE) {
        this.#learn(this.#options.names, reading, isIpv6, client, seconds);
      }
    }
    if (response === null) {
      this.#outcomes[outcome]++;
      return;
    }
    for (const resolver of response.designated) this.#options.onDesignated?.(resolver);
    if (this.#isIgnored(response)) {
      this.#outcomes[IGNORED_NAME]++;
    } else {
      this.#outcomes[outcome]++;
      this.#write(outcome, response, isIpv6, client, window);
    }
  }

  /** Counts what makes no keys: one of the numbers of `dns_outcome.ts`. */
  count(outcome: number, times = 1): void {
    this.#outcomes[outcome] += times;
  }

  /** Hands on what was written. */
  flush(): void {
    if (this.#writes.length === 0) return;
    const writes = this.#writes;
    this.#writes = [];
    this.#options.emit(writes);
  }

  /** What was counted up to now. */
  statistics(): DnsStatistics {
    return { outcomes: [...this.#outcomes], written: this.#written };
  }

  /** What was asked for decides; in mDNS, which repeats no question, who has the first address. */
  #isIgnored({ question, addresses, aliases, hints }: DnsResponse): boolean {
    if (this.#ignored.length === 0) return false;
    const name = question ?? aliases[0]?.owner ?? addresses[0]?.owner ?? hints[0]?.owner;
    return name !== undefined && isBelow(name, this.#ignored);
  }

  #write(
    outcome: number,
    response: DnsResponse,
    isIpv6: boolean,
    client: Uint32Array,
    window: number,
  ): void {
    const makesKeys = outcome === NXDOMAIN ||
      response.aliases.length + response.addresses.length > 0;
    if (makesKeys) this.#options.onClient(isIpv6, client);
    const prefix = addressText(client, 0, isIpv6) + ";";
    if (outcome === NXDOMAIN && response.question !== null) {
      this.#put(prefix + response.question + ";nx", null, window);
    }
    // A name that does not exist may be the end of a chain, and the chain is in the answer.
    for (const { owner, target } of response.aliases) {
      this.#put(prefix + target + ";cname", owner, window);
    }
    if (outcome !== ANSWER) return;
    for (const { owner, address } of response.addresses) {
      this.#put(prefix + address + ";dns", owner, window);
    }
  }

  /** Remembers what a client was told; of names that make no keys, too. */
  #learn(
    names: Pick<KnownNames, "learn">,
    { outcome, response }: DnsReading,
    isClientIpv6: boolean,
    client: Uint32Array,
    seconds: number,
  ): void {
    const ttl = response?.ttl ?? 0;
    const told = { isClientIpv6, client, isIpv6: false, address: NO_ADDRESS_WORDS, target: "" };
    const base = { ...told, name: "", seconds, ttl };
    if (response === null || outcome === NXDOMAIN) return names.learn({ ...base, kind: "answer" });
    const { addresses, aliases, hints, question, services = [], reverse = [] } = response;
    const pointing = new Map(aliases.map(({ owner, target }) => [target, owner]));
    for (const { owner, target, configurations } of services) {
      const name = nameAskedFor(owner, question, pointing);
      if (target !== null) names.learn({ ...base, kind: "alias", name, target });
      for (const { number, publicName } of configurations) {
        names.learn({ ...base, kind: "encrypted-hello", name: publicName, ttl: number });
      }
    }
    for (const { owner, isIpv6, words: address } of addresses) {
      const name = nameAskedFor(owner, question, pointing);
      names.learn({ ...base, kind: "address", isIpv6, address, name });
    }
    for (const { owner, isIpv6, words: address } of hints) {
      const name = nameAskedFor(owner, question, pointing);
      names.learn({ ...base, kind: "hint", isIpv6, address, name });
    }
    for (const { name, isIpv6, words: address } of reverse) {
      names.learn({ ...base, kind: "reverse", isIpv6, address, name });
    }
    if (addresses.length + hints.length === 0) names.learn({ ...base, kind: "answer" });
  }

  #put(key: string, name: string | null, window: number): void {
    const identity = name === null ? key : key + ";" + name;
    if (!this.#suppressed.admit(identity, window)) return;
    this.#writes.push({ key, name });
    this.#written++;
    if (this.#writes.length === BATCH) this.flush();
  }
}

/**
 * The name that a client used to get to an address: from the name that has it back along the aliases
 * to the first, which is the one that was asked for.
 *
 * @param pointing For each alias' target, the name that points at it.
 */
function nameAskedFor(
  owner: string,
  question: string | null,
  pointing: ReadonlyMap<string, string>,
): string {
  let name = owner;
  for (let steps = 0; steps < MOST_ALIASES && name !== question; steps++) {
    const before = pointing.get(name);
    if (before === undefined) break;
    name = before;
  }
  return name;
}
