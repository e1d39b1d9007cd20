import { addressText } from "../../src/model/address_text.ts";
import { decode } from "../../src/packet/decode.ts";
import { DECODED_NAMES, TRANSPORT, UNREACHABLE } from "../../src/packet/decoded.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../../src/packet/packet_header.ts";
import { TUNNEL_NAMES } from "../../src/model/tunnel_names.ts";
import { NO_TUNNEL } from "../../src/model/tunnel_numbers.ts";

/** Bytes around a packet: more than any header, so that a read beyond it finds them. */
const SURROUNDINGS = 512;

/** What the decoder says of a packet; of the fields, those that mean something for it. */
export interface ReadPacket {
  /** One of `DECODED_NAMES`. */
  decoded: string;
  /** `TCP 10.0.0.1 1024 > 10.0.0.2 80`, or for an ICMP message what bounced. */
  fields?: string;
  tcpFlags?: number;
  /** What follows the transport header. */
  payload?: number[];
  /** The innermost tunnel that it is in, with what tells it apart: `VXLAN 4711`. */
  tunnel?: string;
}

/**
 * Decodes a packet that lies in the middle of other bytes.
 *
 * @param filler What the bytes around it are, and what the header's fields are before.
 */
export function readPacket(packet: Uint8Array, linkType: number, filler = 0): ReadPacket {
  const buffer = new Uint8Array(packet.length + 2 * SURROUNDINGS).fill(filler);
  buffer.set(packet, SURROUNDINGS);
  const header = poisoned(filler);
  const end = SURROUNDINGS + packet.length;
  const decoded = decode(new DataView(buffer.buffer), SURROUNDINGS, end, linkType, header);
  const read: ReadPacket = { decoded: DECODED_NAMES[decoded] };
  if (decoded === TRANSPORT) {
    const { payloadOffset, payloadEnd } = header;
    if (payloadOffset < SURROUNDINGS || payloadEnd > end || payloadOffset > payloadEnd) {
      throw new RangeError(`payload from ${payloadOffset} to ${payloadEnd}, packet up to ${end}`);
    }
    read.fields = transportText(header);
    read.tcpFlags = header.tcpFlags;
    read.payload = [...buffer.subarray(payloadOffset, payloadEnd)];
    if (header.tunnel !== NO_TUNNEL) {
      read.tunnel = `${TUNNEL_NAMES[header.tunnel]} ${header.tunnelId}`;
    }
  } else if (decoded === UNREACHABLE) {
    read.fields = unreachableText(header);
  }
  return read;
}

function poisoned(filler: number): PacketHeader {
  const header = new PacketHeader();
  const word = filler * 0x01010101;
  header.addresses.fill(word);
  header.bouncedAddresses.fill(word);
  header.isIpv6 = filler % 2 === 1;
  header.protocol =
    header.bouncedProtocol =
    header.tcpFlags =
    header.icmpCode =
      filler;
  header.sourcePort = header.destinationPort = filler * 0x101;
  header.bouncedSourcePort = header.bouncedDestinationPort = filler * 0x101;
  header.payloadOffset = filler;
  header.payloadEnd = filler;
  return header;
}

function transportText(header: PacketHeader): string {
  const { addresses, isIpv6, protocol, sourcePort, destinationPort } = header;
  const from = `${address(addresses, SOURCE, isIpv6)} ${sourcePort}`;
  return `${name(protocol)} ${from} > ${
    address(addresses, DESTINATION, isIpv6)
  } ${destinationPort}`;
}

function unreachableText(header: PacketHeader): string {
  const { addresses, bouncedAddresses, isIpv6, icmpCode } = header;
  const bounced = `${name(header.bouncedProtocol)} ` +
    `${address(bouncedAddresses, SOURCE, isIpv6)} ${header.bouncedSourcePort} > ` +
    `${address(bouncedAddresses, DESTINATION, isIpv6)} ${header.bouncedDestinationPort}`;
  return `code ${icmpCode} ${address(addresses, SOURCE, isIpv6)} > ` +
    `${address(addresses, DESTINATION, isIpv6)}: ${bounced}`;
}

function address(words: Int32Array, offset: number, isIpv6: boolean): string {
  return addressText(new Uint32Array(words.buffer), offset, isIpv6);
}

function name(protocol: number): string {
  return ({ 6: "TCP", 17: "UDP" })[protocol] ?? String(protocol);
}
