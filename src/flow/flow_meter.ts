import type { PacketBatch } from "../capture/packet_batch.ts";
import { emptyFacts, type Facts } from "../config/facts.ts";
import type { Mapping } from "../config/mapping.ts";
import {
  byOf,
  clientIsDestination,
  DROP,
  FLOW,
  NO_MATCH,
  portOf,
  verdictOf,
} from "../config/outcome.ts";
import { decode } from "../packet/decode.ts";
import { DECODED_NAMES, TRANSPORT, UNREACHABLE } from "../packet/decoded.ts";
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
  CELL_ADDRESSES,
  CELL_LAST_SEEN,
  CELL_OUTCOME,
  CELL_PORTS,
  CELL_STATE,
  CELL_UNTIL,
  ConversationTable,
  UNJUDGED,
} from "./conversation_table.ts";
import { FIRST_WINDOW, WINDOW_SECONDS, WINDOWS_HELD } from "./held_keys.ts";
import { KeyWriter } from "./key_writer.ts";
import type { ObservationBatch } from "./observation_batch.ts";
import { KIND_ICMP, KIND_RST } from "./observation_batch.ts";
import { MAYBE_OURS, NOT_OURS, OURS, type OwnConnections } from "./own_connections.ts";

/** Conversations of each address family that are remembered unless told otherwise. */
export const DEFAULT_MAX_CONVERSATIONS = 1_000_000;
/** Keys that are held back at the same time, for each address family. */
const MOST_HELD_KEYS = 1_000_000;
/** Conversations that may wait for their judgement; then all are judged at once. */
const MOST_DUE = 1 << 16;
/** A clock that goes back further than this was set; less is packets that came out of order. */
const CLOCK_SET_BACK_SECONDS = 30;

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
  /** The sensor's own connections, which are left out. */
  ownConnections?: OwnConnections;
}

/** What a {@linkcode FlowMeter} counted. */
export interface FlowMeterStatistics {
  /** Packets by what became of them, in the order of `DECODED_NAMES`. */
  decoded: readonly number[];
  /** Conversations that are remembered now. */
  conversations: number;
  /** Conversations that were forgotten to make room. */
  forgotten: number;
  /** Flow keys, and keys of all kinds, that were emitted. */
  flows: number;
  keys: number;
}

/**
 * Turns packets into observations: who used whose service, who was refused, what was unreachable.
 *
 * A packet costs a look into the table of conversations. The mapping is asked once for each
 * direction of a conversation, not when its packet comes but at the next flush, and its answer is
 * remembered. The rules are those of the Redis contract, in its order.
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
  readonly #bouncedDestination = new Uint32Array(
    this.#header.bouncedAddresses.buffer,
    DESTINATION * Uint32Array.BYTES_PER_ELEMENT,
    4,
  );
  readonly #facts: Facts = emptyFacts();
  readonly #ipv4: ConversationTable;
  readonly #ipv6: ConversationTable;
  readonly #keys: KeyWriter;
  readonly #clock: (() => number) | null;
  readonly #ownConnections: OwnConnections | null;
  #mapping: Mapping;
  #second = 0;
  /** Counts windows of 30 s, but never back: see `#setTime`. */
  #window = FIRST_WINDOW;
  #realWindow = 0;
  /** Cells that had a packet to be judged, times four, plus 2 for IPv6 and the direction. */
  readonly #due = new Float64Array(MOST_DUE);
  #dueCount = 0;

  constructor(options: FlowMeterOptions) {
    const most = options.maxConversations ?? DEFAULT_MAX_CONVERSATIONS;
    const judge = () => this.#judgeDue();
    this.#ipv4 = new ConversationTable(1, most, judge);
    this.#ipv6 = new ConversationTable(4, most, judge);
    this.#keys = new KeyWriter(MOST_HELD_KEYS, options.emit);
    this.#mapping = options.mapping;
    this.#clock = options.clock ?? null;
    this.#ownConnections = options.ownConnections ?? null;
  }

  /** Takes the packets of a batch. */
  take(batch: PacketBatch): void {
    const { view, offset, captured, seconds, linkType, count } = batch;
    const header = this.#header;
    const followsPackets = this.#clock === null;
    if (!followsPackets) this.#setTime(this.#clock!());
    for (let i = 0; i < count; i++) {
      if (followsPackets && seconds[i] !== this.#second) this.#followPacket(seconds[i]);
      const start = offset[i];
      const decoded = decode(view, start, start + captured[i], linkType[i], header);
      this.#decoded[decoded]++;
      if (decoded === TRANSPORT) this.#takeTransport(header);
      else if (decoded === UNREACHABLE) this.#takeUnreachable(header);
    }
  }

  /** Judges what is due and emits all that was observed. */
  flush(): void {
    if (this.#clock !== null) this.#setTime(this.#clock());
    this.#judgeDue();
    this.#keys.flush();
  }

  /** Puts another mapping in the place of the present one. All conversations are judged anew. */
  setMapping(mapping: Mapping): void {
    this.flush();
    this.#mapping = mapping;
    this.judgeAnew();
  }

  /** Forgets what the mapping said of the conversations, so that it is asked again for each. */
  judgeAnew(): void {
    for (const table of [this.#ipv4, this.#ipv6]) {
      table.forEach((cell) => {
        table.cells.fill(UNJUDGED, cell + CELL_OUTCOME, cell + CELL_OUTCOME + 2);
        table.cells.fill(0, cell + CELL_UNTIL, cell + CELL_UNTIL + 2);
      });
    }
  }

  /** What was counted up to now. */
  statistics(): FlowMeterStatistics {
    return {
      decoded: [...this.#decoded],
      conversations: this.#ipv4.count + this.#ipv6.count,
      forgotten: this.#ipv4.forgotten + this.#ipv6.forgotten,
      flows: this.#keys.flows,
      keys: this.#keys.written,
    };
  }

  #takeTransport(header: PacketHeader): void {
    const flags = header.tcpFlags;
    if ((flags & (TCP_SYN | TCP_FIN | TCP_RST)) !== 0) {
      if ((flags & TCP_RST) !== 0 && this.#takeReset(header)) return;
      // A connection is attributed from its payload packets: then it is one that worked.
      if ((flags & (TCP_SYN | TCP_FIN)) !== 0) return;
    }
    const ports = (header.sourcePort << 16) | header.destinationPort;
    const { isIpv6, addresses } = header;
    const table = isIpv6 ? this.#ipv6 : this.#ipv4;
    const cell = isIpv6
      ? table.find6(addresses, ports, header.protocol)
      : table.find4(addresses[SOURCE + 3], addresses[DESTINATION + 3], ports, header.protocol);
    const { cells, direction } = table;
    cells[cell + CELL_LAST_SEEN] = this.#second;
    if (cells[cell + CELL_UNTIL + direction] > this.#window) return;
    cells[cell + CELL_UNTIL + direction] = this.#window + 1;
    table.touch(cell);
    this.#due[this.#dueCount++] = cell * 4 + (isIpv6 ? 2 : 0) + direction;
    if (this.#dueCount === MOST_DUE) this.#judgeDue();
  }

  /** @returns Whether the rst rule took the packet, so that no other looks at it. */
  #takeReset(header: PacketHeader): boolean {
    const [source, destination] = this.#sources;
    const { isIpv6, sourcePort, destinationPort } = header;
    if (!this.#mapping.isOurs(destination, 0, isIpv6)) return false;
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
    const ports = (header.bouncedSourcePort << 16) | header.bouncedDestinationPort;
    const keys = this.#keys;
    keys.setTime(this.#second, this.#window);
    keys.writeRefusal(
      KIND_ICMP,
      header.isIpv6,
      destination,
      this.#bouncedDestination,
      ports,
      header.icmpCode,
      header.bouncedProtocol,
    );
  }

  #followPacket(seconds: number): void {
    // Packets of several interfaces may be a little out of order: time then stays where it is.
    if (seconds < this.#second && this.#second - seconds <= CLOCK_SET_BACK_SECONDS) return;
    this.flush();
    this.#setTime(seconds);
  }

  /**
   * Windows are counted in one direction only. Where time makes a leap, forward over more windows
   * than a key is held or back, all keys are free again, as they would be in a new process.
   */
  #setTime(seconds: number): void {
    this.#second = seconds;
    const window = Math.floor(seconds / WINDOW_SECONDS);
    if (window === this.#realWindow) return;
    const step = window - this.#realWindow;
    if (step < 0 && step >= -1) return;
    this.#window += step < 0 || step > WINDOWS_HELD ? WINDOWS_HELD : step;
    this.#realWindow = window;
  }

  #judgeDue(): void {
    const keys = this.#keys;
    keys.setTime(this.#second, this.#window);
    const due = this.#due;
    for (let i = 0; i < this.#dueCount; i++) {
      const number = due[i] % 4;
      this.#judge((due[i] - number) / 4, number >= 2, number & 1);
    }
    this.#dueCount = 0;
  }

  #judge(cell: number, isIpv6: boolean, direction: number): void {
    const table = isIpv6 ? this.#ipv6 : this.#ipv4;
    const { cells } = table;
    this.#readFacts(cells, cell, isIpv6, direction);
    let outcome = cells[cell + CELL_OUTCOME + direction];
    if (outcome === UNJUDGED) {
      outcome = this.#askMapping();
      if (outcome === UNJUDGED) {
        cells[cell + CELL_UNTIL + direction] = 0;
        return;
      }
      cells[cell + CELL_OUTCOME + direction] = outcome;
    }
    cells[cell + CELL_UNTIL + direction] = verdictOf(outcome) === FLOW
      ? this.#writeFlow(outcome)
      : this.#window + WINDOWS_HELD;
  }

  #readFacts(cells: Int32Array, cell: number, isIpv6: boolean, direction: number): void {
    const facts = this.#facts;
    const [low, high] = direction === 0
      ? [facts.source, facts.destination]
      : [facts.destination, facts.source];
    if (isIpv6) {
      for (let word = 0; word < 4; word++) {
        low[word] = cells[cell + CELL_ADDRESSES + word];
        high[word] = cells[cell + CELL_ADDRESSES + 4 + word];
      }
    } else {
      low.fill(0, 0, 3);
      high.fill(0, 0, 3);
      low[3] = cells[cell + CELL_ADDRESSES];
      high[3] = cells[cell + CELL_ADDRESSES + 1];
    }
    const ports = cells[cell + CELL_PORTS];
    const lowPort = ports >>> 16;
    const highPort = ports & 0xffff;
    facts.family = isIpv6 ? 6 : 4;
    facts.protocol = cells[cell + CELL_STATE] & 0xff;
    facts.sourcePort = direction === 0 ? lowPort : highPort;
    facts.destinationPort = direction === 0 ? highPort : lowPort;
  }

  /** @returns What is to be remembered, or `UNJUDGED` where it is too early to say. */
  #askMapping(): number {
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
    return mapping.decide(facts);
  }

  /** @returns The window in which one of the keys may be written again. */
  #writeFlow(outcome: number): number {
    const facts = this.#facts;
    const isIpv6 = facts.family === 6;
    const { source, destination } = facts;
    const isTurned = clientIsDestination(outcome);
    const client = isTurned ? destination : source;
    const server = isTurned ? source : destination;
    const mapping = this.#mapping;
    const isIgnored = mapping.ignoresFlow(source, 0, isIpv6, facts.sourcePort) ||
      mapping.ignoresFlow(destination, 0, isIpv6, facts.destinationPort);
    return this.#keys.writeFlow(
      isIpv6,
      client,
      server,
      portOf(outcome),
      byOf(outcome) | (facts.protocol << 8),
      isIgnored,
    );
  }
}
