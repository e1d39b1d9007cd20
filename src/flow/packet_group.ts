import { DESTINATION, type PacketHeader, SOURCE } from "../packet/packet_header.ts";
import type { ConversationTable } from "./conversation_table.ts";
import type { Fingerprint } from "./fingerprint.ts";

/** Packets of a group: few enough to stay in the first cache, many enough to wait for memory once. */
export const GROUP_SIZE = 256;

/** The direction, in a packet's `about` word. */
export const DIRECTION_SHIFT = 8;
/** Whether it has a payload, in a packet's `about` word. */
export const HAS_PAYLOAD = 1 << 9;
/** TCP control bits, in a packet's `about` word. */
export const FLAGS_SHIFT = 16;

/**
 * TCP and UDP packets of one address family that were decoded and not yet looked up.
 *
 * Looking up a packet's conversation is mostly waiting for memory. So packets are decoded a few
 * hundred at a time, memory is asked for all of them at once, and then they are looked up.
 */
export class PacketGroup {
  /** How many packets there are. */
  count = 0;
  readonly table: ConversationTable;
  /** Index of each packet in its batch. */
  readonly packet: Int32Array = new Int32Array(GROUP_SIZE);
  /** Protocol in bits 0 to 7, direction in bit 8, payload in bit 9, TCP control bits from bit 16. */
  readonly about: Int32Array = new Int32Array(GROUP_SIZE);
  readonly #hashes = new Int32Array(GROUP_SIZE);
  /** The low end's port, then the high end's. */
  readonly #ports = new Int32Array(GROUP_SIZE);
  /** The low end's address, then the high end's. */
  readonly #addresses: Int32Array;
  readonly #words = new Int32Array(GROUP_SIZE);
  #sum = 0;

  /** @param addressWords Words of an address: 1 for IPv4, 4 for IPv6. */
  constructor(addressWords: 1 | 4, table: ConversationTable) {
    this.table = table;
    this.#addresses = new Int32Array(GROUP_SIZE * 2 * addressWords);
  }

  /** Adds an IPv4 packet. */
  add4(packet: number, header: PacketHeader): void {
    const { addresses, sourcePort, destinationPort, protocol } = header;
    const source = addresses[SOURCE + 3];
    const destination = addresses[DESTINATION + 3];
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
    this.about[at] = aboutPacket(header) | (turn & (1 << DIRECTION_SHIFT));
    this.#hashes[at] = this.table.hash4(low, high, ports, protocol);
    this.#ports[at] = ports;
    this.#addresses[2 * at] = low;
    this.#addresses[2 * at + 1] = high;
  }

  /** Adds an IPv6 packet. */
  add6(packet: number, header: PacketHeader): void {
    const { addresses, sourcePort, destinationPort, protocol } = header;
    const direction = isTurned6(header) ? 1 : 0;
    const at = this.count++;
    const low = direction === 0 ? SOURCE : DESTINATION;
    const high = direction === 0 ? DESTINATION : SOURCE;
    for (let word = 0; word < 4; word++) {
      this.#addresses[8 * at + word] = addresses[low + word];
      this.#addresses[8 * at + 4 + word] = addresses[high + word];
    }
    const ports = direction === 0
      ? (sourcePort << 16) | destinationPort
      : (destinationPort << 16) | sourcePort;
    this.packet[at] = packet;
    this.about[at] = aboutPacket(header) | (direction << DIRECTION_SHIFT);
    this.#hashes[at] = this.table.hash6(this.#addresses, 8 * at, ports, protocol);
    this.#ports[at] = ports;
  }

  /** Has memory fetched for all lookups. */
  prefetch(): void {
    this.#sum ^= this.table.prefetch(this.#hashes, this.#words, this.count);
  }

  /** The number of an IPv4 packet's conversation, or 0 if there is none. */
  find4(at: number): number {
    const addresses = this.#addresses;
    const protocol = this.about[at] & 0xff;
    return this.table
      .find4(this.#hashes[at], addresses[2 * at], addresses[2 * at + 1], this.#ports[at], protocol);
  }

  /** The number of an IPv6 packet's conversation, or 0 if there is none. */
  find6(at: number): number {
    const protocol = this.about[at] & 0xff;
    return this.table.find6(this.#hashes[at], this.#addresses, 8 * at, this.#ports[at], protocol);
  }

  /** Adds an IPv4 packet's conversation. @returns Its number. */
  addConversation4(at: number): number {
    const addresses = this.#addresses;
    const protocol = this.about[at] & 0xff;
    return this.table
      .add4(this.#hashes[at], addresses[2 * at], addresses[2 * at + 1], this.#ports[at], protocol);
  }

  /** Adds an IPv6 packet's conversation. @returns Its number. */
  addConversation6(at: number): number {
    const protocol = this.about[at] & 0xff;
    return this.table.add6(this.#hashes[at], this.#addresses, 8 * at, this.#ports[at], protocol);
  }

  /** Makes the fingerprint of a packet's conversation, as {@linkcode ConversationTable} would. */
  fingerprint(at: number, into: Fingerprint): void {
    const words = this.#addresses.length / GROUP_SIZE;
    into.begin();
    for (let word = 0; word < words; word++) into.add(this.#addresses[words * at + word]);
    into.add(this.#ports[at]);
    into.add(this.about[at] & 0xff);
  }
}

function aboutPacket(header: PacketHeader): number {
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
