import type { Cidr } from "../config/cidr.ts";
import { PrefixTable } from "../config/prefix_table.ts";
import { GRACE, type KnownName, type KnownNames } from "../dns/known_names.ts";
import { durationText } from "../duration_text.ts";
import { parseAddress } from "../model/address.ts";
import { addressText } from "../model/address_text.ts";
import type { NameOrigin, ServerName } from "../model/conversation_record.ts";
import { LatestValues } from "../model/latest_values.ts";
import { IPV6_BIT } from "../model/observation_batch.ts";
import { PROTOCOL_TCP } from "../model/protocol_numbers.ts";
import {
  IS_ANNOUNCED,
  IS_UNOPENED,
  RECORD_CLIENT,
  RECORD_FIRST,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_NAME,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_SERVER,
  RECORD_WORDS,
  type RecordBatch,
} from "../model/record_batch.ts";
import type { FlowNames, NamesOfFlow } from "../sink/flow_names.ts";
import type { CarriedNameNumbers } from "./carried_name_numbers.ts";
import { OUTER_NAMES } from "./outer_names.ts";
import { isPrivateAddress } from "./private_addresses.ts";

/**
 * For how long after its start the sensor may not know of a lookup that a client had made before, in
 * seconds, unless it has seen one of that client.
 */
export const WARM_UP = 900;
/** A lookup and what follows it may be seen by two threads, each by its own clock. */
const CLOCK_SLACK = 1;
/** Conversations that go on whose explanation is remembered at most. */
const MOST_REMEMBERED = 65_536;
/** Half of what is remembered may be forgotten at once. */
const SPARE = 2;
/** Clients that use encrypted DNS that are remembered. */
const MOST_CLIENTS = 10_000;
/** What no name is: the last label of one has a letter at its beginning (RFC 1123, section 2.1). */
const MAY_BE_ADDRESS = /:|\.\d+$/;
/** Names of one kind that are told of a flow. */
const MOST_NAMES = 4;

/** An address of a host. */
export interface HostAddress {
  readonly isIpv6: boolean;
  /** Four words in network order, IPv4 in the last of them. */
  readonly words: Uint32Array;
}

/** How a {@linkcode FlowExplainer} is made. */
export interface FlowExplainerOptions {
  /** What was looked up. */
  readonly known: KnownNames;
  /** What conversations carry. */
  readonly carried: CarriedNameNumbers;
  readonly localNetworks: readonly Cidr[];
  /** Ports of name servers. */
  readonly dnsPorts: readonly number[];
  /** How many conversations of each address family go on at most. By default, any number. */
  readonly maxConversations?: number;
  /** When the sensor began to look, in seconds since 1970-01-01 UTC. By default, with what it saw first. */
  readonly start?: number;
  /** @default {WARM_UP} */
  readonly warmUp?: number;
  /** Which encrypted DNS a service is, `DoT`, or `null`. By default, none is any. */
  readonly encryptedDns?: (
    port: number,
    protocol: "tcp" | "udp",
    server: string,
    named: Pick<NamesOfFlow, "names" | "applicationProtocols">,
  ) => string | null;
  /** Other addresses of the host that has an address. By default, none has any. */
  readonly addressesOf?: (address: string) => readonly HostAddress[];
}

/** What is remembered of a conversation that goes on. */
interface Remembered {
  readonly carried: number;
  readonly explanation: NamesOfFlow;
}

/** What counts as explained, and what does not. */
export interface ExplainedStatistics {
  readonly explained: number;
  readonly unexplained: number;
}

/** Why it is not asked whether a flow is explained. */
const NOT_ASKED = {
  noLookups: "no lookup was seen yet, of any client",
  client: "its client is in no own network",
  server: "its server is in an own network",
  private: "its server has a private, link-local or multicast address",
  names: "it is a lookup itself",
  announced: "its address was announced in another connection",
  unopened: "nothing but SYN, FIN and RST was seen of it",
};

const NO_LOOKUPS: NamesOfFlow = {
  names: [],
  isExplained: null,
  why: NOT_ASKED.noLookups,
  applicationProtocols: [],
};

/** What is found out of a conversation beside what stands in it. */
type Explanation = Omit<NamesOfFlow, "applicationProtocols">;

/**
 * Says which names the server of a flow has, by whom, and whether a lookup of its client explains it.
 *
 * What is said of a conversation first stays, though the lookup may be forgotten while it goes on.
 */
export class FlowExplainer implements FlowNames {
  readonly #options: FlowExplainerOptions;
  #local: PrefixTable;
  #dnsPorts: ReadonlySet<number>;
  #start: number;
  readonly #remembered: LatestValues<Remembered, number>;
  /** What clients look names up over, so that nobody sees them, in words. */
  readonly #encrypted = new LatestValues<string>(MOST_CLIENTS);
  #explained = 0;
  #unexplained = 0;

  constructor(options: FlowExplainerOptions) {
    this.#options = options;
    const { maxConversations = Infinity } = options;
    this.#remembered = new LatestValues(Math.min(MOST_REMEMBERED, SPARE * maxConversations));
    this.#start = options.start ?? Infinity;
    this.#local = tableOf(options.localNetworks);
    this.#dnsPorts = new Set(options.dnsPorts);
  }

  /** Whether there are no names at all. */
  get isEmpty(): boolean {
    return this.#options.known.isEmpty && this.#options.carried.isEmpty;
  }

  /** Takes other networks and ports, of another configuration. */
  use(localNetworks: readonly Cidr[], dnsPorts: readonly number[]): void {
    this.#local = tableOf(localNetworks);
    this.#dnsPorts = new Set(dnsPorts);
  }

  /** The name that a client looked up last for an address: see `KnownNames.find`. */
  find(isIpv6: boolean, words: Uint32Array, client: number, address: number): string | null {
    return this.#options.known.find(isIpv6, words, client, address);
  }

  /** How many conversations are explained, and how many are not, of those that were counted. */
  statistics(): ExplainedStatistics {
    return { explained: this.#explained, unexplained: this.#unexplained };
  }

  /** Counts conversations, each once. */
  count({ words, count }: RecordBatch): void {
    for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) this.of(words, at);
  }

  /**
   * What is known of the names of a conversation's server.
   *
   * @param words Records of conversations, laid out as `record_layout.ts` says.
   * @param at Where the record's first word is.
   */
  of(words: Uint32Array, at: number): NamesOfFlow {
    const id = words[at + RECORD_ID] + words[at + RECORD_ID + 1] * 2 ** 32;
    const carried = words[at + RECORD_NAME];
    this.#start = Math.min(this.#start, words[at + RECORD_FIRST]);
    // Where there is neither DNS nor a name, flows pay next to nothing.
    if (carried === 0 && this.#options.known.isEmpty) return NO_LOOKUPS;
    const before = id === 0 ? undefined : this.#remembered.get(id);
    if (before !== undefined && before.carried === carried) {
      return before.explanation;
    }
    const applicationProtocols = this.#options.carried.at(carried).flatMap((it) => it.protocols);
    const explanation = {
      ...this.#explain(words, at, before?.explanation ?? null, applicationProtocols),
      applicationProtocols,
    };
    if (id === 0) return explanation;
    this.#count(before?.explanation.isExplained ?? null, -1);
    this.#count(explanation.isExplained, 1);
    this.#remembered.set(id, { carried, explanation });
    return explanation;
  }

  #count(isExplained: boolean | null, by: number): void {
    if (isExplained === true) this.#explained += by;
    else if (isExplained === false) this.#unexplained += by;
  }

  #explain(
    words: Uint32Array,
    at: number,
    before: NamesOfFlow | null,
    applicationProtocols: readonly string[],
  ): Explanation {
    const isIpv6 = (words[at + RECORD_HEAD] & IPV6_BIT) !== 0;
    const first = words[at + RECORD_FIRST];
    this.#start = Math.min(this.#start, this.#options.known.since);
    const carried = this.#carriedNames(words[at + RECORD_NAME]);
    const lookups = before === null
      ? this.#lookups(isIpv6, words, at, first)
      : { valid: [], others: [] };
    const names = before === null
      ? namesOf(lookups.valid, carried)
      : namesAgain(before.names, carried);
    if (!names.some(({ from }) => from === "lookup" || from === "https-hint")) {
      names.push(...this.#namesByOthers(isIpv6, words, at, first, names.length === 0));
    }
    if (before !== null) {
      const isUnexplained = before.isExplained === false;
      const why = isUnexplained
        ? this.#whyUnexplained(words, at, names, lookups.others)
        : before.why;
      return { names, isExplained: before.isExplained, why };
    }
    const isEncryptedDns = this.#noteEncryptedDns(isIpv6, words, at, {
      names,
      applicationProtocols,
    });
    const notAsked = this.#whyNotAsked(isIpv6, words, at) ??
      (isEncryptedDns ? NOT_ASKED.names : null);
    if (notAsked !== null) return { names, isExplained: null, why: notAsked };
    if (lookups.valid.length > 0) return { names, isExplained: true, why: null };
    const early = this.#whyTooEarly(isIpv6, words, at, first);
    if (early !== null) return { names, isExplained: null, why: early };
    const why = this.#whyUnexplained(words, at, names, lookups.others);
    return { names, isExplained: false, why };
  }

  #carriedNames(number: number): ServerName[] {
    const names: ServerName[] = [];
    for (const { by, name, encryptedHello } of this.#options.carried.at(number)) {
      // An address is none.
      if (name === null || (MAY_BE_ADDRESS.test(name) && parseAddress(name) !== null)) continue;
      const isOuter = encryptedHello !== null &&
        (OUTER_NAMES.has(name) || this.#options.known.isPublicName(name, encryptedHello));
      names.push(isOuter ? { name, from: by, isOuter } : { name, from: by });
    }
    return names;
  }

  /** What the client looked up for the server: in time, and too early or too late. */
  #lookups(
    isIpv6: boolean,
    words: Uint32Array,
    at: number,
    first: number,
  ): { readonly valid: KnownName[]; readonly others: KnownName[] } {
    const { known, addressesOf } = this.#options;
    const valid: KnownName[] = [];
    const others: KnownName[] = [];
    if (known.isEmpty) return { valid, others };
    const take = (isClientIpv6: boolean, client: Uint32Array, clientAt: number) => {
      const server = at + RECORD_SERVER;
      for (const name of known.namesOf(isClientIpv6, client, clientAt, isIpv6, words, server)) {
        (isInTime(name, first) ? valid : others).push(name);
      }
    };
    take(isIpv6, words, at + RECORD_CLIENT);
    if (valid.length > 0 || addressesOf === undefined) return { valid, others };
    for (const other of addressesOf(addressText(words, at + RECORD_CLIENT, isIpv6))) {
      take(other.isIpv6, other.words, 0);
    }
    return { valid, others };
  }

  #namesByOthers(
    isIpv6: boolean,
    words: Uint32Array,
    at: number,
    first: number,
    withReverse: boolean,
  ): ServerName[] {
    const { known } = this.#options;
    const other = known.lastOf(isIpv6, words, at + RECORD_SERVER);
    if (other !== null && isInTime(other, first)) return [serverName(other.name, "other-client")];
    const reverse = withReverse ? known.reverseOf(isIpv6, words, at + RECORD_SERVER) : null;
    return reverse === null ? [] : [serverName(reverse, "reverse")];
  }

  #whyNotAsked(isIpv6: boolean, words: Uint32Array, at: number): string | null {
    const head = words[at + RECORD_HEAD];
    if (this.#options.known.isEmpty) return NOT_ASKED.noLookups;
    if ((head & IS_UNOPENED) !== 0) return NOT_ASKED.unopened;
    if (this.#local.find(isIpv6, words, at + RECORD_CLIENT) === -1) return NOT_ASKED.client;
    if (this.#local.find(isIpv6, words, at + RECORD_SERVER) !== -1) return NOT_ASKED.server;
    if (isPrivateAddress(isIpv6, words, at + RECORD_SERVER)) return NOT_ASKED.private;
    const port = words[at + RECORD_PORTS] & 0xffff;
    if (this.#dnsPorts.has(port)) return NOT_ASKED.names;
    return (head & IS_ANNOUNCED) !== 0 ? NOT_ASKED.announced : null;
  }

  /** Notes that the client looks names up without anybody seeing them, if that is what the flow is. */
  #noteEncryptedDns(
    isIpv6: boolean,
    words: Uint32Array,
    at: number,
    named: Pick<NamesOfFlow, "names" | "applicationProtocols">,
  ): boolean {
    const { encryptedDns, known } = this.#options;
    if (encryptedDns === undefined) return false;
    const protocol = ((words[at + RECORD_HEAD] >>> RECORD_PROTOCOL_SHIFT) & 0xff) === PROTOCOL_TCP
      ? "tcp"
      : "udp";
    const server = addressText(words, at + RECORD_SERVER, isIpv6);
    const port = words[at + RECORD_PORTS] & 0xffff;
    const kind = encryptedDns(port, protocol, server, named);
    if (kind === null) return false;
    const client = addressText(words, at + RECORD_CLIENT, isIpv6);
    this.#encrypted.set(client, `${client} looks names up over ${kind} at ${server}`);
    known.noteClient(isIpv6, words, at + RECORD_CLIENT, words[at + RECORD_FIRST]);
    return true;
  }

  #whyTooEarly(isIpv6: boolean, words: Uint32Array, at: number, first: number): string | null {
    const { warmUp = WARM_UP, known } = this.#options;
    const since = first - this.#start;
    if (since >= warmUp) return null;
    const answered = known.firstOf(isIpv6, words, at + RECORD_CLIENT);
    if (answered !== null && answered <= first + CLOCK_SLACK) return null;
    return `the sensor had run for ${durationText(since * 1000)} only, and had seen no lookup of ` +
      `its client: that may have been before`;
  }

  #whyUnexplained(
    words: Uint32Array,
    at: number,
    names: readonly ServerName[],
    others: readonly KnownName[],
  ): string {
    const isIpv6 = (words[at + RECORD_HEAD] & IPV6_BIT) !== 0;
    const client = addressText(words, at + RECORD_CLIENT, isIpv6);
    const server = addressText(words, at + RECORD_SERVER, isIpv6);
    const first = words[at + RECORD_FIRST];
    const known = names.map((name) => this.#whatNames(isIpv6, words, at, name));
    for (const { name, from, until } of others.slice(0, 1)) {
      const what = `${client} looked up ${withoutDot(name)}`;
      if (from > first) known.unshift(`${what} only ${durationText((from - first) * 1000)} later`);
      else {
        const over = durationText((first - until) * 1000);
        known.unshift(`${what}, whose time to live was over for ${over}`);
      }
    }
    if (known.length === 0) known.push("nothing else names it");
    const encrypted = this.#encrypted.get(client);
    if (encrypted !== undefined) known.push(encrypted);
    return `${client} did not look up ${server}; ${known.join("; ")}`;
  }

  /** What speaks for a name, in words. */
  #whatNames(
    isIpv6: boolean,
    words: Uint32Array,
    at: number,
    { name, from, isOuter }: ServerName,
  ): string {
    switch (from) {
      case "sni":
      case "quic-sni": {
        const asks = `${from === "sni" ? "TLS" : "QUIC"} asks for ${name}`;
        return isOuter === true ? `${asks}, in place of a name that is encrypted` : asks;
      }
      case "http-host":
        return `HTTP asks for ${name}`;
      case "other-client": {
        const other = this.#options.known.lastOf(isIpv6, words, at + RECORD_SERVER);
        return `${other?.client ?? "another client"} looked up ${name} for it`;
      }
      case "reverse":
        return `its address is called ${name} in reverse lookups`;
      default:
        return name;
    }
  }
}

function tableOf(networks: readonly Cidr[]): PrefixTable {
  return new PrefixTable(networks.map((network) => [network, 1] as const));
}

/** Whether a lookup explains what began at a time. */
function isInTime({ from, until }: KnownName, first: number): boolean {
  return from <= first + CLOCK_SLACK && first <= until + GRACE;
}

/** The names of lookups and what a conversation carries: of lookups those that agree with it, if any do. */
function namesOf(lookups: readonly KnownName[], carried: readonly ServerName[]): ServerName[] {
  const all = [
    ...lookups.filter(({ isHint }) => !isHint).map(({ name }) => serverName(name, "lookup")),
    ...lookups.filter(({ isHint }) => isHint).map(({ name }) => serverName(name, "https-hint")),
  ];
  return namesAgain(all, carried);
}

function namesAgain(before: readonly ServerName[], carried: readonly ServerName[]): ServerName[] {
  const lookups = before.filter(({ from }) => from === "lookup" || from === "https-hint");
  const proven = carried.filter(({ isOuter }) => isOuter !== true);
  const agreeing = lookups.filter(({ name }) => proven.some((it) => it.name === name));
  const told = agreeing.length > 0 ? agreeing : lookups;
  return [...distinct(told).slice(0, MOST_NAMES), ...carried];
}

function distinct(names: readonly ServerName[]): ServerName[] {
  const isFirst = ({ name, from }: ServerName, i: number) =>
    names.findIndex((it) => it.name === name && it.from === from) === i;
  return names.filter(isFirst);
}

function serverName(name: string, from: NameOrigin): ServerName {
  return { name: withoutDot(name), from };
}

/** Keys have names with a dot at their end, records without. */
function withoutDot(name: string): string {
  return name.replace(/\.$/, "");
}
