/** What the engine's program decodes itself, beside what `decode()` says of it. */
import assert from "node:assert/strict";
import { EngineMemory, type EngineProgram } from "../../src/engine/engine_memory.ts";
import {
  DIRECTION_SHIFT,
  FLAGS_SHIFT,
  HAS_PAYLOAD,
  IN_TUNNEL,
  INPUT,
  IS_OUTER,
  LIST4,
  LIST6,
  MAPPING,
  MILLISECONDS_SHIFT,
  OCTETS_MASK,
  PACKET4_SHIFT,
  PACKET6_SHIFT,
  PACKET_ABOUT,
  PACKET_ADDRESSES,
  PACKET_OCTETS,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_SIZE,
  PACKET_PORTS,
  PACKET_VLAN,
  READ_PORTS,
  SIGN_FILTER,
  TUNNEL_PORT_BITS,
  TUNNELS4,
  TUNNELS6,
  WORD,
} from "../../src/engine/layout.ts";
import { FIRST_WINDOW } from "../../src/model/windows.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../../src/packet/packet_header.ts";
import { READ_ALL } from "../../src/packet/payload_reader.ts";
import { NO_TUNNEL } from "../../src/packet/tunnel.ts";
import { TUNNEL_PORTS } from "../../src/packet/udp_tunnel.ts";
import { payloadRole } from "../../src/payload/payload_role.ts";
import { makeSignFilter } from "../../src/payload/sign_filter.ts";
import { mappingOf } from "../observed_keys.ts";

/** The second in which packets are taken. */
const SECOND = 1_700_000_000;
const DNS = 53;

/** What is listed of a packet, as plain values. */
export interface Listed {
  about: number;
  source: string;
  destination: string;
  octets: number;
  vlan: number;
  /** Where its payload is, and how long; none where it has none. */
  payload: [number, number] | null;
  /** The kind of tunnel that it is in, and what tells it apart. */
  tunnel: [number, number] | null;
  /** What it is in: source, destination, and the bytes of that packet. */
  outer: [string, string, number] | null;
}

/** The program that decodes packets, with nobody behind it who could. */
export class Decoding {
  readonly program: EngineProgram;
  readonly memory = new EngineMemory(1000, 1000);
  /** Packets that were left to others, and those that are to be read, by where they are. */
  left = 0;
  readonly read: number[] = [];
  readonly #batch = this.memory.newBatch();
  /** Where the packet that was taken last is listed. */
  #last = LIST4;

  constructor(readPort = READ_ALL, opensTunnels = true) {
    this.memory.bytes[READ_PORTS + DNS] = readPort;
    this.memory.words.set(makeSignFilter(), SIGN_FILTER / WORD);
    this.program = this.memory.start({
      followTime: () => {},
      decode: () => void this.left++,
      read: (packet) => void this.read.push(packet),
      readAnnouncements: () => {},
      readFirst: () => 0,
      payloadRole: (protocol, payload, end, ports, order) =>
        payloadRole(
          protocol,
          this.memory.view,
          payload,
          end,
          ports >>> 16,
          ports & 0xffff,
          order,
        ),
      emit: () => {},
      see: () => {},
      judgeOwn: () => 0,
      wasOwnAttempt: () => false,
      isListening: () => false,
      askFunction: () => 0,
      corrected: () => {},
      ended: () => {},
      record: () => {},
    });
    const mapping = mappingOf({}, []);
    this.memory.words.set(mapping.compiled, MAPPING / WORD);
    this.program.useMapping();
    for (const port of opensTunnels ? TUNNEL_PORTS : []) {
      this.memory.bytes[TUNNEL_PORT_BITS + (port >>> 3)] |= 1 << (port & 7);
    }
    this.program.useTunnels(opensTunnels, false);
    this.program.setTime(SECOND, 0, FIRST_WINDOW);
  }

  /** What is listed of a packet, or `null` where it is left to others. */
  take(packet: Uint8Array, linkType: number): Listed | null {
    const batch = this.#batch;
    const { view } = this.memory;
    // What lies after it is somebody else's.
    batch.bytes.fill(0x45, 0, packet.length + 64);
    batch.bytes.set(packet);
    batch.captured[0] = batch.length[0] = packet.length;
    batch.linkType[0] = linkType;
    batch.seconds[0] = SECOND;
    batch.milliseconds[0] = 789;
    const places = [LIST4, LIST4 + 2 ** PACKET4_SHIFT, LIST6, LIST6 + 2 ** PACKET6_SHIFT];
    for (const place of places) view.setUint32(place + PACKET_ABOUT, 0);
    this.program.takeIndexed(0, 1);
    const there = places.filter((place) => view.getUint32(place + PACKET_ABOUT) !== 0);
    const isOuter = (place: number) =>
      (view.getUint32(place + PACKET_ABOUT, true) & IS_OUTER) !== 0;
    const at = there.find((place) => !isOuter(place));
    if (at === undefined) return null;
    this.#last = at;
    const around = there.find(isOuter);
    const about = view.getUint32(at + PACKET_ABOUT, true);
    const isIpv6 = at >= LIST6;
    const tunnel = isIpv6 ? TUNNELS6 : TUNNELS4;
    const [source, destination] = this.#endsAt(at);
    const octets = view.getUint32(at + PACKET_OCTETS, true);
    assert.equal(octets >>> MILLISECONDS_SHIFT, 789);
    return {
      about: about & ~(1 << DIRECTION_SHIFT | IN_TUNNEL),
      source,
      destination,
      octets: octets & OCTETS_MASK,
      tunnel: (about & IN_TUNNEL) === 0
        ? null
        : [view.getUint32(tunnel, true), view.getUint32(tunnel + WORD, true)],
      outer: around === undefined ? null : [
        ...this.#endsAt(around),
        view.getUint32(around + PACKET_OCTETS, true) & OCTETS_MASK,
      ],
      vlan: view.getUint16(at + PACKET_VLAN, true),
      payload: (about & HAS_PAYLOAD) === 0 ? null : [
        view.getUint32(at + PACKET_PAYLOAD, true) - INPUT,
        view.getUint16(at + PACKET_PAYLOAD_SIZE, true),
      ],
    };
  }

  /** What it says of the payload of the packet that was taken last. */
  says(order: number): number {
    return this.program.payloadSays(this.#last, order);
  }

  /** Source and destination of a packet in a list. */
  #endsAt(at: number): [string, string] {
    const { view, words } = this.memory;
    const ports = view.getUint32(at + PACKET_PORTS, true);
    const size = at >= LIST6 ? 4 : 1;
    const [low, high] = [ports >>> 16, ports & 0xffff].map((port, end) => {
      const from = (at + PACKET_ADDRESSES) / WORD + end * size;
      return `${words.subarray(from, from + size).join()} ${port}`;
    });
    const isTurned = (view.getUint32(at + PACKET_ABOUT, true) >>> DIRECTION_SHIFT & 1) !== 0;
    return isTurned ? [high, low] : [low, high];
  }
}

/** What the one decoder that knows all kinds of packets says of one, or `null` where it is no transport. */
export function expectedOf(packet: Uint8Array, linkType: number): Listed | null {
  const header = new PacketHeader();
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (decode(view, 0, packet.length, linkType, header) !== TRANSPORT) return null;
  const { isIpv6, addresses, payloadOffset, payloadEnd, ipLength, vlan } = header;
  const words = (from: number) => addresses.subarray(isIpv6 ? from : from + 3, from + 4).join();
  const hasPayload = payloadOffset < payloadEnd;
  return {
    about: header.protocol | (header.tcpFlags << FLAGS_SHIFT) | (hasPayload ? HAS_PAYLOAD : 0),
    source: `${words(SOURCE)} ${header.sourcePort}`,
    destination: `${words(DESTINATION)} ${header.destinationPort}`,
    octets: ipLength,
    vlan,
    payload: hasPayload ? [payloadOffset, payloadEnd - payloadOffset] : null,
    tunnel: header.tunnel === NO_TUNNEL ? null : [header.tunnel, header.tunnelId],
    outer: outerOf(header),
  };
}

function outerOf({ around, nested }: PacketHeader): Listed["outer"] {
  const outer = around.slice(0, nested).find(({ protocol }) => protocol !== 0);
  if (outer === undefined) return null;
  const words = (from: number) =>
    outer.addresses.subarray(outer.isIpv6 ? from : from + 3, from + 4).join();
  return [`${words(SOURCE)} 0`, `${words(DESTINATION)} 0`, outer.ipLength];
}
