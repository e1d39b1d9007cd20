import { compileFilter } from "../../ffi/bpf_compiler.ts";
import { LINKTYPE_ETHERNET } from "../packet/link_type.ts";
import { UserError } from "../user_error.ts";
import { type PacketFilter, packetFilter } from "./bpf.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { isDecoded } from "./is_decoded.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { PacketSource, SourceStatistics } from "./packet_source.ts";

/**
 * Those packets of a source that match a filter in the language of pcap-filter(7).
 *
 * libpcap compiles the filter, once for each link type that turns up; no call is made for a packet.
 * What does not match is not counted as received, as with a filter in the kernel. Packets of a link
 * type that libpcap can't filter, and that is not decoded here, are left in: they are counted as not
 * decoded, as without a filter.
 */
export class FilteredSource implements PacketSource {
  readonly #source: PacketSource;
  readonly #expression: string;
  readonly #filters = new Map<number, PacketFilter>();
  #linkType = -1;
  #filter: PacketFilter = () => 0;
  #rejected = 0;

  /** @param source Closed by {@linkcode FilteredSource.close}. */
  constructor(source: PacketSource, expression: string) {
    this.#source = source;
    this.#expression = expression;
  }

  get name(): string {
    return this.#source.name;
  }

  /** @throws {UserError} when the filter has an error, or has no meaning for a decoded link type. */
  async next(): Promise<PacketBatch | null> {
    const batch = await this.#source.next();
    if (batch !== null) this.#filterBatch(batch);
    return batch;
  }

  statistics(): SourceStatistics {
    const statistics = this.#source.statistics();
    const given = statistics.given - this.#rejected;
    return { ...statistics, received: given, given };
  }

  close(): void {
    this.#source.close();
  }

  /** Moves what matches to the front of the index. */
  #filterBatch(batch: PacketBatch): void {
    const { bytes, count, offset, captured, length, linkType } = batch;
    let kept = 0;
    for (let packet = 0; packet < count; packet++) {
      if (linkType[packet] !== this.#linkType) this.#choose(linkType[packet]);
      if (this.#filter(bytes, offset[packet], captured[packet], length[packet]) === 0) continue;
      batch.move(packet, kept++);
    }
    this.#rejected += count - kept;
    batch.count = kept;
  }

  #choose(linkType: number): void {
    let filter = this.#filters.get(linkType);
    if (filter === undefined) {
      filter = packetFilter(programFor(this.#expression, linkType));
      this.#filters.set(linkType, filter);
    }
    this.#filter = filter;
    this.#linkType = linkType;
  }
}

/** `ret #k` of the classic BSD packet filter, with the longest packet there is. */
const TAKE_ALL: readonly BpfInstruction[] = [{ code: 0x06, jt: 0, jf: 0, k: 0xffff_ffff }];

function programFor(expression: string, linkType: number): readonly BpfInstruction[] {
  try {
    return compileFilter(expression, linkType);
  } catch (error) {
    if (!(error instanceof UserError) || isDecoded(linkType)) throw error;
    // What is wrong with the filter itself is wrong here too.
    compileFilter(expression, LINKTYPE_ETHERNET);
    return TAKE_ALL;
  }
}
