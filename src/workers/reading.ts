import type { InterfaceSource } from "../capture/interface_source.ts";
import type { Meters } from "./meters.ts";
import type { PacketWork, WorkStatistics } from "./packet_work.ts";

/** How long, in milliseconds, what the kernel still has is read after the signal to end. */
const DRAIN_PATIENCE = 1000;
/**
 * How long, in milliseconds, there must be no packet before all of it was read. The kernel keeps
 * packets back until a block is full, or libpcap's time-out of 100 ms has passed, once or twice.
 */
const DRAIN_QUIET = 300;

/** Packets of some interfaces on their way through the meters of this thread. */
export class Reading implements PacketWork {
  readonly #sources: readonly InterfaceSource[];
  readonly #meters: Meters;
  readonly #room: (() => Promise<void>) | null;
  /** Packets that were dropped, and how often an interface was away, at the last flush. */
  #gaps = 0;
  /** Until when packets are read, once the end was asked for. */
  #deadline = Infinity;

  /**
   * @param sources Closed by {@linkcode Reading.close}.
   * @param room Resolves when there is room for what comes of the next packets. By default, there
   * always is.
   */
  constructor(
    sources: readonly InterfaceSource[],
    meters: Meters,
    room: (() => Promise<void>) | null = null,
  ) {
    this.#sources = sources;
    this.#meters = meters;
    this.#room = room;
    // The engine takes packets where they were put, if that is its memory.
    for (const [i, { batch }] of sources.entries()) {
      if (meters.engine.isInput(batch)) batch.taker = meters.engine.takerOf(i + 1);
    }
    const { longPackets } = meters;
    if (longPackets.ports.length === 0 && !longPackets.withNames) return;
    for (const source of sources) source.takeMoreOf(longPackets);
  }

  async run(): Promise<void> {
    await Promise.all(this.#sources.map((source, i) => this.#read(source, i + 1)));
  }

  flush(): Promise<void> {
    this.#noteGaps();
    this.#meters.engine.flushDue();
    return Promise.resolve();
  }

  end(): void {
    this.#deadline = performance.now() + DRAIN_PATIENCE;
  }

  statistics(): WorkStatistics {
    const sources = this.#sources.map((source) => source.statistics());
    const away = this.#sources.map((source) => source.away);
    return { sources, meters: this.#meters.statistics(), away };
  }

  close(): void {
    for (const source of this.#sources) source.close();
  }

  async #read(source: InterfaceSource, interfaceNumber: number): Promise<void> {
    let quietSince = Infinity;
    for (let batch; (batch = await source.next()) !== null;) {
      batch.interface.fill(interfaceNumber, 0, batch.count);
      this.#meters.engine.take(batch);
      if (this.#room !== null) await this.#room();
      if (this.#deadline === Infinity) continue;
      const now = performance.now();
      quietSince = !batch.isEmpty ? now : Math.min(quietSince, now);
      if (now > this.#deadline || now - quietSince > DRAIN_QUIET) return;
    }
  }

  /** What the sensor has not seen may have been the first packets of what it sees now. */
  #noteGaps(): void {
    let gaps = 0;
    for (const source of this.#sources) {
      const { droppedByKernel, droppedByInterface } = source.statistics();
      gaps += droppedByKernel + droppedByInterface + source.returns;
    }
    if (gaps !== this.#gaps) this.#meters.engine.noteGap();
    this.#gaps = gaps;
  }
}
