import { addressText } from "../model/address_text.ts";
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
import type { FlowNames } from "./flow_names.ts";
import { type Sighting, SightingTable } from "./sighting_table.ts";
import { unreachableReason } from "./unreachable_reason.ts";

/** Where the second address of a sighting is. */
const SERVER = 4;

/** What every row of a {@linkcode FlowTable} says. */
interface Row {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** When it was seen first and last, in seconds since 1970-01-01 UTC. */
  first: number;
  last: number;
  /** What it is made of. */
  readonly sighting: Sighting;
}

/** A service that a client uses. */
export interface FlowRow extends Row {
  /** `tcp`, `udp`, or the IANA number of another protocol. */
  readonly protocol: string;
  by: ReasonName;
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
  readonly #flows: SightingTable;
  readonly #failures: SightingTable;

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
    this.#flows = new SightingTable(maxRows);
    this.#failures = new SightingTable(maxRows);
  }

  /** From when on what is added counts its seconds, in seconds since 1970-01-01 UTC. */
  get origin(): number {
    return this.#origin?.seconds ?? 0;
  }

  /** The flows, the one that was sighted last at the end. */
  get flows(): FlowRow[] {
    return this.#flows.list().map((sighting) => {
      const { what, protocol, note, name } = sighting;
      const { client, server, port, first, last } = rowOf(sighting, what, this.origin);
      const row: FlowRow = {
        client,
        server,
        port,
        first,
        last,
        sighting,
        protocol: PROTOCOL_NAMES[protocol],
        by: REASON_NAMES[note],
      };
      if (name !== undefined) row.name = name;
      const tunnel = tunnelText(sighting.tunnel, sighting.tunnelId);
      if (tunnel !== null) row.tunnel = tunnel;
      return row;
    });
  }

  /** The failures, the one that was sighted last at the end. */
  get failures(): FailureRow[] {
    return this.#failures.list().map((sighting) => ({
      ...rowOf(sighting, sighting.what & 0xffff, this.origin),
      reason: sighting.protocol === KIND_RST
        ? "refused"
        : unreachableReason(sighting.what >>> 16, sighting.isIpv6),
    }));
  }

  /** How many rows had to make room. One that came back is counted each time it went. */
  get leftOut(): number {
    return this.#flows.leftOut + this.#failures.leftOut;
  }

  /** Takes observations. Those of clients and peers say nothing that a flow does not say. */
  add({ words, count }: ObservationBatch): void {
    const names = this.#names;
    this.#flows.addFlows(
      words,
      count,
      names === null || names.isEmpty
        ? null
        : (isIpv6, offset) =>
          names.find(isIpv6, words, offset + WORD_A, offset + WORD_B) || undefined,
    );
    this.#forFailures(words, count, (isIpv6, offset, what, kind, seconds) => {
      this.#failures.add(isIpv6, words, offset, what, kind, seconds, 0);
    });
  }

  /** Takes when flows and failures that are there were seen last. */
  see({ words, count }: ObservationBatch): void {
    this.#flows.seeFlows(words, count);
    this.#forFailures(words, count, (isIpv6, offset, what, kind, seconds) => {
      this.#failures.see(isIpv6, words, offset, what, kind, seconds);
    });
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

/** Which service failed and how, of an observation, as a number. */
function whatFailed(words: Uint32Array, offset: number): number {
  // The service's port is the packet's source port in a RST, the bounced destination port in ICMP.
  const port = words[offset + WORD_PORTS] & 0xffff;
  const code = (words[offset + WORD_KIND] >>> 16) & 0xff;
  return (code << 16) | port;
}

function rowOf(sighting: Sighting, port: number, origin: number): Row {
  const { isIpv6, addresses, at, first, last } = sighting;
  return {
    client: addressText(addresses, at, isIpv6),
    server: addressText(addresses, at + SERVER, isIpv6),
    port,
    first: first + origin,
    last: last + origin,
    sighting,
  };
}

/** Sorts rows by client, server, port and protocol, as numbers. */
export function byEnds(one: Row, other: Row): number {
  const { isIpv6, addresses, at } = one.sighting;
  const others = other.sighting;
  if (isIpv6 !== others.isIpv6) return isIpv6 ? 1 : -1;
  for (let word = 0; word < 2 * SERVER; word++) {
    const difference = addresses[at + word] - others.addresses[others.at + word];
    if (difference !== 0) return difference;
  }
  return one.port - other.port || one.sighting.protocol - others.protocol ||
    one.sighting.tunnel - others.tunnel || one.sighting.tunnelId - others.tunnelId;
}
