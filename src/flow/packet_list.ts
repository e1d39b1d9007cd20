import { DESTINATION, type PacketHeader, SOURCE } from "../packet/packet_header.ts";
import { hash4, hash6 } from "./conversation_hash.ts";
import type { ConversationTable } from "./conversation_table.ts";

/** The direction, in a packet's `about` word. */
export const DIRECTION_SHIFT = 8;
/** Whether it has a payload, in a packet's `about` word. */
export const HAS_PAYLOAD = 1 << 9;
/** TCP control bits, in a packet's `about` word. */
export const FLAGS_SHIFT = 16;

/** TCP and UDP packets of one address family that were decoded, ready to be looked up. */
export class PacketList {
  /** How many packets there are, for whoever fills it. */
  count = 0;
  /** Index of each packet in its batch. */
  readonly packet: Int32Array;
  /** Protocol in bits 0 to 7, direction in bit 8, payload in bit 9, TCP control bits from bit 16. */
  readonly about: Int32Array;
  /** The hash of the packet's conversation. */
  readonly hash: Int32Array;
  /** The low end's port in the upper half, the high end's in the lower one. */
  readonly ports: Int32Array;
  /** The low end's address, then the high end's: together two words for IPv4, eight for IPv6. */
  readonly addresses: Int32Array;

  /**
   * Makes an empty list.
   *
   * @param addressWords Words of an address: 1 for IPv4, 4 for IPv6.
   * @param capacity How many packets there is room for.
   */
  constructor(addressWords: 1 | 4, capacity: number) {
    this.packet = new Int32Array(capacity);
    this.about = new Int32Array(capacity);
    this.hash = new Int32Array(capacity);
    this.ports = new Int32Array(capacity);
    this.addresses = new Int32Array(capacity * 2 * addressWords);
  }

  /**
   * Adds an IPv4 packet.
   *
   * @param packet Its index in its batch.
   * @param header What was read of it.
   */
  add4(packet: number, header: PacketHeader): void {
    const { addresses } = header;
    const source = addresses[SOURCE + 3];
    const destination = addresses[DESTINATION + 3];
    this.put4(packet, source, destination, portsOf(header), aboutPacket(header));
  }

  /**
   * Adds an IPv4 packet by its fields.
   *
   * @param sourceAndDestination The source port in the upper half, the destination port in the lower.
   * @param about As in {@linkcode PacketList.about}, without the direction.
   */
  put4(
    packet: number,
    source: number,
    destination: number,
    sourceAndDestination: number,
    about: number,
  ): void {
    const sourcePort = sourceAndDestination >>> 16;
    const destinationPort = sourceAndDestination & 0xffff;
    const isTurned = source > destination ||
      (source === destination && sourcePort > destinationPort);
    // Which end is the low one is like a coin's fall, so a branch would be mispredicted half of the
    // times: all bits of this are set where the ends change places.
    const turn = isTurned ? -1 : 0;
    const addressTurn = (source ^ destination) & turn;
    const portTurn = (sourcePort ^ destinationPort) & turn;
    const low = source ^ addressTurn;
    const high = destination ^ addressTurn;
    const ports = ((sourcePort ^ portTurn) << 16) | (destinationPort ^ portTurn);
    const at = this.count++;
    this.packet[at] = packet;
    this.about[at] = about | (turn & (1 << DIRECTION_SHIFT));
    this.hash[at] = hash4(low, high, ports, about & 0xff);
    this.ports[at] = ports;
    this.addresses[2 * at] = low;
    this.addresses[2 * at + 1] = high;
  }

  /** Adds an IPv6 packet. Parameters as of {@linkcode PacketList.add4}. */
  add6(packet: number, header: PacketHeader): void {
    const { addresses, sourcePort, destinationPort, protocol } = header;
    const direction = isTurned6(header) ? 1 : 0;
    const at = this.count++;
    const low = direction === 0 ? SOURCE : DESTINATION;
    const high = direction === 0 ? DESTINATION : SOURCE;
    for (let word = 0; word < 4; word++) {
      this.addresses[8 * at + word] = addresses[low + word];
      this.addresses[8 * at + 4 + word] = addresses[high + word];
    }
    const ports = direction === 0
      ? (sourcePort << 16) | destinationPort
      : (destinationPort << 16) | sourcePort;
    this.packet[at] = packet;
    this.about[at] = aboutPacket(header) | (direction << DIRECTION_SHIFT);
    this.hash[at] = hash6(this.addresses, 8 * at, ports, protocol);
    this.ports[at] = ports;
  }
}

/** Makes the cells of 0, which is no conversation's number, those of a packet that belongs to none. */
export function fillNobody(table: ConversationTable, list: PacketList, at: number): void {
  const { addresses, ports, about } = list;
  table.fillNobody(addresses, 2 * table.addressWords * at, ports[at], about[at] & 0xff);
}

/** The number of an IPv4 packet's conversation, or 0 if it is not remembered. */
export function find4(table: ConversationTable, list: PacketList, at: number): number {
  const { hash, addresses, ports, about } = list;
  return table
    .find4(hash[at], addresses[2 * at], addresses[2 * at + 1], ports[at], about[at] & 0xff);
}

/** The same for IPv6. */
export function find6(table: ConversationTable, list: PacketList, at: number): number {
  const { hash, addresses, ports, about } = list;
  return table.find6(hash[at], addresses, 8 * at, ports[at], about[at] & 0xff);
}

/** Adds an IPv4 packet's conversation. @returns Its number. */
export function add4(table: ConversationTable, list: PacketList, at: number): number {
  const { hash, addresses, ports, about } = list;
  return table
    .add4(hash[at], addresses[2 * at], addresses[2 * at + 1], ports[at], about[at] & 0xff);
}

/** The same for IPv6. */
export function add6(table: ConversationTable, list: PacketList, at: number): number {
  const { hash, addresses, ports, about } = list;
  return table.add6(hash[at], addresses, 8 * at, ports[at], about[at] & 0xff);
}

/** Both ports of a packet: the source's in the upper half, the destination's in the lower one. */
export function portsOf({ sourcePort, destinationPort }: PacketHeader): number {
  return (sourcePort << 16) | destinationPort;
}

/** A packet's `about` word, without its direction. */
export function aboutPacket(header: PacketHeader): number {
  return (header.tcpFlags << FLAGS_SHIFT) | header.protocol |
    (header.payloadOffset < header.payloadEnd ? HAS_PAYLOAD : 0);
}

function isTurned6(header: PacketHeader): boolean {
  const { addresses } = header;
  for (let word = 0; word < 4; word++) {
    const source = addresses[SOURCE + word];
    const destination = addresses[DESTINATION + word];
    if (source !== destination) return source > destination;
  }
  return header.sourcePort > header.destinationPort;
}
