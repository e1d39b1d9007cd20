/*
 * The user's flow mapping, laid out as `src/config/mapping_image.ts` does it, and asked about the
 * facts. What the actions decide is what their classes in `src/config/actions` decide; a test
 * compares.
 */
import { PROTOCOL_TCP } from "./cells";
import { FAN_IN_MASK, FAN_IN_SHIFT, OPENED, SERVED } from "./evidence";
import {
  FACTS_DESTINATION,
  FACTS_DESTINATION_END,
  FACTS_DESTINATION_NETWORK,
  FACTS_DESTINATION_PORT,
  FACTS_FIRST_SENDER,
  FACTS_IS_IPV6,
  FACTS_OPENER,
  FACTS_OPENER_BY,
  FACTS_PAYLOAD_SERVER,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_SOURCE_END,
  FACTS_SOURCE_NETWORK,
  FACTS_SOURCE_PORT,
  LISTENS,
} from "./facts";
import { DESTINATION_END, isGroup, NEITHER, SOURCE_END } from "./gathering";
import { askFunction } from "./host";

// `src/config/outcome.ts`.
export const NO_MATCH: u32 = 0;
export const DROP: u32 = 1;
export const FLOW: u32 = 2;
export const VERDICT_MASK: u32 = 3;
export const CLIENT_IS_DESTINATION: u32 = 4;

// `src/flow/by.ts`.
const BY_LOWER_PORT: u32 = 1;
const BY_PORT_MATCH: u32 = 2;
const BY_ASSIGN: u32 = 3;
const BY_FIRST_PACKET: u32 = 8;
const BY_PAYLOAD: u32 = 9;
const BY_LISTENING: u32 = 10;
const BY_LEARNED: u32 = 11;
const BY_FAN_IN: u32 = 12;
const BY_REGISTERED: u32 = 13;
const BY_EPHEMERAL: u32 = 14;
const BY_MULTICAST: u32 = 15;

// `src/config/mapping_image.ts`, in bytes.
const USES_EVIDENCE: usize = 0;
const SUPPRESSES_OWN: usize = 4;
const RULES: usize = 8;
const RULES_BEFORE_FUNCTION: usize = 12;
const RULES_AT: usize = 16;
const NETWORKS: usize = 20;
const OWN_NETWORKS: usize = 36;
const IGNORED: usize = 52;
const IGNORED_PORTS: usize = 68;

// Of a table of prefixes: where those of IPv4 are, how many, and the same for IPv6.
const TABLE_AT6: usize = 8;
const PREFIX4: usize = 12;
const PREFIX6: usize = 36;
const NOWHERE: i32 = -1;

const RULE: usize = 20;
const RULE_DESTINATION: usize = 4;
const RULE_KIND: usize = 8;
const RULE_FLAGS: usize = 12;
const RULE_PORTS: usize = 16;

// `src/config/action.ts`.
const KIND_LOWER_PORT: u32 = 1;
const KIND_PORT_MATCH: u32 = 2;
const KIND_ASSIGN: u32 = 3;
const KIND_INITIATOR: u32 = 4;
const KIND_SERVICE: u32 = 5;
const FLAG_SOURCE_FIRST: u32 = 1;
const FLAG_DROP: u32 = 2;
const FLAG_CLIENT_IS_DESTINATION: u32 = 4;
const FLAG_PORT_IS_SOURCE: u32 = 8;

// `src/config/service_evidence.ts`.
const MARGIN: i32 = 10;
const PORTS: usize = 65536;

/** Where the mapping is, and what ports weigh: registered for TCP, for UDP, ephemeral. */
let mapping: usize = 0;
let portWeights: usize = 0;

/** Whether a rule's answer depends on what is seen of a conversation. */
export let usesEvidence: bool = false;

/** Says where the mapping lies, which may be another one than before. */
export function setMapping(itsMapping: usize, itsPortWeights: usize): void {
  mapping = itsMapping;
  portWeights = itsPortWeights;
  usesEvidence = load<u32>(mapping + USES_EVIDENCE) !== 0;
}

/** Whether this is of the own networks only, and those are not wanted. */
export function isSuppressed(): bool {
  return load<u32>(mapping + SUPPRESSES_OWN) !== 0 &&
    find(OWN_NETWORKS, FACTS_SOURCE) !== NOWHERE &&
    find(OWN_NETWORKS, FACTS_DESTINATION) !== NOWHERE;
}

/** Whether an address was in no network when {@linkcode decide} was asked last. */
export function hasNoNetwork(): bool {
  return load<i32>(FACTS_SOURCE_NETWORK) === NOWHERE ||
    load<i32>(FACTS_DESTINATION_NETWORK) === NOWHERE;
}

/** Whether one of the ends is ignored. */
export function isIgnored(): bool {
  return isIgnoredEnd(FACTS_SOURCE, load<u32>(FACTS_SOURCE_PORT)) ||
    isIgnoredEnd(FACTS_DESTINATION, load<u32>(FACTS_DESTINATION_PORT));
}

function isIgnoredEnd(address: usize, port: u32): bool {
  const number = find(IGNORED, address);
  if (number === NOWHERE) return false;
  const lists = load<u32>(mapping + IGNORED_PORTS) + <u32> number;
  return hasIn(placeOf(load<u32>(placeOf(lists))), port);
}

/** Where a word of the mapping is. */
@inline
function placeOf(word: u32): usize {
  return mapping + (<usize> word << 2);
}

/** Whether a list, of which the first word is its length, has this number. */
function hasIn(list: usize, wanted: u32): bool {
  const end = list + 4 + (<usize> load<u32>(list) << 2);
  for (let at = list + 4; at < end; at += 4) if (load<u32>(at) === wanted) return true;
  return false;
}

/**
 * What the rules say of the facts.
 *
 * @param isAgain Whether they were asked before: then no function is, nor what comes after the first.
 */
export function decide(isAgain: bool): u32 {
  const source = find(NETWORKS, FACTS_SOURCE);
  const destination = find(NETWORKS, FACTS_DESTINATION);
  store<i32>(FACTS_SOURCE_NETWORK, source);
  store<i32>(FACTS_DESTINATION_NETWORK, destination);
  if (source === NOWHERE || destination === NOWHERE) return NO_MATCH;
  const rules = load<u32>(mapping + (isAgain ? RULES_BEFORE_FUNCTION : RULES));
  let rule = placeOf(load<u32>(mapping + RULES_AT));
  for (let i: u32 = 0; i < rules; i++, rule += RULE) {
    if (!isWanted(load<i32>(rule), source)) continue;
    if (!isWanted(load<i32>(rule + RULE_DESTINATION), destination)) continue;
    const outcome = ask(i, rule);
    if (outcome !== NO_MATCH) return outcome;
  }
  return NO_MATCH;
}

/** Whether a rule is for this network: each, or just this one. */
@inline
function isWanted(wanted: i32, network: i32): bool {
  return wanted === NOWHERE || wanted === network;
}

function ask(number: u32, rule: usize): u32 {
  const kind = load<u32>(rule + RULE_KIND);
  const flags = load<u32>(rule + RULE_FLAGS);
  const ports = load<u32>(rule + RULE_PORTS);
  if (kind === KIND_SERVICE) return askService();
  if (kind === KIND_INITIATOR) return askInitiator();
  if (kind === KIND_LOWER_PORT) return askLowerPort(flags);
  if (kind === KIND_PORT_MATCH) return askPortMatch(flags, placeOf(ports));
  if (kind === KIND_ASSIGN) return askAssign(flags, ports === 0 ? 0 : placeOf(ports));
  return askFunction(number);
}

@inline
function flow(sourceServes: bool, port: u32, by: u32): u32 {
  return (port << 16) | (by << 8) | (sourceServes ? CLIENT_IS_DESTINATION : 0) | FLOW;
}

/** The flow to the port of the end that serves. */
@inline
function flowTo(sourceServes: bool, by: u32): u32 {
  return flow(
    sourceServes,
    load<u32>(sourceServes ? FACTS_SOURCE_PORT : FACTS_DESTINATION_PORT),
    by,
  );
}

function askLowerPort(flags: u32): u32 {
  const source = load<u32>(FACTS_SOURCE_PORT);
  const destination = load<u32>(FACTS_DESTINATION_PORT);
  const onTie = (flags & FLAG_SOURCE_FIRST) !== 0;
  return flowTo(source === destination ? onTie : source < destination, BY_LOWER_PORT);
}

function askPortMatch(flags: u32, ports: usize): u32 {
  const source = hasPort(ports, load<u32>(FACTS_SOURCE_PORT));
  const destination = hasPort(ports, load<u32>(FACTS_DESTINATION_PORT));
  if (!source && !destination) return NO_MATCH;
  if ((flags & FLAG_DROP) !== 0) return DROP;
  return flowTo(source && ((flags & FLAG_SOURCE_FIRST) !== 0 || !destination), BY_PORT_MATCH);
}

/** @param ports 0 where any will do. */
function askAssign(flags: u32, ports: usize): u32 {
  const isSource = (flags & FLAG_PORT_IS_SOURCE) !== 0;
  const port = load<u32>(isSource ? FACTS_SOURCE_PORT : FACTS_DESTINATION_PORT);
  if (ports !== 0 && !hasPort(ports, port)) return NO_MATCH;
  if ((flags & FLAG_DROP) !== 0) return DROP;
  return flow((flags & FLAG_CLIENT_IS_DESTINATION) !== 0, port, BY_ASSIGN);
}

/** Whether a set of ports, one bit for each, has this one. */
@inline
function hasPort(ports: usize, port: u32): bool {
  return (load<u8>(ports + <usize> (port >>> 3)) & (1 << (port & 7))) !== 0;
}

function askInitiator(): u32 {
  const opener = load<u32>(FACTS_OPENER);
  if (opener === NEITHER) return NO_MATCH;
  return flowTo(opener === DESTINATION_END, load<u32>(FACTS_OPENER_BY));
}

/** What speaks most for the end that serves: only what weighs more takes the place of another. */
let most: i32 = 0;
let heaviest: u32 = 0;

function askService(): u32 {
  const isTcp = load<u32>(FACTS_PROTOCOL) === PROTOCOL_TCP;
  const isIpv6 = load<u32>(FACTS_IS_IPV6) !== 0;
  const source = load<u32>(FACTS_SOURCE_END);
  const destination = load<u32>(FACTS_DESTINATION_END);
  const sourcePort = load<u32>(FACTS_SOURCE_PORT);
  const destinationPort = load<u32>(FACTS_DESTINATION_PORT);
  const registered = portWeights + (isTcp ? 0 : PORTS);
  const ephemeral = portWeights + 2 * PORTS;

  const payload = forEnd(load<u32>(FACTS_PAYLOAD_SERVER), 100);
  const multicast = groupWeight(isIpv6, FACTS_SOURCE) - groupWeight(isIpv6, FACTS_DESTINATION);
  const listening = weightOf(source, LISTENS, 60) - weightOf(destination, LISTENS, 60);
  const learned = learnedWeight(source) - learnedWeight(destination);
  const fanIn = fanInWeight(source, isTcp) - fanInWeight(destination, isTcp);
  const registration = portWeight(registered, sourcePort) -
    portWeight(registered, destinationPort);
  const ephemerality = portWeight(ephemeral, destinationPort) - portWeight(ephemeral, sourcePort);
  const firstPacket = -forEnd(load<u32>(FACTS_FIRST_SENDER), 4);

  const balance = payload + multicast + listening + learned + fanIn + registration +
    ephemerality + firstPacket;
  if (balance > -MARGIN && balance < MARGIN) return NO_MATCH;
  const sourceServes = balance > 0;
  const sign: i32 = sourceServes ? 1 : -1;
  most = 0;
  heaviest = 0;
  weigh(sign * payload, BY_PAYLOAD);
  weigh(sign * multicast, BY_MULTICAST);
  weigh(sign * listening, BY_LISTENING);
  weigh(sign * learned, BY_LEARNED);
  weigh(sign * fanIn, BY_FAN_IN);
  weigh(sign * registration, BY_REGISTERED);
  weigh(sign * ephemerality, BY_EPHEMERAL);
  weigh(sign * firstPacket, BY_FIRST_PACKET);
  return flowTo(sourceServes, heaviest);
}

@inline
function weigh(weight: i32, by: u32): void {
  const isMore = weight > most;
  most = select(weight, most, isMore);
  heaviest = select(by, heaviest, isMore);
}

@inline
function forEnd(end: u32, weight: i32): i32 {
  if (end === SOURCE_END) return weight;
  return end === DESTINATION_END ? -weight : 0;
}

@inline
function weightOf(known: u32, bit: u32, weight: i32): i32 {
  return (known & bit) !== 0 ? weight : 0;
}

@inline
function groupWeight(isIpv6: bool, address: usize): i32 {
  return isGroup(isIpv6, load<u32>(address + (isIpv6 ? 0 : 12))) ? 80 : 0;
}

@inline
function learnedWeight(known: u32): i32 {
  return (known & SERVED) !== 0 ? 50 : weightOf(known, OPENED, -30);
}

@inline
function fanInWeight(known: u32, isTcp: bool): i32 {
  const changed = (known >>> FAN_IN_SHIFT) & FAN_IN_MASK;
  if (changed === 0) return 0;
  const weight = changed === 1 ? 20 : changed < 4 ? 30 : 40;
  return isTcp ? weight : weight / 2;
}

@inline
function portWeight(weights: usize, port: u32): i32 {
  return load<i8>(weights + <usize> port);
}

/** The number of the first prefix of a table that holds the address, or {@linkcode NOWHERE}. */
function find(table: usize, address: usize): i32 {
  const isIpv6 = load<u32>(FACTS_IS_IPV6) !== 0;
  const from = mapping + table + (isIpv6 ? TABLE_AT6 : 0);
  let at = placeOf(load<u32>(from));
  const count = load<u32>(from + 4);
  if (!isIpv6) {
    const word = load<u32>(address + 12);
    for (let i: u32 = 0; i < count; i++, at += PREFIX4) {
      if (((word ^ load<u32>(at)) & load<u32>(at + 4)) === 0) return load<i32>(at + 8);
    }
    return NOWHERE;
  }
  const words = v128.load(address);
  for (let i: u32 = 0; i < count; i++, at += PREFIX6) {
    const differs = v128.and(v128.xor(words, v128.load(at)), v128.load(at + 16));
    if (!v128.any_true(differs)) return load<i32>(at + 32);
  }
  return NOWHERE;
}
