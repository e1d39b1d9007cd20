import type { Log } from "../log.ts";
import { Exposition } from "../metrics/exposition.ts";
import { FlushMeter } from "../metrics/flush_meter.ts";
import type { Metrics, Row } from "../metrics/metric.ts";
import { type MetricsPlace, MetricsServer } from "../metrics/metrics_server.ts";
import { PROCESS_METRICS, processState } from "../metrics/process_metrics.ts";
import type { PacketWork } from "../workers/packet_work.ts";
import { captureCounts } from "./capture_counts.ts";
import type { Run } from "./run.ts";
import { SENSOR_METRICS } from "./sensor_counts.ts";

/** How a capture is now. */
interface CaptureState {
  /** Whether packets can be taken from an interface, 1 or 0. */
  readonly up: readonly Row[];
  /** Whether the configuration was loaded when that was tried last, 1 or 0. */
  readonly loaded: readonly Row[];
}

const CAPTURE_METRICS: Metrics<CaptureState> = {
  up: {
    name: "flosensor_interface_up",
    help: "Whether packets can be taken from an interface.",
    type: "gauge",
    labels: ["interface"],
  },
  loaded: {
    name: "flosensor_config_last_reload_successful",
    help: "Whether the configuration was loaded when that was tried last.",
    type: "gauge",
    labels: [],
  },
};

/** Serves the metrics of a capture. */
export class CaptureMetrics {
  /** Why the capture as a whole does not take packets; `null` while it does. */
  state: string | null = "flosensor is starting";
  readonly #run: Run;
  readonly #work: PacketWork;
  readonly #names: readonly string[];
  readonly #server: MetricsServer;

  /**
   * Listens.
   *
   * @param names The interfaces, in the order of the work's sources.
   * @throws {UserError} when it can't listen there.
   */
  constructor(
    place: MetricsPlace,
    run: Run,
    work: PacketWork,
    names: readonly string[],
    log: Log,
  ) {
    this.#run = run;
    this.#work = work;
    this.#names = names;
    const exposition = new Exposition();
    exposition.add(PROCESS_METRICS, processState);
    exposition.add(SENSOR_METRICS, () => captureCounts(run, work, names));
    exposition.add(CAPTURE_METRICS, () => this.#state());
    run.flushMeter = new FlushMeter(run.sinks, exposition);
    this.#server = new MetricsServer(place, exposition, () => this.#troubles(), log);
  }

  close(): void {
    this.#server.close();
  }

  #state(): CaptureState {
    const { away } = this.#work.statistics();
    return {
      up: this.#names.map((name, i) => [(away[i] ?? null) === null ? 1 : 0, name]),
      loaded: [[this.#run.isLoaded ? 1 : 0]],
    };
  }

  #troubles(): string[] {
    const sinks = this.#run.sinks.map(({ trouble }) => trouble ?? null);
    return [this.state, ...this.#work.statistics().away, ...sinks].filter((it) => it !== null);
  }
}
