import type { EndEvidence, Evidence } from "../model/evidence.ts";
import { emptyFacts, type Facts } from "../model/facts.ts";
import type { OwnConnections } from "../model/own_connections.ts";
import type { ConversationExample } from "./conversation_example.ts";
import {
  ANNOUNCED,
  EXAMPLE,
  FACTS,
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
  OPENED,
  SERVED,
} from "./layout.ts";

/** What the program knows of one direction of a conversation, in its memory. */
export class FactsMemory {
  readonly #view: DataView;
  readonly #source: Uint32Array;
  readonly #destination: Uint32Array;
  /** Its addresses are those of the memory. */
  readonly #facts: Facts;

  /** @param buffer An engine's memory. */
  constructor(buffer: ArrayBuffer) {
    this.#view = new DataView(buffer);
    this.#source = new Uint32Array(buffer, FACTS_SOURCE, 4);
    this.#destination = new Uint32Array(buffer, FACTS_DESTINATION, 4);
    this.#facts = { ...emptyFacts(), source: this.#source, destination: this.#destination };
  }

  /** Reads all of it. The object is the same each time. */
  read(): Facts {
    const facts = this.#facts;
    facts.family = this.#get(FACTS_IS_IPV6) !== 0 ? 6 : 4;
    facts.protocol = this.#get(FACTS_PROTOCOL);
    facts.sourcePort = this.#get(FACTS_SOURCE_PORT);
    facts.destinationPort = this.#get(FACTS_DESTINATION_PORT);
    facts.sourceNetwork = this.#get(FACTS_SOURCE_NETWORK);
    facts.destinationNetwork = this.#get(FACTS_DESTINATION_NETWORK);
    this.readEvidence(facts.evidence);
    return facts;
  }

  /** Reads the evidence. */
  readEvidence(into: Evidence): void {
    into.opener = this.#get(FACTS_OPENER);
    into.openerBy = this.#get(FACTS_OPENER_BY);
    into.payloadServer = this.#get(FACTS_PAYLOAD_SERVER);
    into.firstSender = this.#get(FACTS_FIRST_SENDER);
    readEnd(this.#get(FACTS_SOURCE_END), into.source);
    readEnd(this.#get(FACTS_DESTINATION_END), into.destination);
  }

  /** Puts facts there, but for the networks, which the program finds. */
  write(
    { family, protocol, source, destination, sourcePort, destinationPort, evidence }: Facts,
  ): void {
    this.setFamily(family === 6);
    this.#set(FACTS_PROTOCOL, protocol);
    this.#source.set(source);
    this.#destination.set(destination);
    this.setPorts(sourcePort, destinationPort);
    this.#set(FACTS_OPENER, evidence.opener);
    this.#set(FACTS_OPENER_BY, evidence.openerBy);
    this.#set(FACTS_PAYLOAD_SERVER, evidence.payloadServer);
    this.#set(FACTS_FIRST_SENDER, evidence.firstSender);
    this.#set(FACTS_SOURCE_END, endWord(evidence.source));
    this.#set(FACTS_DESTINATION_END, endWord(evidence.destination));
  }

  /** Says of which family the addresses are that the program is asked about. */
  setFamily(isIpv6: boolean): void {
    this.#set(FACTS_IS_IPV6, isIpv6 ? 1 : 0);
  }

  setPorts(sourcePort: number, destinationPort: number): void {
    this.#set(FACTS_SOURCE_PORT, sourcePort);
    this.#set(FACTS_DESTINATION_PORT, destinationPort);
  }

  /** What is said of the sensor's own connections about both ends. */
  judge(own: OwnConnections): number {
    const isIpv6 = this.#get(FACTS_IS_IPV6) !== 0;
    const sourcePort = this.#get(FACTS_SOURCE_PORT);
    const destinationPort = this.#get(FACTS_DESTINATION_PORT);
    return own.judge(isIpv6, this.#source, sourcePort, this.#destination, destinationPort);
  }

  /** Whether what began between both ends at this second came to nothing, and was the sensor's own. */
  wasAttempt(own: OwnConnections, seconds: number): boolean {
    return own.wasAttempt(
      this.#get(FACTS_IS_IPV6) !== 0,
      this.#source,
      this.#get(FACTS_SOURCE_PORT),
      this.#destination,
      this.#get(FACTS_DESTINATION_PORT),
      seconds,
    );
  }

  #get(at: number): number {
    return this.#view.getInt32(at, true);
  }

  #set(at: number, word: number): void {
    this.#view.setInt32(at, word, true);
  }
}

function readEnd(known: number, into: EndEvidence): void {
  into.listens = (known & LISTENS) !== 0;
  into.announced = (known & ANNOUNCED) !== 0;
  into.served = (known & SERVED) !== 0;
  into.opened = (known & OPENED) !== 0;
  into.fanIn = (known >>> FAN_IN_SHIFT) & FAN_IN_MASK;
}

function endWord({ listens, announced, served, opened, fanIn }: EndEvidence): number {
  return (listens ? LISTENS : 0) | (announced ? ANNOUNCED : 0) | (served ? SERVED : 0) |
    (opened ? OPENED : 0) |
    (fanIn << FAN_IN_SHIFT);
}

/** Reads facts that were kept elsewhere in a memory, as an example, or `null` if there are none. */
export function exampleAt(buffer: ArrayBuffer, at: number): ConversationExample | null {
  const view = new DataView(buffer, at, EXAMPLE);
  const get = (fact: number) => view.getUint32(fact - FACTS, true);
  const address = (fact: number) => new Uint32Array(buffer, at + fact - FACTS, 4).slice();
  if (get(FACTS_PROTOCOL) === 0) return null;
  return {
    isIpv6: get(FACTS_IS_IPV6) !== 0,
    protocol: get(FACTS_PROTOCOL),
    source: address(FACTS_SOURCE),
    sourcePort: get(FACTS_SOURCE_PORT),
    destination: address(FACTS_DESTINATION),
    destinationPort: get(FACTS_DESTINATION_PORT),
  };
}
