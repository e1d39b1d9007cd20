import type { PacketBatch } from "../capture/packet_batch.ts";
import { addressText } from "../flow/address_text.ts";
import {
  COLD_EVIDENCE,
  COLD_SHIFT,
  ConversationTable,
  HOT_ADDRESSES,
  HOT_STATE,
} from "../flow/conversation_table.ts";
import { isGroup } from "../flow/group_address.ts";
import { add4, add6, DIRECTION_SHIFT, find4, find6, PacketList } from "../flow/packet_list.ts";
import { decode } from "../packet/decode.ts";
import { TRANSPORT } from "../packet/decoded.ts";
import {
  DESTINATION,
  PacketHeader,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_ACK,
  TCP_SYN,
} from "../packet/packet_header.ts";
import { FROM_CLIENT, NOBODY } from "../payload/sign.ts";
import { udpClient } from "./udp_client.ts";

/** The low end was seen to be the client; one bit further up, the high end was. */
const CLIENT = 1 << 0;
const BOTH_CLIENTS = CLIENT | (CLIENT << 1);
/** TCP: there was a packet without SYN. */
const CARRIED_MORE = 1 << 2;
/** There was a packet before. */
const SEEN = 1 << 3;

/** A conversation whose client is known for certain. */
export interface Label {
  readonly protocol: "tcp" | "udp";
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
}

/** Reads out of a capture who the clients are. */
export class Truth {
  readonly #ipv4: ConversationTable;
  readonly #ipv6: ConversationTable;
  readonly #ipv4List = new PacketList(1, 1);
  readonly #ipv6List = new PacketList(4, 1);
  readonly #header = new PacketHeader();

  /** @param maxConversations Conversations of each address family that are remembered. */
  constructor(maxConversations: number) {
    this.#ipv4 = new ConversationTable(1, maxConversations);
    this.#ipv6 = new ConversationTable(4, maxConversations);
  }

  /**
   * Notes what the packets of a batch show.
   *
   * @param isOpening Set, for each packet, to whether it is TCP with SYN.
   */
  take(batch: PacketBatch, isOpening: Uint8Array): void {
    const { view, offset, captured, linkType, length } = batch;
    const header = this.#header;
    for (let i = 0; i < batch.count; i++) {
      const start = offset[i];
      const decoded = decode(view, start, start + captured[i], linkType[i], header);
      isOpening[i] = decoded === TRANSPORT && header.protocol === PROTOCOL_TCP &&
          (header.tcpFlags & TCP_SYN) !== 0
        ? 1
        : 0;
      if (decoded === TRANSPORT) this.#note(view, header, length[i] - captured[i]);
    }
  }

  /** The labels, in no order. Where both ends were seen to be the client, there is none. */
  labels(): Label[] {
    const labels: Label[] = [];
    for (const table of [this.#ipv4, this.#ipv6]) {
      table.forEach((number) => {
        const bits = table.cold[(number << COLD_SHIFT) + COLD_EVIDENCE];
        const isUdp = protocolOf(table, number) === PROTOCOL_UDP;
        const clients = bits & BOTH_CLIENTS;
        if (clients === 0 || clients === BOTH_CLIENTS) return;
        if (isUdp || (bits & CARRIED_MORE) !== 0) labels.push(labelOf(table, number, clients));
      });
    }
    return labels;
  }

  /** @param missing Bytes of the packet that the capture has not. */
  #note(view: DataView, header: PacketHeader, missing: number): void {
    const list = header.isIpv6 ? this.#ipv6List : this.#ipv4List;
    const [table, number] = header.isIpv6
      ? [this.#ipv6, this.#find6(header)]
      : [this.#ipv4, this.#find4(header)];
    const direction = (list.about[0] >>> DIRECTION_SHIFT) & 1;
    const at = (number << COLD_SHIFT) + COLD_EVIDENCE;
    const bits = table.cold[at];
    const found = header.protocol === PROTOCOL_UDP
      ? udpBits(bits, direction, view, header, missing)
      : tcpBits(direction, header.tcpFlags);
    table.cold[at] = bits | found | SEEN;
  }

  #find4(header: PacketHeader): number {
    const list = this.#ipv4List;
    list.count = 0;
    list.add4(0, header);
    return find4(this.#ipv4, list, 0) || add4(this.#ipv4, list, 0);
  }

  #find6(header: PacketHeader): number {
    const list = this.#ipv6List;
    list.count = 0;
    list.add6(0, header);
    return find6(this.#ipv6, list, 0) || add6(this.#ipv6, list, 0);
  }
}

function tcpBits(direction: number, flags: number): number {
  if ((flags & TCP_SYN) === 0) return CARRIED_MORE;
  return CLIENT << ((flags & TCP_ACK) === 0 ? direction : 1 - direction);
}

function udpBits(
  bits: number,
  direction: number,
  view: DataView,
  header: PacketHeader,
  missing: number,
): number {
  // The first message that tells is what counts: name servers ask each other from their own port.
  if ((bits & BOTH_CLIENTS) !== 0) return 0;
  const { payloadOffset, payloadEnd, sourcePort, destinationPort, isIpv6, addresses } = header;
  const length = payloadEnd - payloadOffset + missing;
  const toGroup = isIpv6
    ? isGroup(4, addresses[DESTINATION])
    : isGroup(1, addresses[DESTINATION + 3]);
  const isFirst = (bits & SEEN) === 0;
  const role = udpClient(
    view,
    payloadOffset,
    payloadEnd,
    length,
    sourcePort,
    destinationPort,
    isFirst,
    toGroup,
  );
  if (role === NOBODY) return 0;
  return CLIENT << (role === FROM_CLIENT ? direction : 1 - direction);
}

function protocolOf(table: ConversationTable, number: number): number {
  return table.hot[(number << table.hotShift) + HOT_STATE] & 0xff;
}

function labelOf(table: ConversationTable, number: number, clients: number): Label {
  const client = clients === CLIENT ? 0 : 1;
  const address = (end: number) => {
    const words = new Uint32Array(4);
    const from = (number << table.hotShift) + HOT_ADDRESSES + end * table.addressWords;
    words.set(table.hot.subarray(from, from + table.addressWords), 4 - table.addressWords);
    return addressText(words, 0, table.addressWords === 4);
  };
  return {
    protocol: protocolOf(table, number) === PROTOCOL_UDP ? "udp" : "tcp",
    client: address(client),
    clientPort: table.portOf(number, client),
    server: address(1 - client),
    serverPort: table.portOf(number, 1 - client),
  };
}
