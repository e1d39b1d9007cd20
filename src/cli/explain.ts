import { type Address, parseAddress } from "../model/address.ts";
import { bareAddress } from "../config/bare_address.ts";
import { DnsServices } from "../names/encrypted_dns/dns_services.ts";
import type { DnsKind } from "../model/dns_kind.ts";
import { emptyFacts, type Facts } from "../model/facts.ts";
import { loadConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { clientIsDestination, DROP, FLOW, NO_MATCH, portOf, verdictOf } from "../model/outcome.ts";
import { addressText } from "../model/address_text.ts";
import { FIRST_WINDOW } from "../model/windows.ts";
import { KeyWriter } from "../engine/key_writer.ts";
import { MappingProgram, type MappingStory } from "../engine/mapping_program.ts";
import { OBSERVATION_WORDS } from "../model/observation_batch.ts";
import type { Log } from "../log.ts";
import { keyText } from "../sink/keys.ts";
import type { PasswordFile } from "../sink/password_file.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { aligned } from "./aligned.ts";
import type { CheckOptions } from "./check.ts";
import { evidenceLines } from "./evidence_lines.ts";
import { lookedUpNames } from "./looked_up_names.ts";
import { dnsOptionsOf } from "./dns_options_of.ts";
import { partNamesAndNetworks } from "./names_and_networks.ts";
import { ownNetworksOf } from "./own_networks_of.ts";
import { printText } from "./print_text.ts";
import { refuseConfigurations } from "./refuse_configurations.ts";
import { refuseMistakenNames } from "./refuse_mistaken_names.ts";
import { readListening, readReplayed, type Replayed } from "./replayed_evidence.ts";
import { type Store, storeOf } from "./store.ts";

/** A flow as the command line names it. */
export interface ExplainedFlow {
  src: string;
  sport: string;
  dst: string;
  dport: string;
  /** `tcp` unless given. */
  protocol?: "tcp" | "udp";
}

/** Options of the command `explain`. */
export interface ExplainOptions extends CheckOptions {
  /** Where names are looked for: a URL, `false` for nowhere; otherwise as the configuration says. */
  redis?: string | false;
  redisPasswordFile?: PasswordFile;
  /** Saved captures that may have the conversation; own networks may be among them. */
  from?: readonly string[];
}

/** IANA protocol numbers. */
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 };
const MAXIMUM_PORT = 65535;
/** The most keys that one flow has: client, flow, two peers. */
const KEYS_OF_FLOW = 4;
const DNS_TEXTS: Readonly<Record<DnsKind, string>> = {
  DoT: "This is DNS over TLS (DoT): what the client looks up there can't be seen.",
  DoQ: "This is DNS over QUIC (DoQ): what the client looks up there can't be seen.",
  DoH: "This is DNS over HTTPS (DoH): what the client looks up there can't be seen.",
  DNSCrypt: "This is DNSCrypt: what the client looks up there can't be seen.",
  DNS: "This is DNS to a server outside: the network's own name servers don't see it.",
};

/**
 * Prints which networks the addresses of a packet are in, what speaks for who is the client, what each
 * rule says of it, and the keys that would be written; and where Redis knows them, the names that one looked up for the other.
 *
 * @param print Takes the text. By default, it goes to standard output.
 * @returns The exit status, 0.
 * @throws {UserError} for a wrong address or port, or an error in the configuration.
 */
export async function explain(
  flow: ExplainedFlow,
  options: ExplainOptions,
  log: Log,
  print: (text: string) => unknown = printText,
): Promise<number> {
  const facts = factsOf(flow);
  // As the option takes all words behind it, it has the own networks too that are among them.
  const { names: from, networks } = partNamesAndNetworks(options.from ?? []);
  const ourNets = [...options.ourNets, ...networks];
  refuseMistakenNames(from, from, "files");
  refuseConfigurations(ourNets);
  const { config, description } = await loadConfig(options.config);
  const mapping = new Mapping(config, ownNetworksOf(config, ourNets, log), log);
  const program = new MappingProgram(mapping);
  program.findNetworks(facts);
  const replayed = await readEvidence(facts, from, mapping, log);
  await print([
    `Configuration: ${description}`,
    "",
    ...addressLines(facts, mapping, program),
    ...await nameLines(facts, storeOf(options, config), log),
    "",
    ...replayed?.lines ?? [],
    ...evidenceLines(facts, program.weigh(facts), from.length > 0),
    "",
    ...decisionLines(facts, program, mapping, replayed),
  ].join("\n"));
  return 0;
}

/**
 * The same of a mapping that is loaded, without what captures and Redis have to say.
 *
 * @throws {UserError} for a wrong address or port.
 */
export async function explanation(
  flow: ExplainedFlow,
  { mapping, description }: { readonly mapping: Mapping; readonly description: string },
  log: Log,
): Promise<string> {
  const facts = factsOf(flow);
  const program = new MappingProgram(mapping);
  program.findNetworks(facts);
  await readListening(facts, log);
  return [
    `Configuration: ${description}`,
    "",
    ...addressLines(facts, mapping, program),
    "",
    ...evidenceLines(facts, program.weigh(facts), false),
    "",
    ...decisionLines(facts, program, mapping),
  ].join("\n");
}

/** @returns What the captures have of the conversation; `null` where there are none. */
async function readEvidence(
  facts: Facts,
  files: readonly string[],
  mapping: Mapping,
  log: Log,
): Promise<Replayed | null> {
  if (files.length > 0) return await readReplayed(files, facts, mapping, log);
  await readListening(facts, log);
  return null;
}

function factsOf({ src, sport, dst, dport, protocol = "tcp" }: ExplainedFlow): Facts {
  const source = addressOf(src, "source address");
  const destination = addressOf(dst, "destination address");
  if (source.family !== destination.family) {
    throw new UserError(
      `${src} and ${dst} are of different families: no packet has an IPv4 and an IPv6 address`,
      WRONG_USAGE,
    );
  }
  return {
    ...emptyFacts(),
    family: source.family,
    protocol: PROTOCOL_NUMBERS[protocol],
    source: source.words,
    destination: destination.words,
    sourcePort: packetPort(sport, "source port"),
    destinationPort: packetPort(dport, "destination port"),
  };
}

function addressOf(text: string, what: string): Address {
  const address = parseAddress(bareAddress(text));
  if (address !== null) return address;
  const isName = /^[a-z][\w.-]*$/i.test(text);
  throw new UserError(
    `${what}: "${text}" is not an IPv4 or IPv6 address` +
      (isName ? `; getent ahosts ${text} has those of a name` : ""),
    WRONG_USAGE,
  );
}

function packetPort(text: string, what: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= MAXIMUM_PORT) return port;
  const isName = /^[a-z][\w-]*$/i.test(text);
  throw new UserError(
    `${what}: "${text}" is not a number from 0 to ${MAXIMUM_PORT}` +
      (isName ? `; getent services ${text} has that of a service` : ""),
    WRONG_USAGE,
  );
}

function addressLines(facts: Facts, mapping: Mapping, program: MappingProgram): string[] {
  const isIpv6 = facts.family === 6;
  const [isSourceLocal, isDestinationLocal] = program.areLocal(facts);
  const row = (
    end: string,
    words: Uint32Array,
    port: number,
    network: number,
    isLocal: boolean,
  ) => [
    end,
    addressText(words, 0, isIpv6),
    `port ${port}`,
    network < 0 ? "in no network" : `in network ${mapping.networkNames[network]}`,
    isLocal ? "own" : "",
  ];
  return aligned([
    row("source", facts.source, facts.sourcePort, facts.sourceNetwork, isSourceLocal),
    row(
      "destination",
      facts.destination,
      facts.destinationPort,
      facts.destinationNetwork,
      isDestinationLocal,
    ),
  ], "");
}

/** Either may be the client, whatever the rules say. */
async function nameLines(facts: Facts, store: Store | null, log: Log): Promise<string[]> {
  if (store === null) return [];
  const isIpv6 = facts.family === 6;
  const source = addressText(facts.source, 0, isIpv6);
  const destination = addressText(facts.destination, 0, isIpv6);
  const lines = await lookedUpNames(
    [{ client: source, address: destination }, { client: destination, address: source }],
    store,
    log,
  );
  return lines.length === 0 ? [] : ["", ...lines];
}

/** The steps of the Redis contract, from the own networks on. */
function decisionLines(
  facts: Facts,
  program: MappingProgram,
  mapping: Mapping,
  replayed: Replayed | null = null,
): string[] {
  if (program.isSuppressed(facts)) {
    return [
      "Both addresses are in the own networks, and suppressOwnNetwork is on: no keys are written.",
    ];
  }
  const story = program.explain(facts);
  return [...ruleLines(story), "", ...outcomeLines(story, facts, program, mapping, replayed)];
}

function ruleLines(story: MappingStory): string[] {
  if (story.sourceNetwork === null || story.destinationNetwork === null) {
    return ["An address is in no network, so no rule is asked."];
  }
  return [
    "Rules:",
    ...story.rules.flatMap(({ index, place, rule, matched, reason }) => {
      const entry = `flows[${index}]`;
      return [
        `  ${entry}  ${rule}${place === entry ? "" : `  (${place})`}`,
        `            ${matched ? "matches" : "no match"}: ${reason}`,
      ];
    }),
  ];
}

function outcomeLines(
  story: MappingStory,
  facts: Facts,
  program: MappingProgram,
  mapping: Mapping,
  replayed: Replayed | null,
): string[] {
  const { outcome } = story;
  if (outcome === DROP) return ["The flow is dropped: no keys are written."];
  if (outcome === NO_MATCH || verdictOf(outcome) !== FLOW) {
    return ["Nothing attributes the flow: no keys are written."];
  }
  const isIgnored = program.isIgnored(facts);
  const dns = dnsKindOf(facts, outcome, mapping, replayed);
  return [
    ...(dns === null ? [] : [DNS_TEXTS[dns]]),
    `The ${clientIsDestination(outcome) ? "destination" : "source"} is the client, ` +
    `the port of interest is ${portOf(outcome)}.`,
    ...(isIgnored ? ["ignoreFlows names an end: the flow key is left out."] : []),
    "Keys written:",
    ...keysOf(facts, outcome, isIgnored).map((key) => `  ${key}`),
  ];
}

/** Which kind of DNS it is: by addresses and ports, and by what captures have of it. */
function dnsKindOf(
  facts: Facts,
  outcome: number,
  mapping: Mapping,
  replayed: Replayed | null,
): DnsKind | null {
  const isIpv6 = facts.family === 6;
  const source = addressText(facts.source, 0, isIpv6);
  const destination = addressText(facts.destination, 0, isIpv6);
  const [client, server] = clientIsDestination(outcome)
    ? [destination, source]
    : [source, destination];
  const protocol = facts.protocol === PROTOCOL_NUMBERS.udp ? "udp" : "tcp";
  const services = replayed?.dnsServices ?? new DnsServices(dnsOptionsOf(mapping));
  return services.kindOf({
    ...{ client, server, port: portOf(outcome), protocol },
    names: replayed?.named?.names.map(({ name }) => name) ?? [],
    applicationProtocols: replayed?.named?.applicationProtocols,
  });
}

/** The keys, made by what makes them when packets are captured. */
function keysOf(facts: Facts, outcome: number, isIgnored: boolean): string[] {
  const keys: string[] = [];
  const writer = new KeyWriter(KEYS_OF_FLOW, ({ words, count }) => {
    for (let i = 0; i < count; i++) keys.push(keyText(words, i * OBSERVATION_WORDS));
  });
  writer.setTime(0, FIRST_WINDOW);
  const isTurned = clientIsDestination(outcome);
  const client = isTurned ? facts.destination : facts.source;
  const server = isTurned ? facts.source : facts.destination;
  writer.writeFlow(facts.family === 6, client, server, portOf(outcome), 0, isIgnored);
  writer.flush();
  return keys;
}
