import { addressText } from "../flow/address_text.ts";
import { BY_NAMES, type ByName } from "../flow/by.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_RST,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
} from "../flow/observation_batch.ts";
import type { FlowNames } from "./flow_names.ts";
import { unreachableReason } from "./unreachable_reason.ts";

/** What every row of a {@linkcode FlowTable} says. */
interface Row {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** How often it was sighted, in the sense of the Redis contract. */
  sightings: number;
  /** Seconds since 1970-01-01 UTC. */
  first: number;
  last: number;
  /** Sorts rows by client, server and port, as numbers. */
  readonly order: string;
}

/** A service that a client uses. */
export interface FlowRow extends Row {
  /** `tcp`, `udp`, or the IANA number of another protocol. */
  readonly protocol: string;
  by: ByName;
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

const PROTOCOL_NAMES = new Map([[6, "tcp"], [17, "udp"]]);

/**
 * The flows that were attributed, and the connections that failed, each with how often and when.
 * Bounded: what was not sighted for longest makes room.
 */
export class FlowTable {
  readonly #maxRows: number;
  readonly #names: FlowNames | null;
  /** In the order of their last sighting: a Map keeps the order of insertion. */
  readonly #flows = new Map<string, FlowRow>();
  readonly #failures = new Map<string, FailureRow>();
  #leftOut = 0;

  /**
   * @param maxRows How many flows are kept, and how many failures.
   * @param names Where the names of servers come from.
   */
  constructor(maxRows: number = DEFAULT_MAX_ROWS, names: FlowNames | null = null) {
    this.#maxRows = maxRows;
    this.#names = names;
  }

  /** The flows, the one that was sighted last at the end. */
  get flows(): FlowRow[] {
    return [...this.#flows.values()];
  }

  /** The failures, the one that was sighted last at the end. */
  get failures(): FailureRow[] {
    return [...this.#failures.values()];
  }

  /** How many rows had to make room. One that came back is counted each time it went. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /**
   * Takes one observation. Those of clients and peers say nothing that a flow does not say.
   *
   * @param words Holds the observation.
   * @param offset Where it begins.
   */
  add(words: Uint32Array, offset: number): void {
    const kind = words[offset + WORD_KIND] & 0xff;
    if (kind === KIND_FLOW) this.#addFlow(words, offset);
    else if (kind === KIND_RST || kind === KIND_ICMP) this.#addFailure(words, offset, kind);
  }

  #addFlow(words: Uint32Array, offset: number): void {
    const number = (words[offset + WORD_ABOUT] >>> 8) & 0xff;
    const protocol = PROTOCOL_NAMES.get(number) ?? String(number);
    const by = BY_NAMES[words[offset + WORD_ABOUT] & 0xff];
    const order = orderOf(words, offset, words[offset + WORD_PORTS]);
    const row = this.#sight<FlowRow>(
      this.#flows,
      order + protocol,
      words[offset + WORD_SECONDS],
      () => ({ ...newRow(words, offset, words[offset + WORD_PORTS], order), protocol, by }),
    );
    row.by = by;
    const isIpv6 = (words[offset + WORD_KIND] & IPV6_BIT) !== 0;
    const name = this.#names?.find(isIpv6, words, offset + WORD_A, offset + WORD_B);
    if (name) row.name = name;
  }

  #addFailure(words: Uint32Array, offset: number, kind: number): void {
    // The service's port is the packet's source port in a RST, the bounced destination port in ICMP.
    const port = words[offset + WORD_PORTS] & 0xffff;
    const head = words[offset + WORD_KIND];
    const reason = kind === KIND_RST
      ? "refused"
      : unreachableReason((head >>> 16) & 0xff, (head & IPV6_BIT) !== 0);
    const order = orderOf(words, offset, port);
    this.#sight(
      this.#failures,
      order + reason,
      words[offset + WORD_SECONDS],
      () => ({ ...newRow(words, offset, port, order), reason }),
    );
  }

  #sight<R extends Row>(rows: Map<string, R>, id: string, seconds: number, make: () => R): R {
    let row = rows.get(id);
    if (row === undefined) {
      row = make();
      if (rows.size >= this.#maxRows) this.#forgetLongestUnseen(rows);
    } else {
      rows.delete(id);
    }
    rows.set(id, row);
    row.sightings++;
    row.first = Math.min(row.first, seconds);
    row.last = Math.max(row.last, seconds);
    return row;
  }

  #forgetLongestUnseen(rows: Map<string, Row>): void {
    for (const id of rows.keys()) {
      rows.delete(id);
      this.#leftOut++;
      return;
    }
  }
}

function newRow(words: Uint32Array, offset: number, port: number, order: string): Row {
  const isIpv6 = (words[offset + WORD_KIND] & IPV6_BIT) !== 0;
  const seconds = words[offset + WORD_SECONDS];
  return {
    client: addressText(words, offset + WORD_A, isIpv6),
    server: addressText(words, offset + WORD_B, isIpv6),
    port,
    sightings: 0,
    first: seconds,
    last: seconds,
    order,
  };
}

/** Family, addresses and port as text that sorts like the numbers. */
function orderOf(words: Uint32Array, offset: number, port: number): string {
  let order = (words[offset + WORD_KIND] & IPV6_BIT) !== 0 ? "6" : "4";
  for (let word = WORD_A; word < WORD_PORTS; word++) {
    order += String.fromCharCode(words[offset + word] >>> 16, words[offset + word] & 0xffff);
  }
  return order + String.fromCharCode(port);
}
