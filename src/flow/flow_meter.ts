import type { PacketBatch } from "../capture/packet_batch.ts";
import { emptyFacts, type Facts } from "../config/facts.ts";
import type { Mapping } from "../config/mapping.ts";
import {
  byOf,
  clientIsDestination,
  DROP,
  FLOW,
  NO_MATCH,
  type Outcome,
  portOf,
  turned,
  verdictOf,
} from "../config/outcome.ts";
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
import {
  HAS_ENDS,
  IS_ADDED,
  IS_FORGETTING,
  IS_IPV6,
  IS_OTHER,
  IS_TIME,
  LOOKS_BITS,
  LOOKS_SHIFT,
  SAYS_LATER_SHIFT,
  SAYS_MASK,
  SIGHTING_ABOUT,
  SIGHTING_ADDRESSES,
  SIGHTING_CAPTURED,
  SIGHTING_IDLE,
  SIGHTING_LINK_TYPE,
  SIGHTING_NUMBER,
  SIGHTING_OFFSET,
  SIGHTING_PORTS,
  SIGHTING_SAYS,
  SIGHTING_WORDS,
  type SightingBatch,
} from "../sieve/sighting_batch.ts";
import { payloadSays } from "../payload/payload_says.ts";
import type { SieveSettings } from "../sieve/sieve_memory.ts";
import { BatchDecoder, type DecoderSettings } from "./batch_decoder.ts";
import {
  COLD_JUDGEMENT,
  COLD_OUTCOME,
  COLD_SHIFT,
  ConversationTable,
  HOT_ADDRESSES,
  HOT_LAST_SEEN,
  HOT_PORTS,
  HOT_STATE,
  HOT_UNTIL,
  IPV4_HOT_SHIFT,
  IPV6_HOT_SHIFT,
  PREFETCHED_AT_ONCE,
  STATE_NEW,
  STATE_WANTS_PAYLOAD,
  UNJUDGED,
} from "./conversation_table.ts";
import { DEFAULT_MAX_CONVERSATIONS } from "./default_max_conversations.ts";
import { DecodedBatch, type PacketPlaces } from "./decoded_batch.ts";
import { WINDOWS_HELD } from "./held_keys.ts";
import { EvidenceGatherer } from "./evidence_gatherer.ts";
import { EvidenceMemory } from "./evidence_memory.ts";
import { Fingerprint } from "./fingerprint.ts";
import { isFinal, strengthOf } from "./by.ts";
import { isLate } from "./late.ts";
import type { LocalServices } from "./local_services.ts";
import { FLOWS_AT_ONCE, KeyWriter } from "./key_writer.ts";
import type { ObservationBatch } from "./observation_batch.ts";
import { KIND_ICMP, KIND_RST } from "./observation_batch.ts";
import {
  add4,
  add6,
  DIRECTION_SHIFT,
  find4,
  find6,
  fingerprintOf,
  FLAGS_SHIFT,
  HAS_PAYLOAD,
  PacketList,
} from "./packet_list.ts";
import { MAYBE_OURS, NOT_OURS, OURS, type OwnConnections } from "./own_connections.ts";
import type { PayloadReader } from "./payload_reader.ts";
import { WindowClock } from "./window_clock.ts";

/** Keys that are held back at the same time, for each address family. */
const MOST_HELD_KEYS = 1_000_000;
/** Directions that may wait for their judgement; then all are judged at once. */
const MOST_DUE = 1 << 16;
/** Those that may be corrected meanwhile, besides: the other direction of each. */
const MOST_CORRECTED = MOST_DUE;
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

/** What a {@linkcode FlowMeter} counted. */
export interface FlowMeterStatistics {
  /** Packets by what became of them, in the order of `DECODED_NAMES`. */
  decoded: readonly number[];
  /** Conversations that are remembered now. */
  conversations: number;
  /** Conversations that were forgotten to make room. */
  forgotten: number;
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
  readonly #facts: Facts = emptyFacts();
  readonly #ipv4: ConversationTable;
  readonly #ipv6: ConversationTable;
  readonly #decoder: BatchDecoder;
  readonly #own: DecodedBatch;
  #sum = 0;
  readonly #keys: KeyWriter;
  readonly #clock: (() => number) | null;
  readonly #ownConnections: OwnConnections | null;
  readonly #memory: EvidenceMemory;
  readonly #gatherer: EvidenceGatherer;
  /** Where among the readings what is known of the ends of what is judged is. */
  #reading = 0;
  readonly #fingerprint = new Fingerprint();
  readonly #onCorrection: FlowMeterOptions["onCorrection"];
  #corrections = 0;
  /** What the mapping said last, whether or not that was taken. */
  #answer: number = UNJUDGED;
  readonly #payloadReader: PayloadReader | null;
  readonly #maxConversations: number;
  /** How packets have to be decoded for {@linkcode FlowMeter.takeDecoded}. */
  readonly decoderSettings: DecoderSettings;
  readonly #id = ++meters;
  /** Counts, for a sieve, how often all conversations were to be seen anew. */
  readonly #anew = new Int32Array(1);
  /** What a sieve remembers, and has forgotten. */
  #sifted = { conversations: 0, forgotten: 0 };
  /** The time of what a sieve sends on, which may be earlier than the meter's. */
  #sightingSecond = 0;
  #sightingPlaces: PacketPlaces | null = null;
  #mapping: Mapping;
  #second = 0;
  readonly #windowClock = new WindowClock();
  #window = this.#windowClock.window;
  /** Numbers of conversations with a sighting to be judged, times 4, plus 2 for IPv6 and direction. */
  readonly #due: Int32Array;
  #dueCount = 0;
  /** Counts how often what was due was judged. */
  #judgement = 0;
  /** Of the flows that are staged, which of the due ones each is. */
  readonly #staged = new Int32Array(FLOWS_AT_ONCE);

  /** Makes a meter that has seen nothing yet. */
  constructor(options: FlowMeterOptions) {
    const most = options.maxConversations ?? DEFAULT_MAX_CONVERSATIONS;
    this.#maxConversations = most;
    const memory = new EvidenceMemory(most, MOST_DUE + MOST_CORRECTED, FLOWS_AT_ONCE);
    const beforeForgetting = () => this.#prepareForgetting();
    this.#memory = memory;
    this.#due = memory.due;
    this.#ipv4 = new ConversationTable(1, most, beforeForgetting, memory.ipv4);
    this.#ipv6 = new ConversationTable(4, most, beforeForgetting, memory.ipv6);
    this.#keys = new KeyWriter(MOST_HELD_KEYS, options.emit, options.windowsHeld);
    this.#mapping = options.mapping;
    this.#clock = options.clock ?? null;
    this.#ownConnections = options.ownConnections ?? null;
    this.#gatherer = new EvidenceGatherer(memory, options.localServices ?? null);
    this.#onCorrection = options.onCorrection;
    this.#payloadReader = options.payloadReader ?? null;
    this.decoderSettings = {
      seeds: [this.#ipv4.seed, this.#ipv6.seed],
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
    this.#payloadReader?.countQueries?.(batch.queries);
    const places = this.#placesIn(view, words);
    for (let at = batch.from; at < end;) {
      const about = words[at + SIGHTING_ABOUT];
      const head = at;
      at += SIGHTING_WORDS;
      if ((about & IS_TIME) !== 0) {
        this.#sightingSecond = words[head + SIGHTING_NUMBER] >>> 0;
        this.#followPacket(this.#sightingSecond);
      } else if ((about & IS_FORGETTING) !== 0) {
        this.#prepareForgetting();
      } else if ((about & IS_OTHER) !== 0) {
        at += (words[head + SIGHTING_CAPTURED] + 3) >> 2;
        this.#takeOther(places, head, this.#sightingSecond);
      } else {
        const table = (about & IS_IPV6) !== 0 ? this.#ipv6 : this.#ipv4;
        if ((about & HAS_ENDS) !== 0) at += 1 + 2 * table.addressWords;
        this.#takeSifted(table, words, head, about);
      }
    }
  }

  #takeSifted(
    table: ConversationTable,
    words: Int32Array,
    at: number,
    about: number,
  ): void {
    const { hot, hotShift } = table;
    const number = words[at + SIGHTING_NUMBER];
    const flags = about >>> FLAGS_SHIFT;
    if ((about & IS_ADDED) !== 0) table.place(number, about & 0xff, words, at + SIGHTING_PORTS);
    if ((flags & CONTROL) !== 0) {
      if ((flags & TCP_SYN) !== 0) {
        if (number === 0) identifyEnds(table.addressWords, words, at, this.#fingerprint);
        else {
          table.fingerprint(number, this.#fingerprint);
          this.#gatherer.setLooks(table, number, looksIn(words[at + SIGHTING_SAYS]));
        }
        hot[(number << hotShift) + HOT_LAST_SEEN] = this.#second - words[at + SIGHTING_IDLE];
      }
      if ((about & IS_ADDED) === 0) this.#noteControl(table, number, about);
      if ((flags & TCP_RST) !== 0) this.#readEnds(table, words, at);
      if (!this.#countsAsFlow(flags) || number === 0) return;
    }
    const cell = number << hotShift;
    if (
      (hot[cell + HOT_STATE] & WANTS_LOOK) !== 0 ||
      hot[cell + HOT_UNTIL + ((about >>> DIRECTION_SHIFT) & 1)] <= this.#window
    ) {
      const says = words[at + SIGHTING_SAYS];
      this.#takeSighting(table, number, says !== 0 ? about : about & ~HAS_PAYLOAD, null, says);
    }
  }

  /** Reads the ends of a packet that a sieve has sent on, as `decode()` would. */
  #readEnds(table: ConversationTable, words: Int32Array, at: number): void {
    const number = words[at + SIGHTING_NUMBER];
    const direction = (words[at + SIGHTING_ABOUT] >>> DIRECTION_SHIFT) & 1;
    const [from, addressesAt, ports] = number === 0
      ? [words, at + SIGHTING_ADDRESSES, words[at + SIGHTING_PORTS]]
      : [table.hot, (number << table.hotShift) + HOT_ADDRESSES, table.portsOf(number)];
    const { addressWords } = table;
    const header = this.#header;
    header.isIpv6 = addressWords === 4;
    for (let end = 0; end < 2; end++) {
      const into = (end === direction ? SOURCE : DESTINATION) + 4 - addressWords;
      for (let word = 0; word < addressWords; word++) {
        header.addresses[into + word] = from[addressesAt + end * addressWords + word];
      }
    }
    header.sourcePort = direction === 0 ? ports >>> 16 : ports & 0xffff;
    header.destinationPort = direction === 0 ? ports & 0xffff : ports >>> 16;
  }

  /** Where the packets lie that a sieve has sent on as a whole, by the index of their first word. */
  #placesIn(view: DataView<ArrayBufferLike>, words: Int32Array): PacketPlaces {
    if (this.#sightingPlaces?.view !== view) {
      this.#sightingPlaces = {
        view,
        offset: words.subarray(SIGHTING_OFFSET),
        captured: words.subarray(SIGHTING_CAPTURED),
        linkType: words.subarray(SIGHTING_LINK_TYPE),
      };
    }
    return this.#sightingPlaces;
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
      if (this.#clock === null) this.#followPacket(groupSeconds[group] >>> 0);
      const end4 = groupEnd4[group];
      const end6 = groupEnd6[group];
      const endOther = groupEndOther[group];
      for (; fromOther < endOther; fromOther++) {
        this.#takeOther(batch.places, batch.other[fromOther], groupSeconds[group] >>> 0);
      }
      if (from4 !== end4) this.#takeGroup4(batch, from4, end4);
      if (from6 !== end6) this.#takeGroup6(batch, from6, end6);
      from4 = end4;
      from6 = end6;
    }
  }

  /** Judges what is due and emits all that was observed. */
  flush(): void {
    if (this.#clock !== null) this.#setTime(this.#clock());
    this.#judgeDue();
    this.#payloadReader?.flush();
    this.#keys.flush();
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
    this.judgeAnew();
  }

  /** Says that packets may have gone by unseen: first packets are then no evidence for a while. */
  noteGap(): void {
    this.#gatherer.noteGap(this.#second);
  }

  /** Forgets what the mapping said of the conversations, so that it is asked again for each. */
  judgeAnew(): void {
    this.#decoder.forget();
    this.#anew[0]++;
    this.#ipv4.judgeAnew();
    this.#ipv6.judgeAnew();
  }

  /**
   * Reads all that is known of a conversation. Not for the hot path: one that is not known is added.
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
    if (isIpv6) list.add6(0, header, table.seed);
    else list.add4(0, header, table.seed);
    const direction = (list.about[0] >>> DIRECTION_SHIFT) & 1;
    const found = isIpv6 ? find6(table, list, 0) : find4(table, list, 0);
    const number = found || (isIpv6 ? add6(table, list, 0) : add4(table, list, 0));
    this.#memory.readEnds(isIpv6, number, this.#second);
    this.#gatherer.read(table, number, direction, 0, facts.evidence);
    return found !== 0;
  }

  /** What was counted up to now. */
  statistics(): FlowMeterStatistics {
    return {
      decoded: [...this.#decoded],
      conversations: this.#ipv4.count + this.#ipv6.count + this.#sifted.conversations,
      forgotten: this.#ipv4.forgotten + this.#ipv6.forgotten + this.#sifted.forgotten,
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

  #takeGroup4(batch: DecodedBatch, from: number, end: number): void {
    const { ipv4: list, places } = batch;
    const { about, packet } = list;
    const table = this.#ipv4;
    const { hot } = table;
    const second = this.#second;
    const window = this.#window;
    this.#sum ^= table.prefetch(list.hash, from, end);
    for (let i = from; i < end; i++) {
      const flags = about[i] >>> FLAGS_SHIFT;
      let number = find4(table, list, i);
      if ((flags & CONTROL) !== 0) {
        if ((flags & TCP_SYN) !== 0) fingerprintOf(list, i, this.#fingerprint);
        this.#noteControl(table, number, about[i]);
        if ((flags & TCP_RST) !== 0) this.#decodeAgain(places, packet[i]);
        if (!this.#countsAsFlow(flags)) continue;
      }
      if (number === 0) number = add4(table, list, i);
      const cell = number << IPV4_HOT_SHIFT;
      const direction = (about[i] >>> DIRECTION_SHIFT) & 1;
      hot[cell + HOT_LAST_SEEN] = second;
      if (
        (hot[cell + HOT_STATE] & WANTS_LOOK) !== 0 || hot[cell + HOT_UNTIL + direction] <= window
      ) this.#takeSighting(table, number, about[i], places, packet[i]);
    }
  }

  /** The same for IPv6: two loops, as each is then made for one kind of table. */
  #takeGroup6(batch: DecodedBatch, from: number, end: number): void {
    const { ipv6: list, places } = batch;
    const { about, packet } = list;
    const table = this.#ipv6;
    const { hot } = table;
    const second = this.#second;
    const window = this.#window;
    this.#sum ^= table.prefetch(list.hash, from, end);
    for (let i = from; i < end; i++) {
      const flags = about[i] >>> FLAGS_SHIFT;
      let number = find6(table, list, i);
      if ((flags & CONTROL) !== 0) {
        if ((flags & TCP_SYN) !== 0) fingerprintOf(list, i, this.#fingerprint);
        this.#noteControl(table, number, about[i]);
        if ((flags & TCP_RST) !== 0) this.#decodeAgain(places, packet[i]);
        if (!this.#countsAsFlow(flags)) continue;
      }
      if (number === 0) number = add6(table, list, i);
      const cell = number << IPV6_HOT_SHIFT;
      const direction = (about[i] >>> DIRECTION_SHIFT) & 1;
      hot[cell + HOT_LAST_SEEN] = second;
      if (
        (hot[cell + HOT_STATE] & WANTS_LOOK) !== 0 || hot[cell + HOT_UNTIL + direction] <= window
      ) this.#takeSighting(table, number, about[i], places, packet[i]);
    }
  }

  /**
   * Takes a packet of a conversation that is new, or wants to be looked at, or to be judged.
   *
   * @param places Where it is; `null` where a sieve has sent it on.
   * @param packet Which one it is there; of a sieve's, what is known of its payload.
   */
  #takeSighting(
    table: ConversationTable,
    number: number,
    about: number,
    places: PacketPlaces | null,
    packet: number,
  ): void {
    const { hot, hotShift } = table;
    const cell = number << hotShift;
    const direction = (about >>> DIRECTION_SHIFT) & 1;
    if ((hot[cell + HOT_STATE] & WANTS_LOOK) !== 0) {
      this.#gather(table, number, about, places, packet);
    }
    if (hot[cell + HOT_UNTIL + direction] > this.#window) return;
    table.touch(number);
    this.#addDue(table, number, direction);
  }

  #addDue(table: ConversationTable, number: number, direction: number): void {
    table.hot[(number << table.hotShift) + HOT_UNTIL + direction] = this.#window + 1;
    if (this.#dueCount === MOST_DUE) this.#judgeDue();
    this.#due[this.#dueCount++] = this.#dueOf(table, number, direction);
  }

  #dueOf(table: ConversationTable, number: number, direction: number): number {
    return (number << 2) | (table === this.#ipv6 ? 2 : 0) | direction;
  }

  /** Notes what a packet says of who opened its conversation and who serves. */
  #gather(
    table: ConversationTable,
    number: number,
    about: number,
    places: PacketPlaces | null,
    packet: number,
  ): void {
    const { hot, hotShift } = table;
    const cell = number << hotShift;
    const direction = (about >>> DIRECTION_SHIFT) & 1;
    const gatherer = this.#gatherer;
    if ((hot[cell + HOT_STATE] & STATE_NEW) !== 0) {
      gatherer.begin(table, number, direction, about >>> FLAGS_SHIFT, this.#second);
    }
    if ((hot[cell + HOT_STATE] & STATE_WANTS_PAYLOAD) === 0 || (about & HAS_PAYLOAD) === 0) return;
    if (places === null) {
      const before = looksIn(packet) - (1 << (direction * LOOKS_BITS));
      gatherer.setLooks(table, number, before);
    }
    if (gatherer.hasLookedEnough(table, number, direction)) return;
    const isFirst = gatherer.hasLookedAtNone(table, number);
    const says = places !== null
      ? this.#lookAtPayload(places, packet, isFirst)
      : (isFirst ? packet : packet >>> SAYS_LATER_SHIFT) & SAYS_MASK;
    if (gatherer.noteLook(table, number, direction, says, this.#second)) {
      // What was decided without it, in either direction, is asked again.
      hot[cell + HOT_UNTIL + direction] = 0;
      const other = 1 - direction;
      const outcome = table.cold[(number << COLD_SHIFT) + COLD_OUTCOME + other];
      if (outcome !== UNJUDGED) this.#addDue(table, number, other);
    }
  }

  /**
   * Notes a TCP packet with SYN, FIN or RST. With SYN the conversation's fingerprint must have been
   * made.
   *
   * @param number That of the conversation, or 0.
   */
  #noteControl(table: ConversationTable, number: number, about: number): void {
    const flags = about >>> FLAGS_SHIFT;
    const direction = (about >>> DIRECTION_SHIFT) & 1;
    if ((flags & TCP_SYN) !== 0 && number !== 0) this.#gatherer.lookAgain(table, number);
    if ((flags & (TCP_FIN | TCP_RST)) !== 0) {
      if (number !== 0) this.#gatherer.noteEnd(table, number, flags, direction);
      return;
    }
    const fingerprint = this.#fingerprint;
    const gatherer = this.#gatherer;
    if (number === 0) gatherer.noteHalfOpen(fingerprint, flags, direction, this.#second);
    else if (gatherer.noteOpening(table, number, fingerprint, flags, direction, this.#second)) {
      this.#beginAnew(table, number);
    }
  }

  /** Makes a conversation a new one, on the ports of the one before. */
  #beginAnew(table: ConversationTable, number: number): void {
    // What was seen of the old one is attributed as the old one.
    this.#judgeDue();
    table.hot[(number << table.hotShift) + HOT_STATE] |= STATE_NEW;
    table.unjudge(number);
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
    if (passed < 0 || passed > LONGEST_SILENCE_SECONDS) this.#gatherer.noteGap(seconds);
    this.#second = seconds;
    this.#windowClock.set(seconds);
    this.#window = this.#windowClock.window;
  }

  #prepareForgetting(): void {
    this.#judgeDue();
    // What is forgotten may come back, and its first packet is then not its first one.
    this.noteGap();
    this.#decoder.forget();
  }

  #judgeDue(): void {
    const keys = this.#keys;
    keys.setTime(this.#second, this.#window);
    this.#judgement++;
    this.#memory.meetDue(this.#dueCount, this.#second);
    const due = this.#due;
    // Corrections are added to what is due while it is judged.
    for (let from = 0; from < this.#dueCount;) {
      const to = Math.min(from + FLOWS_AT_ONCE, this.#dueCount);
      if (this.#mapping.usesEvidence) this.#memory.readDue(from, to, this.#second);
      for (let i = from; i < to; i++) {
        this.#reading = i - from;
        this.#judge(due[i] >>> 2, (due[i] & 2) !== 0 ? this.#ipv6 : this.#ipv4, due[i] & 1, i);
      }
      this.#commitFlows();
      from = to;
    }
    this.#dueCount = 0;
  }

  #judge(number: number, table: ConversationTable, direction: number, due: number): void {
    const { hot, cold } = table;
    const until = (number << table.hotShift) + HOT_UNTIL + direction;
    const remembered = (number << COLD_SHIFT) + COLD_OUTCOME;
    let outcome = cold[remembered + direction];
    this.#readFacts(table, number, direction);
    if (outcome === UNJUDGED || this.#mayChange(outcome)) {
      const isFirst = outcome === UNJUDGED;
      const other = cold[remembered + 1 - direction];
      const strength = Math.max(strengthHeld(outcome), strengthHeld(other));
      outcome = this.#askAgain(table, number, direction, strength);
      // Both directions are decided with the same evidence, or their keys would contradict.
      const asked = (number << COLD_SHIFT) + COLD_JUDGEMENT;
      const isOtherUpToDate = cold[asked] === this.#judgement;
      cold[asked] = this.#answer === outcome ? this.#judgement : 0;
      if (other !== UNJUDGED && !isOtherUpToDate && this.#mayChange(other)) {
        this.#readFacts(table, number, 1 - direction);
        const held = this.#askAgain(table, number, 1 - direction, strength);
        if (held !== other) this.#judgeAgain(table, number, 1 - direction);
        else if (isFirst && contradict(outcome, held) && !contradict(outcome, this.#answer)) {
          // What spoke for the other decision has gone since. It holds for both directions.
          outcome = cold[remembered + direction] = turned(held);
        }
        this.#readFacts(table, number, direction);
      }
    }
    if (outcome === UNJUDGED) this.#askAgainSoon(hot, until);
    else if (verdictOf(outcome) === FLOW) this.#stageFlow(outcome, due);
    else hot[until] = this.#window + WINDOWS_HELD;
  }

  /** Has what was just corrected written in this round, though its direction may send nothing now. */
  #judgeAgain(table: ConversationTable, number: number, direction: number): void {
    const { hot, hotShift } = table;
    const until = (number << hotShift) + HOT_UNTIL + direction;
    if (this.#dueCount === this.#due.length) {
      this.#askAgainSoon(hot, until);
    } else {
      hot[until] = this.#window + 1;
      this.#due[this.#dueCount++] = this.#dueOf(table, number, direction);
    }
  }

  /** Has the next packet of a direction lead to another judgement. */
  #askAgainSoon(hot: Int32Array, until: number): void {
    hot[until] = 0;
    this.#decoder.forget();
  }

  #mayChange(outcome: Outcome): boolean {
    return this.#mapping.usesEvidence && !isFinal(byOf(outcome));
  }

  /**
   * Asks the mapping about one direction, the facts of which were read. What was remembered gives
   * way only to what is stronger.
   *
   * @param strength That of what is remembered of both directions.
   */
  #askAgain(table: ConversationTable, number: number, direction: number, strength: number): number {
    const remembered = (number << COLD_SHIFT) + COLD_OUTCOME + direction;
    const { cold } = table;
    const before = cold[remembered];
    if (this.#mapping.usesEvidence) {
      this.#gatherer.read(table, number, direction, this.#reading, this.#facts.evidence);
    }
    const after = this.#askMapping(before !== UNJUDGED);
    this.#answer = after;
    if (before === UNJUDGED) {
      cold[remembered] = after;
      return after;
    }
    if (strengthHeld(after) <= strength) return before;
    cold[remembered] = after;
    if (verdictOf(before) !== FLOW || isSameAttribution(before, after)) return after;
    this.#corrections++;
    this.#onCorrection?.(this.#facts, before, after);
    return after;
  }

  #readFacts(table: ConversationTable, number: number, direction: number): void {
    const facts = this.#facts;
    const low = direction === 0 ? facts.source : facts.destination;
    const high = direction === 0 ? facts.destination : facts.source;
    const { hot, hotShift } = table;
    const cell = number << hotShift;
    if (table === this.#ipv6) {
      facts.family = 6;
      for (let word = 0; word < 4; word++) {
        low[word] = hot[cell + HOT_ADDRESSES + word];
        high[word] = hot[cell + HOT_ADDRESSES + 4 + word];
      }
    } else {
      facts.family = 4;
      for (let word = 0; word < 3; word++) low[word] = high[word] = 0;
      low[3] = hot[cell + HOT_ADDRESSES];
      high[3] = hot[cell + HOT_ADDRESSES + 1];
    }
    const ports = hot[cell + HOT_PORTS];
    const lowPort = ports >>> 16;
    const highPort = ports & 0xffff;
    facts.protocol = hot[cell + HOT_STATE] & 0xff;
    facts.sourcePort = direction === 0 ? lowPort : highPort;
    facts.destinationPort = direction === 0 ? highPort : lowPort;
  }

  /**
   * @param isAgain Whether it was asked about this direction before.
   * @returns What is to be remembered, or `UNJUDGED` where it is too early to say.
   */
  #askMapping(isAgain: boolean): number {
    const facts = this.#facts;
    const mapping = this.#mapping;
    const isIpv6 = facts.family === 6;
    const { source, destination, sourcePort, destinationPort } = facts;
    if (this.#ownConnections !== null && facts.protocol === PROTOCOL_TCP) {
      const own = this.#ownConnections
        .judge(isIpv6, source, sourcePort, destination, destinationPort);
      if (own === OURS) return DROP;
      if (own === MAYBE_OURS) return UNJUDGED;
    }
    if (
      mapping.suppressOwnNetwork && mapping.isOurs(source, 0, isIpv6) &&
      mapping.isOurs(destination, 0, isIpv6)
    ) return DROP;
    facts.sourceNetwork = mapping.networkOf(source, 0, isIpv6);
    facts.destinationNetwork = mapping.networkOf(destination, 0, isIpv6);
    if (facts.sourceNetwork < 0 || facts.destinationNetwork < 0) return NO_MATCH;
    return isAgain ? mapping.decideAgain(facts) : mapping.decide(facts);
  }

  #stageFlow(outcome: Outcome, due: number): void {
    const facts = this.#facts;
    const isIpv6 = facts.family === 6;
    const { source, destination } = facts;
    const isTurned = clientIsDestination(outcome);
    const client = isTurned ? destination : source;
    const server = isTurned ? source : destination;
    const mapping = this.#mapping;
    const isIgnored = mapping.ignoresFlow(source, 0, isIpv6, facts.sourcePort) ||
      mapping.ignoresFlow(destination, 0, isIpv6, facts.destinationPort);
    const about = byOf(outcome) | (facts.protocol << 8);
    this.#staged[this.#keys.staged] = this.#due[due];
    this.#keys.stageFlow(isIpv6, client, server, portOf(outcome), about, isIgnored);
  }

  #commitFlows(): void {
    const keys = this.#keys;
    const count = keys.staged;
    keys.commit();
    for (let i = 0; i < count; i++) {
      const due = this.#staged[i];
      const table = (due & 2) !== 0 ? this.#ipv6 : this.#ipv4;
      table.hot[((due >>> 2) << table.hotShift) + HOT_UNTIL + (due & 1)] = keys.untilOf(i);
    }
  }
}

function strengthHeld(outcome: number): number {
  return outcome === UNJUDGED ? 0 : strengthOf(byOf(outcome));
}

/** Whether the outcomes of the two directions of a conversation name different clients. */
function contradict(one: number, other: number): boolean {
  return verdictOf(one) === FLOW && verdictOf(other) === FLOW &&
    clientIsDestination(one) === clientIsDestination(other);
}

function isSameAttribution(one: number, other: number): boolean {
  return verdictOf(one) === verdictOf(other) && portOf(one) === portOf(other) &&
    clientIsDestination(one) === clientIsDestination(other);
}

/** How many payloads a sieve has looked at, by what it says with a sighting. */
function looksIn(says: number): number {
  return says >>> LOOKS_SHIFT;
}

/** Makes the fingerprint of a connection, of which a sieve has sent on the ends. */
function identifyEnds(
  addressWords: number,
  words: Int32Array,
  at: number,
  into: Fingerprint,
): void {
  const protocol = words[at + SIGHTING_ABOUT] & 0xff;
  into.identify(
    words,
    at + SIGHTING_ADDRESSES,
    2 * addressWords,
    words[at + SIGHTING_PORTS],
    protocol,
  );
}

/** Makes the decoder's two IPv4 addresses what others take for them: it leaves these words as they were. */
function clearUpperWords(addresses: Uint32Array): void {
  addresses.fill(0, SOURCE, SOURCE + 3);
  addresses.fill(0, DESTINATION, DESTINATION + 3);
}
