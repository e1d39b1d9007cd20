import { NO_TUNNEL } from "../model/tunnel_numbers.ts";
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_ADDRESSES,
  CELL_FLAGS,
  CELL_MILLISECONDS,
  CELL_NEWER,
  CELL_OCTETS,
  CELL_PACKETS,
  CELL_PORTS,
  CELL_SECONDS,
  CELL_STATE,
  COLD_FIRST_MILLISECONDS,
  COLD_FIRST_SECONDS,
  COLD_INTERFACE,
  COLD_OUTCOME,
  COLD_SHIFT,
  COLD_VLAN,
  IN_TUNNEL,
  IS_OUTER,
  OCTETS_BITS,
  PROTOCOL_MASK,
  STATE_UNOPENED,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  TABLE_COLD,
  TABLE_OLDEST,
  TABLE_TUNNELS,
  TABLE_UNOPENED_OLDEST,
  TUNNEL_FIRST_ID,
  TUNNEL_KIND,
  TUNNEL_SHIFT,
  WORD,
} from "./layout.ts";

/** Something of each direction of a conversation: from its low end to its high one first. */
export type Both<T> = readonly [T, T];

/**
 * A conversation and its figures, by its two ends: the low one and the high one, by address, whose words
 * are compared with a sign, and port.
 */
export interface ConversationRecord {
  /** Its address family. */
  readonly isIpv6: boolean;
  /** IANA's number. */
  readonly protocol: number;
  /** Of each end, four words in network order, IPv4 in the last of them. */
  readonly addresses: Both<Uint32Array>;
  /** Of each end. */
  readonly ports: Both<number>;
  /** How many packets were seen. */
  readonly packets: Both<number>;
  /** The bytes of these, IP header and payload: IPFIX `octetTotalCount`. */
  readonly octets: Both<number>;
  /** All TCP control bits that were seen. */
  readonly tcpFlags: Both<number>;
  /** When the first packet came, in milliseconds since 1970-01-01 UTC. */
  readonly first: number;
  /** And the last, but for SYN after others. */
  readonly last: number;
  /** Of its first packet, 0 for none. */
  readonly vlan: number;
  /** Of its first packet: the interface's number in the source, 0 for none. */
  readonly interfaceNumber: number;
  /** The kind of tunnel that it is in (`src/model/tunnel_numbers.ts`), 0 for none. */
  readonly tunnel: number;
  /** What tells that tunnel from others of its kind, 0 for nothing. */
  readonly tunnelId: number;
  /** Whether it had nothing but SYN, FIN and RST, so that it is no flow. */
  readonly isUnopened: boolean;
  /** What the mapping said (`src/model/outcome.ts`), or `UNCLASSIFIED` where it was not asked yet. */
  readonly outcomes: Both<number>;
}

/** Calls `visit` with the number of each conversation of a memory, the oldest first. */
export function forEachConversation(
  view: DataView,
  visit: (isIpv6: boolean, number: number) => void,
): void {
  for (const isIpv6 of [false, true]) {
    for (const oldest of [TABLE_OLDEST, TABLE_UNOPENED_OLDEST]) {
      for (let number = view.getUint32(tableOf(isIpv6) + oldest, true); number !== 0;) {
        const cell = cellOf(view, isIpv6, number);
        // What is between the ends of a tunnel only makes peers of them.
        if ((view.getUint32(cell + CELL_STATE, true) & IS_OUTER) === 0) visit(isIpv6, number);
        number = view.getUint32(cell + CELL_NEWER, true);
      }
    }
  }
}

/** Reads a conversation of a memory. */
export function readConversation(
  view: DataView,
  isIpv6: boolean,
  number: number,
): ConversationRecord {
  const cell = cellOf(view, isIpv6, number);
  const cold = view.getUint32(tableOf(isIpv6) + TABLE_COLD, true) + number * 2 ** COLD_SHIFT;
  const word = (at: number) => view.getUint32(at, true);
  const timeOf = (seconds: number, milliseconds: number) =>
    word(seconds) * 1000 + view.getUint16(milliseconds, true);
  const ports = word(cell + CELL_PORTS);
  const first = timeOf(cold + COLD_FIRST_SECONDS, cold + COLD_FIRST_MILLISECONDS);
  const state = word(cell + CELL_STATE);
  const isInTunnel = (state & IN_TUNNEL) !== 0;
  const tunnel = word(tableOf(isIpv6) + TABLE_TUNNELS) + number * 2 ** TUNNEL_SHIFT;
  const sums = both((i) => view.getBigUint64(cell + CELL_OCTETS + i * 8, true));
  return {
    isIpv6,
    protocol: state & PROTOCOL_MASK,
    addresses: both((end) => addressOf(view, isIpv6, cell, end)),
    ports: [ports >>> 16, ports & 0xffff],
    packets: both((i) =>
      Number(sums[i] >> BigInt(OCTETS_BITS)) * 2 ** 32 + word(cell + CELL_PACKETS + i * WORD)
    ),
    octets: both((i) => Number(BigInt.asUintN(Number(OCTETS_BITS), sums[i]))),
    tcpFlags: both((i) => view.getUint8(cell + CELL_FLAGS + i)),
    first,
    last: Math.max(first, timeOf(cell + CELL_SECONDS, cell + CELL_MILLISECONDS)),
    vlan: view.getUint16(cold + COLD_VLAN, true),
    interfaceNumber: view.getUint16(cold + COLD_INTERFACE, true),
    tunnel: isInTunnel ? word(tunnel + TUNNEL_KIND) : NO_TUNNEL,
    tunnelId: isInTunnel ? word(tunnel + TUNNEL_FIRST_ID) : 0,
    isUnopened: (state & STATE_UNOPENED) !== 0,
    outcomes: both((i) => word(cold + COLD_OUTCOME + i * WORD)),
  };
}

function addressOf(view: DataView, isIpv6: boolean, cell: number, end: number): Uint32Array {
  const words = isIpv6 ? 4 : 1;
  const from = cell + CELL_ADDRESSES + end * words * WORD;
  const address = new Uint32Array(4);
  for (let i = 0; i < words; i++) address[4 - words + i] = view.getUint32(from + i * WORD, true);
  return address;
}

function both<T>(of: (index: number) => T): Both<T> {
  return [of(0), of(1)];
}

function tableOf(isIpv6: boolean): number {
  return isIpv6 ? TABLE6 : TABLE4;
}

function cellOf(view: DataView, isIpv6: boolean, number: number): number {
  const size = 2 ** (isIpv6 ? CELL6_SHIFT : CELL4_SHIFT);
  return view.getUint32(tableOf(isIpv6) + TABLE_CELLS, true) + number * size;
}
