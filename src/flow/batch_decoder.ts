import type { PacketBatch } from "../capture/packet_batch.ts";
import { decode } from "../packet/decode.ts";
import { TRANSPORT, UNREACHABLE } from "../packet/decoded.ts";
import { LINKTYPE_ETHERNET } from "../packet/link_type.ts";
import { PacketHeader, PROTOCOL_TCP, PROTOCOL_UDP } from "../packet/packet_header.ts";
import { UndecodedCounts } from "../packet/undecoded_counts.ts";
import { PREFETCHED_AT_ONCE } from "./conversation_table.ts";
import type { DecodedBatch } from "./decoded_batch.ts";
import { FLAGS_SHIFT, HAS_PAYLOAD } from "./packet_list.ts";
import { RepeatFilter } from "./repeat_filter.ts";

/** Ethernet, IPv4 without options, TCP without options. */
const PLAIN_HEADERS = 54;
const IPV4_WITHOUT_OPTIONS = 0x0800_4500;
/** Low 13 bits of the upper half of the IPv4 word with flags (RFC 791, section 3.1). */
const FRAGMENT_OFFSET = 0x1fff_0000;
const UDP_HEADER = 8;

/** What a {@linkcode BatchDecoder} has to know of the meter that it works for. */
export interface DecoderSettings {
  /** For each of the 65536 ports whether packets that come from it are to be read: not 0. */
  readonly readPorts: Uint8Array;
}

/** Decodes packets, and puts them into groups that a `FlowMeter` takes. */
export class BatchDecoder {
  readonly #header = new PacketHeader();
  readonly #settings: DecoderSettings;
  readonly #repeats = new RepeatFilter();
  /** What was not decoded up to now. */
  readonly undecoded: UndecodedCounts = new UndecodedCounts();
  /** How many packets there are in the batch's `other`. */
  #others = 0;

  /** Makes a decoder that has seen nothing yet. */
  constructor(settings: DecoderSettings) {
    this.#settings = settings;
  }

  /** Forgets what was decoded: the next packet of each conversation is no repetition. */
  forget(): void {
    this.#repeats.clear();
  }

  /**
   * Decodes packets of a batch, as many as there is room for.
   *
   * @param from The index of the first.
   * @param end The index after the last.
   * @param into Is filled anew.
   * @param now The second, where it is not that of the packets.
   * @returns The index after the last that was decoded.
   */
  decode(
    batch: PacketBatch,
    from: number,
    end: number,
    into: DecodedBatch,
    now: number | null = null,
  ): number {
    const { seconds } = batch;
    const { groupSeconds, groupEnd4, groupEnd6, groupEndOther, ipv4, ipv6 } = into;
    ipv4.count = ipv6.count = 0;
    into.decoded.fill(0);
    const last = Math.min(end, from + into.capacity);
    let groups = 0;
    this.#others = 0;
    for (let i = from; i < last;) {
      const most = Math.min(last, i + PREFETCHED_AT_ONCE);
      let groupEnd = i + 1;
      if (now !== null) groupEnd = most;
      else while (groupEnd < most && seconds[groupEnd] === seconds[i]) groupEnd++;
      // A group that has no room as a whole is left for the next call: so groups are the same,
      // however much room there is.
      if (groupEnd === last && last < end && i > from) {
        into.groupCount = groups;
        return i;
      }
      const second = now ?? seconds[i];
      this.#repeats.setTime(second);
      this.#decodeGroup(batch, i, groupEnd, into);
      groupSeconds[groups] = second;
      groupEnd4[groups] = ipv4.count;
      groupEnd6[groups] = ipv6.count;
      groupEndOther[groups++] = this.#others;
      i = groupEnd;
    }
    into.groupCount = groups;
    return last;
  }

  #decodeGroup(batch: PacketBatch, from: number, groupEnd: number, into: DecodedBatch): void {
    const { view, offset, captured, linkType } = batch;
    const { ipv4, ipv6, other, decoded } = into;
    const { readPorts } = this.#settings;
    const header = this.#header;
    for (let i = from;; i++) {
      i = this.#decodePlain(batch, i, groupEnd, into);
      if (i === groupEnd) return;
      const start = offset[i];
      const outcome = decode(view, start, start + captured[i], linkType[i], header);
      decoded[outcome]++;
      if (outcome === TRANSPORT) {
        if (readPorts[header.sourcePort] !== 0) other[this.#others++] = i;
        if (header.isIpv6) {
          ipv6.add6(i, header);
          if (this.#repeats.isRepeat6(ipv6, ipv6.count - 1)) ipv6.count--;
        } else {
          ipv4.add4(i, header);
          if (this.#repeats.isRepeat4(ipv4, ipv4.count - 1)) ipv4.count--;
        }
      } else if (outcome === UNREACHABLE) {
        other[this.#others++] = i;
      } else {
        this.undecoded.note(outcome, linkType[i], header);
      }
    }
  }

  /**
   * The way of most packets, which `decode()` would take with many more steps: TCP or UDP right after
   * an IPv4 header without options and an Ethernet header without tags. Whatever is not as usual is
   * left to `decode()`.
   *
   * @returns The index of the first packet that is another one, or `groupEnd`.
   */
  #decodePlain(batch: PacketBatch, from: number, groupEnd: number, into: DecodedBatch): number {
    const { view, offset, captured, linkType } = batch;
    const { ipv4: list, other, decoded } = into;
    const { readPorts } = this.#settings;
    const repeats = this.#repeats;
    let i = from;
    for (; i < groupEnd; i++) {
      const start = offset[i];
      const end = start + captured[i];
      if (linkType[i] !== LINKTYPE_ETHERNET || end - start < PLAIN_HEADERS) break;
      // EtherType, version and header length; the last byte is the type of service.
      if ((view.getInt32(start + 12) & ~0xff) !== IPV4_WITHOUT_OPTIONS) break;
      // Flags, fragment offset, time to live, protocol.
      const word = view.getInt32(start + 20);
      if ((word & FRAGMENT_OFFSET) !== 0) break;
      const protocol = word & 0xff;
      const transport = start + 34;
      const packetEnd = start + 14 + view.getUint16(start + 16);
      const limit = Math.min(end, packetEnd);
      let about = protocol;
      if (protocol === PROTOCOL_TCP) {
        const offsetAndFlags = view.getUint16(transport + 12);
        const payload = transport + ((offsetAndFlags >>> 10) & 0x3c);
        if (limit < start + PLAIN_HEADERS || payload < start + PLAIN_HEADERS) break;
        if (payload > packetEnd) break;
        if (payload < limit) about |= HAS_PAYLOAD;
        about |= (offsetAndFlags & 0xff) << FLAGS_SHIFT;
      } else if (protocol === PROTOCOL_UDP) {
        const length = view.getUint16(transport + 4);
        if (limit < transport + UDP_HEADER || length < UDP_HEADER) break;
        if (limit > transport + UDP_HEADER && length > UDP_HEADER) about |= HAS_PAYLOAD;
      } else {
        break;
      }
      const ports = view.getInt32(transport);
      if (readPorts[ports >>> 16] !== 0) other[this.#others++] = i;
      list.put4(i, view.getInt32(start + 26), view.getInt32(start + 30), ports, about);
      if (repeats.isRepeat4(list, list.count - 1)) list.count--;
    }
    decoded[TRANSPORT] += i - from;
    return i;
  }
}
