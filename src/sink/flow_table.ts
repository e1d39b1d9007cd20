import { addressText } from "../model/address_text.ts";
import type { NameOrigin, ServerName } from "../model/conversation_record.ts";
import { REASON_NAMES, type ReasonName } from "../model/reason.ts";
import { tunnelText } from "../model/tunnel_names.ts";
import {
  IPV6_BIT,
  KIND_ICMP,
  KIND_RST,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_A,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
} from "../model/observation_batch.ts";
import type { TimeOrigin } from "../capture/time_origin.ts";
import {
  IS_OVER,
  IS_UNOPENED,
  RECORD_CLIENT,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_LAST,
  RECORD_PACKETS,
  RECORD_PORTS,
  RECORD_WORDS,
  type RecordBatch,
} from "../model/record_batch.ts";
import { REFUSED } from "../model/state_numbers.ts";
import { wideNumber } from "../model/wide_number.ts";
import type { FlowNames } from "./flow_names.ts";
import { type Observation, ObservationTable } from "./observation_table.ts";
import { unreachableReason } from "./unreachable_reason.ts";

/** Where the second address of an observation is. */
const SERVER = 4;

/** How a conversation may carry a name itself. */
const CARRIED: ReadonlySet<NameOrigin> = new Set<NameOrigin>(["sni", "quic-sni", "http-host"]);

/** What every row of a {@linkcode FlowTable} says. */
interface Row {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** When it was seen first and last, in seconds since 1970-01-01 UTC. */
  first: number;
  last: number;
  /** What it is made of. */
  readonly observation: Observation;
}

/** A service that a client uses. */
export interface FlowRow extends Row {
  /** `tcp`, `udp`, or the IANA number of another protocol. */
  readonly protocol: string;
  by: ReasonName;
  /** Packets from the client, from the server. Both are 0 where nothing is known of them. */
  packets: readonly [number, number];
  /** Bytes of these, IP header and payload. */
  bytes: readonly [number, number];
  /** From the first packet to the last, in milliseconds. */
  duration: number;
  /** The tunnel that it is in, `VXLAN 4711`, if it is in one. */
  tunnel?: string;
  /** The name that the client looked up last for the server's address, if there is one. */
  name?: string;
}

/** A connection that was refused, or a service that could not be reached. */
export interface FailureRow extends Row {
  /** What went wrong. */
  readonly reason: string;
}

/** Conversations that go on whose figures are remembered: see {@linkcode FlowTable.takeRecords}. */
const MOST_GOING_ON = 65_536;
/** Words of the figures of a record, and numbers that they are. */
const FIGURE_WORDS = 8;
const FIGURES = 4;
const STATE_MASK = 0xff;

/** Flows and failures that are kept. Memory stays below some 10 MiB, and nobody reads more. */
const DEFAULT_MAX_ROWS = 10_000;

/** IANA's protocol numbers. */
const PROTOCOL_NAMES: readonly string[] = Array.from({ length: 256 }, (_, number) => {
  return number === 6 ? "tcp" : number === 17 ? "udp" : String(number);
});

/**
 * The flows that were attributed, and the connections that failed, each with when.
 * Bounded: what was not sighted for longest makes room.
 */
export class FlowTable {
  readonly #names: FlowNames | null;
  readonly #origin: TimeOrigin | null;
  readonly #flows: ObservationTable;
  readonly #failures: ObservationTable;
  /** Figures of conversations that go on which were added already, by their number. */
  readonly #added = new Map<number, Float64Array>();

  /**
   * @param maxRows How many flows of each address family are kept, and how many failures.
   * @param names Where the names of servers come from.
   * @param origin From when on times are counted. By default, from 1970-01-01 UTC.
   */
  constructor(
    maxRows: number = DEFAULT_MAX_ROWS,
    names: FlowNames | null = null,
    origin: TimeOrigin | null = null,
  ) {
    this.#names = names;
    this.#origin = origin;
    this.#flows = new ObservationTable(maxRows);
    this.#failures = new ObservationTable(maxRows);
  }

  /** From when on what is added counts its seconds, in seconds since 1970-01-01 UTC. */
  get origin(): number {
    return this.#origin?.seconds ?? 0;
  }

  /** The flows, the one that was sighted last at the end. */
  get flows(): FlowRow[] {
    return this.#flows.list().map((observation) => {
      const { what, protocol, note, name } = observation;
      const { client, server, port, first, last } = rowOf(observation, what, this.origin);
      const row: FlowRow = {
        client,
        server,
        port,
        first,
        last,
        observation,
        protocol: PROTOCOL_NAMES[protocol],
        by: REASON_NAMES[note],
        packets: observation.packets,
        bytes: observation.bytes,
        duration: (last - first) * 1000 + observation.lastMillisecond -
          observation.firstMillisecond,
      };
      if (name !== undefined) row.name = name;
      const tunnel = tunnelText(observation.tunnel, observation.tunnelId);
      if (tunnel !== null) row.tunnel = tunnel;
      return row;
    });
  }

  /** The failures, the one that was sighted last at the end. */
  get failures(): FailureRow[] {
    return this.#failures.list().map((observation) => ({
      ...rowOf(observation, observation.what & 0xffff, this.origin),
      reason: observation.protocol === KIND_RST
        ? "refused"
        : unreachableReason(observation.what >>> 16, observation.isIpv6),
    }));
  }

  /** How many rows had to make room. One that came back is counted each time it went. */
  get leftOut(): number {
    return this.#flows.leftOut + this.#failures.leftOut;
  }

  /** Takes observations. Those of clients and peers say nothing that a flow does not say. */
  add({ words, count, records }: ObservationBatch): void {
    const names = this.#names;
    this.#flows.addFlows(
      words,
      count,
      names === null || names.isEmpty ? null : (isIpv6, offset) => {
        const at = offset / OBSERVATION_WORDS * RECORD_WORDS;
        const hasRecord = records !== null &&
          (records[at + RECORD_ID] | records[at + RECORD_ID + 1]) !== 0;
        return hasRecord
          ? nameText(names.of(records, at).names)
          : names.find(isIpv6, words, offset + WORD_A, offset + WORD_B) || undefined;
      },
    );
    this.#forFailures(words, count, (isIpv6, offset, what, kind, seconds) => {
      this.#failures.add(isIpv6, words, offset, what, kind, seconds, 0);
    });
  }

  /** Takes when failures that are there were seen last. */
  see({ words, count }: ObservationBatch): void {
    this.#forFailures(words, count, (isIpv6, offset, what, kind, seconds) => {
      this.#failures.see(isIpv6, words, offset, what, kind, seconds);
    });
  }

  /**
   * Takes records of conversations: their figures are added to those of their flows. Connections that
   * were refused are failures. Of a conversation that goes on what is new is added; where there are too
   * many of these, all of it when it is over.
   */
  takeRecords({ words, count }: RecordBatch): void {
    let all: Uint32Array | null = null;
    for (let i = 0; i < count; i++) {
      const at = i * RECORD_WORDS;
      const head = words[at + RECORD_HEAD];
      if ((head & STATE_MASK) === REFUSED && (head & IS_UNOPENED) !== 0) {
        this.#addRefused(words, at);
      }
      if ((head & IS_OVER) !== 0 && this.#added.size === 0) continue;
      // Those of whoever made them stay as they are.
      all ??= words.slice(0, count * RECORD_WORDS);
      this.#subtractAdded(all, at);
    }
    this.#flows.addFigures(all ?? words, count);
  }

  #addRefused(words: Uint32Array, at: number): void {
    const isIpv6 = (words[at + RECORD_HEAD] & IPV6_BIT) !== 0;
    const port = words[at + RECORD_PORTS] & 0xffff;
    // An observation begins with a word before its addresses.
    const offset = at + RECORD_CLIENT - WORD_A;
    this.#failures.add(isIpv6, words, offset, port, KIND_RST, words[at + RECORD_LAST], 0);
  }

  /** Leaves of the figures of a record what was not added yet. */
  #subtractAdded(words: Uint32Array, at: number): void {
    const id = wideNumber(words, at + RECORD_ID);
    const isOver = (words[at + RECORD_HEAD] & IS_OVER) !== 0;
    const added = this.#added.get(id);
    if (added === undefined && isOver) return;
    const figures = words.subarray(at + RECORD_PACKETS, at + RECORD_PACKETS + FIGURE_WORDS);
    if (added === undefined && this.#added.size >= MOST_GOING_ON) {
      figures.fill(0);
      return;
    }
    const before = added ?? new Float64Array(FIGURES);
    for (let i = 0; i < FIGURES; i++) {
      const now = wideNumber(figures, 2 * i);
      const added = now - before[i];
      figures[2 * i] = added % 2 ** 32;
      figures[2 * i + 1] = added / 2 ** 32;
      before[i] = now;
    }
    if (isOver) this.#added.delete(id);
    else this.#added.set(id, before);
  }

  #forFailures(
    words: Uint32Array,
    count: number,
    take: (isIpv6: boolean, offset: number, what: number, kind: number, seconds: number) => void,
  ): void {
    for (let offset = 0; offset < count * OBSERVATION_WORDS; offset += OBSERVATION_WORDS) {
      const kind = words[offset + WORD_KIND] & 0xff;
      if (kind !== KIND_RST && kind !== KIND_ICMP) continue;
      const isIpv6 = (words[offset + WORD_KIND] & IPV6_BIT) !== 0;
      take(isIpv6, offset, whatFailed(words, offset), kind, words[offset + WORD_SECONDS]);
    }
  }
}

/**
 * The strongest name, with a dot at its end, as keys have it; and behind it what the conversation itself
 * carries, if that is another one.
 */
function nameText(names: readonly ServerName[]): string | undefined {
  if (names.length === 0) return undefined;
  const [{ name, from }, ...others] = names;
  const carried = from === "lookup" || from === "https-hint"
    ? others.find((it) => it.name !== name && it.isOuter !== true && CARRIED.has(it.from))
    : undefined;
  return carried === undefined ? `${name}.` : `${name}. (${carried.from}: ${carried.name}.)`;
}

/** Which service failed and how, of an observation, as a number. */
function whatFailed(words: Uint32Array, offset: number): number {
  // The service's port is the packet's source port in a RST, the bounced destination port in ICMP.
  const port = words[offset + WORD_PORTS] & 0xffff;
  const code = (words[offset + WORD_KIND] >>> 16) & 0xff;
  return (code << 16) | port;
}

function rowOf(observation: Observation, port: number, origin: number): Row {
  const { isIpv6, addresses, at, first, last } = observation;
  return {
    client: addressText(addresses, at, isIpv6),
    server: addressText(addresses, at + SERVER, isIpv6),
    port,
    first: first + origin,
    last: last + origin,
    observation,
  };
}

/** Sorts rows by client, server, port and protocol, as numbers. */
export function byEnds(one: Row, other: Row): number {
  const { isIpv6, addresses, at } = one.observation;
  const others = other.observation;
  if (isIpv6 !== others.isIpv6) return isIpv6 ? 1 : -1;
  for (let word = 0; word < 2 * SERVER; word++) {
    const difference = addresses[at + word] - others.addresses[others.at + word];
    if (difference !== 0) return difference;
  }
  return one.port - other.port || one.observation.protocol - others.protocol ||
    one.observation.tunnel - others.tunnel || one.observation.tunnelId - others.tunnelId;
}
