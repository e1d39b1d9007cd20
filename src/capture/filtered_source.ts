import { compileFilter } from "../../ffi/bpf_compiler.ts";
import { type PacketFilter, packetFilter } from "./bpf.ts";
import type { PacketBatch } from "./packet_batch.ts";
import type { PacketSource, SourceStatistics } from "./packet_source.ts";

/**
 * Those packets of a source that match a filter in the language of pcap-filter(7).
 *
 * libpcap compiles the filter, once for each link type that turns up; no call is made for a packet.
 * What does not match is not counted as received, as with a filter in the kernel.
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

  /** @throws {UserError} when the filter has an error, or has no meaning for a link type. */
  async next(): Promise<PacketBatch | null> {
    const batch = await this.#source.next();
    if (batch !== null) this.#filterBatch(batch);
    return batch;
  }

  statistics(): SourceStatistics {
    const statistics = this.#source.statistics();
    return { ...statistics, received: statistics.received - this.#rejected };
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
      filter = packetFilter(compileFilter(this.#expression, linkType));
      this.#filters.set(linkType, filter);
    }
    this.#filter = filter;
    this.#linkType = linkType;
  }
}
