import type { PacketBatch } from "../capture/packet_batch.ts";
import { addressText } from "../model/address_text.ts";
import { ConversationNumbers } from "../engine/conversation_numbers.ts";
import type { ConversationRecord } from "../engine/conversation_record.ts";
import { isGroup } from "../model/group_address.ts";
import { decode } from "../packet/decode.ts";
import { TRANSPORT } from "../packet/decoded.ts";
import {
  DESTINATION,
  PacketHeader,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "../packet/packet_header.ts";
import { FROM_CLIENT, NOBODY } from "../payload/sign.ts";
import { udpClient } from "./udp_client.ts";

/** The low end was seen to be the client; one bit further up, the high end was. */
const CLIENT = 1 << 0;
const BOTH_CLIENTS = CLIENT | (CLIENT << 1);
/** TCP: there was a packet without SYN, FIN and RST. */
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
  readonly #conversations: ConversationNumbers;
  /** What was seen of each conversation, by family and number. */
  readonly #seen: readonly [Uint8Array, Uint8Array];
  readonly #header = new PacketHeader();

  /** @param maxConversations Conversations of each address family that are remembered. */
  constructor(maxConversations: number) {
    this.#conversations = new ConversationNumbers(maxConversations);
    this.#seen = [new Uint8Array(maxConversations + 1), new Uint8Array(maxConversations + 1)];
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
    this.#conversations.forEach((number, conversation) => {
      const bits = this.#seen[conversation.isIpv6 ? 1 : 0][number];
      const isUdp = conversation.protocol === PROTOCOL_UDP;
      const clients = bits & BOTH_CLIENTS;
      if (clients === 0 || clients === BOTH_CLIENTS) return;
      if (isUdp || (bits & CARRIED_MORE) !== 0) labels.push(labelOf(conversation, clients));
    });
    return labels;
  }

  /** @param missing Bytes of the packet that the capture has not. */
  #note(view: DataView, header: PacketHeader, missing: number): void {
    const { number, direction, isNew } = this.#conversations.of(header);
    const seen = this.#seen[header.isIpv6 ? 1 : 0];
    const bits = isNew ? 0 : seen[number];
    const found = header.protocol === PROTOCOL_UDP
      ? udpBits(bits, direction, view, header, missing)
      : tcpBits(direction, header.tcpFlags);
    seen[number] = bits | found | SEEN;
  }
}

function tcpBits(direction: number, flags: number): number {
  // One that was refused, or of which only the end was seen, is no flow.
  if ((flags & (TCP_SYN | TCP_FIN | TCP_RST)) === 0) return CARRIED_MORE;
  if ((flags & TCP_SYN) === 0) return 0;
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

function labelOf(
  { isIpv6, protocol, addresses, ports }: ConversationRecord,
  clients: number,
): Label {
  const client = clients === CLIENT ? 0 : 1;
  return {
    protocol: protocol === PROTOCOL_UDP ? "udp" : "tcp",
    client: addressText(addresses[client], 0, isIpv6),
    clientPort: ports[client],
    server: addressText(addresses[1 - client], 0, isIpv6),
    serverPort: ports[1 - client],
  };
}
