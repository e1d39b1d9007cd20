import type { PacketBatch, PacketTaker, RecordFormat } from "../capture/packet_batch.ts";
import type { Tunnels } from "../config/configuration.ts";
import type { Mapping } from "../config/mapping.ts";
import { PORT_WEIGHTS as WEIGHTS_OF_PORTS } from "../config/service_evidence.ts";
import { DEFAULT_MAX_CONVERSATIONS } from "../model/default_max_conversations.ts";
import type { Facts } from "../model/facts.ts";
import type { LocalServices } from "../model/local_services.ts";
import { BECAME_NAMES, ONLY_OPENED } from "../model/no_flow.ts";
import { KIND_ICMP, OBSERVATION_WORDS, ObservationBatch } from "../model/observation_batch.ts";
import type { Outcome } from "../model/outcome.ts";
import { RECORD_WORDS, RecordBatch } from "../model/record_batch.ts";
import { NOT_OURS, type OwnConnections } from "../model/own_connections.ts";
import type { FirstPayload, FirstPayloadReader } from "../packet/first_payload.ts";
import type { LinkReader } from "../packet/link_reader.ts";
import type { PayloadReader } from "../packet/payload_reader.ts";
import { REASON_NAMES, STRENGTHS as STRENGTHS_OF_REASONS } from "../model/reason.ts";
import { decode } from "../packet/decode.ts";
import {
  DECODED_NAMES,
  LATER_FRAGMENT,
  NOT_IP,
  OTHER_ICMP,
  TRANSPORT,
  UNREACHABLE,
} from "../packet/decoded.ts";
import { Fragments } from "../packet/fragments.ts";
import {
  DESTINATION,
  PacketHeader,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  SOURCE,
} from "../packet/packet_header.ts";
import { NO_TUNNEL } from "../packet/tunnel.ts";
import { TUNNEL_PORTS } from "../packet/udp_tunnel.ts";
import { type UndecodedCount, UndecodedCounts } from "../packet/undecoded_counts.ts";
import { type AnnouncementTaker, readAnnouncements } from "../payload/announcements.ts";
import { payloadRole } from "../payload/payload_role.ts";
import { makeSignFilter } from "../payload/sign_filter.ts";
import { type EngineHost, EngineMemory, type EngineProgram } from "./engine_memory.ts";
import type { ConversationExample } from "./conversation_example.ts";
import {
  type ConversationRecord,
  forEachConversation,
  readConversation,
} from "./conversation_record.ts";
import { exampleAt, FactsMemory } from "./facts_memory.ts";
import {
  ANNOUNCED_ADDRESS,
  BATCH_PACKETS,
  BECAME,
  CARRIED_NAME,
  DECODED,
  EXAMPLE,
  EXAMPLES,
  FACTS_DESTINATION,
  FACTS_SOURCE,
  FLAGS_SHIFT,
  FLOW_RECORDS,
  FLOWS_BY,
  HAS_PAYLOAD,
  INPUT,
  INPUT_SIZE,
  KEY_ADDRESS,
  MAPPING,
  OBSERVATIONS,
  OBSERVATIONS_AT_ONCE,
  OCTETS_MASK,
  PORT_WEIGHTS,
  READ_PORTS,
  RECORDS,
  RECORDS_AT_ONCE,
  SEEN,
  SIGN_FILTER,
  STRENGTHS,
  TABLE4,
  TABLE6,
  TABLE_COUNT,
  TABLE_FORGOTTEN,
  TABLE_UNOPENED_COUNT,
  TUNNEL_PORT_BITS,
  TUNNEL_PORT_BITS_SIZE,
  WORD,
} from "./layout.ts";
import { WINDOWS_SUPPRESSED } from "../model/windows.ts";
import { isOutOfOrder } from "./out_of_order.ts";
import { WindowClock } from "./window_clock.ts";

/** After a longer time without a packet or a flush, what went on in between may have gone unseen. */
const LONGEST_SILENCE_SECONDS = 30;

/** How an {@linkcode Engine} is made. */
export interface EngineOptions {
  /** The user's flow mapping. */
  mapping: Mapping;
  /** Takes what is observed. The batch is used again as soon as this returns. */
  emit: (batch: ObservationBatch) => void;
  /**
   * The time in seconds since 1970-01-01 UTC, with a fraction. Without one, time is that of the packets,
   * and what was observed in a second is emitted when the next one begins.
   */
  clock?: () => number;
  /**
   * Takes refusals that were seen again while their keys are suppressed, with the second in which they
   * were seen. When flows were seen last their records say. The batch is used again as soon as this
   * returns.
   */
  onSeen?: (batch: ObservationBatch) => void;
  /** Conversations of each address family that are remembered. @default 1_000_000 */
  maxConversations?: number;
  /**
   * Its memory, where sources put packets into it before there is an engine. `maxConversations` is then
   * that of the memory.
   */
  memory?: EngineMemory;
  /**
   * In how many windows of 30 s a key is suppressed after it was emitted. @default 3, as the Redis
   * contract has it; less for whoever suppresses them again.
   */
  windowsSuppressed?: number;
  /** The sensor's own connections, which are left out. */
  ownConnections?: OwnConnections;
  /** What the host listens on, where packets are its own. */
  localServices?: LocalServices;
  /** Told of a conversation whose attribution gave way to stronger evidence. */
  onCorrection?: (facts: Facts, before: Outcome, after: Outcome) => void;
  /**
   * Told of a conversation that is forgotten, or whose ends have begun another one with a new handshake.
   * Those that are still remembered: {@linkcode Engine.forEachConversation}.
   */
  onEnd?: (conversation: ConversationRecord) => void;
  /**
   * Takes records of attributed conversations: of those that are over, and of those that go on each time
   * that {@linkcode EngineOptions.recordInterval} has passed, where they had packets since. The batch is
   * used again as soon as this returns.
   */
  onRecords?: (batch: RecordBatch) => void;
  /** In seconds. @default 60 */
  recordInterval?: number;
  /** Whether batches of observations come with the records of their conversations. @default false */
  hasFlowRecords?: boolean;
  /** Reads what packets from certain ports carry. */
  payloadReader?: PayloadReader;
  /** Reads the first payloads of conversations, for the names that they carry. */
  firstPayloadReader?: FirstPayloadReader;
  /** Reads packets in which hosts tell of themselves, and that are neither TCP nor UDP. */
  linkReader?: LinkReader;
}

/** How often there is a record of a conversation that goes on, in seconds. */
const DEFAULT_RECORD_INTERVAL = 60;
/** Conversations that end in one step: some megabytes of text. */
const ENDED_AT_ONCE = 16_384;

/** What was forgotten to make room, besides conversations: how often. */
export interface ForgottenStatistics {
  /** Ends: who served, who was talked with from many ports. */
  ends: number;
  /** Connections that were not open yet. */
  halfOpen: number;
  /** Keys that were suppressed, and so were written before their time. */
  suppressedKeys: number;
}

/** What an {@linkcode Engine} counted. */
export interface EngineStatistics {
  /** Packets by what became of them, in the order of `DECODED_NAMES`. */
  decoded: readonly number[];
  /** The same by number, of those that were not decoded and have one. */
  undecoded: readonly UndecodedCount[];
  /** Conversations that are remembered now. */
  conversations: number;
  /** Conversations that were forgotten to make room. */
  forgotten: number;
  /** Other things that were: see {@linkcode ForgottenStatistics}. */
  evidence: ForgottenStatistics;
  /** What became of conversations, counted in the order of `BECAME_NAMES`. */
  became: readonly number[];
  /** The first conversation that became it. */
  examples: readonly (ConversationExample | null)[];
  /** Conversations, by direction, whose attribution gave way to stronger evidence. */
  corrections: number;
  /** Flow keys by what decided them, in the order of `REASON_NAMES`. */
  flowsBy: readonly number[];
  /** Flow keys that were emitted. */
  flows: number;
  /** Keys of all kinds that were emitted. */
  keys: number;
}

/**
 * Turns packets into observations: who used whose service, who was refused, what was unreachable.
 *
 * What each packet needs is WebAssembly (`assembly/engine.ts`), in one memory, into which sources put the
 * packets: decoding those that are as most are, the table of conversations, evidence, classification by
 * the compiled mapping, suppression of keys. Around it is here what packets need seldom: time, decoding of
 * all others, and whatever the program asks for (`EngineHost`).
 *
 * The mapping is not asked when a packet comes but at the next flush, about a direction of a conversation,
 * and its answer is remembered. It is asked again only where a key may be written again and stronger
 * evidence could still change what it said. The rules are those of the Redis contract, in its order.
 */
export class Engine implements PacketTaker {
  /** Where packets, conversations and observations lie. */
  readonly memory: EngineMemory;
  readonly #program: EngineProgram;
  readonly #header = new PacketHeader();
  readonly #addresses = new Uint32Array(this.#header.addresses.buffer);
  readonly #bounced = new Uint32Array(this.#header.bouncedAddresses.buffer);
  readonly #facts: FactsMemory;
  readonly #decoded: Float64Array;
  readonly #flowsBy: Float64Array;
  readonly #observations: ObservationBatch;
  readonly #emit: (batch: ObservationBatch) => void;
  readonly #clock: (() => number) | null;
  readonly #ownConnections: OwnConnections | null;
  readonly #onCorrection: EngineOptions["onCorrection"];
  readonly #onEnd: EngineOptions["onEnd"];
  readonly #payloadReader: PayloadReader | null;
  readonly #linkReader: LinkReader | null;
  readonly #firstPayload: FirstPayload;
  readonly #input: PacketBatch;
  readonly #announcements: AnnouncementTaker;
  readonly #onSeen: ((batch: ObservationBatch) => void) | null;
  readonly #seen: ObservationBatch;
  readonly #records: RecordBatch;
  readonly #onRecords: EngineOptions["onRecords"];
  readonly #fragments = new Fragments((view, header) =>
    this.#payloadReader?.read(view, header, this.#packetSecond, this.#window)
  );
  readonly #undecoded = new UndecodedCounts();
  /** Whether the conversations of tunnels are attributed besides those in them. */
  #attributesOuter = false;
  #emitted = 0;
  #corrections = 0;
  #mapping: Mapping;
  #second = 0;
  /** The second of the packets that are taken, which may be an earlier one. */
  #packetSecond = 0;
  readonly #windowClock = new WindowClock();
  #window = this.#windowClock.window;

  /** Makes an engine that has seen nothing yet. */
  constructor(options: EngineOptions) {
    const memory = options.memory ??
      new EngineMemory(options.maxConversations ?? DEFAULT_MAX_CONVERSATIONS);
    const { buffer } = memory;
    this.memory = memory;
    this.#emit = options.emit;
    this.#ownConnections = options.ownConnections ?? null;
    this.#onCorrection = options.onCorrection;
    this.#onEnd = options.onEnd;
    this.#payloadReader = options.payloadReader ?? null;
    this.#linkReader = options.linkReader ?? null;
    this.#clock = options.clock ?? null;
    this.#mapping = options.mapping;
    this.#firstPayload = newFirstPayload(memory.bytes);
    const { localServices, windowsSuppressed = WINDOWS_SUPPRESSED, firstPayloadReader } = options;
    const host = this.#host(localServices ?? null, firstPayloadReader ?? null);
    const program = memory.start(host, windowsSuppressed);
    this.#program = program;
    this.#facts = new FactsMemory(buffer);
    this.#decoded = new Float64Array(buffer, DECODED, DECODED_NAMES.length);
    this.#flowsBy = new Float64Array(buffer, FLOWS_BY, REASON_NAMES.length);
    const batchAt = (at: number) => {
      const words = new Uint32Array(buffer, at, OBSERVATIONS_AT_ONCE * OBSERVATION_WORDS);
      return new ObservationBatch(OBSERVATIONS_AT_ONCE, words);
    };
    this.#observations = batchAt(OBSERVATIONS);
    this.#seen = batchAt(SEEN);
    this.#onSeen = options.onSeen ?? null;
    this.#records = new RecordBatch(
      new Uint32Array(buffer, RECORDS, RECORDS_AT_ONCE * RECORD_WORDS),
    );
    this.#onRecords = options.onRecords;
    if (options.hasFlowRecords) {
      const size = OBSERVATIONS_AT_ONCE * RECORD_WORDS;
      this.#observations.records = new Uint32Array(buffer, FLOW_RECORDS, size);
      program.wantFlowRecords();
    }
    this.#input = memory.newBatch();
    this.#announcements = {
      address: new Uint32Array(buffer, ANNOUNCED_ADDRESS, 4),
      announce: (family, port, protocol) => program.announce(family, port, protocol),
    };
    memory.words.set(makeSignFilter(), SIGN_FILTER / WORD);
    memory.bytes.set(STRENGTHS_OF_REASONS, STRENGTHS);
    memory.bytes.set(WEIGHTS_OF_PORTS, PORT_WEIGHTS);
    if (this.#payloadReader !== null) memory.bytes.set(this.#payloadReader.ports, READ_PORTS);
    if (this.#clock !== null) program.useClock();
    if (this.#ownConnections !== null) program.useOwn();
    if (localServices !== undefined) program.useListening();
    if (firstPayloadReader !== undefined) program.wantNames();
    if (this.#onSeen !== null) program.wantSeen();
    if (this.#onEnd !== undefined) program.wantEnds();
    if (this.#onRecords !== undefined) {
      program.wantRecords(options.recordInterval ?? DEFAULT_RECORD_INTERVAL);
    }
    this.#useMapping(options.mapping);
    program.setTime(this.#second, 0, this.#window);
  }

  /**
   * A batch in whose place a source can put packets, so that they need not be copied. There is room for
   * one at a time.
   */
  newBatch(): PacketBatch {
    const batch = this.memory.newBatch();
    batch.taker = this;
    return batch;
  }

  /** The time of what is handed on, in seconds since 1970-01-01 UTC. */
  get second(): number {
    return this.#second;
  }

  /** The engine as what takes packets of an interface, which has a number from 1. */
  takerOf(interfaceNumber: number): PacketTaker {
    const at = <Result>(take: () => Result): Result => {
      this.#program.setInterface(interfaceNumber);
      const result = take();
      this.#program.setInterface(0);
      return result;
    };
    return {
      takeRecords: (...records) => at(() => this.takeRecords(...records)),
      takeFrames: (...frames) => at(() => this.takeFrames(...frames)),
    };
  }

  /** Whether a batch lies in the input. */
  isInput({ bytes }: PacketBatch): boolean {
    return bytes.buffer === this.memory.buffer && bytes.byteOffset === INPUT;
  }

  /** Takes the packets of the index of a batch. */
  take(batch: PacketBatch): void {
    this.#followClock();
    if (batch.bytes.buffer === this.memory.buffer && batch.offset.buffer === this.memory.buffer) {
      this.#program.takeIndexed(0, batch.count);
      this.#countQueries();
      return;
    }
    for (let from = 0; from < batch.count;) {
      const end = this.#copy(batch, from);
      this.#program.takeIndexed(0, end - from);
      from = end;
    }
    this.#countQueries();
  }

  takeRecords(
    { header, littleEndian, linkType, most, perMillisecond }: RecordFormat,
    from: number,
    end: number,
    packets: number,
  ): { next: number; count: number } {
    this.#followClock();
    const next = this.#program.takeRecords(
      INPUT + from,
      INPUT + end,
      packets,
      header,
      most,
      !littleEndian,
      perMillisecond,
      linkType,
    );
    this.#countQueries();
    return { next: next - INPUT, count: this.#program.taken() };
  }

  takeFrames(from: number, count: number, back: number, linkType: number): void {
    this.#followClock();
    this.#program.takeFrames(INPUT + from, count, back, linkType);
    this.#countQueries();
  }

  /** Classifies what is pending and emits all that was observed. */
  flush(): void {
    this.#flush(true);
  }

  /**
   * The same but for what may be known better in a few seconds: connections of which nothing was seen but
   * an ACK. So the keys of those are right more often.
   */
  flushDue(): void {
    this.#flush(false);
  }

  #flush(isAll: boolean): void {
    this.#followClock();
    this.#program.classifyPending(isAll);
    this.#fragments.flush(this.#second);
    this.#payloadReader?.flush();
    this.#program.flushObservations();
    this.#program.flushSeen();
    this.#program.walkRecords();
  }

  /**
   * Says of all conversations that they are over, as far as records go: the packets have come to an end.
   * There may be a million of them.
   */
  endRecords(): void {
    for (const _ of this.endingRecords());
  }

  /** The same, in steps between which one may wait for whoever takes the records. */
  *endingRecords(): Generator<void> {
    this.flush();
    for (let from = 0; this.#program.endRecords(from, ENDED_AT_ONCE); from += ENDED_AT_ONCE) yield;
  }

  /** Reads what came of messages in fragments of which no more will come, and does what a flush does. */
  end(): void {
    this.#fragments.end();
    this.flush();
  }

  /** Writes a client key, unless it is suppressed, for what a payload reader found of this client. */
  writeClient(isIpv6: boolean, client: Uint32Array): void {
    this.#put(client, 0, isIpv6, KEY_ADDRESS);
    this.#program.writeClient(isIpv6, KEY_ADDRESS);
  }

  /** Puts another mapping in the place of the present one. All conversations are classified again. */
  setMapping(mapping: Mapping): void {
    this.flush();
    this.#useMapping(mapping);
    this.declassify();
  }

  /** Says that packets may have gone by unseen: first packets are then no evidence for a while. */
  noteGap(): void {
    this.#program.noteGap(this.#second);
  }

  /** Forgets what the mapping said of the conversations, so that it is asked again for each. */
  declassify(): void {
    this.#program.declassifyAll();
  }

  /**
   * Reads all that is known of a conversation. Not for the hot path.
   *
   * @param facts One direction of it: addresses, ports and protocol. Its evidence is filled in, which
   * has what is known of the ends also when the conversation itself was not seen.
   * @returns Whether it was.
   */
  readEvidence(facts: Facts): boolean {
    this.flush();
    const isIpv6 = facts.family === 6;
    this.#facts.write(facts);
    const number = this.#program.findFacts(false);
    this.#program.readAll(isIpv6, number, this.#program.directionFound());
    this.#facts.readEvidence(facts.evidence);
    return number !== 0;
  }

  /**
   * The record of a conversation, if it was seen and is attributed. Not for the hot path.
   *
   * @param facts One direction of it.
   */
  recordOf(facts: Facts): RecordBatch | null {
    this.flush();
    this.#program.flushRecords();
    this.#facts.write(facts);
    if (this.#program.recordFacts() === 0) return null;
    const batch = new RecordBatch(this.#records.words.slice(0, RECORD_WORDS));
    batch.count = 1;
    return batch;
  }

  /** Calls `visit` with each conversation that is remembered, those of a family by when they were seen. */
  forEachConversation(visit: (conversation: ConversationRecord) => void): void {
    const { view } = this.memory;
    this.flush();
    forEachConversation(view, (isIpv6, number) => visit(readConversation(view, isIpv6, number)));
  }

  /** What was counted up to now. */
  statistics(): EngineStatistics {
    const { view, buffer } = this.memory;
    const program = this.#program;
    const became = new Float64Array(buffer, BECAME, BECAME_NAMES.length);
    const sum = (word: number) =>
      view.getUint32(TABLE4 + word, true) + view.getUint32(TABLE6 + word, true);
    return {
      decoded: [...this.#decoded],
      undecoded: this.#undecoded.list(),
      conversations: sum(TABLE_COUNT) - sum(TABLE_UNOPENED_COUNT),
      forgotten: sum(TABLE_FORGOTTEN),
      evidence: {
        ends: program.forgottenEnds(),
        halfOpen: program.forgottenHalfOpen(),
        suppressedKeys: program.forgottenKeysOf(),
      },
      became: [...became].with(ONLY_OPENED, program.onlyOpenedCount()),
      examples: BECAME_NAMES.map((_, kind) => exampleAt(buffer, EXAMPLES + kind * EXAMPLE)),
      corrections: this.#corrections,
      flowsBy: [...this.#flowsBy],
      flows: this.#flowsBy.reduce((flows, by) => flows + by, 0),
      keys: this.#emitted + this.#program.observationsLeft(),
    };
  }

  #useMapping(mapping: Mapping): void {
    this.#mapping = mapping;
    this.#useTunnels(mapping.tunnels);
    this.memory.words.set(mapping.compiled, MAPPING / WORD);
    this.#program.useMapping();
  }

  #useTunnels(tunnels: Tunnels): void {
    const opensTunnels = tunnels !== "outer";
    this.#header.opensTunnels = opensTunnels;
    this.#attributesOuter = tunnels === "both";
    this.#program.useTunnels(opensTunnels, this.#attributesOuter);
    const bits = this.memory.bytes;
    bits.fill(0, TUNNEL_PORT_BITS, TUNNEL_PORT_BITS + TUNNEL_PORT_BITS_SIZE);
    if (!opensTunnels) return;
    for (const port of TUNNEL_PORTS) bits[TUNNEL_PORT_BITS + (port >>> 3)] |= 1 << (port & 7);
  }

  /**
   * Puts packets that lie elsewhere into the input, as many as there is room for, and one at least.
   *
   * @param from The index of the first.
   * @returns The index after the last.
   */
  #copy(batch: PacketBatch, from: number): number {
    const input = this.#input;
    const { bytes, offset, captured, count } = batch;
    let at = 0;
    let end = from;
    for (; end < count && end - from < BATCH_PACKETS; end++) {
      // Nothing is read of what is further from a packet's beginning.
      const size = Math.min(captured[end], INPUT_SIZE);
      if (at + size > INPUT_SIZE) break;
      const i = end - from;
      input.bytes.set(bytes.subarray(offset[end], offset[end] + size), at);
      input.offset[i] = at;
      input.captured[i] = size;
      input.length[i] = batch.length[end];
      input.seconds[i] = batch.seconds[end];
      input.milliseconds[i] = batch.milliseconds[end];
      input.linkType[i] = batch.linkType[end];
      input.interface[i] = batch.interface[end];
      at += size;
    }
    return end;
  }

  #countQueries(): void {
    const queries = this.#program.queries();
    if (queries > 0) this.#payloadReader?.countQueries?.(queries);
  }

  /** Decodes a packet that is not as most are. */
  #decode(start: number, captured: number, linkType: number, length: number): void {
    const header = this.#header;
    const { view } = this.memory;
    let outcome = decode(view, start, start + captured, linkType, header);
    let isRead = outcome === TRANSPORT &&
      this.memory.bytes[READ_PORTS + header.sourcePort] !== 0;
    if (header.isFragment && (isRead || this.#fragments.isHolding)) {
      // A datagram may be read with this fragment: what came before that has its turn before that.
      this.#program.takeGroup();
      outcome = decode(view, start, start + captured, linkType, header);
    }
    if (outcome === TRANSPORT) {
      this.#decoded[TRANSPORT]++;
      const octets = header.ipLength || length - (header.ipOffset - start);
      if (header.isFragment) isRead = this.#takeFirstFragment(octets, isRead);
      else this.#add(octets);
      if (isRead) this.#program.addWhole(start, captured, linkType);
    } else if (outcome === LATER_FRAGMENT && header.isFragment) {
      this.#takeLaterFragment(header.ipLength || length - (header.ipOffset - start));
    } else {
      this.#decoded[outcome]++;
      if (outcome === UNREACHABLE) this.#program.addWhole(start, captured, linkType);
      else this.#undecoded.note(outcome, header);
      if (this.#linkReader !== null) this.#readLink(this.#linkReader, outcome);
    }
    if (header.nested !== 0) this.#addOuter(start, length);
  }

  /** Reads a packet that was decoded, and is neither TCP nor UDP, if it is one that is wanted. */
  #readLink(reader: LinkReader, outcome: number): void {
    const header = this.#header;
    const { view } = this.memory;
    if (outcome === NOT_IP) {
      if (!reader.etherTypes.has(header.notIp)) return;
      reader.readLink(view, header, header.notIp, this.#packetSecond);
    } else if (outcome === OTHER_ICMP && header.isIpv6) {
      if (!reader.icmpv6Types.has(view.getUint8(header.payloadOffset))) return;
      reader.readLink(view, header, 0, this.#packetSecond);
    }
  }

  /**
   * Takes the first fragment of a datagram, and those that came before it.
   *
   * @returns Whether it is still to be read by itself.
   */
  #takeFirstFragment(octets: number, isWanted: boolean): boolean {
    const header = this.#header;
    const fragments = this.#fragments;
    const isHeld = fragments.takeFirst(this.memory.view, header, this.#packetSecond, isWanted);
    this.#add(octets);
    const { packetsBefore, octetsBefore } = fragments;
    if (packetsBefore > 0) {
      this.#decoded[LATER_FRAGMENT] -= packetsBefore;
      this.#decoded[TRANSPORT] += packetsBefore;
      header.payloadOffset = header.payloadEnd;
      // As one packet: how many there were nobody asks.
      this.#add(octetsBefore);
    }
    return isWanted && !isHeld;
  }

  #takeLaterFragment(octets: number): void {
    const { view } = this.memory;
    const isKnown = this.#fragments.takeLater(view, this.#header, this.#packetSecond, octets);
    this.#decoded[isKnown ? TRANSPORT : LATER_FRAGMENT]++;
    if (isKnown) this.#add(octets);
  }

  /** Puts the outermost IP packet that the packet is in into the group, whatever is in it. */
  #addOuter(start: number, length: number): void {
    const header = this.#header;
    let layer = 0;
    while (layer < header.nested && header.around[layer].protocol === 0) layer++;
    if (layer === header.nested) return;
    const outer = header.around[layer];
    const octets = Math.min(outer.ipLength || length - (outer.ipOffset - start), OCTETS_MASK);
    const program = this.#program;
    const { isIpv6, addresses, sourcePort, destinationPort, protocol } = outer;
    if (isIpv6) this.memory.words.set(addresses, program.nextAddresses() / WORD);
    const [source, destination] = [addresses[SOURCE + 3], addresses[DESTINATION + 3]];
    if (this.#attributesOuter && protocol === PROTOCOL_UDP) {
      const ports = (sourcePort << 16) | destinationPort;
      if (isIpv6) program.add6(ports, PROTOCOL_UDP, octets, 0, 0, header.vlan);
      else program.add4(source, destination, ports, PROTOCOL_UDP, octets, 0, 0, header.vlan);
    } else if (isIpv6) program.addOuter6(octets);
    else program.addOuter4(source, destination, octets);
  }

  /** Puts the packet whose headers were read into its group. */
  #add(octets: number): void {
    const program = this.#program;
    const header = this.#header;
    const { payloadOffset, payloadEnd, addresses, vlan } = header;
    const ports = (header.sourcePort << 16) | header.destinationPort;
    const about = (header.tcpFlags << FLAGS_SHIFT) | header.protocol |
      (payloadOffset < payloadEnd ? HAS_PAYLOAD : 0);
    const counted = Math.min(octets, OCTETS_MASK);
    if (header.tunnel !== NO_TUNNEL) program.setTunnel(header.tunnel, header.tunnelId);
    if (header.isIpv6) {
      this.memory.words.set(addresses, program.nextAddresses() / WORD);
      program.add6(ports, about, counted, payloadOffset, payloadEnd, vlan);
    } else {
      const source = addresses[SOURCE + 3];
      const destination = addresses[DESTINATION + 3];
      program.add4(source, destination, ports, about, counted, payloadOffset, payloadEnd, vlan);
    }
  }

  /** Reads a packet as a whole. */
  #read(start: number, captured: number, linkType: number): void {
    const { view } = this.memory;
    const header = this.#header;
    const outcome = decode(view, start, start + captured, linkType, header);
    if (outcome === UNREACHABLE) this.#takeUnreachable();
    else this.#payloadReader!.read(view, header, this.#packetSecond, this.#window);
  }

  #takeUnreachable(): void {
    const header = this.#header;
    const { isIpv6, bouncedSourcePort, bouncedDestinationPort, bouncedProtocol } = header;
    const program = this.#program;
    this.#put(this.#addresses, DESTINATION, isIpv6, KEY_ADDRESS);
    this.#facts.setFamily(isIpv6);
    this.#put(this.#bounced, SOURCE, isIpv6, FACTS_SOURCE);
    this.#put(this.#bounced, DESTINATION, isIpv6, FACTS_DESTINATION);
    this.#facts.setPorts(bouncedSourcePort, bouncedDestinationPort);
    program.noteUnreachable(bouncedProtocol);
    if (program.isLocal(KEY_ADDRESS) === 0) return;
    if (this.#ownConnections !== null && bouncedProtocol === PROTOCOL_TCP) {
      if (this.#facts.judge(this.#ownConnections) !== NOT_OURS) return;
    }
    program.writeRefusal(
      KIND_ICMP,
      isIpv6,
      KEY_ADDRESS,
      FACTS_DESTINATION,
      (bouncedSourcePort << 16) | bouncedDestinationPort,
      header.icmpCode,
      bouncedProtocol,
    );
  }

  /** Puts an address, of which IPv4 is in the last word, into the memory, the other words 0. */
  #put(words: Uint32Array, at: number, isIpv6: boolean, into: number): void {
    for (let word = 0; word < 4; word++) {
      this.memory.words[into / WORD + word] = isIpv6 || word === 3 ? words[at + word] : 0;
    }
  }

  #followClock(): void {
    if (this.#clock === null) return;
    const now = this.#clock();
    const second = Math.floor(now);
    this.#packetSecond = second;
    this.#setTime(second, Math.floor((now - second) * 1000));
  }

  #followPacket(second: number): void {
    if (this.#clock !== null) return;
    this.#packetSecond = second;
    if (second === this.#second || isOutOfOrder(second, this.#second)) return;
    this.flushDue();
    this.#setTime(second, 0);
  }

  #setTime(second: number, millisecond: number): void {
    const passed = second - this.#second;
    const program = this.#program;
    if (passed < 0 || passed > LONGEST_SILENCE_SECONDS) program.noteGap(second);
    this.#second = second;
    this.#windowClock.set(second);
    this.#window = this.#windowClock.window;
    program.setTime(second, millisecond, this.#window);
  }

  /** What the program asks. It gives words as signed ones. */
  #host(
    localServices: LocalServices | null,
    firstPayloadReader: FirstPayloadReader | null,
  ): EngineHost {
    return {
      followTime: (second) => this.#followPacket(second >>> 0),
      decode: (packet, captured, linkType, length) =>
        this.#decode(packet, captured, linkType, length >>> 0),
      read: (packet, captured, linkType) => this.#read(packet, captured, linkType),
      payloadRole: (protocol, payload, end, ports, order) =>
        payloadRole(
          protocol,
          this.memory.view,
          payload,
          end,
          ports >>> 16,
          ports & 0xffff,
          order,
        ),
      readFirst: (
        isIpv6,
        number,
        direction,
        protocol,
        payload,
        size,
        flags,
        sequence,
        isFirst,
        isEarly,
      ) => {
        const first = this.#firstPayload;
        first.key = (number * 2 + isIpv6) * 2 + direction;
        first.otherKey = first.key ^ 1;
        first.isFirst = isFirst !== 0;
        first.isEarly = isEarly !== 0;
        first.protocol = protocol;
        first.tcpFlags = flags;
        first.sequence = sequence >>> 0;
        first.start = payload;
        first.end = payload + size;
        first.name = this.memory.words[CARRIED_NAME / WORD] >>> 0;
        const answer = firstPayloadReader!.read(first);
        this.memory.words[CARRIED_NAME / WORD] = first.name;
        return answer;
      },
      readAnnouncements: (protocol, payload, end) =>
        readAnnouncements(protocol, this.memory.view, payload, end, this.#announcements),
      emit: (count) => {
        this.#observations.count = count;
        this.#emit(this.#observations);
        this.#emitted += count;
      },
      see: (count) => {
        this.#seen.count = count;
        this.#onSeen!(this.#seen);
      },
      judgeOwn: () => this.#facts.judge(this.#ownConnections!),
      wasOwnAttempt: (seconds) => this.#facts.wasAttempt(this.#ownConnections!, seconds >>> 0),
      isListening: (isIpv6, address, port, protocol) =>
        localServices!.has(
          this.memory.words,
          (address >>> 0) / WORD,
          isIpv6 !== 0 ? 4 : 1,
          port,
          protocol,
        ),
      askFunction: (rule) => this.#mapping.askFunction(rule, this.#facts.read()),
      corrected: (before, after) => {
        this.#corrections++;
        this.#onCorrection?.(this.#facts.read(), before, after);
      },
      ended: (isIpv6, number) =>
        this.#onEnd!(readConversation(this.memory.view, isIpv6 !== 0, number)),
      record: (count) => {
        this.#records.count = count;
        this.#onRecords!(this.#records);
      },
    };
  }
}

function newFirstPayload(bytes: Uint8Array): FirstPayload {
  return {
    bytes,
    key: 0,
    otherKey: 0,
    isFirst: true,
    isEarly: false,
    protocol: 0,
    tcpFlags: 0,
    sequence: 0,
    start: 0,
    end: 0,
    name: 0,
  };
}
