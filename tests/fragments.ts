/** IP datagrams in fragments, for tests. */
import { type Bytes, bytes, u16, u32 } from "./packets.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT = 44;

/** A part of a datagram: which bytes of what follows its IP header. */
export interface Part {
  from: number;
  to: number;
  /** Whether others come after it; by default, if it is not the end. */
  hasMore?: boolean;
}

/** One fragment of an IP packet without options or extension headers. */
export function fragmentOf(packet: Uint8Array, id: number, { from, to, hasMore }: Part): Bytes {
  const isIpv6 = packet[0] >>> 4 === 6;
  const header = isIpv6 ? IPV6_HEADER : IPV4_HEADER;
  const data = packet.slice(header + from, header + to);
  const isFollowed = hasMore ?? header + to < packet.length;
  if (isIpv6) {
    const fragment = bytes([packet[6], 0], u16(from | (isFollowed ? 1 : 0)), u32(id));
    const made = bytes(packet.slice(0, header), fragment, data);
    made.set(u16(fragment.length + data.length), 4);
    made[6] = FRAGMENT;
    return made;
  }
  const made = bytes(packet.slice(0, header), data);
  made.set(u16(made.length), 2);
  made.set(u16(id), 4);
  made.set(u16(from / 8 | (isFollowed ? MORE_FRAGMENTS : 0)), 6);
  return made;
}

/** All fragments of a packet, each with so many bytes of what follows its IP header, the last with less. */
export function fragmentsOf(packet: Uint8Array, id: number, size: number): Bytes[] {
  const header = packet[0] >>> 4 === 6 ? IPV6_HEADER : IPV4_HEADER;
  const whole = packet.length - header;
  const starts = Array.from({ length: Math.ceil(whole / size) }, (_, i) => i * size);
  return starts.map((from) => fragmentOf(packet, id, { from, to: Math.min(from + size, whole) }));
}
