/*
 * The user's flow mapping, as `src/config/compiled_mapping.ts` lays it out, and asked about the facts.
 */
import {
  AGAINST_FIRST_PACKET,
  FLAG_CLIENT_IS_DESTINATION,
  FLAG_DROP,
  FLAG_PORT_IS_SOURCE,
  FLAG_SOURCE_FIRST,
  IGNORED,
  IGNORED_PORTS,
  KIND_ASSIGN,
  KIND_INITIATOR,
  KIND_LOWER_PORT,
  KIND_PORT_MATCH,
  KIND_SERVICE,
  LAST_OLD_CLIENT_PORT,
  LOCAL_NETWORKS,
  MARGIN,
  NETWORKS,
  NOWHERE,
  OLD_CLIENT_PORT,
  OLD_CLIENT_PORT_OVER_TCP,
  PREFIX4_WORDS,
  PREFIX6_WORDS,
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
  WEIGHTS_EPHEMERAL,
  WEIGHTS_TCP,
  WEIGHTS_UDP,
} from "../../config/mapping_layout";
import { DESTINATION_END, NEITHER, SOURCE_END } from "../../model/evidence_layout";
import {
  CLIENT_IS_DESTINATION,
  DROP,
  FLOW,
  NO_MATCH,
  PORT_SHIFT,
  REASON_SHIFT,
} from "../../model/outcome_layout";
import { PROTOCOL_TCP } from "../../model/protocol_numbers";
import {
  BY_ANNOUNCED,
  BY_ASSIGN,
  BY_EPHEMERAL,
  BY_FAN_IN,
  BY_FIRST_PACKET,
  BY_LEARNED,
  BY_LISTENING,
  BY_LOWER_PORT,
  BY_MULTICAST,
  BY_PAYLOAD,
  BY_PORT_MATCH,
  BY_REGISTERED,
} from "../../model/reason_numbers";
import {
  ANNOUNCED,
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
  FAN_IN_MASK,
  FAN_IN_SHIFT,
  LISTENS,
  MAPPING,
  OPENED,
  PORT_WEIGHTS,
  SERVED,
  WEIGHTS,
} from "../layout";
import { isGroup } from "./gathering";
import { askFunction } from "./host";

/** Whether a rule's answer depends on what is seen of a conversation. */
export let usesEvidence: bool = false;

/** Says that there is another mapping than before. */
export function useMapping(): void {
  usesEvidence = wordOf(USES_EVIDENCE) !== 0;
}

/** Whether a rule is a function. */
export function hasFunction(): bool {
  return wordOf(RULES_BEFORE_FUNCTION) < wordOf(RULES);
}

/** Whether this is of the local networks only, and those are not wanted. */
export function isSuppressed(): bool {
  return wordOf(SUPPRESSES_LOCAL) !== 0 && isLocal(FACTS_SOURCE) && isLocal(FACTS_DESTINATION);
}

/** Whether an address of the facts is in a local network. */
export function isLocal(address: usize): bool {
  return find(LOCAL_NETWORKS, address) !== NOWHERE;
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
  const lists = wordOf(IGNORED_PORTS) + <u32> number;
  return hasIn(placeOf(load<u32>(placeOf(lists))), port);
}

/** Where a word of the mapping is. */
// @inline
function placeOf(word: u32): usize {
  return MAPPING + (<usize> word << 2);
}

/** A word at the beginning of the mapping. */
// @inline
function wordOf(word: usize): u32 {
  return load<u32>(MAPPING + (word << 2));
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
  findNetworks();
  const source = load<i32>(FACTS_SOURCE_NETWORK);
  const destination = load<i32>(FACTS_DESTINATION_NETWORK);
  if (source === NOWHERE || destination === NOWHERE) return NO_MATCH;
  const rules = wordOf(isAgain ? RULES_BEFORE_FUNCTION : RULES);
  for (let i: u32 = 0; i < rules; i++) {
    const outcome = askRule(i, source, destination);
    if (outcome !== NO_MATCH) return outcome;
  }
  return NO_MATCH;
}

/** What one rule says of the facts, of which the networks must be there. */
export function decideByRule(number: u32): u32 {
  return askRule(number, load<i32>(FACTS_SOURCE_NETWORK), load<i32>(FACTS_DESTINATION_NETWORK));
}

/** Puts the numbers of both networks into the facts. */
export function findNetworks(): void {
  store<i32>(FACTS_SOURCE_NETWORK, find(NETWORKS, FACTS_SOURCE));
  store<i32>(FACTS_DESTINATION_NETWORK, find(NETWORKS, FACTS_DESTINATION));
}

// @inline
function askRule(number: u32, source: i32, destination: i32): u32 {
  const rule = placeOf(wordOf(RULES_AT)) + <usize> number * (RULE_WORDS * 4);
  if (!isWanted(load<i32>(rule, RULE_SOURCE * 4), source)) return NO_MATCH;
  if (!isWanted(load<i32>(rule, RULE_DESTINATION * 4), destination)) return NO_MATCH;
  return ask(number, rule);
}

/** Whether a rule is for this network: each, or just this one. */
// @inline
function isWanted(wanted: i32, network: i32): bool {
  return wanted === NOWHERE || wanted === network;
}

function ask(number: u32, rule: usize): u32 {
  const kind = load<u32>(rule + RULE_KIND * 4);
  const flags = load<u32>(rule + RULE_FLAGS * 4);
  const ports = load<u32>(rule + RULE_PORTS * 4);
  if (kind === KIND_SERVICE) return askService();
  if (kind === KIND_INITIATOR) return askInitiator();
  if (kind === KIND_LOWER_PORT) return askLowerPort(flags);
  if (kind === KIND_PORT_MATCH) return askPortMatch(flags, placeOf(ports));
  if (kind === KIND_ASSIGN) return askAssign(flags, ports === 0 ? 0 : placeOf(ports));
  return askFunction(number);
}

// @inline
function flow(sourceServes: bool, port: u32, by: u32): u32 {
  return (port << PORT_SHIFT) | (by << REASON_SHIFT) | (sourceServes ? CLIENT_IS_DESTINATION : 0) |
    FLOW;
}

/** The flow to the port of the end that serves. */
// @inline
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
// @inline
function hasPort(ports: usize, port: u32): bool {
  return (load<u8>(ports + <usize> (port >>> 3)) & (1 << (port & 7))) !== 0;
}

/** What the payload, announcements and ports weigh: what an end was in other conversations says less. */
function weighMessagesAndPorts(): i32 {
  weighAll();
  return load<i32>(WEIGHTS) + load<i32>(WEIGHTS, 8) + load<i32>(WEIGHTS, 24) +
    load<i32>(WEIGHTS, 28);
}

function askInitiator(): u32 {
  const opener = load<u32>(FACTS_OPENER);
  if (opener === NEITHER) return NO_MATCH;
  if (load<u32>(FACTS_OPENER_BY) === BY_FIRST_PACKET) {
    // The one before it may have been missed: then it is an answer.
    const balance = weighMessagesAndPorts();
    if ((opener === SOURCE_END ? balance : -balance) >= AGAINST_FIRST_PACKET) return NO_MATCH;
  }
  return flowTo(opener === DESTINATION_END, load<u32>(FACTS_OPENER_BY));
}

/** Says what each evidence weighs, whatever the rules are. */
export function weigh(): u32 {
  return askService();
}

/** From here FTP's server connects to each port that it is told: RFC 959, section 3.2. */
const FTP_DATA: u32 = 20;

/** What speaks most for the end that serves: only what weighs more takes the place of another. */
let most: i32 = 0;
let heaviest: u32 = 0;

function askService(): u32 {
  const balance = weighAll();
  if (balance > -MARGIN && balance < MARGIN) return NO_MATCH;
  const sourceServes = balance > 0;
  const sign: i32 = sourceServes ? 1 : -1;
  most = 0;
  heaviest = 0;
  weighFor(sign * load<i32>(WEIGHTS), BY_PAYLOAD);
  weighFor(sign * load<i32>(WEIGHTS, 4), BY_MULTICAST);
  weighFor(sign * load<i32>(WEIGHTS, 8), BY_ANNOUNCED);
  weighFor(sign * load<i32>(WEIGHTS, 12), BY_LISTENING);
  weighFor(sign * load<i32>(WEIGHTS, 16), BY_LEARNED);
  weighFor(sign * load<i32>(WEIGHTS, 20), BY_FAN_IN);
  weighFor(sign * load<i32>(WEIGHTS, 24), BY_REGISTERED);
  weighFor(sign * load<i32>(WEIGHTS, 28), BY_EPHEMERAL);
  weighFor(sign * load<i32>(WEIGHTS, 32), BY_FIRST_PACKET);
  return flowTo(sourceServes, heaviest);
}

/** Weighs all evidence of the facts. @returns For the source, less that for the destination. */
function weighAll(): i32 {
  const isTcp = load<u32>(FACTS_PROTOCOL) === PROTOCOL_TCP;
  const isIpv6 = load<u32>(FACTS_IS_IPV6) !== 0;
  const source = load<u32>(FACTS_SOURCE_END);
  const destination = load<u32>(FACTS_DESTINATION_END);
  const sourcePort = load<u32>(FACTS_SOURCE_PORT);
  const destinationPort = load<u32>(FACTS_DESTINATION_PORT);
  const registered = PORT_WEIGHTS + (isTcp ? WEIGHTS_TCP : WEIGHTS_UDP);
  const ephemeral = PORT_WEIGHTS + WEIGHTS_EPHEMERAL;

  const payload = forEnd(load<u32>(FACTS_PAYLOAD_SERVER), 100);
  // What sends is no group, whatever its address looks like.
  const firstSender = load<u32>(FACTS_FIRST_SENDER);
  const multicast = (firstSender === SOURCE_END ? 0 : groupWeight(isIpv6, FACTS_SOURCE)) -
    (firstSender === DESTINATION_END ? 0 : groupWeight(isIpv6, FACTS_DESTINATION));
  const announced = weightOf(source, ANNOUNCED, 90) - weightOf(destination, ANNOUNCED, 90);
  const listening = weightOf(source, LISTENS, 60) - weightOf(destination, LISTENS, 60);
  const learned = learnedWeight(source) - learnedWeight(destination);
  const fanIn = fanInWeight(source, isTcp, sourcePort) -
    fanInWeight(destination, isTcp, destinationPort);
  const registration = portWeight(registered, sourcePort) -
    portWeight(registered, destinationPort);
  let ephemerality = portWeight(ephemeral, destinationPort) - portWeight(ephemeral, sourcePort);
  if (isTcp) {
    ephemerality += oldClientWeight(ephemeral, destinationPort, sourcePort) -
      oldClientWeight(ephemeral, sourcePort, destinationPort);
  }
  const firstPacket = -forEnd(firstSender, 4);

  store<i32>(WEIGHTS, payload);
  store<i32>(WEIGHTS, multicast, 4);
  store<i32>(WEIGHTS, announced, 8);
  store<i32>(WEIGHTS, listening, 12);
  store<i32>(WEIGHTS, learned, 16);
  store<i32>(WEIGHTS, fanIn, 20);
  store<i32>(WEIGHTS, registration, 24);
  store<i32>(WEIGHTS, ephemerality, 28);
  store<i32>(WEIGHTS, firstPacket, 32);
  return payload + multicast + announced + listening + learned + fanIn + registration +
    ephemerality + firstPacket;
}

// @inline
function weighFor(weight: i32, by: u32): void {
  const isMore = weight > most;
  most = select(weight, most, isMore);
  heaviest = select(by, heaviest, isMore);
}

// @inline
function forEnd(end: u32, weight: i32): i32 {
  if (end === SOURCE_END) return weight;
  return end === DESTINATION_END ? -weight : 0;
}

// @inline
function weightOf(known: u32, bit: u32, weight: i32): i32 {
  return (known & bit) !== 0 ? weight : 0;
}

// @inline
function groupWeight(isIpv6: bool, address: usize): i32 {
  return isGroup(isIpv6, load<u32>(address + (isIpv6 ? 0 : 12))) ? 80 : 0;
}

// @inline
function learnedWeight(known: u32): i32 {
  return (known & SERVED) !== 0 ? 50 : weightOf(known, OPENED, -30);
}

// @inline
function fanInWeight(known: u32, isTcp: bool, port: u32): i32 {
  const changed = (known >>> FAN_IN_SHIFT) & FAN_IN_MASK;
  if (changed === 0 || (isTcp && port === FTP_DATA)) return 0;
  const weight = changed === 1 ? 20 : changed < 4 ? 30 : 40;
  return isTcp ? weight : weight / 2;
}

/** That of a port which older systems give to clients, against one that no system does. */
function oldClientWeight(ephemeral: usize, client: u32, server: u32): i32 {
  const isOld = portWeight(ephemeral, client) === OLD_CLIENT_PORT;
  const isBeyond = server > LAST_OLD_CLIENT_PORT && portWeight(ephemeral, server) === 0;
  return isOld && isBeyond ? OLD_CLIENT_PORT_OVER_TCP - OLD_CLIENT_PORT : 0;
}

// @inline
function portWeight(weights: usize, port: u32): i32 {
  return load<i8>(weights + <usize> port);
}

/** The number of the first prefix of a table that holds the address, or {@linkcode NOWHERE}. */
function find(table: usize, address: usize): i32 {
  const isIpv6 = load<u32>(FACTS_IS_IPV6) !== 0;
  const from = MAPPING + ((table + (isIpv6 ? TABLE_OF_IPV6 : 0)) << 2);
  let at = placeOf(load<u32>(from));
  const count = load<u32>(from + 4);
  if (!isIpv6) {
    const word = load<u32>(address + 12);
    for (let i: u32 = 0; i < count; i++, at += PREFIX4_WORDS * 4) {
      if (((word ^ load<u32>(at)) & load<u32>(at + 4)) === 0) return load<i32>(at + 8);
    }
    return NOWHERE;
  }
  const words = v128.load(address);
  for (let i: u32 = 0; i < count; i++, at += PREFIX6_WORDS * 4) {
    const differs = v128.and(v128.xor(words, v128.load(at)), v128.load(at + 16));
    if (!v128.any_true(differs)) return load<i32>(at + 32);
  }
  return NOWHERE;
}
