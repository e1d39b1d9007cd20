import type { Log } from "../log.ts";
import type { WorkStatistics } from "../workers/packet_work.ts";
import type { Run } from "./run.ts";
import { type KeptOutBy, WhyNoPackets } from "./why_no_packets.ts";

/** Milliseconds after which there should have been packets, and enough of them to tell what becomes of most. */
const PACKETS_PATIENCE = 10_000;
const FLOWS_PATIENCE = 30_000;
/** Of fewer conversations or packets, most say little. */
const LEAST = 10;

/** Says why a capture shows nothing: soon after its start, each reason once, and all that hold at its end. */
export class CaptureHints {
  readonly #run: Pick<Run, "whyNoFlows">;
  readonly #log: Log;
  readonly #interfaces: readonly WhyNoPackets[];
  readonly #now: () => number;
  readonly #start: number;
  readonly #said = new Set<string>();

  /**
   * @param names The interfaces, in the order in which a capture counts them.
   * @param now The time in milliseconds.
   */
  constructor(
    run: Pick<Run, "whyNoFlows">,
    names: readonly string[],
    keptOutBy: KeptOutBy,
    log: Log,
    now: () => number = () => performance.now(),
  ) {
    this.#run = run;
    this.#now = now;
    this.#start = now();
    this.#log = log;
    this.#interfaces = names.map((name) => new WhyNoPackets(name, keptOutBy));
  }

  /** Looks at what was counted while the capture goes on. */
  look({ sources, meters: { flows } }: WorkStatistics): void {
    const passed = this.#now() - this.#start;
    if (passed >= PACKETS_PATIENCE) {
      this.#interfaces.forEach((it, i) => {
        // That one is down was said when it was seen.
        if (sources[i]?.given === 0 && !it.isDown) this.#sayOnce(`interface ${i}`, it.text());
      });
    }
    if (passed < FLOWS_PATIENCE) return;
    const enough = [flows.became, flows.decoded].every((counts) =>
      counts.reduce((sum, count) => sum + count, 0) >= LEAST
    );
    if (!enough) return;
    for (const { kind, text } of this.#run.whyNoFlows(flows)) this.#sayOnce(kind, text);
  }

  /** Another configuration was loaded: what holds with it is said again. */
  beginAnew(): void {
    this.#said.clear();
  }

  /** Looks at what was counted in the end. */
  atEnd({ sources, meters }: WorkStatistics): void {
    const empty = this.#interfaces.filter((_, i) => sources[i]?.given === 0);
    for (const it of empty) this.#log.warn(it.text());
    for (const { text } of this.#run.whyNoFlows(meters.flows)) this.#log.warn(text);
  }

  #sayOnce(kind: string, text: string): void {
    if (!this.#said.has(kind)) this.#log.warn(text);
    this.#said.add(kind);
  }
}
