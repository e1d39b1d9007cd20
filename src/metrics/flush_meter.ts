import type { Sink } from "../sink/sink.ts";
import type { Exposition } from "./exposition.ts";
import type { Metrics, Row } from "./metric.ts";
import { QueueAge } from "./queue_age.ts";

/** What is known of sinks now. */
interface SinkState {
  /** Whether they can be written to, 1 or 0. */
  readonly up: readonly Row[];
  /** Seconds. */
  readonly oldest: readonly Row[];
}

const SINK_METRICS: Metrics<SinkState> = {
  up: {
    name: "flosensor_sink_up",
    help: "Whether it can be written to.",
    type: "gauge",
    labels: ["sink"],
  },
  oldest: {
    name: "flosensor_sink_oldest_pending_seconds",
    help: "How long the oldest observation waits to be written.",
    type: "gauge",
    labels: ["sink"],
  },
};

/** Seconds. A flush is meant to be over before the next one. */
const FLUSH_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];
/** Seconds: from a flush interval to a Redis that is away for an hour. */
const AGE_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600];

/** Measures flushes of sinks, and how long observations wait in them. */
export class FlushMeter {
  readonly #ages: ReadonlyMap<Sink, QueueAge>;
  readonly #flushes: ReturnType<Exposition["addHistogram"]>;
  readonly #waits: ReturnType<Exposition["addHistogram"]>;

  /** Adds what it measures to metrics. */
  constructor(sinks: readonly Sink[], exposition: Exposition) {
    this.#ages = new Map(sinks.map((sink) => [sink, new QueueAge()]));
    const values = sinks.map(({ name }) => name);
    this.#flushes = exposition.addHistogram({
      name: "flosensor_sink_flush_duration_seconds",
      help: "How long flushes take.",
      label: "sink",
      values,
      buckets: FLUSH_BUCKETS,
    });
    this.#waits = exposition.addHistogram({
      name: "flosensor_sink_queue_age_seconds",
      help: "How long the oldest observation of a flush interval waited until all of it had left " +
        "the queue, written or lost.",
      label: "sink",
      values,
      buckets: AGE_BUCKETS,
    });
    exposition.add(SINK_METRICS, () => this.#state());
  }

  /** Notes that something comes. */
  take(): void {
    const now = seconds();
    for (const age of this.#ages.values()) age.take(now);
  }

  /** Notes that a flush begins. @returns Notes that it is over. */
  begin(sink: Sink): () => void {
    const began = seconds();
    const age = this.#ages.get(sink);
    age?.mark(gone(sink) + sink.pending, began);
    return () => {
      const now = seconds();
      this.#flushes.observe({ sink: sink.name }, now - began);
      for (const wait of age?.leave(gone(sink), now) ?? []) {
        this.#waits.observe({ sink: sink.name }, wait);
      }
    };
  }

  #state(): SinkState {
    const now = seconds();
    const all = [...this.#ages];
    return {
      up: all.map(([{ name, trouble }]) => [(trouble ?? null) === null ? 1 : 0, name]),
      oldest: all.map(([sink, age]) => [age.oldest(gone(sink), now), sink.name]),
    };
  }
}

/** What is no longer in a sink's queue. */
function gone({ written, lost }: Sink): number {
  return written + lost;
}

function seconds(): number {
  return performance.now() / 1000;
}
