/**
 * Builds packets and captures for tests: headers in front of payloads, from the inside out, with
 * right lengths and checksums, so that tcpdump and a real network stack take them.
 */
import { parseAddress } from "../src/model/address.ts";

/** Bytes of a packet or of a part of it. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const FIN = 0x01;

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;

/** The parts one after the other. Numbers are bytes. */
export function bytes(...parts: (Uint8Array | readonly number[] | number | string)[]): Bytes {
  const arrays = parts.map((part) => {
    if (typeof part === "number") return [part];
    return typeof part === "string" ? [...new TextEncoder().encode(part)] : [...part];
  });
  return Uint8Array.from(arrays.flat());
}

/** A number as two bytes in network order. */
export function u16(number: number): number[] {
  return [(number >>> 8) & 0xff, number & 0xff];
}

/** A number as four bytes in network order. */
export function u32(number: number): number[] {
  return [...u16(number >>> 16), ...u16(number)];
}

/** An address as 4 or 16 bytes in network order. */
export function addressBytes(text: string): number[] {
  const address = parseAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  return address.family === 4 ? u32(address.words[3]) : [...address.words].flatMap(u32);
}

/** A TCP segment without its checksum, which {@linkcode ip} puts in. */
export function tcp(
  sourcePort: number,
  destinationPort: number,
  flags: number = PSH | ACK,
  payload: Uint8Array | string = "",
  options: readonly number[] = [],
): Bytes {
  const words = 5 + options.length / 4;
  return bytes(
    u16(sourcePort),
    u16(destinationPort),
    u32(1),
    u32(1),
    words << 4,
    flags,
    u16(64_240),
    u16(0),
    u16(0),
    options,
    payload,
  );
}

/** A UDP datagram without its checksum, which {@linkcode ip} puts in. */
export function udp(
  sourcePort: number,
  destinationPort: number,
  payload: Uint8Array | string = "payload",
): Bytes {
  const length = 8 + bytes(payload).length;
  return bytes(u16(sourcePort), u16(destinationPort), u16(length), u16(0), payload);
}

/** An ICMP or ICMPv6 message of some type and code that sends a packet back. */
export function icmp(type: number, code: number, bounced: Uint8Array): Bytes {
  return bytes(type, code, u16(0), u32(0), bounced);
}

/** What may be told of an IP header. */
export interface IpOptions {
  /** By default, what the payload's maker implies: give it for anything but TCP. */
  protocol?: number;
  /** IPv4 options, a multiple of four bytes. */
  options?: readonly number[];
  /** IPv4: flags and fragment offset. */
  fragment?: number;
  /** IPv6 extension headers as `[number, bytes]`, the first byte of each being put in here. */
  extensions?: readonly (readonly [number, readonly number[]])[];
}

/** An IP packet of the family of its addresses. */
export function ip(
  source: string,
  destination: string,
  payload: Uint8Array,
  options: IpOptions = {},
): Bytes {
  const protocol = options.protocol ?? TCP;
  const summed = withTransportChecksum(source, destination, protocol, payload);
  return source.includes(":")
    ? ipv6(source, destination, protocol, summed, options)
    : ipv4(source, destination, protocol, summed, options);
}

/** An IP packet with UDP in it. */
export function ipUdp(source: string, destination: string, payload: Uint8Array): Bytes {
  return ip(source, destination, payload, { protocol: UDP });
}

/** An IP packet with ICMP or ICMPv6 in it, as the family of its addresses wants. */
export function ipIcmp(source: string, destination: string, message: Uint8Array): Bytes {
  return ip(source, destination, message, { protocol: source.includes(":") ? ICMPV6 : ICMP });
}

function ipv4(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
  { options = [], fragment = 0 }: IpOptions,
): Bytes {
  const headerLength = 20 + options.length;
  const header = bytes(
    0x40 | (headerLength / 4),
    0,
    u16(headerLength + payload.length),
    u16(0),
    u16(fragment),
    64,
    protocol,
    u16(0),
    addressBytes(source),
    addressBytes(destination),
    options,
  );
  header.set(u16(checksum(header)), 10);
  return bytes(header, payload);
}

function ipv6(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
  { extensions = [] }: IpOptions,
): Bytes {
  const chain = extensions.map(([, content], i) => {
    const [next] = extensions[i + 1] ?? [protocol];
    return [next, ...content.slice(1)];
  });
  const carried = bytes(...chain, payload);
  const [first] = extensions[0] ?? [protocol];
  return bytes(
    u32(0x60000000),
    u16(carried.length),
    first,
    64,
    addressBytes(source),
    addressBytes(destination),
    carried,
  );
}

const CHECKSUM_AT: Record<number, number> = { [TCP]: 16, [UDP]: 6, [ICMP]: 2, [ICMPV6]: 2 };

function withTransportChecksum(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
): Bytes {
  const summed = bytes(payload);
  const at = CHECKSUM_AT[protocol];
  if (at === undefined || at + 2 > summed.length) return summed;
  const pseudoHeader = protocol === ICMP
    ? []
    : [addressBytes(source), addressBytes(destination), u32(payload.length), u32(protocol)];
  summed.set(u16(checksum(bytes(...pseudoHeader, summed))), at);
  return summed;
}

/** The Internet checksum (RFC 1071). */
function checksum(data: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 2) sum += (data[i] << 8) | (data[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An Ethernet frame with an IP packet, within VLANs if any are given, the outer one first. */
export function ethernet(packet: Uint8Array, vlans: readonly number[] = []): Bytes {
  const etherType = packet[0] >>> 4 === 6 ? 0x86dd : 0x0800;
  const tags = vlans.map((vlan, i) => [
    ...u16(i < vlans.length - 1 ? 0x88a8 : 0x8100),
    ...u16(vlan),
  ]);
  return bytes([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], ...tags, u16(etherType), packet);
}

/** A packet of a capture and when it was seen, in seconds. */
export interface Timed {
  packet: Uint8Array;
  seconds: number;
  /** Bytes on the wire, when the capture has fewer. */
  length?: number;
}

/** A pcap file (pcap-savefile(5)). */
export function pcap(
  packets: readonly Timed[],
  { linkType = 1, littleEndian = true, magic = 0xa1b2c3d4 } = {},
): Bytes {
  const file = new DataView(new ArrayBuffer(24));
  file.setUint32(0, magic, littleEndian);
  file.setUint16(4, 2, littleEndian);
  file.setUint16(6, 4, littleEndian);
  file.setUint32(16, 262_144, littleEndian);
  file.setUint32(20, linkType, littleEndian);
  const records = packets.flatMap(({ packet, seconds, length }) => {
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(0, Math.floor(seconds), littleEndian);
    const parts = magic === 0xa1b23c4d ? 1e9 : 1e6;
    record.setUint32(4, Math.round((seconds % 1) * parts) % parts, littleEndian);
    record.setUint32(8, packet.length, littleEndian);
    record.setUint32(12, length ?? packet.length, littleEndian);
    return [new Uint8Array(record.buffer), packet];
  });
  return joined([new Uint8Array(file.buffer), ...records]);
}

/** Parts one after the other, of which there may be more than a function takes arguments. */
function joined(parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
