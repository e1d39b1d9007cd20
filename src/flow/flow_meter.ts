import type { PacketBatch } from "../capture/packet_batch.ts";
import { emptyFacts, type Facts } from "../config/facts.ts";
import type { Mapping } from "../config/mapping.ts";
import type { EndEvidence, Evidence } from "../config/evidence.ts";
import type { Outcome } from "../config/outcome.ts";
import { decode } from "../packet/decode.ts";
import { DECODED_NAMES, UNREACHABLE } from "../packet/decoded.ts";
import {
  DESTINATION,
  PacketHeader,
  PROTOCOL_TCP,
  SOURCE,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "../packet/packet_header.ts";
import { addedCounts, type UndecodedCount } from "../packet/undecoded_counts.ts";
import {
  SIGHTING_CAPTURED,
  SIGHTING_LINK_TYPE,
  SIGHTING_OFFSET,
  type SightingBatch,
} from "../sieve/sighting_batch.ts";
import { payloadSays } from "../payload/payload_says.ts";
import type { SieveSettings } from "../sieve/sieve_memory.ts";
import { BatchDecoder, type DecoderSettings } from "./batch_decoder.ts";
import {
  ConversationTable,
  HOT_ADDRESSES,
  HOT_LAST_SEEN,
  HOT_STATE,
  HOT_UNTIL,
  IPV4_HOT_SHIFT,
  IPV6_HOT_SHIFT,
  PREFETCHED_AT_ONCE,
  STATE_NEW,
  STATE_WANTS_PAYLOAD,
} from "./conversation_table.ts";
import { DEFAULT_MAX_CONVERSATIONS } from "./default_max_conversations.ts";
import { DecodedBatch, type PacketPlaces } from "./decoded_batch.ts";
import { WINDOWS_HELD } from "./held_keys.ts";
import { isLate } from "./late.ts";
import type { LocalServices } from "./local_services.ts";
import { KeyWriter } from "./key_writer.ts";
import {
  FACT_DESTINATION,
  FACT_DESTINATION_END,
  FACT_DESTINATION_NETWORK,
  FACT_DESTINATION_PORT,
  FACT_FIRST_SENDER,
  FACT_IS_IPV6,
  FACT_OPENER,
  FACT_OPENER_BY,
  FACT_PAYLOAD_SERVER,
  FACT_PROTOCOL,
  FACT_SOURCE,
  FACT_SOURCE_END,
  FACT_SOURCE_NETWORK,
  FACT_SOURCE_PORT,
  FAN_IN_MASK,
  FAN_IN_SHIFT,
  LISTENS,
  LOOK_FIRST,
  LOOK_NOT,
  type MeterHost,
  MeterMemory,
  OPENED,
  SERVED,
} from "./meter_memory.ts";
import type { ObservationBatch } from "./observation_batch.ts";
import { KIND_ICMP, KIND_RST } from "./observation_batch.ts";
import {
  add4,
  add6,
  DIRECTION_SHIFT,
  fillNobody,
  find4,
  find6,
  FLAGS_SHIFT,
  PacketList,
} from "./packet_list.ts";
import { NOT_OURS, type OwnConnections } from "./own_connections.ts";
import { ONLY_OPENED } from "./no_flow.ts";
import type { PayloadReader } from "./payload_reader.ts";
import { WindowClock } from "./window_clock.ts";

/** TCP and UDP ports that there are. */
const PORTS = 1 << 16;
/** After a longer time without a packet or a flush, what went on in between may have gone unseen. */
const LONGEST_SILENCE_SECONDS = 30;

const CONTROL = TCP_SYN | TCP_FIN | TCP_RST;
const WANTS_LOOK = STATE_NEW | STATE_WANTS_PAYLOAD;
const NOWHERE: PacketPlaces = {
  view: new DataView(new ArrayBuffer()),
  offset: new Int32Array(),
  captured: new Int32Array(),
  linkType: new Uint16Array(),
};

/** Meters that were made in this thread. */
let meters = 0;

/** How a {@linkcode FlowMeter} is made. */
export interface FlowMeterOptions {
  /** The user's flow mapping. */
  mapping: Mapping;
  /** Takes what is observed. The batch is used again as soon as this returns. */
  emit: (batch: ObservationBatch) => void;
  /**
   * The time in seconds since 1970-01-01 UTC. Without one, time is that of the packets, and what
   * was observed in a second is emitted when the next one begins.
   */
  clock?: () => number;
  /**
   * Takes flows and refusals that were seen again while their keys are held back, with the second in
   * which they were seen last: refusals as they come, flows at {@linkcode FlowMeter.emitSeen}. The batch
   * is used again as soon as this returns.
   */
  onSeen?: (batch: ObservationBatch) => void;
  /** Conversations of each address family that are remembered. @default 1_000_000 */
  maxConversations?: number;
  /**
   * In how many windows of 30 s a key is held back after it was emitted. @default 3, as the Redis
   * contract has it; less for whoever holds them back again.
   */
  windowsHeld?: number;
  /** The sensor's own connections, which are left out. */
  ownConnections?: OwnConnections;
  /** What the host listens on, where packets are its own. */
  localServices?: LocalServices;
  /** Told of a conversation whose attribution gave way to stronger evidence. */
  onCorrection?: (facts: Facts, before: Outcome, after: Outcome) => void;
  /** Reads what packets from certain ports carry. */
  payloadReader?: PayloadReader;
}

/** What was forgotten to make room, besides conversations: how often. */
export interface ForgottenStatistics {
  /** Ends: who served, who was talked with from many ports. */
  ends: number;
  /** Connections that were not open yet. */
  halfOpen: number;
  /** Keys that were held back, and so were written before their time. */
  heldKeys: number;
}

/** One of many conversations, to show them by. */
export interface ConversationExample {
  /** Its address family. */
  isIpv6: boolean;
  /** IANA's number. */
  protocol: number;
  /** Four words in network order, IPv4 in the last of them. */
  source: Uint32Array;
  /** The port of its source. */
  sourcePort: number;
  /** As `source`. */
  destination: Uint32Array;
  /** The port of its destination. */
  destinationPort: number;
}

/** What a {@linkcode FlowMeter} counted. */
export interface FlowMeterStatistics {
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
  /** Flow keys by what decided them, in the order of `BY_NAMES`. */
  flowsBy: readonly number[];
  /** Flow keys that were emitted. */
  flows: number;
  /** Keys of all kinds that were emitted. */
  keys: number;
}

/**
 * Turns packets into observations: who used whose service, who was refused, what was unreachable.
 *
 * A packet costs a look into the table of conversations, unless it repeats what was seen in the same
 * second. The mapping is not asked when a packet comes but at the next flush, about a direction of a conversation, and its answer is remembered. It is
 * asked again only where a key may be written anew and stronger evidence could still change what it
 * said. The rules are those of the Redis contract, in its order.
 */
export class FlowMeter {
  readonly #decoded = new Float64Array(DECODED_NAMES.length);
  readonly #header = new PacketHeader();
  /** The header's addresses, read as the mapping reads them. */
  readonly #addresses = new Uint32Array(this.#header.addresses.buffer);
  readonly #sources = [
    this.#addresses.subarray(SOURCE, SOURCE + 4),
    this.#addresses.subarray(DESTINATION, DESTINATION + 4),
  ];
  readonly #bouncedAddresses = new Uint32Array(this.#header.bouncedAddresses.buffer);
  readonly #bounced = [
    this.#bouncedAddresses.subarray(SOURCE, SOURCE + 4),
    this.#bouncedAddresses.subarray(DESTINATION, DESTINATION + 4),
  ];
  /** What the program asks about: its addresses are those of the memory. */
  readonly #facts: Facts;
  readonly #ipv4: ConversationTable;
  readonly #ipv6: ConversationTable;
  readonly #decoder: BatchDecoder;
  readonly #own: DecodedBatch;
  #sum = 0;
  readonly #emitsSeen: boolean;
  /** Up to when flows were listed that were seen. */
  #seenSince = 0;
  /** How far the lists of a batch were taken. */
  #taken4 = 0;
  #taken6 = 0;
  readonly #keys: KeyWriter;
  readonly #clock: (() => number) | null;
  readonly #ownConnections: OwnConnections | null;
  readonly #memory: MeterMemory;
  readonly #onCorrection: FlowMeterOptions["onCorrection"];
  #corrections = 0;
  readonly #payloadReader: PayloadReader | null;
  readonly #maxConversations: number;
  /** How packets have to be decoded for {@linkcode FlowMeter.takeDecoded}. */
  readonly decoderSettings: DecoderSettings;
  readonly #id = ++meters;
  /** Counts, for a sieve, how often all conversations were to be seen anew. */
  readonly #anew = new Int32Array(1);
  /** What a sieve remembers, and has forgotten. */
  readonly #sifted = {
    conversations: 0,
    forgotten: 0,
    undecoded: null as SightingBatch["undecoded"] | null,
    lastSeen: null as SightingBatch["lastSeen"] | null,
  };
  /** The time of what a sieve sends on, which may be earlier than the meter's. */
  #sightingSecond = 0;
  #sightingPlaces: PacketPlaces = NOWHERE;
  /** Index of their first word. */
  #sightingsFrom = 0;
  #mapping: Mapping;
  #second = 0;
  readonly #windowClock = new WindowClock();
  #window = this.#windowClock.window;

  /** Makes a meter that has seen nothing yet. */
  constructor(options: FlowMeterOptions) {
    const most = options.maxConversations ?? DEFAULT_MAX_CONVERSATIONS;
    this.#maxConversations = most;
    this.#ownConnections = options.ownConnections ?? null;
    this.#onCorrection = options.onCorrection;
    const localServices = options.localServices ?? null;
    const memory = new MeterMemory({
      maxConversations: most,
      windowsHeld: options.windowsHeld ?? WINDOWS_HELD,
      host: this.#host(localServices),
      hasOwn: this.#ownConnections !== null,
      hasListening: localServices !== null,
    });
    this.#memory = memory;
    this.#facts = {
      ...emptyFacts(),
      source: new Uint32Array(memory.facts.buffer, memory.facts.byteOffset + 4 * FACT_SOURCE, 4),
      destination: new Uint32Array(
        memory.facts.buffer,
        memory.facts.byteOffset + 4 * FACT_DESTINATION,
        4,
      ),
    };
    const beforeForgetting = () => this.#prepareForgetting();
    this.#ipv4 = new ConversationTable(1, most, beforeForgetting, memory.ipv4);
    this.#ipv6 = new ConversationTable(4, most, beforeForgetting, memory.ipv6);
    this.#keys = new KeyWriter(memory.keys, options.emit, options.onSeen);
    this.#emitsSeen = options.onSeen !== undefined;
    if (this.#emitsSeen) {
      this.#ipv4.onForget = (number) => this.#listSeen(false, number, number + 1);
      this.#ipv6.onForget = (number) => this.#listSeen(true, number, number + 1);
    }
    this.#mapping = options.mapping;
    memory.setMapping(options.mapping.image);
    memory.program.setTime(this.#second, this.#window);
    this.#clock = options.clock ?? null;
    this.#payloadReader = options.payloadReader ?? null;
    this.decoderSettings = {
      readPorts: this.#payloadReader?.ports ?? new Uint8Array(PORTS),
    };
    this.#decoder = new BatchDecoder(this.decoderSettings);
    this.#own = new DecodedBatch(NOWHERE, PREFETCHED_AT_ONCE);
  }

  /**
   * What a sieve has to know, so that {@linkcode FlowMeter.takeSightings} can take what it sends on. It
   * keeps to the own networks of the mapping that there is now.
   */
  get sieveSettings(): SieveSettings {
    return {
      id: this.#id,
      maxConversations: this.#maxConversations,
      readPorts: this.decoderSettings.readPorts,
      ownNetworks: this.#mapping.ourNets,
      anew: this.#anew,
    };
  }

  /** Takes the packets of a batch. */
  take(batch: PacketBatch): void {
    const own = this.#own;
    own.places = batch;
    const now = this.#clock === null ? null : this.#clock();
    if (now !== null) this.#setTime(now);
    for (let from = 0; from < batch.count;) {
      from = this.#decoder.decode(batch, from, batch.count, own, now);
      this.takeDecoded(own);
    }
  }

  /**
   * Takes what a sieve with {@linkcode FlowMeter.sieveSettings} sends on, on the packets' own time. A
   * meter that takes such takes nothing else.
   */
  takeSightings(batch: SightingBatch): void {
    const { view, words, end, decoded } = batch;
    for (let i = 0; i < decoded.length; i++) this.#decoded[i] += decoded[i];
    this.#sifted.conversations = batch.conversations;
    this.#sifted.forgotten = batch.forgotten;
    this.#sifted.undecoded = batch.undecoded;
    this.#sifted.lastSeen = batch.lastSeen;
    this.#payloadReader?.countQueries?.(batch.queries);
    this.#placesIn(view, words);
    this.#sightingsFrom = batch.from;
    const { sightings, program } = this.#memory;
    sightings.set(words.subarray(batch.from, end));
    const at = sightings.byteOffset;
    program.takeSightings(at, at + (end - batch.from) * 4);
  }

  /** Says where packets lie that a sieve has sent on as a whole, by the index of their first word. */
  #placesIn(view: DataView<ArrayBufferLike>, words: Int32Array): void {
    if (this.#sightingPlaces.view === view) return;
    this.#sightingPlaces = {
      view,
      offset: words.subarray(SIGHTING_OFFSET),
      captured: words.subarray(SIGHTING_CAPTURED),
      linkType: words.subarray(SIGHTING_LINK_TYPE),
    };
  }

  /**
   * Takes packets that were decoded with {@linkcode FlowMeter.decoderSettings}, on their own time. A
   * meter that has a clock takes what it decodes itself.
   */
  takeDecoded(batch: DecodedBatch): void {
    const { groupCount, groupSeconds, groupEnd4, groupEnd6, groupEndOther, decoded } = batch;
    for (let i = 0; i < decoded.length; i++) this.#decoded[i] += decoded[i];
    let from4 = 0;
    let from6 = 0;
    let fromOther = 0;
    for (let group = 0; group < groupCount; group++) {
      const second = groupSeconds[group] >>> 0;
      if (this.#clock === null) this.#followPacket(second);
      const end4 = groupEnd4[group];
      const end6 = groupEnd6[group];
      this.#sum ^= this.#ipv4.prefetch(batch.ipv4.hash, from4, end4);
      this.#sum ^= this.#ipv6.prefetch(batch.ipv6.hash, from6, end6);
      // In their order, as groups are not the same wherever packets come from.
      for (; fromOther < groupEndOther[group]; fromOther++) {
        const other = batch.other[fromOther];
        this.#takeUpTo(batch, from4, end4, from6, end6, other);
        from4 = this.#taken4;
        from6 = this.#taken6;
        this.#takeOther(batch.places, other, second);
      }
      this.#takeUpTo(batch, from4, end4, from6, end6, Infinity);
      from4 = end4;
      from6 = end6;
    }
  }

  /** Takes packets of both families in their order, up to a packet, and notes how far that is. */
  #takeUpTo(
    batch: DecodedBatch,
    from4: number,
    end4: number,
    from6: number,
    end6: number,
    before: number,
  ): void {
    const packets4 = batch.ipv4.packet;
    const packets6 = batch.ipv6.packet;
    for (;;) {
      const next4 = from4 === end4 ? Infinity : packets4[from4];
      const next6 = from6 === end6 ? Infinity : packets6[from6];
      if (Math.min(next4, next6) >= before) break;
      if (next4 < next6) from4 = this.#takeGroup4(batch, from4, end4, Math.min(next6, before));
      else from6 = this.#takeGroup6(batch, from6, end6, Math.min(next4, before));
    }
    this.#taken4 = from4;
    this.#taken6 = from6;
  }

  /** Judges what is due and emits all that was observed. */
  flush(): void {
    if (this.#clock !== null) this.#setTime(this.#clock());
    this.#judgeDue();
    this.#payloadReader?.flush();
    this.#keys.flush();
  }

  /** Emits when flows were seen last that were seen since it was called before. */
  emitSeen(): void {
    if (!this.#emitsSeen) return;
    this.#readLastSeen();
    const { program } = this.#memory;
    this.#listSeen(false, 1, Math.max(this.#ipv4.end, program.placedEnd(false)));
    this.#listSeen(true, 1, Math.max(this.#ipv6.end, program.placedEnd(true)));
    this.#keys.flushSeen();
    this.#seenSince = this.#second;
  }

  /** Reads from a sieve when conversations were seen last. */
  #readLastSeen(): void {
    const { lastSeen } = this.#sifted;
    if (lastSeen === null) return;
    for (const table of [this.#ipv4, this.#ipv6]) {
      const isIpv6 = table === this.#ipv6;
      const { hot, hotShift } = table;
      for (let number = this.#memory.program.placedEnd(isIpv6) - 1; number > 0; number--) {
        hot[(number << hotShift) + HOT_LAST_SEEN] = lastSeen(isIpv6, number);
      }
    }
  }

  #listSeen(isIpv6: boolean, from: number, end: number): void {
    const { program } = this.#memory;
    const keys = this.#keys;
    const { seen, seenAt } = keys;
    for (let number = from; number < end;) {
      if (seen.count + 2 > seen.capacity) keys.flushSeen();
      number = program
        .listSeen(isIpv6, number, end, this.#seenSince, seenAt, seen.count, seen.capacity);
      seen.count = program.seenListed();
    }
  }

  /** Writes a client key, unless it is held back, for what a payload reader found of this client. */
  writeClient(isIpv6: boolean, client: Uint32Array): void {
    this.#keys.setTime(this.#second, this.#window);
    this.#keys.writeClient(isIpv6, client);
  }

  /** Puts another mapping in the place of the present one. All conversations are judged anew. */
  setMapping(mapping: Mapping): void {
    this.flush();
    this.#mapping = mapping;
    this.#memory.setMapping(mapping.image);
    this.judgeAnew();
  }

  /** Says that packets may have gone by unseen: first packets are then no evidence for a while. */
  noteGap(): void {
    this.#memory.program.noteGap(this.#second);
  }

  /** Forgets what the mapping said of the conversations, so that it is asked again for each. */
  judgeAnew(): void {
    this.#decoder.forget();
    this.#anew[0]++;
    const { program } = this.#memory;
    this.#ipv4.judgeAnew(program.placedEnd(false));
    this.#ipv6.judgeAnew(program.placedEnd(true));
  }

  /**
   * Reads all that is known of a conversation. Not for the hot path. One that only a sieve knows is not
   * known here.
   *
   * @param facts One direction of it: addresses, ports and protocol. Its evidence is filled in, which
   * has what is known of the ends also when the conversation itself was not seen.
   * @returns Whether it was.
   */
  readEvidence(facts: Facts): boolean {
    this.flush();
    const isIpv6 = facts.family === 6;
    const header = this.#header;
    header.isIpv6 = isIpv6;
    header.addresses.set(facts.source, SOURCE);
    header.addresses.set(facts.destination, DESTINATION);
    header.sourcePort = facts.sourcePort;
    header.destinationPort = facts.destinationPort;
    header.protocol = facts.protocol;
    const table = isIpv6 ? this.#ipv6 : this.#ipv4;
    const list = new PacketList(isIpv6 ? 4 : 1, 1);
    if (isIpv6) list.add6(0, header);
    else list.add4(0, header);
    const direction = (list.about[0] >>> DIRECTION_SHIFT) & 1;
    const number = isIpv6 ? find6(table, list, 0) : find4(table, list, 0);
    if (number === 0) fillNobody(table, list, 0);
    this.#memory.program.readAll(isIpv6, number, direction);
    this.#readEvidence(facts.evidence);
    return number !== 0;
  }

  /** What was counted up to now. */
  statistics(): FlowMeterStatistics {
    const { program, became, examples } = this.#memory;
    return {
      decoded: [...this.#decoded],
      undecoded: addedCounts([
        this.#decoder.undecoded.list(),
        this.#sifted.undecoded?.list() ?? [],
      ]),
      conversations: this.#ipv4.count + this.#ipv6.count + this.#sifted.conversations,
      forgotten: this.#ipv4.forgotten + this.#ipv6.forgotten + this.#sifted.forgotten,
      evidence: {
        ends: program.forgottenEnds(),
        halfOpen: program.forgottenHalfOpen(),
        heldKeys: program.forgotten(),
      },
      became: [...became].with(ONLY_OPENED, program.onlyOpenedCount()),
      examples: examples.map(exampleOf),
      corrections: this.#corrections,
      flowsBy: [...this.#keys.flowsBy],
      flows: this.#keys.flows,
      keys: this.#keys.written,
    };
  }

  /** Takes a packet of which more than its headers is wanted, before its group is looked up. */
  #takeOther(places: PacketPlaces, packet: number, second: number): void {
    const header = this.#header;
    if (this.#decodeAgain(places, packet) === UNREACHABLE) this.#takeUnreachable(header);
    else this.#payloadReader?.read(places.view, header, second, this.#window);
  }

  /**
   * Takes IPv4 packets, up to one that comes too late.
   *
   * @returns The index after the last that was taken.
   */
  #takeGroup4(batch: DecodedBatch, from: number, end: number, before: number): number {
    const { ipv4: list, places } = batch;
    const { about, packet } = list;
    const table = this.#ipv4;
    const { hot } = table;
    const second = this.#second;
    const window = this.#window;
    let i = from;
    for (; i < end && packet[i] < before; i++) {
      const flags = about[i] >>> FLAGS_SHIFT;
      let number = find4(table, list, i);
      if ((flags & CONTROL) !== 0) {
        if ((flags & TCP_RST) !== 0) this.#decodeAgain(places, packet[i]);
        const isFlow = this.#countsAsFlow(flags);
        if (number !== 0 || !isFlow) this.#noteControl(table, number, list, i);
        if (!isFlow) {
          const isSeen = number !== 0 && (flags & TCP_SYN) === 0;
          if (isSeen) hot[(number << table.hotShift) + HOT_LAST_SEEN] = second;
          continue;
        }
      }
      if (number === 0) number = add4(table, list, i);
      const cell = number << IPV4_HOT_SHIFT;
      const direction = (about[i] >>> DIRECTION_SHIFT) & 1;
      hot[cell + HOT_LAST_SEEN] = second;
      if (
        (hot[cell + HOT_STATE] & WANTS_LOOK) !== 0 || hot[cell + HOT_UNTIL + direction] <= window
      ) this.#takeSighting(table, number, about[i], places, packet[i]);
    }
    return i;
  }

  /** The same for IPv6: two loops, as each is then made for one kind of table. */
  #takeGroup6(batch: DecodedBatch, from: number, end: number, before: number): number {
    const { ipv6: list, places } = batch;
    const { about, packet } = list;
    const table = this.#ipv6;
    const { hot } = table;
    const second = this.#second;
    const window = this.#window;
    let i = from;
    for (; i < end && packet[i] < before; i++) {
      const flags = about[i] >>> FLAGS_SHIFT;
      let number = find6(table, list, i);
      if ((flags & CONTROL) !== 0) {
        if ((flags & TCP_RST) !== 0) this.#decodeAgain(places, packet[i]);
        const isFlow = this.#countsAsFlow(flags);
        if (number !== 0 || !isFlow) this.#noteControl(table, number, list, i);
        if (!isFlow) {
          const isSeen = number !== 0 && (flags & TCP_SYN) === 0;
          if (isSeen) hot[(number << table.hotShift) + HOT_LAST_SEEN] = second;
          continue;
        }
      }
      if (number === 0) number = add6(table, list, i);
      const cell = number << IPV6_HOT_SHIFT;
      const direction = (about[i] >>> DIRECTION_SHIFT) & 1;
      hot[cell + HOT_LAST_SEEN] = second;
      if (
        (hot[cell + HOT_STATE] & WANTS_LOOK) !== 0 || hot[cell + HOT_UNTIL + direction] <= window
      ) this.#takeSighting(table, number, about[i], places, packet[i]);
    }
    return i;
  }

  /** Takes a packet of a conversation that is new, or wants to be looked at, or to be judged. */
  #takeSighting(
    table: ConversationTable,
    number: number,
    about: number,
    places: PacketPlaces,
    packet: number,
  ): void {
    const { program } = this.#memory;
    const isIpv6 = table === this.#ipv6;
    const { hot, hotShift } = table;
    const cell = number << hotShift;
    const direction = (about >>> DIRECTION_SHIFT) & 1;
    if ((hot[cell + HOT_STATE] & WANTS_LOOK) !== 0) {
      const look = program.gather(isIpv6, number, about);
      if (look !== LOOK_NOT) {
        const says = this.#lookAtPayload(places, packet, look === LOOK_FIRST);
        program.noteLook(isIpv6, number, direction, says);
      }
    }
    if (hot[cell + HOT_UNTIL + direction] > this.#window) return;
    table.touch(number);
    program.addDue(isIpv6, number, direction);
  }

  /** Notes a TCP packet with SYN, FIN or RST of a conversation, or of what is none. */
  #noteControl(table: ConversationTable, number: number, list: PacketList, at: number): void {
    if (number === 0) fillNobody(table, list, at);
    this.#memory.program.noteControl(table === this.#ipv6, number, list.about[at]);
  }

  /** Reads a packet's headers, of which the list has the most needed only. */
  #decodeAgain({ view, offset, captured, linkType }: PacketPlaces, packet: number): number {
    const start = offset[packet];
    return decode(view, start, start + captured[packet], linkType[packet], this.#header);
  }

  /** @returns What the payload of a packet says. */
  #lookAtPayload(places: PacketPlaces, packet: number, isFirst: boolean): number {
    this.#decodeAgain(places, packet);
    const { protocol, payloadOffset, payloadEnd, sourcePort, destinationPort } = this.#header;
    return payloadSays(
      protocol,
      places.view,
      payloadOffset,
      payloadEnd,
      sourcePort,
      destinationPort,
      isFirst,
    );
  }

  /**
   * Whether a TCP packet with one of SYN, FIN and RST is a sighting of a flow. With RST its headers
   * must have been read.
   */
  #countsAsFlow(flags: number): boolean {
    if ((flags & TCP_RST) !== 0 && this.#takeReset(this.#header)) return false;
    // A connection is attributed from its payload packets: then it is one that worked.
    return (flags & (TCP_SYN | TCP_FIN)) === 0;
  }

  /** The same for a packet with RST that a sieve has sent on. */
  #takeSiftedReset(isIpv6: boolean, direction: number, ports: number, addresses: number): boolean {
    const header = this.#header;
    const { words } = this.#memory;
    const addressWords = isIpv6 ? 4 : 1;
    header.isIpv6 = isIpv6;
    for (let end = 0; end < 2; end++) {
      const from = addresses / 4 + end * addressWords;
      const into = (end === direction ? SOURCE : DESTINATION) + 4 - addressWords;
      for (let word = 0; word < addressWords; word++) {
        header.addresses[into + word] = words[from + word];
      }
    }
    header.sourcePort = direction === 0 ? ports >>> 16 : ports & 0xffff;
    header.destinationPort = direction === 0 ? ports & 0xffff : ports >>> 16;
    return this.#takeReset(header);
  }

  /** @returns Whether the rst rule took the packet, so that no other looks at it. */
  #takeReset(header: PacketHeader): boolean {
    const [source, destination] = this.#sources;
    const { isIpv6, sourcePort, destinationPort } = header;
    if (!this.#mapping.isOurs(destination, 0, isIpv6)) return false;
    if (!isIpv6) clearUpperWords(this.#addresses);
    const own = this.#ownConnections;
    if (
      own !== null &&
      own.judge(isIpv6, source, sourcePort, destination, destinationPort) !== NOT_OURS
    ) return true;
    const ports = (destinationPort << 16) | sourcePort;
    const keys = this.#keys;
    keys.setTime(this.#second, this.#window);
    keys.writeRefusal(KIND_RST, isIpv6, destination, source, ports, 0, PROTOCOL_TCP);
    return true;
  }

  #takeUnreachable(header: PacketHeader): void {
    const destination = this.#sources[1];
    if (!this.#mapping.isOurs(destination, 0, header.isIpv6)) return;
    const [bouncedSource, bouncedDestination] = this.#bounced;
    const { bouncedSourcePort, bouncedDestinationPort } = header;
    if (this.#ownConnections !== null && header.bouncedProtocol === PROTOCOL_TCP) {
      if (!header.isIpv6) clearUpperWords(this.#bouncedAddresses);
      const own = this.#ownConnections.judge(
        header.isIpv6,
        bouncedSource,
        bouncedSourcePort,
        bouncedDestination,
        bouncedDestinationPort,
      );
      if (own !== NOT_OURS) return;
    }
    const ports = (bouncedSourcePort << 16) | bouncedDestinationPort;
    const keys = this.#keys;
    keys.setTime(this.#second, this.#window);
    keys.writeRefusal(
      KIND_ICMP,
      header.isIpv6,
      destination,
      bouncedDestination,
      ports,
      header.icmpCode,
      header.bouncedProtocol,
    );
  }

  #followPacket(seconds: number): void {
    if (seconds === this.#second || isLate(seconds, this.#second)) return;
    this.flush();
    this.#setTime(seconds);
  }

  #setTime(seconds: number): void {
    const passed = seconds - this.#second;
    const { program } = this.#memory;
    if (passed < 0 || passed > LONGEST_SILENCE_SECONDS) program.noteGap(seconds);
    this.#second = seconds;
    this.#windowClock.set(seconds);
    this.#window = this.#windowClock.window;
    program.setTime(seconds, this.#window);
  }

  #prepareForgetting(): void {
    this.#judgeDue();
    // What is forgotten may come back, and its first packet is then not its first one.
    this.noteGap();
    this.#decoder.forget();
  }

  #judgeDue(): void {
    const { program } = this.#memory;
    this.#keys.writeWith((observed) => program.judgeDue(observed), () => program.observations());
  }

  /** What the program asks. It gives words as signed ones. */
  #host(localServices: LocalServices | null): MeterHost {
    return {
      judge: () => this.#judgeDue(),
      handOn: (count) => this.#keys.handOn(count),
      followTime: (second) => {
        this.#sightingSecond = second >>> 0;
        this.#followPacket(second >>> 0);
      },
      prepareForgetting: () => this.#prepareForgetting(),
      takeOther: (word) => {
        const packet = this.#sightingsFrom + word;
        this.#takeOther(this.#sightingPlaces, packet, this.#sightingSecond);
      },
      takeReset: (isIpv6, direction, ports, addresses) =>
        this.#takeSiftedReset(isIpv6 !== 0, direction, ports, addresses >>> 0),
      judgeOwn: () => this.#judgeOwn(),
      isListening: (isIpv6, number, end) => {
        const table = isIpv6 !== 0 ? this.#ipv6 : this.#ipv4;
        const { hot, hotShift, addressWords } = table;
        const cell = number << hotShift;
        const address = cell + HOT_ADDRESSES + end * addressWords;
        const protocol = hot[cell + HOT_STATE] & 0xff;
        const port = table.portOf(number, end);
        return localServices!.has(hot, address, addressWords, port, protocol);
      },
      askFunction: (rule) => {
        this.#readFacts(this.#facts);
        return this.#mapping.actions[rule].decide(this.#facts);
      },
      corrected: (before, after) => {
        this.#corrections++;
        if (this.#onCorrection === undefined) return;
        this.#readFacts(this.#facts);
        this.#onCorrection(this.#facts, before, after);
      },
      forgetRepeats: () => this.#decoder.forget(),
    };
  }

  #judgeOwn(): number {
    if (this.#ownConnections === null) return NOT_OURS;
    const { facts } = this.#memory;
    const { source, destination } = this.#facts;
    return this.#ownConnections.judge(
      facts[FACT_IS_IPV6] !== 0,
      source,
      facts[FACT_SOURCE_PORT],
      destination,
      facts[FACT_DESTINATION_PORT],
    );
  }

  /** Reads the facts that the program has, but for the addresses, which are there. */
  #readFacts(into: Facts): void {
    const { facts } = this.#memory;
    into.family = facts[FACT_IS_IPV6] !== 0 ? 6 : 4;
    into.protocol = facts[FACT_PROTOCOL];
    into.sourcePort = facts[FACT_SOURCE_PORT];
    into.destinationPort = facts[FACT_DESTINATION_PORT];
    into.sourceNetwork = facts[FACT_SOURCE_NETWORK];
    into.destinationNetwork = facts[FACT_DESTINATION_NETWORK];
    this.#readEvidence(into.evidence);
  }

  #readEvidence(into: Evidence): void {
    const { facts } = this.#memory;
    into.opener = facts[FACT_OPENER];
    into.openerBy = facts[FACT_OPENER_BY];
    into.payloadServer = facts[FACT_PAYLOAD_SERVER];
    into.firstSender = facts[FACT_FIRST_SENDER];
    readEnd(facts[FACT_SOURCE_END], into.source);
    readEnd(facts[FACT_DESTINATION_END], into.destination);
  }
}

/** Reads facts that were kept, if there are any. */
function exampleOf(facts: Uint32Array): ConversationExample | null {
  if (facts[FACT_PROTOCOL] === 0) return null;
  return {
    isIpv6: facts[FACT_IS_IPV6] !== 0,
    protocol: facts[FACT_PROTOCOL],
    source: facts.slice(FACT_SOURCE, FACT_SOURCE + 4),
    sourcePort: facts[FACT_SOURCE_PORT],
    destination: facts.slice(FACT_DESTINATION, FACT_DESTINATION + 4),
    destinationPort: facts[FACT_DESTINATION_PORT],
  };
}

function readEnd(known: number, into: EndEvidence): void {
  into.listens = (known & LISTENS) !== 0;
  into.served = (known & SERVED) !== 0;
  into.opened = (known & OPENED) !== 0;
  into.fanIn = (known >>> FAN_IN_SHIFT) & FAN_IN_MASK;
}

/** Makes the decoder's two IPv4 addresses what others take for them: it leaves these words as they were. */
function clearUpperWords(addresses: Uint32Array): void {
  addresses.fill(0, SOURCE, SOURCE + 3);
  addresses.fill(0, DESTINATION, DESTINATION + 3);
}
